"""saccade's own training, as `saccade train` does it, with the same work as its peers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from clock import DECAY, RATE, Clock, Job

from saccade.device import keep_blocks
from saccade.engine.loop import Step
from saccade.terminal import TrainingView
from saccade.training.train import start_training


class Timed(TrainingView):
    """Tells the clock of the steps that are shown: the first, each tenth, and the last."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock, self.before = clock, -1

    def step(self, step: Step, losses: Mapping[str, float]) -> None:
        if step.step == 0:
            self.clock.epoch()
            self.before = 0
        self.clock.step((step.step - self.before) * len(step.index))
        self.before = step.step


def main() -> None:
    keep_blocks()  # as the command does
    job = Job.asked()
    clock = Clock(job.target)
    settings = {
        "model.name": job.network,
        "data.size": job.size,
        "data.colour": "grey" if job.channels == 1 else "rgb",
        "train.epochs": job.epochs,
        "train.batch_size": job.batch,
        "train.threads": 1,
        "optim.name": "adamw",
        "optim.lr": RATE,
        "optim.weight_decay": DECAY,
        "optim.schedule": "constant",
        "optim.warmup": 0,
        "data.augment": (),
        "train.label_smoothing": 0,
        "train.ema": 0,
    }
    with tempfile.TemporaryDirectory() as folder, Timed(clock) as view:
        run = start_training(job.folder, None, settings, Path(folder) / "run", "benchmark", view)
        clock.measured(run.test.accuracy)
    clock.report()


if __name__ == "__main__":
    main()
