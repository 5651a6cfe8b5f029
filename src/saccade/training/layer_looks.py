"""LayerLooks: when a training is looked into, layer by layer, and what is said of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from saccade.analysis.layer_statistics import LayerWatch, troubles
from saccade.data.order import spread
from saccade.engine.train import Position
from saccade.training.prepared import Prepared

PICTURES = 256  # of the training split, evenly spread over it, on which units are to fire


class LayerLooks:
    """Looks into every layer at the end of each so many epochs; none where none is asked for."""

    def __init__(self, prepared: Prepared):
        self.every = prepared.recipe.train.statistics  # epochs
        self.steps = len(prepared.loader)
        self.said: set[str] = set()
        if self.every:
            train = prepared.splits["train"]
            chosen = spread(len(train.items), PICTURES)(0)
            device = next(prepared.model.parameters()).device
            self.watch = LayerWatch(prepared.model, train.pictures.take(chosen).to(device))

    def coming(self, position: Position) -> None:
        """Be ready for the step to come, where it is one to be looked at."""
        if self.every and position.step == self.steps - 1 and self._due(position.epoch):
            self.watch.copy_weights()

    def look(self, epoch: int) -> tuple[dict[str, Any], list[str]]:
        """What the log says of the layers after `epoch`, from 0, and what is newly wrong."""
        if not self.every or not self._due(epoch):
            return {}, []
        rows = self.watch.look()
        found = [words for words in troubles(rows) if words.split()[0] not in self.said]
        self.said |= {words.split()[0] for words in found}  # of a row once
        return {"layers": [asdict(row) for row in rows]}, found

    def _due(self, epoch: int) -> bool:
        return (epoch + 1) % self.every == 0
