"""The first step of a training, forward and back: each value of the network, each error signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from saccade.device import limit_threads
from saccade.engine.loop import step_generator
from saccade.errors import RecipeError
from saccade.explain.backprop import Backpropagation, backpropagation
from saccade.models.table import shown_name
from saccade.progress import progress_bar
from saccade.training.inputs import training_inputs
from saccade.training.prepare import prepare


def backprop(
    data: str | Path | None, recipe: str | Path | None, flags: Mapping[str, Any]
) -> Backpropagation:
    """Trace the loss of the first batch, as the training with these settings begins.

    In float32 and uncompiled, the whole batch at once; the network is then discarded.
    """
    inputs = training_inputs(data, recipe, flags)
    resolved = inputs.settings.recipe.with_({"train.compile": "off"})
    if not resolved.train.epochs:
        raise RecipeError(
            f"{shown_name(resolved.model.name)} is fitted without gradients", "name another --model"
        )
    with limit_threads(int(resolved.train.threads)), progress_bar("reading") as progress:
        setup = prepare(resolved, inputs.division, progress)
    with limit_threads(int(resolved.train.threads)):
        state, seed = setup.state, resolved.train.seed
        state.train_mode()
        batch = next(iter(setup.loader.epoch(0, 0))).to(state.device)
        batch = setup.augment(batch, step_generator(seed, 0, 0, state.device))

        def loss(images: Tensor) -> Tensor:
            return setup.task.losses(setup.model, replace(batch, images=images))["loss"]

        return backpropagation(loss, setup.model, images=batch.images.float())
