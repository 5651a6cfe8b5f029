"""Targets: what a network is to predict of each image of a batch, whatever its shape.

A plain tensor, a row per image, is targets already: classes [N] int64, shares or labels [N,K]
float, numbers [N,1] float.  Every other class has the same five things by methods of its own: a
length, rows, `to`, `joined` and `moved`; what lies in the plane of the image moves with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.errors import DataError

IGNORE = 255  # the class of a mask's pixels of which nothing is known, as in VOC and Cityscapes
VISIBLE = 0.1  # share of a moved box in the image, below which it is dropped (YOLOv5's area_thr)

Rows = Tensor | slice  # positions int64 [n], a choice bool [N], or a slice
Device = torch.device | str


class Transform(Protocol):
    """Where the points of N images go, one map per image: what `moved` needs of a `Warp`."""

    @property
    def source(self) -> tuple[int, int]:
        """Height and width of what it moves, pixels."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what comes out, pixels."""
        ...

    def __getitem__(self, rows: Rows) -> Self:
        """The maps of these images."""
        ...

    def images(self, images: Tensor) -> Tensor:
        """[N,C,H,W] -> [N,C,h,w] floating point"""
        ...

    def masks(self, masks: Tensor, outside: int) -> Tensor:
        """The nearest pixel's class, `outside` beyond the image.  [N,H,W] -> [N,h,w]"""
        ...

    def boxes(self, boxes: Tensor, image: Tensor) -> Tensor:
        """The upright boxes around moved ones, by the image of each.  [K,4], [K] -> [K,4]"""
        ...


class Structured(Protocol):
    """Targets of N images that are more than one tensor's rows, or lie in the image's plane."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Rows, /) -> Self:
        """The targets of the images of these rows, in their order."""
        ...

    def to(self, device: Device, *, non_blocking: bool = False) -> Self:
        """The targets on `device`."""
        ...

    def moved(self, transform: Transform) -> Self:
        """Where they lie once their images have been transformed."""
        ...

    @classmethod
    def joined(cls, batches: Sequence[Self], /) -> Self:
        """The targets of one or more batches, one after the other."""
        ...


Targets = Tensor | Structured
T = TypeVar("T", bound=Targets)


def moved(targets: T, transform: Transform) -> T:
    """Where targets lie once their images have been transformed; a plain tensor lies nowhere."""
    return targets if isinstance(targets, Tensor) else targets.moved(transform)


def joined(batches: Sequence[T]) -> T:
    """Targets of one or more batches, all of one class, one after the other."""
    kind: Any = type(batches[0])
    return torch.cat(list(batches)) if issubclass(kind, Tensor) else kind.joined(batches)  # type: ignore


@dataclass(frozen=True, eq=False)
class Masks:
    """A class for each pixel: semantic segmentation."""

    classes: Tensor  # [N,H,W] uint8 or int64; IGNORE where nothing is known

    @classmethod
    def from_planes(cls, planes: Tensor) -> Self:
        """Masks as a cache holds them.  [N,1,H,W] uint8"""
        return cls(planes[:, 0])

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, rows: Rows, /) -> Self:
        return replace(self, classes=self.classes[rows])

    def to(self, device: Device, *, non_blocking: bool = False) -> Self:
        return replace(self, classes=self.classes.to(device, non_blocking=non_blocking))

    def moved(self, transform: Transform) -> Self:
        """By the nearest pixel; what a border invents beyond the image is ignored."""
        _refuse_other_size("masks", self.classes, transform)
        return replace(self, classes=transform.masks(self.classes, IGNORE))

    @classmethod
    def joined(cls, batches: Sequence[Self], /) -> Self:
        return cls(torch.cat([batch.classes for batch in batches]))


@dataclass(frozen=True, eq=False)
class Images:
    """An image for each image, of the same height and width, as in translation from one to another.

    Augmentations of colour leave them as they are.
    """

    values: Tensor  # [N,C,H,W] uint8, or floating point once moved; 0 to 255 in both

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Rows, /) -> Self:
        return replace(self, values=self.values[rows])

    def to(self, device: Device, *, non_blocking: bool = False) -> Self:
        return replace(self, values=self.values.to(device, non_blocking=non_blocking))

    def moved(self, transform: Transform) -> Self:
        """By the same interpolation as the images that they belong to."""
        _refuse_other_size("images as targets", self.values, transform)
        return replace(self, values=transform.images(self.values))

    @classmethod
    def joined(cls, batches: Sequence[Self], /) -> Self:
        return cls(torch.cat([batch.values for batch in batches]))


@dataclass(frozen=True, eq=False)
class Boxes:
    """Any number of boxes per image, none too, in one tensor in the order of their images."""

    boxes: Tensor  # [K,4] float, x0, y0, x1, y1 in pixels of the network's input
    classes: Tensor  # [K] int64
    counts: Tensor  # [N] int64, how many each image has
    masks: Tensor | None = None  # [K,H,W] uint8, 1 where the object in the box is seen

    @property
    def image(self) -> Tensor:
        """The position of each box's image.  -> [K] int64"""
        index = torch.arange(len(self), device=self.counts.device)
        return index.repeat_interleave(self.counts)

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, rows: Rows, /) -> Self:
        return self._select(_members(self.counts, rows), self.counts[rows])

    def to(self, device: Device, *, non_blocking: bool = False) -> Self:
        tensors = (self.boxes, self.classes, self.counts, self.masks)
        return type(self)(*(_to(tensor, device, non_blocking) for tensor in tensors))  # type: ignore

    def moved(self, transform: Transform) -> Self:
        """The upright boxes around the moved ones, as far as they are inside the image."""
        masks = self.masks
        if masks is not None:
            _refuse_other_size("masks of boxes", masks, transform)
            masks = transform[self.image].masks(masks, outside=0)
        boxes = transform.boxes(self.boxes, self.image)
        return replace(self, boxes=boxes, masks=masks).clipped(transform.size)

    def clipped(self, size: tuple[int, int]) -> Self:
        """Boxes cut at the edges of images of `size`; those hardly inside (`VISIBLE`) dropped."""
        height, width = size
        limits = self.boxes.new_tensor((width, height, width, height))
        inside = self.boxes.clamp(min=0).minimum(limits)
        area = _areas(inside)
        visible = (area > 0) & (area >= VISIBLE * _areas(self.boxes))
        counts = torch.bincount(self.image[visible], minlength=len(self))
        return replace(self, boxes=inside)._select(visible, counts)

    def _select(self, members: Tensor, counts: Tensor) -> Self:
        masks = None if self.masks is None else self.masks[members]
        return type(self)(self.boxes[members], self.classes[members], counts, masks)

    @classmethod
    def joined(cls, batches: Sequence[Self], /) -> Self:
        boxes, classes, counts = (
            torch.cat([getattr(batch, name) for batch in batches])
            for name in ("boxes", "classes", "counts")
        )
        masks = [batch.masks for batch in batches if batch.masks is not None]
        return cls(boxes, classes, counts, torch.cat(masks) if masks else None)


