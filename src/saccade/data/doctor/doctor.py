"""The doctor: data validation; examines every image of a source before training.

A diagnosis reads for people and programs, and as a cleaned list of images.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from saccade.data.doctor import (
    checks_copies,
    checks_files,
    checks_labels,
    checks_pixels,
    checks_series,
)
from saccade.data.doctor.case import Case, Finding
from saccade.data.doctor.checks_labels import label_counts
from saccade.data.doctor.checks_pixels import lost_to_crop
from saccade.data.doctor.duplicates import (
    candidate_pairs,
    clusters,
    confirmed_pairs,
    first_of_content,
)
from saccade.data.doctor.scan import Progress, scan
from saccade.data.image_files import manifest_path
from saccade.data.item import Skipped, Source, label_text
from saccade.data.sources import absolute_location
from saccade.data.sources.data_spec import is_there
from saccade.files import as_utf8, cache_folder
from saccade.frame import data_frame
from saccade.words import pluralize

if TYPE_CHECKING:
    from pandas import DataFrame

    from saccade.data.decode import Preprocessing


HELD_OUT_FIRST = {"test": 0, "val": 1}  # the copy that stays, of those in several splits
ASPECTS = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.95, 1.05, 1.25, 1.43, 1.67, 2.0, 2.5)  # width / height


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """All findings about one source, the worst first."""

    name: str
    case: Case
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()  # of the source
    cached: int = 0  # images whose facts an earlier examination had found
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """Images found, readable or not."""
        return len(self.case.items)

    @property
    def readable(self) -> int:
        """Images that can be read."""
        return int(np.count_nonzero(self.case.table["readable"]))

    def finding(self, kind: str) -> Finding | None:
        """The finding of this kind, if there is one."""
        return next((finding for finding in self.findings if finding.kind == kind), None)

    def label_counts(self) -> dict[str, Counter[str]]:
        """Readable images by split and class."""
        return label_counts(self.case)

    def clusters(self) -> tuple[tuple[str, ...], ...]:
        """Names of images that are copies or near copies of one another."""
        return tuple(self.case.names(group) for group in self.case.groups(self.case.cluster))

    def statistics(self) -> dict[str, object]:
        """Counts and histograms over the readable images."""
        table = self.case.table[self.case.table["readable"]]
        aspect = table["width"] / np.maximum(table["height"], 1)
        lost = lost_to_crop(self.case)[self.case.table["readable"]]
        return {
            "images": self.count,
            "readable": self.readable,
            "skipped": len(self.case.skipped),
            "bytes": int(self.case.table["bytes"].sum()),
            "splits": dict(Counter(self.case.splits)),
            "labels": {split: dict(counts) for split, counts in self.label_counts().items()},
            "formats": _value_counts(table["format"]),
            "modes": _value_counts(table["mode"]),
            "grey": int(np.count_nonzero(table["grey"])),
            "width": _histogram(table["width"]),
            "height": _histogram(table["height"]),
            "aspect": _binned(aspect, (*ASPECTS, max(3.0, float(aspect.max(initial=0)) + 0.01))),
            "lost_to_crop": round(float(np.mean(lost)), 4) if len(lost) else 0.0,
        }

    def to_dict(self) -> dict[str, object]:
        """Everything but the single images' facts, for `--json`."""
        return {
            "name": self.name,
            "numbers": self.statistics(),
            "findings": [finding.to_dict() for finding in self.findings],
            "notes": list(self.notes),
            "cached": self.cached,
            "seconds": round(self.seconds, 2),
        }

    def rows(self) -> list[dict[str, object]]:
        """The facts of every image, a row each, for `--csv`."""
        case, rows = self.case, []
        kinds: dict[str, list[str]] = {}
        for finding in self.findings:
            for name in finding.items:
                kinds.setdefault(name, []).append(finding.kind)
        names = [name for name in case.table.dtype.names or () if name not in ("phash", "dhash")]
        for row, item in enumerate(case.items):
            facts = {name: case.table[name][row].item() for name in names}
            facts["digest"] = facts["digest"].decode()
            facts |= {name: f"{int(case.table[name][row]):016x}" for name in ("phash", "dhash")}
            cluster = int(case.cluster[row])
            first = {"path": item.name, "label": label_text(item.label), "split": case.splits[row]}
            remarks = {
                "copy_of": case.items[cluster].name if cluster != row else "",
                "reason": case.reasons.get(row, ""),
                "findings": " ".join(kinds.get(item.name, ())),
            }
            rows.append(first | facts | remarks)
        return rows

    def to_frame(self) -> DataFrame:
        """A row per finding, the worst first; `rows` has one per image."""
        columns = ("kind", "severity", "count", "message", "advice", "items")
        return data_frame([[getattr(f, c) for c in columns] for f in self.findings], columns)

    def cleaned(self, folder: Path | None = None) -> tuple[list[dict[str, str]], list[Skipped]]:
        """Rows of a manifest (path, label, split, group) without what is wrong, and the others.

        Left out: what cannot be read; of exact copies all but one, and all where their labels
        differ; near copies of held-out images in the split that is learned from.  Near copies
        that stay share a group.  Paths lead from `folder`, where the manifest is to lie, to the
        files; without it they are the source's names.
        """
        left_out = self._left_out()
        sizes = np.bincount(self.case.cluster, minlength=self.count)
        rows = []
        for row, item in enumerate(self.case.items):
            if row in left_out:
                continue
            cluster = int(self.case.cluster[row])
            split, path = self.case.splits[row], manifest_path(item, folder)
            group = item.group or ""
            if sizes[cluster] > 1 and not group:
                group = f"copies of {self.case.items[cluster].name}"
            entry = {
                "path": path,
                "label": label_text(item.label),
                "split": "" if split == "all" else split,
            }
            rows.append(entry | {"group": group})
        items = self.case.items
        return rows, [Skipped(items[row].name, why) for row, why in sorted(left_out.items())]

    def _left_out(self) -> dict[int, str]:
        """Rows that a cleaned list leaves out, each with the reason."""
        case = self.case
        left_out = dict(case.reasons)
        for group in case.groups(case.content):
            labels = {label_text(case.items[row].label) for row in group}
            original = min(group, key=lambda row: (HELD_OUT_FIRST.get(case.splits[row], 2), row))
            for row in group:
                if len(labels) > 1:
                    listed = ", ".join(sorted(labels))
                    left_out[row] = f"the same content is there under several labels: {listed}"
                elif row != original:
                    left_out[row] = f"an exact copy of {case.items[original].name}"
        for group in case.groups(case.cluster):
            rest = [row for row in group if row not in left_out]
            held_out = [row for row in rest if case.splits[row] in HELD_OUT_FIRST]
            for row in rest:
                if held_out and case.splits[row] not in HELD_OUT_FIRST:
                    name = case.items[held_out[0]].name
                    left_out[row] = f"a near copy of the held-out {name}"
        return left_out

    def __str__(self) -> str:
        return "\n".join([self._summary(), *(f"{f.severity}: {f.message}" for f in self.findings)])

    def __repr__(self) -> str:
        counts = Counter(finding.severity for finding in self.findings)
        found = "".join(f", {n} {what}{'s' * (n > 1)}" for what, n in counts.items())
        return f"Diagnosis({self.name}: {self.count:,} images{found})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{f.severity}</td><td>{escape(f.message)} {escape(f.advice)}</td></tr>"
            for f in self.findings
        )
        return f"<p>{escape(self._summary())}</p><table>{rows}</table>"

    def _summary(self) -> str:
        classes = f" of {pluralize(len(self.case.classes), 'class', 'classes')}"
        images = pluralize(self.count, "image") + (classes if self.case.classes else "")
        counts = Counter(finding.severity for finding in self.findings)
        severities = [
            pluralize(counts[kind], kind) for kind in ("error", "warning", "note") if counts[kind]
        ]
        total = ", ".join(severities) or "nothing found"
        return f"{self.name}: {images}, {self.readable:,} readable; {total}"


