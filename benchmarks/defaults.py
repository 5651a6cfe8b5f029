"""What changing one setting costs: short trainings with every optimizer, schedule, batch size, ...

    python benchmarks/defaults.py DATA... [--seeds 2] [--epochs 12] [--out results/defaults.md]

Each set of DATA is learned by the recipe that is chosen for it, and by the same with one setting or
two changed, as a person types them; all else is what follows.  A score is that of the test images
above chance, as a share of the best one; below 0.8 a setting costs people their result, unless the
plan has a word on it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from statistics import mean
from typing import Any

import torch

import saccade
from saccade.auto.optimizer import NEEDS
from saccade.errors import SaccadeError

ENOUGH = 0.8  # of the best score above chance
NUMBERS = count()


def changes() -> Iterator[dict[str, Any]]:
    """What is changed, one setting or two at a time."""
    yield {}
    for name in NEEDS:
        yield {"optim.name": name}
    for name in ("sgd", "adamw"):
        for schedule in known_schedules():
            for warmup in (0, 0.1, 500):
                yield {"optim.name": name, "optim.schedule": schedule, "optim.warmup": warmup}
    for size in (4, 16, 256, 4096):
        yield {"train.batch_size": size}
        yield {"train.batch_size": size, "optim.name": "sgd"}
    for precision in ("float32", "bfloat16"):
        for name in ("sgd", "adam", "muon", "lion"):
            yield {"train.precision": precision, "optim.name": name}
    for ema in (0.9, 0.999, 0.9999):
        yield {"train.ema": ema}
    yield {"optim.layer_decay": 0.7}
    yield {"optim.lookahead": 5}
    yield {"optim.clip_grad": 1.0}
    yield {"train.label_smoothing": 0.3}


def known_schedules() -> tuple[str, ...]:
    """Those of the catalogue."""
    from saccade.engine.schedule import SCHEDULES as known

    return tuple(known)


def score(data: str, settings: Mapping[str, Any], epochs: int, seeds: int, folder: str) -> float:
    """The mean primary metric of the test images above the baseline; 0 where it is refused."""
    values = []
    for seed in range(seeds):
        fixed = {"data.doctor": "off", "train.seed": seed, "train.threads": 1}
        out = Path(folder) / str(next(NUMBERS))
        try:
            run = saccade.train(data, epochs=epochs, out=out, with_={**fixed, **settings})
            primary = run.test.primary
            chance = primary.baseline or 0.0
            values.append(max(0.0, (primary.value - chance) / (1 - chance)))
        except SaccadeError as error:
            print(f"  {settings}: {error}")
            values.append(0.0)
    return mean(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/defaults.md"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for done, data in enumerate(asked.data, 1):
            scores = {}
            for settings in changes():
                name = ", ".join(f"{k}={v}" for k, v in settings.items()) or "the recipe"
                scores[name] = score(data, settings, asked.epochs, asked.seeds, folder)
                print(f"{Path(data).stem} | {name} | {scores[name]:.3f}", flush=True)
            best = max(scores.values())
            for name, value in scores.items():
                rows.setdefault(name, []).append(value / best)
            asked.out.write_text(as_text(rows, asked.data[:done], asked))


def as_text(rows: Mapping[str, list[float]], sets: list[str], asked: argparse.Namespace) -> str:
    """The scores as a table in Markdown."""
    titles = [Path(data).stem.rstrip(":") for data in sets]
    command = f"python benchmarks/defaults.py {' '.join(titles)} --epochs {asked.epochs}"
    lines = [
        "# What changing a setting costs",
        "",
        f"`{command} --seeds {asked.seeds}`: test score above chance, as a share of the best of a "
        f"column; below {ENOUGH} in bold. Where it is 0.00 the setting was refused or "
        "nothing was learned; a training of few steps is noted before it begins.",
        "",
        f"| changed | {' | '.join(titles)} |",
        "|---" * (1 + len(titles)) + "|",
    ]
    for name, values in rows.items():
        cells = " | ".join(f"**{v:.2f}**" if v < ENOUGH else f"{v:.2f}" for v in values)
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
