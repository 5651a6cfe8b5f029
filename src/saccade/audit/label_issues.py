"""Images whose labels are probably wrong, by confident learning on the answers of probes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from saccade.audit.confident_learning import (
    confident_joint,
    estimate_joint,
    label_error_rate,
    label_error_rate_interval,
    noise_matrix,
    normalized_margins,
    prune_by_noise_rate,
)
from saccade.audit.doctor import cache_file_of, write_cleaned
from saccade.audit.label_issue import LabelIssue, LabelIssues
from saccade.audit.page import label_issues_page
from saccade.auto.look import summarize
from saccade.auto.weights import SMALL, local_weights, pretrained
from saccade.classical.descriptors import CELL, HOG
from saccade.data.cache import decode_all
from saccade.data.classes import class_indices, class_list
from saccade.data.decode import Preprocessing
from saccade.data.doctor.doctor import Diagnosis, examine
from saccade.data.grouping import Grouping, by_cluster, group_indices
from saccade.data.item import ImageFile, Item, Skipped
from saccade.data.sources import open_source
from saccade.device import device
from saccade.errors import DataError, UsageError
from saccade.evaluation.features import trained_network
from saccade.files import atomic_write
from saccade.models.backbone import backbone
from saccade.models.layers.blocks import Concat, chain, normalized
from saccade.probes.features import AugmentedCopies, DecodedImages, features
from saccade.probes.fit import held_out_probabilities, learnable, repeated_folds
from saccade.progress import counting, say
from saccade.tasks.catalogue import refuse_without, task_type
from saccade.tasks.task import Capability

PLAIN = "hog"  # features of a network that has learned nothing
CELLS = 8  # of HOG, across an image
COARSE = 8  # pixels across, beside HOG


@dataclass(frozen=True)
class Extractor:
    """A network that makes features of images."""

    words: str
    trunk: nn.Module  # [N,C,H,W] -> [N,D]
    preprocessing: Preprocessing
    notes: tuple[str, ...] = ()


def extractor_for(
    items: Sequence[Item], model: str | Path | None, weights: str | None
) -> Extractor:
    """The network that is named, the best one at hand for photographs, else plain features."""
    if weights is not None and model is None:
        model = pretrained(weights).network
    seen = summarize(items)
    if model is None and seen.short_side > SMALL:
        model, weights = next(
            ((e.network, e.tag) for e in local_weights(seen.short_side)), (None, None)
        )
    if model is None:
        return _plain(seen.grey, ("no network looked at them: label issues are less sure",))
    if str(model) == PLAIN:
        if weights is not None:
            raise UsageError(f"{PLAIN} has no weights", "leave --weights out")
        return _plain(seen.grey, ())
    network, preprocessing = trained_network(model, weights)
    network = network.to(device("cuda" if torch.cuda.is_available() else "cpu"))
    notes = (
        ("if the network has learned from these images, it may have memorised wrong labels",)
        if Path(model).is_dir()
        else ()
    )
    words = f"what goes into the last layer of {model}"
    return Extractor(words, backbone(network), preprocessing, notes)


def _plain(grey: bool, notes: tuple[str, ...]) -> Extractor:
    """Histograms of oriented gradients and coarse pixels."""
    channels = 1 if grey else 3
    preprocessing = Preprocessing(
        size=CELLS * CELL,
        colour="grey" if grey else "rgb",
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
    )
    both = Concat(
        hog=chain(hog=HOG(), flatten=nn.Flatten()),
        pixels=chain(pool=nn.AdaptiveAvgPool2d(COARSE), flatten=nn.Flatten()),
    )
    words = "histograms of oriented gradients and coarse pixels"
    whole = normalized(chain(both=both), preprocessing.mean, preprocessing.std)
    return Extractor(words, whole.eval(), preprocessing, notes)


def find_label_issues(
    data: str | Path,
    model: str | Path | None,
    weights: str | None,
    *,
    html: Path | None,
    cleaned: Path | None,
) -> LabelIssues:
    """Look for wrong labels in `data`; write the page `html` and the cleaned table `cleaned`.

    Raises `DataError` for labels that are not one class an image.
    """
    source = open_source(data, notify=say)
    with counting("examining") as progress:
        diagnosis = examine(source, progress=progress, state=cache_file_of(data))
    items = _labelled(diagnosis)
    extractor = extractor_for(items, model, weights)
    result = decode_all(items, extractor.preprocessing)
    kept = [items[k] for k in result.indices]
    with counting("looking") as progress:
        found = features(
            extractor.trunk,
            DecodedImages(kept, result.images, extractor.preprocessing),
            AugmentedCopies(),
            progress,
        )[:, 0]
    issues = _label_issues(diagnosis, kept, found, extractor)
    if html is not None:
        atomic_write(html, label_issues_page(issues))
        say(f"the label issues with their images are in {html}")
    if cleaned is not None:
        _write_cleaned(issues, diagnosis, cleaned)
    return issues


def _labelled(diagnosis: Diagnosis) -> list[Item]:
    """The readable images that carry a class."""
    readable = diagnosis.case.table["readable"].tolist()
    items = [i for i, can in zip(diagnosis.case.items, readable) if can and i.label is not None]
    if not items:
        raise DataError(f"no image of '{diagnosis.name}' can be read and has a label")
    hint = "name a column of classes, as in photos.csv::species"
    refuse_without(Capability.LABEL_ISSUES, task_type(items), DataError, hint)
    return items


def _label_issues(
    diagnosis: Diagnosis, items: Sequence[Item], numbers: Tensor, extractor: Extractor
) -> LabelIssues:
    """Probes, then confident learning.  `numbers` [N,D]"""
    group = by_cluster(diagnosis.clusters(), items)
    items, numbers, targets, dealt, notes = _judged(items, numbers, group)
    say("fitting the probes")
    said = held_out_probabilities(numbers, targets, dealt)
    classes, splits = class_list(items), _splits(diagnosis)
    sizes = targets.bincount(minlength=len(classes))
    shares = estimate_joint(confident_joint(said, targets), sizes.double())
    ranked = normalized_margins(said, targets)
    rows = prune_by_noise_rate(said, targets).nonzero().flatten()
    rows = rows[ranked[rows].argsort(stable=True)].tolist()
    best = said.argmax(dim=1).tolist()
    found = tuple(
        LabelIssue(
            name=items[row].name,
            split=splits[items[row].name],
            given=str(items[row].label),
            suggested=classes[best[row]],
            p_given=float(said[row, targets[row]]),
            p_suggested=float(said[row, best[row]]),
        )
        for row in rows
    )
    return LabelIssues(
        data=diagnosis.name,
        n=len(items),
        classes=classes,
        issues=found,
        label_error_rate=label_error_rate(shares),
        interval=label_error_rate_interval(said, targets, group_indices(items, group)),
        noise_matrix=tuple(tuple(row) for row in noise_matrix(shares).tolist()),
        agreements=int((ranked >= 0).sum()),
        features=extractor.words,
        items=tuple(items),
        notes=(*extractor.notes, *notes),
        unreadable=_unreadable(diagnosis),
    )


def _judged(
    items: Sequence[Item], numbers: Tensor, group: Grouping
) -> tuple[list[Item], Tensor, Tensor, list[Tensor], tuple[str, ...]]:
    """Without the classes that cannot be held out: items, numbers, targets, deals, and notes."""
    classes = class_list(items)
    targets = torch.from_numpy(class_indices(items, classes))
    spread = learnable(targets, dealt := repeated_folds(items, group))
    few = [name for name, can in zip(classes, spread.tolist()) if not can]
    if len(classes) - len(few) < 2:
        raise DataError(
            f"{'only one class has' if len(few) < len(classes) else 'no class has'} images both "
            "to learn from and to hold out",
            "labels can be doubted where two classes have several images each",
        )
    notes = (f"too few images to be looked at: {', '.join(few)}",) if few else ()
    rows = spread[targets].nonzero().flatten()
    kept = [items[row] for row in rows.tolist()]
    targets = torch.from_numpy(class_indices(kept, class_list(kept)))
    return kept, numbers[rows], targets, [portion[rows] for portion in dealt], notes


def _splits(diagnosis: Diagnosis) -> dict[str, str]:
    return {item.name: split for item, split in zip(diagnosis.case.items, diagnosis.case.splits)}


def _unreadable(diagnosis: Diagnosis) -> tuple[Skipped, ...]:
    return tuple(
        Skipped(diagnosis.case.items[row].name, why)
        for row, why in sorted(diagnosis.case.reasons.items())
    )


def _write_cleaned(issues: LabelIssues, diagnosis: Diagnosis, file: Path) -> None:
    """Write the manifest without label issues, and beside it what was left out and why."""
    reasons = {
        s.name: f"labelled {s.given}, probably {s.suggested} ({100 * s.p_suggested:.1f} %)"
        for s in issues.issues
    }
    reasons |= {skipped.name: skipped.reason for skipped in issues.unreadable}
    splits, items = _splits(diagnosis), diagnosis.case.items
    group = by_cluster(diagnosis.clusters(), items)
    rows = [
        _row(item, splits[item.name], group(item), file.parent)
        for item in items
        if item.name not in reasons
    ]
    write_cleaned(file, rows, [Skipped(name, why) for name, why in reasons.items()])


def _row(item: Item, split: str, group: str | None, folder: Path) -> dict[str, str]:
    path = item.name
    if isinstance(item.image, ImageFile):
        path = Path(os.path.relpath(item.image.path, folder)).as_posix()
    split = "" if split == "all" else split
    return {"path": path, "label": str(item.label or ""), "split": split, "group": group or ""}
