"""How often what is claimed of numbers is true: sets drawn from known laws, measured as ours are.

    python benchmarks/coverage.py [--draws 400] [--processes 1] [--out results/coverage.md]

Each law of `claims.laws` gives images whose true scores are known.  Of many sets of each size it is
counted how often the 95 % interval holds the true score and how wide it is, beside the percentile
bootstrap; how often equally good networks are said to differ, and unequal ones; all of it for
independent images and for images in groups.  A thinned form is in tests/metrics/test_coverage.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import isnan, nan, sqrt
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import torch

from claims.laws import UNEQUAL, Groups, Law, classes, grouped_laws, labels, laws
from claims.pairs import Calls, Pair, called, pairs
from claims.seeds import Settings, settings, told
from claims.tally import Tally, covered, covered_in_groups
from claims.thresholds import precision_kept, sets_held
from claims.verdicts import Fit, diagnosed, fits

SMALL = 20  # images, of which no more is asked than that intervals are not too narrow
GROUPS = [
    *(Groups(count, 12, correlation) for count in (6, 8, 20, 100) for correlation in (0.1, 0.5)),
    Groups(8, 12, 0.9),
    Groups(30, 4, 0.9),
]


@dataclass(frozen=True)
class Measured:
    """One law at one size: what was counted of each number."""

    law: str
    about: str  # the images
    counted: dict[str, Any]  # [Tally, Tally] of ours and of the bootstrap's, or Calls


Job = Callable[[], Measured]


def intervals(law: Law, n: int, draws: int) -> Measured:
    return Measured(law.name, f"{n:,}", covered(law, n, draws, peers=True))


def grouped(law: Law, groups: Groups, draws: int) -> Measured:
    about = f"{groups.count} groups, correlation {groups.correlation}"
    return Measured(law.name, about, covered_in_groups(law, groups, draws, peers=True))


def compared(pair: Pair, n: int, groups: Groups | None, draws: int) -> Measured:
    about = f"{n:,}" if groups is None else f"{groups.count} groups"
    return Measured(pair.name, about, called(pair, n, draws, groups))


def of_settings(one: Settings, draws: int) -> Measured:
    return Measured(one.name, f"{one.seeds} | {one.images}", told(one, draws))


def rare(law: Law, n: int, draws: int) -> Measured:
    """Of sets in which classes have as few images as chance gives them."""
    anything = Law(law.name, law.metric, law.targets, law.predict, images=law.images)
    return Measured(law.name, f"{n:,}", covered(anything, n, draws, peers=True))


def kept(law: Law, target: float, n: int, groups: Groups | None, draws: int) -> Measured:
    about = f"{n:,}" if groups is None else f"{groups.count} groups of {groups.size}"
    sets = sets_held(law, target, n, draws, groups)
    counted = {"threshold": precision_kept(law, target, n, draws, groups), "sets": sets}
    return Measured(f"{law.name} | {percent(target)}", about, counted)


def verdicts(fit: Fit, n: int, draws: int) -> Measured:
    return Measured(fit.name, f"{n:,}", {"diagnosed": diagnosed(fit, n, draws), "right": fit.right})


def percent(share: float) -> str:
    return "" if isnan(share) else f"{100 * share:.1f}"


def heading(*titles: str) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield "|---" * len(titles) + "|"


def table(measured: Sequence[Measured]) -> Iterator[str]:
    """A line a number: worst and median coverage over all laws, beside those of the bootstrap."""
    yield from heading(
        *("number", "worst", "median", "kept back", "where it is worst"),
        *("bootstrap: worst", "median", "width beside it"),
    )
    names = dict.fromkeys(name for one in measured for name in one.counted)
    for name in names:
        rows: list[tuple[float, Measured, Tally, Tally]] = []
        for one in measured:
            if name in one.counted:
                ours, theirs = one.counted[name]
                rows.append((ours.coverage if ours.given else nan, one, ours, theirs))
        told = [row for row in rows if row[2].given >= row[2].draws / 4]
        kept_back = 1 - sum(r[2].given for r in rows) / sum(r[2].draws for r in rows)
        others = [row[3] for row in rows if row[3].given]
        wide = [r[2].mean_width / r[3].mean_width for r in told if r[3].given and r[3].width]
        cells = [name, "", "", percent(kept_back), ""]
        if told:
            worst = min(told, key=lambda row: row[0])
            middle = median(row[0] for row in told)
            cells[1:3] = percent(worst[0]), percent(middle)
            cells[4] = f"{worst[1].law}; {worst[1].about}"
        cells += [
            percent(min((t.coverage for t in others), default=nan)),
            percent(median(t.coverage for t in others) if others else nan),
            f"{median(wide):.2f}" if wide else "",
        ]
        yield "| " + " | ".join(cells) + " |"


def by_groups(measured: Sequence[Measured]) -> Iterator[str]:
    """A line for each kind of groups: over all laws and numbers."""
    yield from heading(
        *("groups of about 12 images", "worst", "where", "lowest tenth", "median"),
        *("bootstrap: worst", "median"),
    )
    for about in dict.fromkeys(one.about for one in measured):
        cells = [
            (tallies[0].coverage, f"{name}; {one.law}", tallies[1])
            for one in measured
            if one.about == about
            for name, tallies in one.counted.items()
            if tallies[0].given > tallies[0].draws / 4
        ]
        cells.sort(key=lambda cell: cell[0])
        others = sorted(cell[2].coverage for cell in cells if cell[2].given)
        shares = percent(cells[len(cells) // 10][0]), percent(cells[len(cells) // 2][0])
        them = percent(others[0]), percent(others[len(others) // 2])
        line = (about, percent(cells[0][0]), cells[0][1], *shares, *them)
        yield "| " + " | ".join(line) + " |"


def of_pairs(measured: Sequence[Measured]) -> Iterator[str]:
    """A line for each law, size and compared number."""
    yield from heading(
        *("networks", "images", "number", "said to differ", "interval holds"),
        "said to differ by the exact or the bootstrap test",
    )
    yield from _calls(measured)


def over_seeds(measured: Sequence[Measured]) -> Iterator[str]:
    """The same of settings."""
    yield from heading(
        *("settings", "seeds of each", "images", "number", "said to differ", "interval holds"),
        "said to differ by a t-test over seeds",
    )
    yield from _calls(measured)


def _calls(measured: Sequence[Measured]) -> Iterator[str]:
    for one in measured:
        for name, calls in one.counted.items():
            assert isinstance(calls, Calls)
            holds = calls.held / calls.given if calls.given else nan
            shares = map(percent, (calls.share, holds, calls.peer_share))
            yield "| " + " | ".join((one.law, one.about, name, *shares)) + " |"


def of_thresholds(measured: Sequence[Measured]) -> Iterator[str]:
    """A line for each law, target and size."""
    yield from heading(
        *("images of", "target", "validation images", "thresholds told", "miss it", "answer"),
        *("the best answers", "chosen by the share seen: miss it", "sets hold", "classes in one"),
    )
    for one in measured:
        told, (held, size) = one.counted["threshold"], one.counted["sets"]
        cells = (
            percent(told.told / told.draws),
            percent(told.missed / told.draws),
            percent(told.answered / told.told if told.told else nan),
            percent(told.best),
            percent(told.peer_missed / max(1, told.peer_told)),
            percent(held),
            f"{size:.2f}",
        )
        yield "| " + " | ".join((one.law, one.about, *cells)) + " |"


def of_verdicts(measured: Sequence[Measured]) -> Iterator[str]:
    """A line for each network: how often each diagnosis is given, and a wrong one."""
    kinds = ("good fit", "overfitted", "underfitted", "both", "inconclusive")
    yield from heading("network", "images of either kind", *kinds, "wrong")
    for one in measured:
        counts, right = one.counted["diagnosed"], one.counted["right"]
        draws = sum(counts.values())
        wrong = sum(counts[kind] for kind in kinds[:-1] if kind not in right)
        shares = (percent(counts[kind] / draws) for kind in kinds)
        yield "| " + " | ".join((one.law, one.about, *shares, percent(wrong / draws))) + " |"


JOBS: list[Job] = []  # which the processes have from the one that they were forked from


def run(number: int) -> Measured:
    torch.set_num_threads(1)
    return JOBS[number]()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/coverage.md"))
    asked = parser.parse_args()
    draws = asked.draws
    error = sqrt(0.95 * 0.05 / draws)
    print(f"standard error of a share of 95 %: {100 * error:.1f} points", flush=True)
    alone = [(law, n) for law in laws() for n in law.sizes]
    few = [classes(0.95, UNEQUAL), classes(0.99, UNEQUAL), classes(0.99, [0.9, 0.1])]
    few_labels = labels([0.5, 0.1, 0.02], 3.0)
    parts: dict[str, tuple[Callable[..., Iterator[str]], list[Job]]] = {
        "Independent images, 50 or more, 5 or more of each class": (
            table,
            [partial(intervals, law, n, draws) for law, n in alone if n > SMALL],
        ),
        f"{SMALL} independent images": (
            table,
            [partial(intervals, law, n, draws) for law, n in alone if n == SMALL],
        ),
        "Classes of fewer than 5 images": (
            table,
            [
                *(partial(rare, law, n, draws) for law in few for n in (60, 150)),
                partial(rare, few_labels, 100, draws),
            ],
        ),
        "Images in groups": (
            by_groups,
            [
                partial(grouped, law, groups, draws // 2)
                for law in grouped_laws()
                for groups in GROUPS
            ],
        ),
        "Two networks": (
            of_pairs,
            [
                *(
                    partial(compared, pair, n, None, 2 * draws)
                    for pair in pairs()
                    for n in (20, 50, 200)
                ),
                *(
                    partial(compared, pair, 0, groups, draws)
                    for pair in pairs()
                    for groups in (Groups(8, 12, 0.5), Groups(30, 12, 0.5))
                ),
            ],
        ),
    }
    parts["Settings over seeds"] = (
        over_seeds,
        [partial(of_settings, one, draws) for one in settings()],
    )
    parts["Thresholds of a precision, and prediction sets of that share"] = (
        of_thresholds,
        [
            partial(kept, law, target, n, groups, draws)
            for law in (classes(0.9, [0.1] * 10), classes(0.85, [0.6, 0.3, 0.1]))
            for target in (0.9, 0.95, 0.98)
            for n, groups in ((50, None), (200, None), (1000, None), (0, Groups(30, 20, 0.5)))
        ],
    )
    parts["Fit diagnosis"] = (
        of_verdicts,
        [partial(verdicts, fit, n, draws) for fit in fits() for n in (20, 50, 200, 1000)],
    )
    lines = ["# How often intervals and comparisons are right", ""]
    lines += [f"Printed by `python benchmarks/coverage.py --draws {draws}`; shares in %.", ""]
    JOBS.extend(job for _, jobs in parts.values() for job in jobs)
    with ProcessPoolExecutor(asked.processes, get_context("fork")) as pool:
        results = pool.map(run, range(len(JOBS)))
        for title, (layout, jobs) in parts.items():
            measured = []
            for one in islice(results, len(jobs)):
                measured.append(one)
                print(title, "|", one.law, "|", one.about, flush=True)
            lines += [f"## {title}", "", *layout(measured), ""]
            asked.out.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
