"""Planted label errors: how many there are said to be, and how many are found, beside cleanlab.

    python benchmarks/label_errors.py DATA [--only mnist] [--images 900] [--seeds 4] [--both]

DATA is a folder with `mnist`, `intel_scenes`, `hymenoptera` and `weights`.  A share of all labels
is changed, seeded: to any other class (symmetric), or to the next one (pair).  Precision is the
share of label issues that were changed, recall the share of changed ones that are found, average
precision that of the ranking of all images.  cleanlab gets the same probabilities, the mean over
three times five folds, and as people use it those of five folds.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.metrics import average_precision_score
from torch import Tensor

from saccade.audit.label_issues import LIKELY, extractor_for, seen
from saccade.audit.wrong_labels import doubt, label_error_rate, probability_wrong, transitions
from saccade.data.classes import class_indices, class_list
from saccade.data.grouping import by_source
from saccade.data.item import Item
from saccade.data.sources import open_source
from saccade.probes.fit import held_out_probabilities, repeated_folds

NOISE = (
    ("symmetric", 0.0),
    *((kind, s) for s in (0.05, 0.2, 0.4) for kind in ("symmetric", "pair")),
)
NETWORKS = (
    ("googlenet_2014", "weights/googlenet_bvlc_imagenet_fp16.npz"),
    ("efficientnet_lite0", "weights/tf_efficientnet_lite0_fp16.safetensors"),
)


@dataclass(frozen=True)
class Found:
    """What was found of one draw of wrong labels."""

    truth: float
    low: float
    high: float
    stated: float  # precision of the list
    ours: tuple[float, float, float]  # precision, recall, average precision
    same: tuple[float, float, float]  # cleanlab on the same probabilities
    usual: tuple[float, float, float]  # cleanlab on those of five folds


def items_of(data: Path, name: str, images: int) -> list[Item]:
    """Images of a set, drawn from those to learn from, or from all where they are few."""
    source = open_source(data / name)
    splits = ("train",) if name == "mnist" else source.splits
    items = [item for split in splits for item in source.read(split)]
    chosen = np.random.default_rng(0).permutation(len(items))[:images]
    return [items[k] for k in sorted(chosen)]


def planted(targets: Tensor, classes: int, kind: str, share: float, seed: int) -> Tensor:
    """The labels with a share of them changed.  [N] -> [N]"""
    chance = np.random.default_rng(seed)
    rows = chance.permutation(len(targets))[: round(share * len(targets))]
    step = chance.integers(1, classes, len(rows)) if kind == "symmetric" else 1
    changed = targets.clone()
    changed[rows] = (targets[rows] + torch.as_tensor(step)) % classes
    return changed


def found(
    columns: Sequence[Tensor], items: Sequence[Item], truth: Tensor, labels: Tensor, seed: int
) -> Found:
    """What is found where `labels` are given.  columns [N,D] of each network, truth, labels [N]"""
    classes = class_list(items)
    given = [replace(item, label=classes[k]) for item, k in zip(items, labels.tolist())]
    folds = repeated_folds(given, by_source, seed)
    p, once = (
        torch.stack([held_out_probabilities(x, labels, some) for x in columns]).mean(dim=0)
        for some in (folds, folds[:1])
    )
    rate, wrong = label_error_rate(p, labels), labels != truth
    chance = probability_wrong(p, labels, transitions(p, labels))
    listed = (chance > LIKELY) & (p.argmax(dim=1) != labels)
    low, high = rate.interval or (0.0, 1.0)
    stated = float(chance[listed].mean()) if listed.any() else float("nan")
    return Found(
        float(wrong.double().mean()), low, high, stated,
        scores(listed, doubt(p, labels, chance), wrong),
        *(scores(*cleanlabs(given_p, labels), wrong) for given_p in (p, once)),
    )  # fmt: skip


def cleanlabs(p: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Its list and its ranking, by its defaults."""
    arrays = labels.numpy(), p.double().numpy()
    listed = torch.as_tensor(np.asarray(find_label_issues(*arrays, n_jobs=1)))
    return listed, -torch.as_tensor(get_label_quality_scores(*arrays))


def scores(listed: Tensor, ranking: Tensor, wrong: Tensor) -> tuple[float, float, float]:
    """Precision and recall of a list, and average precision of a ranking; NaN where undefined."""
    hits, nan = float((listed & wrong).sum()), float("nan")
    precision = hits / int(listed.sum()) if listed.any() else nan
    if not wrong.any():
        return precision, nan, nan
    return precision, hits / int(wrong.sum()), average_precision_score(wrong, ranking)


def rows(name: str, items: Sequence[Item], columns: Sequence[Tensor], seeds: int) -> Iterator[str]:
    """A line for each kind and share of wrong labels.  columns [N,D] of each network"""
    classes = class_list(items)
    truth = torch.from_numpy(class_indices(items, classes))
    for kind, share in NOISE:
        draws = [
            found(columns, items, truth, planted(truth, len(classes), kind, share, seed), seed)
            for seed in range(seeds)
        ]
        held = sum(one.low <= one.truth <= one.high for one in draws)
        ends = (f"{100 * mean(getattr(one, end) for one in draws):.1f}" for end in ("low", "high"))
        cells = [f"{name} | {kind if share else ''} | {100 * share:.0f} | {' to '.join(ends)}"]
        cells += [f"{held} of {seeds}", average([one.stated for one in draws])]
        for column in ("ours", "same", "usual"):
            values = zip(*(getattr(one, column) for one in draws), strict=True)
            cells.append(" / ".join(average(value) for value in values))
        yield f"| {' | '.join(cells)} |"


def average(values: Sequence[float]) -> str:
    """The mean of those that are defined, in %."""
    defined = [value for value in values if value == value]
    return f"{100 * mean(defined):.0f}" if defined else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--images", type=int, default=900)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--both", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(
        "| set | changed | planted, % | said to be wrong, % | holds it | precision stated | "
        "precision / recall / average precision | cleanlab, the same | cleanlab, 5 folds |"
        f"\n{'|---' * 9}|"
    )
    for name in ("hymenoptera", "intel_scenes", "mnist"):
        if arguments.only in ("", name):
            items = items_of(arguments.data, name, arguments.images)
            extractors = [extractor_for(items, None, None)]
            if name != "mnist":
                extractors = [
                    extractor_for(items, network, str(arguments.data / weights))
                    for network, weights in NETWORKS[: 1 + arguments.both]
                ]
            kept, columns = seen(items, extractors)
            for row in rows(f"{name}, {len(kept):,}", kept, columns, arguments.seeds):
                print(row, flush=True)


if __name__ == "__main__":
    main()
