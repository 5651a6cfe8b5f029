"""The studies that come with saccade, as a list for people and programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from saccade.results import aligned, html_table
from saccade.studies.load import SHIPPED, find_study
from saccade.studies.study import Study


@dataclass(frozen=True, repr=False)
class Studies:
    """All shipped studies."""

    entries: tuple[Study, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"studies": [_entry(study) for study in self.entries]}

    def rows(self) -> list[tuple[str, str]]:
        return [(study.name, study.question) for study in self.entries]

    def __str__(self) -> str:
        return aligned(self.rows())

    def __repr__(self) -> str:
        return f"Studies({', '.join(study.name for study in self.entries)})"

    def _repr_html_(self) -> str:
        return html_table(("study", ""), self.rows())


def list_studies() -> Studies:
    """Every shipped study, read from its file."""
    return Studies(tuple(find_study(name) for name in SHIPPED))


def _entry(study: Study) -> dict[str, Any]:
    return {
        "name": study.name,
        "title": study.title,
        "question": study.question,
        "lectures": study.lectures,
        "data": study.data,
        "number": str(study.number),
        "seeds": study.seeds,
        "variants": [variant.name for variant in study.variants],
    }
