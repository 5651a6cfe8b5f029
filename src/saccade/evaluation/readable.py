"""Readable: labelled pictures that could be read, and what a bundle says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from saccade.bundle import Bundle
from saccade.data.augment.views import Map
from saccade.data.cache import Pictures, decoded
from saccade.data.grouping import groups_of
from saccade.data.loader import Loader
from saccade.data.order import in_order
from saccade.data.source import Item, Skipped
from saccade.engine.evaluate import Evaluated, evaluate
from saccade.engine.robustness import Measurement, robustness
from saccade.errors import DataError
from saccade.tasks.catalogue import refuse_other_labels

BATCH = 256  # pictures


@dataclass(frozen=True)
class Readable:
    """Pictures ready for a network, in the order in which they were given."""

    items: tuple[Item, ...]
    pictures: Pictures
    targets: Tensor  # [N,...]
    failed: tuple[Skipped, ...]

    @classmethod
    def of(cls, items: Sequence[Item], bundle: Bundle) -> Readable:
        """Decoded as `bundle` needs them; labels that it cannot know are refused before that."""
        refuse_other_labels(items, bundle.task)
        bundle.task.targets(items)
        result = decoded(items, bundle.preprocessing)
        kept = tuple(items[k] for k in result.kept)
        if not kept:
            first = f"; {result.failed[0].name}: {result.failed[0].reason}" if items else ""
            raise DataError(f"no picture can be read{first}")
        return cls(kept, result.pictures, bundle.task.targets(kept), result.failed)

    @property
    def groups(self) -> Tensor | None:
        return groups_of(self.items)

    def evaluated(self, bundle: Bundle, maps: Sequence[Map] = ()) -> Evaluated:
        """What the network says of each, the mean over `maps` where there are some."""
        model, task = bundle.model, bundle.task
        return evaluate(model, task, self._loader, maps=maps, novelty=bundle.novelty)

    def corrupted(
        self, bundle: Bundle, corruptions: Sequence[str], maps: Sequence[Map] = ()
    ) -> Iterator[Measurement]:
        """The leading number under each of `corruptions`, at all severities."""
        model, task = bundle.model, bundle.task
        return robustness(model, task, self._loader, corruptions, self.groups, maps)

    @property
    def _loader(self) -> Loader:
        return Loader(self.pictures, self.targets, BATCH, in_order(len(self.items)))
