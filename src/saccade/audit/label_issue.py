"""Label issues: images whose labels are probably wrong, the worst first."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from saccade.data.item import Item, Skipped
from saccade.frame import data_frame
from saccade.metrics.intervals import Interval, proportion_interval
from saccade.words import LineFeeds, aligned, html_table, percent, proportion

if TYPE_CHECKING:
    from pandas import DataFrame

SHOWN = 20  # in a terminal; all of them are in --json and --csv
COLUMNS = ("name", "split", "given", "suggested", "p_given", "p_suggested", "margin", "p_wrong")
HEADINGS = ("given", "suggested", "p(given)", "p(suggested)", "p(wrong)", "image")


@dataclass(frozen=True)
class LabelIssue:
    """An image whose given label is probably wrong, and the label that it probably should have."""

    name: str
    split: str
    given: str
    suggested: str
    p_given: float  # out-of-sample probability, as the next one
    p_suggested: float
    p_wrong: float  # that the given label is wrong, by which issues are ranked

    @property
    def margin(self) -> float:
        """The normalised margin: p of the given label less that of the suggested one."""
        return self.p_given - self.p_suggested

    def to_dict(self) -> dict[str, Any]:
        """The issue as JSON values."""
        return asdict(self) | {"margin": self.margin}


@dataclass(frozen=True, repr=False)
class LabelIssues:
    """The label issues of a set of images, with the estimated label error rate."""

    data: str
    n: int  # images examined
    classes: tuple[str, ...]
    issues: tuple[LabelIssue, ...]
    label_error_rate: float  # estimated share of wrong labels
    interval: Interval | None  # of that share
    noise_matrix: tuple[tuple[float, ...], ...]  # p(given | true): a row a given label
    agreements: int  # images whose given label is the most probable one
    features: str  # description of the features
    items: tuple[Item, ...] = ()  # all images examined
    notes: tuple[str, ...] = ()
    unreadable: tuple[Skipped, ...] = ()  # images that could not be read

    def to_dict(self) -> dict[str, Any]:
        """Everything but the images, for `--json`."""
        return {
            "data": self.data,
            "n": self.n,
            "classes": list(self.classes),
            "label_error_rate": self.label_error_rate,
            "label_error_rate_interval": list(self.interval) if self.interval else None,
            "noise_matrix": [list(row) for row in self.noise_matrix],
            "agreement": self.agreements / self.n,
            "precision": None if math.isnan(self.precision) else self.precision,
            "features": self.features,
            "label_issues": [issue.to_dict() for issue in self.issues],
            "notes": list(self.notes),
            "unreadable": [{"name": s.name, "reason": s.reason} for s in self.unreadable],
        }

    def to_csv(self) -> str:
        """A row per label issue."""
        out = io.StringIO()
        writer = csv.writer(LineFeeds(out))
        writer.writerow(COLUMNS)
        writer.writerows([issue.to_dict()[name] for name in COLUMNS] for issue in self.issues)
        return out.getvalue().rstrip("\n")

    def to_frame(self) -> DataFrame:
        """A row per label issue, the most certain first."""
        return data_frame([[getattr(i, c) for c in COLUMNS] for i in self.issues], COLUMNS)

    def rows(self) -> list[tuple[str, str]]:
        """Names and values as text."""
        return [
            ("images", f"{self.n:,} of {len(self.classes)} classes"),
            ("label error rate", self.label_error_rate_text()),
            ("label issues", self.issues_text()),
            ("probe accuracy", f"{self.agreement_text()}, agreement with the given labels"),
            ("features", self.features),
            *(("note", note) for note in self.notes),
        ]

    @property
    def precision(self) -> float:
        """The share of the issues that is expected to be wrong: the mean of `p_wrong`; NaN of none.

        Classes that overlap lower it, as does what the features do not show.
        """
        if not self.issues:
            return math.nan
        return sum(issue.p_wrong for issue in self.issues) / len(self.issues)

    def issues_text(self) -> str:
        """How many issues there are, and how many of them are expected to be wrong."""
        count = f"{len(self.issues):,}"
        return f"{count}, about {percent(self.precision)} of them wrong" if self.issues else count

    def label_error_rate_text(self) -> str:
        """The estimated share of wrong labels, with its interval."""
        if self.interval is None:
            return f"about {percent(self.label_error_rate)} (n = {self.n:,}, too few groups)"
        low, high = (f"{100 * end:.1f}" for end in self.interval)
        about = percent(self.label_error_rate)
        return f"{low} to {high} % of the labels are wrong, most likely {about} (n = {self.n:,})"

    def agreement_text(self) -> str:
        """The share of images whose given label is the most probable one, with its interval."""
        interval = proportion_interval(self.agreements, self.n)
        return proportion(self.agreements / self.n, interval, self.n)

    def __str__(self) -> str:
        lines = [aligned(self.rows())]
        if self.issues:
            shown = self.issues[:SHOWN]
            lines += ["", aligned([HEADINGS, *(_cells(issue) for issue in shown)])]
        if (more := len(self.issues) - SHOWN) > 0:
            lines.append(f"and {more:,} more: --csv lists all, --html shows them")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"LabelIssues({self.data}: {len(self.issues)} of {self.n})"

    def _repr_html_(self) -> str:
        return html_table(("label issues", self.data), self.rows())


def _cells(issue: LabelIssue) -> tuple[str, ...]:
    probabilities = (percent(p) for p in (issue.p_given, issue.p_suggested, issue.p_wrong))
    return (issue.given, issue.suggested, *probabilities, issue.name)
