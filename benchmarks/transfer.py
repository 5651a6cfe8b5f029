"""Few images: what a network that has learned from others gives, beside learning anew.

    python benchmarks/transfer.py DATA OUT [--minutes 20]

DATA is a folder with `hymenoptera`, `intel_scenes` and `weights`.  OUT takes the figure,
transfer.svg, and what was measured, a JSON file a set: what is in it is not measured again, so that
a second call goes on where the first ended, and after so many minutes nothing new is begun.  Prints
the tables of docs/studies/transfer.md.  One process a set, a thread each.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

import matplotlib
import torch
from torch import Tensor

from saccade.files import atomic_write
from saccade.metrics.intervals import Interval, mean_interval, wilson
from saccade.metrics.paired import paired_accuracy
from transfer_ways import ALL, HELD, WAYS, Case, Photographs

SHOTS = (1, 2, 5, 10, 20, ALL)  # images a class
DRAWS = 5
COMPARED = (  # the second less the first
    ("scratch", "features"),
    ("fisher", "features"),
    ("hog", "features"),
    ("features", "fine-tuned"),
)
PLAIN = 20  # images a class for the ways of others
OTHERS = {"tutorial": "plain loop, 10 epochs", "fastai": "fastai's fine_tune, 1 + 10 epochs"}
Draws = dict[int, Tensor]  # which images each draw gets right, [N] bool


def plan(name: str) -> Iterator[Case]:
    """What is measured of a set: the quick first, then the slow, a draw after the other."""
    for way in ("features", "hog", "fisher", "scratch", "fine-tuned"):
        for draw in range(DRAWS):
            for shots in SHOTS if draw == 0 else SHOTS[:-1]:
                yield Case(way, shots, draw)
    if name == "hymenoptera":
        yield from (Case(way, PLAIN, 0) for way in OTHERS)


def measure(data: Path, name: str, out: Path, minutes: float) -> None:
    """Measure what is missing of a set, and write it down, a case at a time."""
    torch.set_num_threads(1)
    end, photographs, place = (
        time.monotonic() + 60 * minutes,
        Photographs(data, name),
        kept(out, name),
    )
    known = json.loads(place.read_text()) if place.exists() else {}
    for case in plan(name):
        if str(case) in known:
            continue
        if time.monotonic() > end:
            return
        began = worked()
        right = WAYS[case.way](photographs, case) == photographs.targets[1]
        seconds = round(worked() - began, 2)
        told = "".join(str(int(one)) for one in right)
        known[str(case)] = {"right": told, "seconds": seconds}
        atomic_write(place, json.dumps(known))


def worked() -> float:
    """Processor seconds of this process and of those it has seen to their end."""
    return sum(os.times()[:4])


def kept(out: Path, name: str) -> Path:
    return out / f"{name}.json"


class Found:
    """What was measured of a set."""

    def __init__(self, place: Path) -> None:
        self.cases = json.loads(place.read_text())

    def draws(self, way: str, shots: int) -> Draws:
        cases = {d: self.cases.get(str(Case(way, shots, d))) for d in range(DRAWS)}
        return {
            d: torch.tensor([c == "1" for c in one["right"]]) for d, one in cases.items() if one
        }

    def seconds(self, case: Case) -> float:
        return self.cases[str(case)]["seconds"]


def accuracies(draws: Draws) -> list[float]:
    return [float(right.double().mean()) for right in draws.values()]


def of_images(draws: Draws) -> Interval:
    """Wilson's for the mean accuracy, as if of one draw."""
    n = len(next(iter(draws.values())))
    return wilson(n * fmean(accuracies(draws)), n)


def shown(draws: Draws) -> str:
    """Mean, ± half the interval over draws, and in brackets the interval over images."""
    if not draws:
        return "–"
    found, over_draws, (low, high) = accuracies(draws), "", of_images(draws)
    if spread := mean_interval(found):
        over_draws = f" ± {50 * (spread.high - spread.low):.1f}"
    return f"{100 * fmean(found):.1f}{over_draws} ({100 * low:.0f}–{100 * high:.0f})"


