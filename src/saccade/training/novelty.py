"""Out-of-distribution detection fitted to a finished classifier: features of training images."""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.data.loader import Loader
from saccade.engine.evaluate import at_once, predict
from saccade.engine.ood import Novelty
from saccade.models.backbone import HeadInputRecorder, has_last_layer
from saccade.report.summary import novelty_text
from saccade.runs.run import Run
from saccade.tasks.task import Capability
from saccade.training.prepare import TrainingSetup

MAX_IMAGES = 1000  # images of each split


def fit_novelty(setup: TrainingSetup) -> Novelty | None:
    """Novelty fitted on training images without augmentation, its scale on validation images.

    None where the task has no use for it.  Every process computes it for itself.
    """
    if Capability.NOVELTY not in setup.task.capabilities or not has_last_layer(setup.model):
        return None
    splits = setup.splits
    train, val = (
        _features(setup, splits[name].evenly_spaced(MAX_IMAGES)) for name in ("train", "val")
    )
    return Novelty.fit(train, val)


def log_novelty(run: Run, novelty: Novelty, test: Tensor) -> None:
    """Log the size of the bank, and how many test images exceed a level.  test [N], 0 to 1"""
    counts = {"images": len(novelty.bank), "held_out": len(novelty.known)}
    message = novelty_text(test, novelty.level)
    run.log("novelty", **counts, bytes=novelty.bytes, level=novelty.level, message=message)


def _features(setup: TrainingSetup, loader: Loader) -> Tensor:
    """The inputs of the last layer for all images of a loader.  -> [N,D] float32, on the CPU"""
    network = HeadInputRecorder(setup.eval_model)
    most = at_once(setup.eval_model, setup.task, loader)
    for _ in predict(network, setup.task, loader, most):
        pass
    return torch.cat(network.features).float().cpu()