@dataclass(frozen=True, eq=False)
class Captions:
    """Any number of sentences per image, in one tensor in the order of their images.

    A mirrored image keeps its sentences, "left" and "right" included, as is usual.
    """

    tokens: Tensor  # [K,L] int64, positions in the vocabulary; 0 after a sentence's end
    counts: Tensor  # [N] int64, how many each image has

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, rows: Rows, /) -> Self:
        return type(self)(self.tokens[_members(self.counts, rows)], self.counts[rows])

    def to(self, device: Device, *, non_blocking: bool = False) -> Self:
        tensors = (self.tokens, self.counts)
        return type(self)(*(tensor.to(device, non_blocking=non_blocking) for tensor in tensors))

    def moved(self, transform: Transform) -> Self:
        return self

    @classmethod
    def joined(cls, batches: Sequence[Self], /) -> Self:
        longest = max(batch.tokens.shape[1] for batch in batches)
        rows = [F.pad(batch.tokens, (0, longest - batch.tokens.shape[1])) for batch in batches]
        return cls(torch.cat(rows), torch.cat([batch.counts for batch in batches]))


@dataclass(frozen=True)
class NoTargets:
    """No targets: for networks that only learn to generate such images."""

    length: int

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, rows: Rows, /) -> Self:
        return replace(self, length=len(torch.empty(self.length)[rows]))

    def to(self, device: Device, *, non_blocking: bool = False) -> Self:
        return self

    def moved(self, transform: Transform) -> Self:
        return self

    @classmethod
    def joined(cls, batches: Sequence[Self], /) -> Self:
        return cls(sum(batch.length for batch in batches))


def _members(counts: Tensor, rows: Rows) -> Tensor:
    """Positions, among all objects, of those of the images `rows`.  [N] -> [K] int64"""
    selected, first = counts[rows], (counts.cumsum(0) - counts)[rows]
    index = torch.arange(int(selected.sum()), device=counts.device)
    return index + (first - (selected.cumsum(0) - selected)).repeat_interleave(selected)


def _areas(boxes: Tensor) -> Tensor:
    """[K,4] -> [K] square pixels, 0 for what is turned inside out"""
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1)


def _to(tensor: Tensor | None, device: Device, non_blocking: bool) -> Tensor | None:
    return None if tensor is None else tensor.to(device, non_blocking=non_blocking)


def _refuse_other_size(what: str, values: Tensor, transform: Transform) -> None:
    """Raises `DataError` for planes [...,H,W] of another size than the images of `transform`."""
    (height, width), (h, w) = values.shape[-2:], transform.source
    if (height, width) != (h, w):
        raise DataError(
            f"{what} have {width} x {height} pixels, and their images {w} x {h}",
            "give both the same size: a file goes through its image's preprocessing",
        )
