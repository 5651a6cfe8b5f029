"""Features: what a frozen network makes of each image, computed once and kept on the disk.

The file is a plain .npy, named by all that its numbers depend on: the images' contents, how they
are prepared and augmented, the network's rows and weights, and who computes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from saccade.augmentation.augmentation import compose
from saccade.augmentation.catalogue import parse_augmentation
from saccade.data.batch import Batch
from saccade.data.cache import ImageStore
from saccade.data.decode import Preprocessing
from saccade.data.item import Item
from saccade.data.store import digests
from saccade.engine.loop import step_generator
from saccade.errors import RecipeError, ResourceError
from saccade.files import atomic_file, cache_folder

BATCH = 64  # images
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class AugmentedCopies:
    """In how many augmented versions each image is seen besides as it is."""

    count: int = 0
    augment: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count and not self.augment:
            raise RecipeError(
                f"{self.count} augmented copies are asked for, and nothing that makes them differ",
                "name augmentations in data.augment, or set data.augmented_copies=0",
            )
        if self.count and compose([parse_augmentation(text, 1) for text in self.augment]).mixes:
            raise RecipeError(
                "augmented copies of an image cannot be mixed with other images",
                "leave mixup and cutmix out of data.augment, or set data.augmented_copies=0",
            )


@dataclass(frozen=True)
class DecodedImages:
    """Images, decoded, with what tells them from all others."""

    items: Sequence[Item]
    images: ImageStore
    preprocessing: Preprocessing


def features(
    backbone: nn.Module,
    decoding: DecodedImages,
    copies: AugmentedCopies,
    progress: Progress | None = None,
) -> Tensor:
    """[N,1+V,D] float32: each image as it is, then its augmented versions; mapped from the cache.

    Raises `ResourceError` when the cache has no room.
    """
    folder = cache_folder()
    place = folder / "features" / f"{fingerprint(backbone, decoding, copies)}.npy"
    known = _kept(place)
    if known is None:
        try:
            _write(place, backbone, decoding, copies, progress)
        except OSError as error:
            raise ResourceError(
                f"features cannot be written to '{place.parent}': {error.strerror}",
                "set SACCADE_CACHE to a folder with room",
            ) from error
        known = _kept(place)
    if known is None:
        raise ResourceError(f"what was written to '{place}' does not read back")
    return known


def fingerprint(backbone: nn.Module, decoding: DecodedImages, copies: AugmentedCopies) -> str:
    """Names the features by all that they depend on."""
    told = [
        torch.__version__,
        _place(backbone).type,
        str(backbone),
        asdict(decoding.preprocessing),
        asdict(copies) if copies.count else None,
    ]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name, value in backbone.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    for content in digests(decoding.items, cache_folder() / "digests.sqlite"):
        digest.update(content)
    return digest.hexdigest()[:40]


def _write(
    place: Path,
    trunk: nn.Module,
    decoding: DecodedImages,
    views: AugmentedCopies,
    progress: Progress | None,
) -> None:
    """Compute all features into the file, and its digest into one beside it."""
    count, done, out = len(decoding.items), 0, None
    with atomic_file(place) as temporary:
        for index, view, rows in _computed(trunk, decoding.images, views):
            if out is None:
                shape = (count, 1 + views.count, rows.shape[1])
                out = np.lib.format.open_memmap(temporary, "w+", np.float32, shape)
            out[index.numpy(), view] = rows.numpy()
            done += len(index)
            if progress:
                progress(done, count * (1 + views.count))
        if out is not None:
            out.flush()
        digest = _digest(temporary)
    with atomic_file(place.with_suffix(".sha256")) as beside:
        beside.write_text(digest)


@torch.inference_mode()
def _computed(
    trunk: nn.Module, images: ImageStore, views: AugmentedCopies
) -> Iterator[tuple[Tensor, int, Tensor]]:
    """Positions [n], the view's number, and features [n,D] on the CPU, portion by portion."""
    trunk.eval()
    place = _place(trunk)
    augment = compose([parse_augmentation(text) for text in views.augment])
    for portion, index in enumerate(torch.arange(len(images)).split(BATCH)):
        plain = Batch(images.take(index), torch.zeros(len(index)), index).to(place)
        yield index, 0, trunk(plain.images).float().cpu()
        for view in range(1, 1 + views.count):
            seen = augment(plain, step_generator(views.seed, view, portion, place))
            yield index, view, trunk(seen.images).float().cpu()


def _place(trunk: nn.Module) -> torch.device:
    """Where a network is; one without weights has means and deviations at least."""
    return next(chain(trunk.parameters(), trunk.buffers())).device


def _kept(place: Path) -> Tensor | None:
    """The features in the file if they are whole."""
    try:
        if place.with_suffix(".sha256").read_text() != _digest(place):
            return None
        return torch.from_numpy(np.load(place, mmap_mode="c", allow_pickle=False))
    except (OSError, ValueError):
        return None


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
