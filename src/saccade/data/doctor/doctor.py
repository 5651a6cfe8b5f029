"""examine: look at every picture of a source and say what is wrong, before anything is trained."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from saccade.data.doctor import traps_copies, traps_files, traps_labels, traps_pixels
from saccade.data.doctor.case import Case, Finding
from saccade.data.doctor.diagnosis import Diagnosis
from saccade.data.doctor.duplicates import clusters, confirmed, first_of_content, proposed
from saccade.data.doctor.scan import Progress, scan
from saccade.data.source import Source

if TYPE_CHECKING:  # the doctor works without torch, which takes seconds to start
    from saccade.data.decode import Preprocessing

Trap = Callable[[Case], Finding | None]

TRAPS: tuple[Trap, ...] = (
    traps_files.unreadable,
    traps_files.empty_file,
    traps_copies.leakage,
    traps_copies.different_labels,
    traps_copies.duplicates,
    traps_copies.near_duplicates,
    traps_labels.class_missing,
    traps_labels.class_tiny,
    traps_labels.imbalance,
    traps_files.wrong_suffix,
    traps_files.rare_format,
    traps_files.name_collision,
    traps_files.linked_twice,
    traps_pixels.long_shape,
    traps_pixels.flat,
    traps_pixels.blurred,
    traps_pixels.dark,
    traps_pixels.bright,
    traps_pixels.small,
    traps_pixels.grey_mix,
    traps_pixels.rotated,
    traps_pixels.deep,
    traps_pixels.cmyk,
    traps_pixels.alpha,
    traps_pixels.animated,
    traps_files.hidden,
    traps_files.skipped,
)
WEIGHT = {"error": 0, "warning": 1, "note": 2}


def examine(
    source: Source,
    *,
    preprocessing: Preprocessing | None = None,
    progress: Progress | None = None,
    state: Path | None = None,
) -> Diagnosis:
    """Load every picture of `source` and look for every trap.

    `preprocessing` is what the network will be given, for what a crop would cut off.  `state` is a
    file that remembers: with it an interrupted examination goes on, and a later one reads only what
    has changed.  Changes nothing else.
    """
    started = time.monotonic()
    items = tuple(item for split in source.splits for item in source.read(split))
    splits = tuple(split for split in source.splits for _ in source.read(split))
    found = scan(items, progress=progress, state=state)
    content = first_of_content(found.table["digest"], found.table["readable"])
    originals = np.flatnonzero((content == np.arange(len(items))) & found.table["readable"])
    pairs = confirmed(proposed(found.table, originals), found.table, items)
    copies = np.stack([np.arange(len(items)), content], axis=1)[content != np.arange(len(items))]
    case = Case(
        items=items,
        splits=splits,
        classes=source.classes,
        skipped=source.skipped,
        table=found.table,
        reasons=found.reasons,
        content=content,
        cluster=clusters(len(items), np.concatenate([copies, pairs])),
        preprocessing=preprocessing,
    )
    findings = [finding for trap in TRAPS if (finding := trap(case))]
    findings.sort(key=lambda finding: WEIGHT[finding.severity])
    return Diagnosis(
        name=source.name,
        case=case,
        findings=tuple(findings),
        notes=tuple(source.notes),
        remembered=found.remembered,
        seconds=time.monotonic() - started,
    )
