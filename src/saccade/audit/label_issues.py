"""Finding label issues from held-out predictions of linear probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from saccade.audit.doctor import cache_file_of, cleaned_files, refuse_blanks, write_cleaned
from saccade.audit.label_issue import LabelIssue, LabelIssues
from saccade.audit.page import label_issues_page
from saccade.audit.wrong_labels import doubt, label_error_rate, probability_wrong, transitions
from saccade.auto.summary import summarize
from saccade.auto.trained import TrainedLike, name_of, network_of, recognised
from saccade.auto.weights import SMALL, local_weights, pretrained
from saccade.classical.descriptors import CELL, HOG
from saccade.data.cache import decode_all
from saccade.data.classes import class_indices, class_list
from saccade.data.decode import Preprocessing
from saccade.data.doctor.doctor import Diagnosis, examine
from saccade.data.grouping import Grouping, by_cluster, cluster_name, group_indices
from saccade.data.image_files import manifest_path
from saccade.data.item import Item, Skipped
from saccade.data.sources import open_source
from saccade.device import device
from saccade.errors import DataError, UsageError
from saccade.files import refuse_to_replace, write_output
from saccade.models.backbone import backbone
from saccade.models.layers.blocks import Concat, chain, normalized
from saccade.probes.features import AugmentedCopies, DecodedImages, features
from saccade.probes.fit import held_out_probabilities, learnable, repeated_folds
from saccade.progress import progress_bar, say
from saccade.tasks.catalogue import refuse_without, task_type
from saccade.tasks.task import Capability

PLAIN = "hog"  # features without a trained network
CELLS = 8  # of HOG, across an image
COARSE_SIZE = 8  # pixels across, beside HOG
LIKELY = 0.2  # to be wrong: above it a label is an issue, as worth looking at


@dataclass(frozen=True)
class Extractor:
    """A network that extracts features from images."""

    description: str
    backbone: nn.Module  # [N,C,H,W] -> [N,D]
    preprocessing: Preprocessing
    notes: tuple[str, ...] = ()


def extractors_for(
    items: Sequence[Item], models: Sequence[TrainedLike], weights: Sequence[str | None]
) -> list[Extractor]:
    """One for each model, or the one that is chosen where none is named.

    Raises `UsageError` unless there are as many weights as models, or none.
    """
    if len(models) > 1 and weights and len(weights) != len(models):
        raise UsageError(
            f"{len(models)} networks look, and there are weights for {len(weights)}",
            "give --weights once for each --model, in the same order",
        )
    if len(models) < 2:
        if len(weights) > 1:
            what = f"weights are given {len(weights)} times, and at most one network"
            raise UsageError(what, "give --model once for each --weights, in the same order")
        return [extractor_for(items, next(iter(models), None), next(iter(weights), None))]
    return [
        extractor_for(items, model, tag)
        for model, tag in zip(models, weights or [None] * len(models), strict=True)
    ]


def extractor_for(
    items: Sequence[Item], model: TrainedLike | None, weights: str | None
) -> Extractor:
    """The named network, else the best local one for photographs, else plain features."""
    if weights is not None and model is None:
        model = pretrained(weights).network
    summary = summarize(items)
    if model is None and summary.short_side > SMALL:
        model, weights = next(
            ((e.network, e.tag) for e in local_weights(summary.short_side)), (None, None)
        )
    if model is None:
        return _plain(summary.grey, ("no network looked at them: label issues are less sure",))
    if model == PLAIN:
        if weights is not None:
            raise UsageError(f"{PLAIN} has no weights", "leave --weights out")
        return _plain(summary.grey, ())
    network, preprocessing = network_of(model, weights, notify=say)
    network = network.to(device("cuda" if torch.cuda.is_available() else "cpu"))
    notes = (
        ("if the network has learned from these images, it may have memorised wrong labels",)
        if not isinstance(recognised(model), str)
        else ()
    )
    description = f"what goes into the last layer of {name_of(model)}"
    return Extractor(description, backbone(network), preprocessing, notes)


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
        pixels=chain(pool=nn.AdaptiveAvgPool2d(COARSE_SIZE), flatten=nn.Flatten()),
    )
    description = "histograms of oriented gradients and coarse pixels"
    network = normalized(chain(both=both), preprocessing.mean, preprocessing.std)
    return Extractor(description, network.eval(), preprocessing, notes)


def find_label_issues(
    data: str | Path | None,
    models: Sequence[TrainedLike],
    weights: Sequence[str | None],
    *,
    html: Path | None,
    cleaned: Path | None,
) -> LabelIssues:
    """Find label issues in `data`; write the page `html` and the cleaned table `cleaned` if given.

    Raises `DataError` for labels that are not one class per image.
    """
    refuse_to_replace(html, *cleaned_files(cleaned))
    source = open_source(data, notify=say)
    if cleaned is not None:
        refuse_blanks(source.classes)
    with progress_bar("examining") as progress:
        diagnosis = examine(source, progress=progress, state=cache_file_of(data))
    items = _labelled(diagnosis)
    extractors = extractors_for(items, models, weights)
    readable, columns = seen(items, extractors)
    issues = _label_issues(diagnosis, readable, columns, extractors)
    if html is not None:
        write_output(html, label_issues_page(issues))
        say(f"the label issues with their images are in {html}")
    if cleaned is not None:
        _write_cleaned(issues, diagnosis, cleaned, data)
    return issues


def seen(items: Sequence[Item], extractors: Sequence[Extractor]) -> tuple[list[Item], list[Tensor]]:
    """The images that can be read, and their features [N,D] by each extractor."""
    columns: list[Tensor] = []
    for extractor in extractors:
        with progress_bar("reading") as progress:
            result = decode_all(items, extractor.preprocessing, progress=progress)
        readable = [items[k] for k in result.indices]
        images = DecodedImages(readable, result.images, extractor.preprocessing)
        with progress_bar("looking") as progress:
            columns.append(features(extractor.backbone, images, AugmentedCopies(), progress)[:, 0])
        if len(readable) < len(items):  # the next reads no more than this one could
            columns = [column[result.indices] for column in columns[:-1]] + columns[-1:]
            items = readable
    return list(items), columns


def _labelled(diagnosis: Diagnosis) -> list[Item]:
    """The readable images that carry a class."""
    readable = diagnosis.case.table["readable"].tolist()
    items = [
        i
        for i, is_readable in zip(diagnosis.case.items, readable)
        if is_readable and i.label is not None
    ]
    if not items:
        raise DataError(
            f"no image of '{diagnosis.name}' can be read and has a label",
            "a label is the name of the image's folder, or stands in a table: saccade doctor says "
            "what cannot be read",
        )
    hint = "name a column of classes, as in photos.csv::species"
    refuse_without(Capability.LABEL_ISSUES, task_type(items), DataError, hint)
    return items


def _label_issues(
    diagnosis: Diagnosis,
    items: Sequence[Item],
    columns: Sequence[Tensor],
    extractors: Sequence[Extractor],
) -> LabelIssues:
    """Held-out predictions of probes, and which labels they speak against.

    columns: features [N,D] of each extractor, whose predictions are averaged
    """
    group = by_cluster(diagnosis.clusters(), items)
    items, rows_kept, targets, folds, notes = _with_learnable_classes(items, group)
    say("fitting the probes")
    probabilities = torch.stack(
        [held_out_probabilities(x[rows_kept], targets, folds) for x in columns]
    ).mean(dim=0)
    classes, splits = class_list(items), _splits(diagnosis)
    rate = label_error_rate(probabilities, targets, group_indices(items, group))
    if rate.overlap:
        first, second = (classes[k] for k in rate.overlap)
        notes += (f"most sure ones are between {first} and {second}: these may overlap",)
    given = transitions(probabilities, targets)
    wrong = probability_wrong(probabilities, targets, given)
    answers = probabilities.argmax(dim=1)
    rows = ((wrong > LIKELY) & (answers != targets)).nonzero().flatten()
    order = doubt(probabilities, targets, wrong)[rows].argsort(descending=True, stable=True)
    rows = rows[order].tolist()
    issues = tuple(
        LabelIssue(
            name=items[row].name,
            split=splits[items[row].name],
            given=str(items[row].label),
            suggested=classes[int(answers[row])],
            p_given=float(probabilities[row, targets[row]]),
            p_suggested=float(probabilities[row, answers[row]]),
            p_wrong=float(wrong[row]),
        )
        for row in rows
    )
    return LabelIssues(
        data=diagnosis.name,
        n=len(items),
        classes=classes,
        issues=issues,
        label_error_rate=rate.value,
        interval=rate.interval,
        noise_matrix=tuple(tuple(row) for row in given.T.tolist()),
        agreements=int((answers == targets).sum()),
        features=" and ".join(one.description for one in extractors),
        items=tuple(items),
        notes=(*dict.fromkeys(note for one in extractors for note in one.notes), *notes),
        unreadable=_unreadable(diagnosis),
    )


def _with_learnable_classes(
    items: Sequence[Item], group: Grouping
) -> tuple[list[Item], Tensor, Tensor, list[Tensor], tuple[str, ...]]:
    """Items, their rows, targets, folds and notes, without the classes that cannot be held out.

    -> rows [M] of the N items, targets [M], folds [M] each
    """
    classes = class_list(items)
    targets = torch.from_numpy(class_indices(items, classes))
    mask = learnable(targets, folds := repeated_folds(items, group))
    few = [name for name, is_learnable in zip(classes, mask.tolist()) if not is_learnable]
    if len(classes) - len(few) < 2:
        raise DataError(
            f"{'only one class has' if len(few) < len(classes) else 'no class has'} images both "
            "to learn from and to hold out",
            "labels can be doubted where two classes have several images each",
        )
    notes = (f"too few images to be looked at: {', '.join(few)}",) if few else ()
    rows = mask[targets].nonzero().flatten()
    chosen = [items[row] for row in rows.tolist()]
    targets = torch.from_numpy(class_indices(chosen, class_list(chosen)))
    return chosen, rows, targets, [fold[rows] for fold in folds], notes


def _splits(diagnosis: Diagnosis) -> dict[str, str]:
    return {item.name: split for item, split in zip(diagnosis.case.items, diagnosis.case.splits)}


def _unreadable(diagnosis: Diagnosis) -> tuple[Skipped, ...]:
    return tuple(
        Skipped(diagnosis.case.items[row].name, reason)
        for row, reason in sorted(diagnosis.case.reasons.items())
    )


def _write_cleaned(
    issues: LabelIssues, diagnosis: Diagnosis, file: Path, data: str | Path | None
) -> None:
    """Write the manifest without label issues, and beside it a table of what was left out."""
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
    left_out = [Skipped(name, reason) for name, reason in reasons.items()]
    write_cleaned(file, rows, left_out, diagnosis, data)


def _row(item: Item, split: str, group: str | None, folder: Path) -> dict[str, str]:
    split = "" if split == "all" else split
    group = "" if group is None else cluster_name(group)
    return {
        "path": manifest_path(item, folder),
        "label": str(item.label or ""),
        "split": split,
        "group": group,
    }
