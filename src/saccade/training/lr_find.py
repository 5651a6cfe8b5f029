"""The learning rate range test (lr-find) on a data set, and the learning rate that it suggests.

`with_found_lr` is for the training itself, where optim.lr is auto: it tests a copy of the network.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

from saccade.device import device, limit_threads
from saccade.engine.loop import train
from saccade.engine.lr_find import DIVERGENCE_RATIO, LRPoint, lr_points, lr_sweep, suggested_lr
from saccade.engine.profile import fork_rng
from saccade.engine.state import supervised
from saccade.errors import RecipeError, UsageError
from saccade.files import refuse_to_replace, write_output
from saccade.models.table import shown_name
from saccade.progress import progress_bar
from saccade.recipes.settings import Settings
from saccade.report.figures import lr_curve
from saccade.training.inputs import training_inputs
from saccade.training.prepare import Progress, TrainingSetup, prepare
from saccade.words import aligned, html_table

STEPS = 200  # of the range test
LR_RANGES = {"sgd": (1e-4, 10.0), "nesterov": (1e-4, 10.0), "adadelta": (1e-3, 100.0)}
LR_RANGE = (1e-6, 1.0)  # of adaptive optimizers


@dataclass(frozen=True, repr=False)
class LRFindResult:
    """The learning rate that a range test suggests, and every step of the test."""

    lr: float
    model: str
    optimizer: str
    batch_size: int
    points: tuple[LRPoint, ...]
    path: Path  # of the plot

    @property
    def lowest(self) -> LRPoint:
        """The step with the lowest smoothed loss."""
        return _lowest(self.points)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"path": str(self.path), "points": [asdict(p) for p in self.points]}

    def rows(self) -> list[tuple[str, str]]:
        """Names and values in words."""
        first, last, lowest = self.points[0], self.points[-1], self.lowest
        diverged = last.smoothed_loss > DIVERGENCE_RATIO * lowest.smoothed_loss
        end = f"diverged at {last.lr:.2g}" if diverged else "did not diverge"
        return [
            ("suggested learning rate", f"{self.lr:.2g}: {_reason(lowest)}"),
            ("range test", f"{len(self.points)} steps up from {first.lr:.0e}; {end}"),
            ("for", f"{self.model}, {self.optimizer}, batches of {self.batch_size}"),
            ("train with", f"--with optim.lr={self.lr:.2g}"),
            ("plot", str(self.path)),
        ]

    def __str__(self) -> str:
        return aligned(self.rows())

    def __repr__(self) -> str:
        return f"LRFindResult({self.lr:.2g} for {self.model} with {self.optimizer})"

    def _repr_html_(self) -> str:
        return html_table((self.model, self.optimizer), self.rows())


def lr_find(
    data: str | Path | None, recipe: str | Path | None, flags: Mapping[str, Any], out: Path
) -> LRFindResult:
    """Run the range test on `data`, with a network that is then discarded, and plot it to `out`."""
    if out.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"'{out}' is neither PNG nor SVG", "name a file that ends in .png or .svg")
    refuse_to_replace(out)
    inputs = training_inputs(data, recipe, flags)
    resolved = inputs.settings.recipe
    if not resolved.train.epochs:
        raise RecipeError(
            f"{resolved.model.name} is fitted without a learning rate", "name another --model"
        )
    with limit_threads(int(resolved.train.threads)), progress_bar("reading") as progress:
        setup = prepare(resolved, inputs.division, progress)
    with (
        limit_threads(int(resolved.train.threads)),
        progress_bar("learning rate range test") as progress,
    ):
        points = tuple(_sweep(setup, progress))
    lr = suggested_lr(points)
    write_output(out, lr_curve(points, lr, out.suffix[1:].lower()))
    optim, size = resolved.optim, int(resolved.train.batch_size)
    return LRFindResult(lr, shown_name(resolved.model.name), optim.name, size, points, out)


def with_found_lr(settings: Settings, setup: TrainingSetup) -> tuple[Settings, TrainingSetup]:
    """Settings and setup with a number in place of optim.lr=auto, found on a copy of the network.

    The notes of the setup give the reason.
    """
    if settings.recipe.optim.lr != "auto":
        return settings, setup
    with (
        progress_bar("learning rate range test") as progress,
        fork_rng(device(settings.recipe.train.device)),
    ):
        points = tuple(_sweep(setup, progress))
    lr = suggested_lr(points)
    reason = f"{_reason(_lowest(points))}, in a learning rate range test of {len(points)} steps"
    setup.stepper.peak_lr = lr
    recipe = settings.recipe.with_({"optim.lr": lr})
    origins = {**settings.origins, "optim.lr": f"found: {reason}"}
    notes = (*setup.notes, f"optim.lr={lr:.2g}: {reason}")
    return replace(settings, recipe=recipe, origins=origins), replace(
        setup, recipe=recipe, notes=notes
    )


def _lowest(points: Sequence[LRPoint]) -> LRPoint:
    return min(points, key=lambda point: point.smoothed_loss)


def _reason(lowest: LRPoint) -> str:
    loss = f"{lowest.smoothed_loss:.3f}"
    return f"a tenth of {lowest.lr:.2g}, where the smoothed loss was lowest, {loss}"


def _sweep(setup: TrainingSetup, progress: Progress) -> Iterator[LRPoint]:
    """The steps of the range test on a copy of network and stepper, until the loss diverges."""
    model, base_stepper = copy.deepcopy((setup.model, setup.stepper))
    stepper = lr_sweep(base_stepper, STEPS, LR_RANGES.get(setup.recipe.optim.name, LR_RANGE))
    events = train(
        supervised(model, setup.task, stepper),
        setup.loader,
        setup.augment,
        epochs=ceil(STEPS / len(setup.loader)),
        seed=setup.recipe.train.seed,
    )
    for done, point in enumerate(lr_points(events), 1):
        progress(done, STEPS)
        yield point
