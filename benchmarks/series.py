"""The doctor on a series: frames of films beside single photographs.

    python benchmarks/series.py DATA

DATA is a folder with `camvid`, `imagenet_samples`, `hymenoptera` and `intel_scenes`.  The first
table is the precision of the look-alike finder: of its pairs, how many are of one film by their
names, and how many within ten seconds (300 frames).  The second is the warning of series, on each
set alone.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from saccade.data.doctor.doctor import examine
from saccade.data.doctor.duplicates import candidate_pairs, confirmed_pairs
from saccade.data.doctor.scan import scan
from saccade.data.item import Item
from saccade.data.sources import open_images
from saccade.metrics.intervals import wilson
from saccade.words import proportion

FRAME = re.compile(r"camvid/(\w+?)_f?(\d+)\.")
CLOSE = 300  # frames


def items_of(data: Path, part: str) -> list[Item]:
    """The images of a set, their names below its own."""
    source = open_images(data / part)
    kind = part.partition("/")[0]
    found = [item for split in source.splits for item in source.read(split)]
    return [replace(item, name=f"{kind}/{item.name}", label=None) for item in found]


def one_film(a: str, b: str) -> tuple[bool, bool]:
    """Whether two images are of one film, and within `CLOSE` frames."""
    first, second = FRAME.match(a), FRAME.match(b)
    if not first or not second or first[1] != second[1]:
        return False, False
    return True, abs(int(first[2]) - int(second[2])) <= CLOSE


def precision(items: Sequence[Item]) -> None:
    """Print the precision of pairs that hashes and pixels find, and of all pairs there are."""
    table = scan(items).table
    rows = np.flatnonzero(table["readable"])
    candidates = candidate_pairs(table, rows)
    kinds = {
        "all pairs": np.array([*combinations(rows.tolist(), 2)]),
        "near by hashes": candidates,
        "confirmed by pixels": confirmed_pairs(candidates, table, items),
    }
    print("| pairs | of one film | within 300 frames |\n|---|---|---|")
    for kind, pairs in kinds.items():
        same = np.array([one_film(items[a].name, items[b].name) for a, b in pairs.tolist()])
        cells = []
        for column in same.reshape(-1, 2).T:
            right, n = int(column.sum()), len(column)
            cells.append(proportion(right / max(1, n), wilson(right, n), n))
        print(f"| {kind} | {cells[0]} | {cells[1]} |")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    parts = ("camvid/images/train", "imagenet_samples", "hymenoptera")
    precision([item for part in parts for item in items_of(data, part)])
    print("\n| set | warning |\n|---|---|")
    for part in (*parts, "intel_scenes/train", "digits"):
        source = open_images(part if part == "digits" else data / part)
        found = examine(source).finding("series")
        print(f"| {part} | {found.message if found else 'none'} |")


if __name__ == "__main__":
    main()
