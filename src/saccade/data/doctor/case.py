"""Case: the images that the doctor examines, with their facts; Finding: the result of one check."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from saccade.data.item import Item, Skipped

if TYPE_CHECKING:
    from saccade.data.decode import Preprocessing


Severity = Literal["error", "warning", "note"]  # results are wrong; may suffer; good to know
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Finding:
    """One problem that a check found: how often, where, and what to do about it."""

    kind: str
    severity: Severity
    count: int
    items: tuple[str, ...]  # paths, all of them
    message: str  # one plain sentence
    advice: str = ""
    remarks: Mapping[str, str] = field(default_factory=dict)  # of a path
    groups: tuple[tuple[str, ...], ...] = ()  # paths that belong together, such as copies

    def to_dict(self) -> dict[str, object]:
        """All of it as plain data."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "count": self.count,
            "message": self.message,
            "advice": self.advice,
            "items": list(self.items),
            "remarks": dict(self.remarks),
            "groups": [list(group) for group in self.groups],
        }


@dataclass(frozen=True, eq=False)
class Case:
    """N images in order, split after split, and the facts of each."""

    items: Sequence[Item]
    splits: Sequence[str]  # of each image
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    table: NDArray[np.void]  # [N] of COLUMNS
    reasons: Mapping[int, str]  # why an image cannot be read
    content: Rows  # [N] the first image with the same content
    cluster: Rows  # [N] the first image that is a copy or near copy of the same
    preprocessing: Preprocessing | None = None

    def rows(self, condition: NDArray[np.bool_]) -> Rows:
        """Where `condition` holds among the readable images.  [N] bool -> [n] int64"""
        return np.flatnonzero(condition & self.table["readable"])

    def names(self, rows: Rows | Sequence[int]) -> tuple[str, ...]:
        """The names of the images in `rows`."""
        return tuple(self.items[row].name for row in rows)

    def groups(self, key: Rows) -> list[list[int]]:
        """Rows with the same `key` [N], where there are several."""
        groups: dict[int, list[int]] = defaultdict(list)
        shared = np.flatnonzero(np.bincount(key, minlength=len(key))[key] > 1)
        for row in shared.tolist():
            groups[int(key[row])].append(row)
        return list(groups.values())

    @property
    def training_split(self) -> str:
        """The split that a network would learn from."""
        return "train" if "train" in self.splits else next(iter(self.splits), "all")
