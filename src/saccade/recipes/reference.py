"""What every setting does and takes, for people and programs; docs/settings.md is made from it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby
from typing import Any

from saccade.command import as_text
from saccade.recipes.recipe import Recipe, all_settings, unknown_setting
from saccade.recipes.setting import Setting
from saccade.words import html_table

HEAD = ("setting", "default", "takes", "unit", "flag", "sentence")


@dataclass(frozen=True, repr=False)
class SettingsReference:
    """Settings with all that is to be known of each."""

    entries: tuple[Setting, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"settings": [entry.to_dict() for entry in self.entries]}

    def rows(self) -> list[tuple[str, ...]]:
        """A row a setting, as the columns of HEAD."""
        return [
            (one.name, as_text(one.default), one.takes, one.unit, one.option, one.sentence)
            for one in self.entries
        ]

    def to_csv(self) -> str:
        """The rows as comma-separated values, without the last line's end."""
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([HEAD, *self.rows()])
        return out.getvalue().rstrip("\n")

    def to_markdown(self) -> str:
        """The rows as tables, one for each table of a recipe."""
        return "\n".join(self._markdown_lines())

    def _markdown_lines(self) -> Iterator[str]:
        for part, entries in groupby(self.entries, key=lambda one: one.table):
            yield from (f"## {part}", "", getattr(Recipe(), part).__doc__, "")
            yield from ("| setting | default | takes | what it does |", "|---|---|---|---|")
            yield from map(_markdown_row, entries)
            yield ""

    def __str__(self) -> str:
        return "\n".join(line for one in self.entries for line in _lines(one))

    def __repr__(self) -> str:
        return f"SettingsReference({', '.join(one.name for one in self.entries)})"

    def _repr_html_(self) -> str:
        return html_table(HEAD, self.rows())


def list_settings(pattern: str) -> SettingsReference:
    """The settings like `pattern`: optim.lr, lr, epochs, optim, or optim.*.

    Raises `RecipeError` with the nearest names where there is none.
    """
    found = tuple(
        one
        for one in all_settings().values()
        if any(fnmatchcase(name, pattern) for name in (one.name, one.field, one.table, one.flag))
    )
    if not found:
        raise unknown_setting(pattern)
    return SettingsReference(found)


def _markdown_row(one: Setting) -> str:
    named = f"`{one.name}`" + (f", `{one.option}`" if one.option else "")
    takes = f"{one.takes} ({one.unit})" if one.unit else one.takes
    cells = (named, f"`{as_text(one.default)}`" if one.default != () else "", takes, one.sentence)
    return f"| {' | '.join(cells)} |"


def _lines(one: Setting) -> Iterator[str]:
    unit = f" ({one.unit})" if one.unit else ""
    option = f", or {one.option}" if one.option else ""
    yield f"{one.name}={as_text(one.default)}{option}"
    yield f"    {one.sentence}"
    yield f"    Takes {one.takes}{unit}."