def _value_counts(values: np.ndarray) -> dict[str, int]:
    return dict(Counter(str(value) or "pixels" for value in values.tolist()).most_common())


def _histogram(values: np.ndarray) -> dict[str, list]:
    """Counts in up to ten bins between round numbers.  [N]"""
    if not len(values):
        return {"edges": [0, 1], "counts": [0], "ends": [0, 0]}
    low, high = int(values.min()), int(values.max())
    width = max(1.0, (high - low) / 10)
    power = 10 ** int(np.floor(np.log10(width)))
    step = max(1, next(int(factor * power) for factor in (1, 2, 5, 10) if factor * power >= width))
    first = low // step * step
    return _binned(values, tuple(range(first, high + step + 1, step)))


def _binned(values: np.ndarray, edges: tuple[float, ...]) -> dict[str, list]:
    counts, _ = np.histogram(values, edges)
    ends = [float(values.min()), float(values.max())] if len(values) else [0.0, 0.0]
    return {"edges": list(edges), "counts": counts.tolist(), "ends": ends}


Check = Callable[[Case], Finding | None]
CHECKS: tuple[Check, ...] = (
    checks_files.unreadable,
    checks_files.empty_file,
    checks_copies.leakage,
    checks_copies.different_labels,
    checks_copies.duplicates,
    checks_copies.near_duplicates,
    checks_series.series,
    checks_labels.class_missing,
    checks_labels.class_tiny,
    checks_labels.imbalance,
    checks_files.wrong_suffix,
    checks_files.rare_format,
    checks_files.name_collision,
    checks_files.linked_twice,
    checks_pixels.long_shape,
    checks_pixels.flat,
    checks_pixels.blurred,
    checks_pixels.dark,
    checks_pixels.bright,
    checks_pixels.small,
    checks_pixels.grey_mix,
    checks_pixels.rotated,
    checks_pixels.deep,
    checks_pixels.cmyk,
    checks_pixels.alpha,
    checks_pixels.animated,
    checks_files.hidden,
    checks_files.skipped,
)
SEVERITY_ORDER = {"error": 0, "warning": 1, "note": 2}


