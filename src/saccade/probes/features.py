"""Features of a frozen backbone, computed once and cached on disk.

The file is a plain .npy, named by a hash of all that its values depend on: the images' contents,
their preprocessing and augmentation, the network's rows and weights, PyTorch and the device.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
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
from saccade.engine.memory import device_of, images_at_once
from saccade.errors import RecipeError, ResourceError
from saccade.files import atomic_file, cache_folder

BATCH_SIZE = 64  # images
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class AugmentedCopies:
    """Augmented copies of each image, besides the image as it is."""

    count: int = 0  # V
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
    """Decoded images, with the items and the preprocessing that they come from."""

    items: Sequence[Item]
    images: ImageStore
    preprocessing: Preprocessing


def features(
    backbone: nn.Module,
    decoding: DecodedImages,
    copies: AugmentedCopies,
    progress: Progress | None = None,
) -> Tensor:
    """The features of each image as it is, then of its augmented copies.  -> [N,1+V,D] float32

    They are memory-mapped from the cache.  Raises `ResourceError` when the cache has no room.
    """
    folder = cache_folder()
    path = folder / "features" / f"{fingerprint(backbone, decoding, copies)}.npy"
    stored = _read(path)
    if stored is None:
        try:
            _write(path, backbone, decoding, copies, progress)
        except OSError as error:
            raise ResourceError(
                f"features cannot be written to '{path.parent}': {error.strerror}",
                "set SACCADE_CACHE to a folder with room",
            ) from error
        stored = _read(path)
    if stored is None:
        raise ResourceError(
            f"what was written to '{path}' does not read back",
            "the disk may be failing: set SACCADE_CACHE to a folder on another one",
        )
    return stored


def fingerprint(backbone: nn.Module, decoding: DecodedImages, copies: AugmentedCopies) -> str:
    """A hash of all that the features depend on, 40 hexadecimal digits."""
    fields = [
        torch.__version__,
        device_of(backbone).type,
        str(backbone),
        asdict(decoding.preprocessing),
        asdict(copies) if copies.count else None,
    ]
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    for name, value in backbone.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    for content in digests(decoding.items, cache_folder() / "digests.sqlite"):
        digest.update(content)
    return digest.hexdigest()[:40]


def _write(
    path: Path,
    backbone: nn.Module,
    decoding: DecodedImages,
    copies: AugmentedCopies,
    progress: Progress | None,
) -> None:
    """Compute all features into the file, and write its SHA-256 beside it."""
    count, done, out = len(decoding.items), 0, None
    with atomic_file(path) as temporary:
        for index, copy, rows in _compute(backbone, decoding.images, copies):
            if out is None:
                shape = (count, 1 + copies.count, rows.shape[1])
                out = np.lib.format.open_memmap(temporary, "w+", np.float32, shape)
            out[index.numpy(), copy] = rows.numpy()
            done += len(index)
            if progress:
                progress(done, count * (1 + copies.count))
        if out is not None:
            out.flush()
        digest = _digest(temporary)
    with atomic_file(path.with_suffix(".sha256")) as digest_file:
        digest_file.write_text(digest, encoding="ascii")


@torch.inference_mode()
def _compute(
    backbone: nn.Module, images: ImageStore, copies: AugmentedCopies
) -> Iterator[tuple[Tensor, int, Tensor]]:
    """For each batch: indices [n], the copy's number (0: as it is), features [n,D] on the CPU."""
    backbone.eval()
    device = device_of(backbone)
    first = images.take(torch.zeros(1, dtype=torch.int64))
    most = images_at_once(backbone, backbone, first, BATCH_SIZE)

    def looked_at(batch: Batch) -> Tensor:
        return torch.cat([backbone(part).float().cpu() for part in batch.images.split(most)])

    augment = compose([parse_augmentation(text) for text in copies.augment])
    for step, index in enumerate(torch.arange(len(images)).split(BATCH_SIZE)):
        plain = Batch(images.take(index), torch.zeros(len(index)), index).to(device)
        yield index, 0, looked_at(plain)
        for copy in range(1, 1 + copies.count):
            augmented = augment(plain, step_generator(copies.seed, copy, step, device))
            yield index, copy, looked_at(augmented)


def _read(path: Path) -> Tensor | None:
    """The features in the file [N,1+V,D]; None where it is missing or damaged."""
    try:
        if path.with_suffix(".sha256").read_text("ascii") != _digest(path):
            return None
        return torch.from_numpy(np.load(path, mmap_mode="c", allow_pickle=False))
    except (OSError, ValueError):
        return None


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
