"""Predictor: predictions for images, from any number of threads, with its decoders kept running."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from saccade.data.decode import Preprocessing
from saccade.data.image_files import FoundImages, find_images
from saccade.data.item import Item, Skipped
from saccade.data.pool import DecoderPool, stretched_note
from saccade.engine.memory import images_at_once
from saccade.engine.ood import Novelty
from saccade.errors import DataError, UsageError, WeightsError
from saccade.metrics.conformal import PredictionSets
from saccade.models.backbone import HeadInputRecorder
from saccade.recipes.allowed import Range
from saccade.recipes.setting import argument
from saccade.tasks.answers import Answer, Predictions, Rejection
from saccade.tasks.catalogue import refuse_without
from saccade.tasks.task import Capability, Task

BATCH = 64  # images that go through the network together, at most


def names_shown(images: Sequence[object]) -> bool:
    """Whether answers stand under the names of their images: not that to one file alone."""
    if len(images) != 1:
        return True
    only = images[0]
    return isinstance(only, str | PathLike) and Path(only).is_dir()


def found_images(images: Sequence[object]) -> FoundImages:
    """The images that a person gives, paths or objects of Python, as items."""
    paths = [image for image in images if isinstance(image, str | PathLike)]
    if len(paths) == len(images):
        return find_images(paths)
    from saccade.data.sources.objects import images_in  # here: paths need none of it

    return find_images(images_in(images))


class Predicted(NamedTuple):
    """The answer to an item; one that cannot be read has a reason instead, and no pixels."""

    item: Item
    answer: Answer | Skipped
    pixels: Tensor | None  # [C,size,size] uint8, as the network sees them


def refuse_undefined(values: Tensor, names: Sequence[str]) -> None:
    """Raise `WeightsError` where a value [N] of one of N images is NaN."""
    undefined = values.isnan().nonzero()[:, 0].tolist()
    if undefined:
        what = f"the network gives no number (NaN) for {len(undefined):,} of {len(names):,} images"
        hint = "its training went astray or its file is damaged: take other weights"
        raise WeightsError(f"{what}, such as '{names[undefined[0]]}'", hint)


class Predictor:
    """Predicts images with a network; safe to call from any number of threads at the same time.

    The network is put in eval mode and not changed otherwise: it may be shared.  Files are decoded
    in processes of their own, so that a malicious one harms nothing else; these start with the
    first file and end with `close`, at the latest with the interpreter.
    """

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        preprocessing: Preprocessing,
        *,
        min_confidence: float = 0.0,
        novelty: Novelty | None = None,
        sets: PredictionSets | None = None,
        workers: int | None = None,  # processes at most; None: one per core
    ):
        self.model = model.eval()
        self.task = task
        self.preprocessing = preprocessing
        self.min_confidence = min_confidence
        self.novelty = novelty
        self.sets = sets
        self.workers = DecoderPool(workers)

    def __enter__(self) -> Predictor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the decoding processes; nothing can be predicted any more."""
        self.workers.close()

    def predict(
        self,
        *images: object,
        top: int = 5,
        min_confidence: float | None = None,
        max_novelty: float | None = None,
    ) -> Predictions:
        """The task's answers to image files, to all images in folders, or to images of Python.

        These are all that `saccade.predict` takes: arrays, tensors, Pillow's, bytes, datasets.

        `top` is how many classes each names, where the answers are classes.
        """
        found = found_images(images)
        predictions = self.predict_items(found.items, top, min_confidence, max_novelty)
        return replace(predictions, left_out=tuple(found.left_out), named=names_shown(images))

    def predict_items(
        self,
        items: Sequence[Item],
        top: int = 5,
        min_confidence: float | None = None,
        max_novelty: float | None = None,
    ) -> Predictions:
        """The task's answers to the items of a source; raises `DataError` if none can be read."""
        told = [*self.stream(items, top, min_confidence, max_novelty)]
        answers = tuple(answer for answer in told if not isinstance(answer, Skipped))
        unreadable = tuple(answer for answer in told if isinstance(answer, Skipped))
        return Predictions(answers, unreadable, notes=stretched_note(items, self.preprocessing))

    def stream(
        self,
        items: Sequence[Item],
        top: int = 5,
        min_confidence: float | None = None,
        max_novelty: float | None = None,
    ) -> Iterator[Answer | Skipped]:
        """Each answer as soon as it is there, and images that cannot be read as they are met.

        Raises `DataError` at the end if none can be read.
        """
        for predicted in self.predicted(items, top, min_confidence, max_novelty):
            yield predicted.answer

    def predicted(
        self,
        items: Sequence[Item],
        top: int = 5,
        min_confidence: float | None = None,
        max_novelty: float | None = None,
    ) -> Iterator[Predicted]:
        """As `stream`, each answer with its item and the pixels that the network saw."""
        top = argument("--top", top, int, Range(1))
        rejection = self._rejection(min_confidence, max_novelty)
        answered, unreadable = False, []
        for batch in self._batches(items):
            if isinstance(batch, Predicted):
                unreadable.append(batch.answer)
                yield batch
                continue
            readable, images = batch
            predictions, novelty = self._outputs(images)
            answered = True
            names = [item.name for item in readable]
            refuse_undefined(predictions.flatten(1).sum(dim=1), names)
            answers = self.task.answers(names, predictions, top, rejection, novelty)
            yield from map(Predicted, readable, answers, images)
        if unreadable and not answered:
            lines = "; ".join(f"{s.name} {s.reason}" for s in unreadable[:3])
            raise DataError(
                f"no image could be read: {lines}", "saccade doctor says what is wrong with each"
            )

    def _batches(self, items: Sequence[Item]) -> Iterator[tuple[list[Item], Tensor] | Predicted]:
        """Items with their images [N,C,size,size] uint8; one that cannot be read alone."""
        readable: list[Item] = []
        images: list[Tensor] = []
        for item, image in zip(items, self.workers.decode_files(items, self.preprocessing)):
            if isinstance(image, Skipped):
                yield Predicted(item, image, None)
                continue
            readable.append(item)
            images.append(image)
            if len(images) == self._images_at_once:
                yield readable, torch.stack(images)
                readable, images = [], []
        if images:
            yield readable, torch.stack(images)

    @cached_property
    def _images_at_once(self) -> int:
        p = self.preprocessing
        forward = partial(self.task.predict, self.model)
        image = torch.zeros(1, p.channels, p.size, p.size, dtype=torch.uint8)
        return images_at_once(self.model, forward, image, BATCH)

    @torch.inference_mode()
    def _outputs(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """The task's predictions, and the novelty of each image, 0 to 1, where it is fitted.

        images [N,C,size,size] uint8 -> [N,...], and [N] float64 or None
        """
        images = images.to(next(self.model.parameters()).device)
        if self.novelty is None:
            return self.task.predict(self.model, images), None
        network = HeadInputRecorder(self.model)
        predictions = self.task.predict(network, images)
        return predictions, self.novelty.score(network.features[0])

    def _rejection(self, confidence: float | None, novelty: float | None) -> Rejection:
        """The limits of confidence, that of the bundle by default, and of novelty."""
        if confidence is not None:
            hint = "labels have thresholds of their own, numbers a margin"
            refuse_without(Capability.CONFIDENCE, self.task, UsageError, hint)
        min_confidence = self.min_confidence if confidence is None else confidence
        if not 0 <= min_confidence <= 1:
            raise UsageError(f"min_confidence is {min_confidence:g}", "it lies between 0 and 1")
        max_novelty = 1.0 if novelty is None else self._refuse_unreachable(novelty)
        return Rejection(min_confidence, max_novelty, self.sets)

    def _refuse_unreachable(self, max_novelty: float) -> float:
        """`max_novelty`; raises `UsageError` where no image could have a novelty above it."""
        if not 0 <= max_novelty <= 1:
            raise UsageError(f"max_novelty is {max_novelty:g}", "it lies between 0 and 1")
        if self.novelty is None:
            raise UsageError(
                "this bundle has no novelty score: novelty.safetensors is not in it",
                "classifiers of one class per image have it; train again if this is one",
            )
        if self.novelty.highest <= max_novelty < 1:
            raise UsageError(
                f"no image is more novel than {max_novelty:g}: the scale is that of "
                f"{len(self.novelty.known)} validation images",
                f"with these --max-novelty is less than {self.novelty.highest:.4g}",
            )
        return max_novelty