def examine(
    source: Source,
    *,
    preprocessing: Preprocessing | None = None,
    progress: Progress | None = None,
    state: Path | None = None,
) -> Diagnosis:
    """Load every image of `source` and run every check.

    `preprocessing` is the network's, for what a crop would cut off.  `state` is a cache file: with
    it an interrupted examination goes on, and a later one reads only what has changed.
    """
    started = time.monotonic()
    items = tuple(item for split in source.splits for item in source.read(split))
    splits = tuple(split for split in source.splits for _ in source.read(split))
    scanned = scan(items, progress=progress, state=state)
    content = first_of_content(scanned.table["digest"], scanned.table["readable"])
    originals = np.flatnonzero((content == np.arange(len(items))) & scanned.table["readable"])
    pairs = confirmed_pairs(candidate_pairs(scanned.table, originals), scanned.table, items)
    exact = np.stack([np.arange(len(items)), content], axis=1)[content != np.arange(len(items))]
    case = Case(
        items=items,
        splits=splits,
        classes=source.classes,
        skipped=source.skipped,
        table=scanned.table,
        reasons=scanned.reasons,
        content=content,
        cluster=clusters(len(items), np.concatenate([exact, pairs]), scanned.table["phash"]),
        preprocessing=preprocessing,
    )
    findings = [finding for check in CHECKS if (finding := check(case))]
    findings.sort(key=lambda finding: SEVERITY_ORDER[finding.severity])
    return Diagnosis(
        name=source.name,
        case=case,
        findings=tuple(findings),
        notes=tuple(source.notes),
        cached=scanned.cached,
        seconds=time.monotonic() - started,
    )


def cache_file_of(data: str | Path | None) -> Path | None:
    """The file of cached facts of the images at a path; None for data without a path."""
    if data is None or not is_there(Path(str(data).partition("::")[0])):
        return None
    name = hashlib.sha256(as_utf8(str(absolute_location(data)))).hexdigest()[:16]
    return cache_folder() / "doctor" / f"{name}.jsonl"