def less(first: Draws, second: Draws) -> str:
    """The second less the first, draw by draw on the same images; bold outside the noise."""
    both = [paired_accuracy(first[d], second[d]) for d in first if d in second]
    if not both:
        return "–"
    images = Interval(*(fmean(ends) for ends in zip(*(one.interval for one in both))))
    over = mean_interval([one.difference for one in both])
    outside = all(one.low > 0 or one.high < 0 for one in (images, over) if one)
    middle = f"{100 * fmean(one.difference for one in both):+.1f}"
    words = [f"draws {told(over)}"] if over else []
    words.append(f"images {told(images)}")
    return f"{f'**{middle}**' if outside else middle} ({'; '.join(words)})"


def told(interval: Interval) -> str:
    return f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    lines = [head, ["---"] * len(head), *rows]
    print("\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines))


def tell(found: dict[str, Found]) -> None:
    """Print accuracies, differences, and what the same weights give in a plain loop."""
    shots = [str(k or "all") for k in SHOTS]
    for name, one in found.items():
        ways = [w for w in WAYS if w not in OTHERS]
        table([name, *shots], [[w, *(shown(one.draws(w, k)) for k in SHOTS)] for w in ways])
    for name, one in found.items():
        rows = [
            [f"{b} − {a}", *(less(one.draws(a, k), one.draws(b, k)) for k in SHOTS)]
            for a, b in COMPARED
        ]
        table([name, *shots], rows)
    tell_plain(found["hymenoptera"])


def tell_plain(one: Found) -> None:
    """Others' ways beside a fitted head: the same weights, the same first draw."""
    ours = {0: one.draws("features", PLAIN)[0]}
    looking, fitting = (one.seconds(Case("features", k, 0)) for k in (SHOTS[0], PLAIN))
    times = f"{looking:.0f} s all images, {fitting:.1f} s the head"
    rows = [["features, logistic", shown(ours), "", times]]
    for way, words in OTHERS.items():
        theirs, seconds = {0: one.draws(way, PLAIN)[0]}, one.seconds(Case(way, PLAIN, 0))
        rows.append([words, shown(theirs), less(theirs, ours), f"{seconds:.0f} s"])
    head = [f"hymenoptera, {PLAIN} a class, first draw", "accuracy", "features − this"]
    table([*head, "processor time"], rows)


LOOKS = {
    "features": ("#1f6fb2", "o", "-"),
    "fine-tuned": ("#7a3db8", "D", "--"),
    "fisher": ("#c2410c", "s", "-"),
    "hog": ("#c2410c", "^", ":"),
    "scratch": ("#2e7d32", "v", "--"),
}


def draw(found: dict[str, Found], path: Path) -> None:
    """Mean accuracy over images a class; bars are the interval over test images."""
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "transfer", "svg.fonttype": "none"})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(found), figsize=(11, 4.6), layout="constrained", sharey=True)
    for axis, (name, one) in zip(axes, found.items(), strict=True):
        for position, (way, (colour, mark, dash)) in enumerate(LOOKS.items()):
            known = [(x, one.draws(way, k)) for x, k in enumerate(SHOTS) if one.draws(way, k)]
            if not known:
                continue
            places = [x + 0.06 * (position - 2) for x, _ in known]
            middles = [100 * fmean(accuracies(draws)) for _, draws in known]
            ends = [[100 * end for end in of_images(draws)] for _, draws in known]
            bars = [[m - e[0], e[1] - m] for m, e in zip(middles, ends)]
            style = {
                "color": colour,
                "marker": mark,
                "linestyle": dash,
                "lw": 1.6,
                "elinewidth": 0.9,
            }
            axis.errorbar(places, middles, list(zip(*bars)), label=way, **style)
        axis.set_xticks(range(len(SHOTS)), [str(k or "all") for k in SHOTS])
        axis.set(xlabel="images a class to learn from")
        axis.set_title(name, loc="left")
        axis.grid(alpha=0.25)
    axes[0].set_ylabel("test accuracy, %")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=20, help="after which nothing is begun")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        waited = [pool.submit(measure, asked.data, name, asked.out, asked.minutes) for name in HELD]
        for one in waited:
            one.result()
    found = {name: Found(kept(asked.out, name)) for name in HELD}
    tell(found)
    draw(found, asked.out / "transfer.svg")


if __name__ == "__main__":
    main()
