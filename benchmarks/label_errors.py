"""Planted label errors: how many are found, ours beside cleanlab's on the same probabilities.

    python benchmarks/label_errors.py DATA [--only mnist] [--digits 6000] [--seeds 3]

DATA is a folder with `mnist`, `intel_scenes`, `hymenoptera` and `weights`.  A tenth of all labels
is changed, seeded: to any other class (symmetric), or to the next one (pair).  Precision is the
share of label issues that were changed, recall the share of changed ones that are found.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from cleanlab.filter import find_label_issues
from torch import Tensor

from saccade.audit.confident_learning import (
    RULES,
    confident_joint,
    estimate_joint,
    label_error_rate,
    normalized_margins,
)
from saccade.audit.label_issues import extractor_for
from saccade.data.cache import decode_all
from saccade.data.classes import class_indices, class_list
from saccade.data.grouping import by_source
from saccade.data.item import Item
from saccade.data.sources import open_source
from saccade.metrics.intervals import wilson
from saccade.probes.features import AugmentedCopies, DecodedImages, features
from saccade.probes.fit import held_out_probabilities, repeated_folds

SHARE = 0.1  # of all labels
GOOGLENET = ("googlenet_2014", "weights/googlenet_bvlc_imagenet_fp16.npz")
THEIRS = {"noise_rate": "prune_by_noise_rate", "class": "prune_by_class", "both": "both"}


def items_of(data: Path, name: str, digits: int) -> list[Item]:
    """All images of a set; of MNIST the first of those to learn from."""
    source = open_source(data / name)
    if name == "mnist":
        return list(source.read("train")[:digits])
    return [item for split in source.splits for item in source.read(split)]


def planted(targets: Tensor, classes: int, kind: str, seed: int) -> Tensor:
    """The labels with a tenth of them changed.  [N] -> [N]"""
    chance = np.random.default_rng(seed)
    rows = chance.permutation(len(targets))[: round(SHARE * len(targets))]
    step = chance.integers(1, classes, len(rows)) if kind == "symmetric" else 1
    changed = targets.clone()
    changed[rows] = (targets[rows] + torch.as_tensor(step)) % classes
    return changed


def scores(found: Tensor, wrong: Tensor) -> str:
    """Precision and recall with their intervals, in cells of a table."""
    hits = int((found & wrong).sum())
    cells = []
    for n in (int(found.sum()), int(wrong.sum())):
        low, high = wilson(hits, n)
        share = hits / n if n else float("nan")
        cells.append(f"{100 * share:.1f} ({100 * low:.1f}–{100 * high:.1f}, n = {n:,})")
    return " | ".join(cells)


def measure(name: str, items: Sequence[Item], numbers: Tensor, seeds: int) -> None:
    """Print the rows of one set.  `numbers` [N,D]"""
    classes = class_list(items)
    truth = torch.from_numpy(class_indices(items, classes))
    for kind in ("symmetric", "pair"):
        told: list[tuple[Tensor, Tensor]] = []
        ranked: list[float] = []
        shares: list[float] = []
        began = time.process_time()
        for seed in range(seeds):
            labels = planted(truth, len(classes), kind, seed)
            given = [replace(item, label=classes[k]) for item, k in zip(items, labels.tolist())]
            said = held_out_probabilities(numbers, labels, repeated_folds(given, by_source, seed))
            told.append((said, labels))
            order = normalized_margins(said, labels).argsort()
            wrong = labels != truth
            ranked.append(float(wrong[order[: int(wrong.sum())]].double().mean()))
            confident = confident_joint(said, labels)
            shares.append(label_error_rate(estimate_joint(confident, labels.bincount().double())))
        wrong = torch.cat([labels != truth for _, labels in told])
        took = (time.process_time() - began) / seeds
        about = f"{name} | {kind}"
        print(
            f"| {about} | estimated {100 * np.mean(shares):.1f} % wrong; of the lowest margins "
            f"{100 * np.mean(ranked):.1f} % changed; {took:.0f} s |  |  |",
            flush=True,
        )
        for rule, filter_by in THEIRS.items():
            mine = torch.cat([RULES[rule](said, labels) for said, labels in told])
            theirs = torch.cat([cleanlabs(said, labels, filter_by) for said, labels in told])
            print(f"| {about} | {rule} | {scores(mine, wrong)} |", flush=True)
            print(f"| {about} | cleanlab, {filter_by} | {scores(theirs, wrong)} |", flush=True)


def cleanlabs(said: Tensor, labels: Tensor, filter_by: str) -> Tensor:
    found = find_label_issues(labels.numpy(), said.numpy(), filter_by=filter_by, n_jobs=1)
    return torch.as_tensor(np.asarray(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--digits", type=int, default=6000)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| set | noise | found by | precision, % | recall, % |\n|---|---|---|---|---|")
    for name in ("hymenoptera", "intel_scenes", "mnist"):
        if arguments.only in ("", name):
            items = items_of(arguments.data, name, arguments.digits)
            model, weights = (None, None)
            if name != "mnist":
                model, weights = GOOGLENET[0], str(arguments.data / GOOGLENET[1])
            extractor = extractor_for(items, model, weights)
            result = decode_all(items, extractor.preprocessing)
            kept = [items[k] for k in result.indices]
            decoding = DecodedImages(kept, result.images, extractor.preprocessing)
            numbers = features(extractor.backbone, decoding, AugmentedCopies())[:, 0]
            measure(name, kept, numbers, arguments.seeds)


if __name__ == "__main__":
    main()
