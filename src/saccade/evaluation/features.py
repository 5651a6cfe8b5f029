"""Feature extraction: the output of a layer for each image, written to a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from saccade.auto.trained import TrainedLike, name_of, network_of
from saccade.data.cache import decode_all
from saccade.data.item import Item, Skipped, label_text
from saccade.data.pool import stretched_note
from saccade.data.sources import open_images
from saccade.device import device
from saccade.errors import DataError
from saccade.files import atomic_file, disk_errors, refuse_to_replace, write_output
from saccade.models.backbone import backbone
from saccade.probes.features import AugmentedCopies, DecodedImages, features
from saccade.progress import progress_bar, say
from saccade.words import LineFeeds, aligned, html_table


@dataclass(frozen=True, repr=False)
class WrittenFeatures:
    """A file with the features of each image, and the manifest of its rows."""

    features: Path  # .npy, float32 [N,D]
    manifest: Path  # name, label, split: a row per image, in the same order
    model: str
    layer: str  # "": the input of the last one
    shape: tuple[int, int]
    unreadable: tuple[Skipped, ...] = ()  # images that could not be read

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "features": str(self.features),
            "manifest": str(self.manifest),
            "model": self.model,
            "layer": self.layer,
            "images": self.shape[0],
            "dimensions": self.shape[1],
            "unreadable": [{"name": s.name, "reason": s.reason} for s in self.unreadable],
        }

    def rows(self) -> list[tuple[str, str]]:
        """Names and values in words."""
        return [
            ("features", f"{self.features}: {self.shape[0]:,} images, {self.shape[1]:,} numbers"),
            ("manifest", str(self.manifest)),
            ("layer", f"{self.layer or 'what goes into the last one'}, of {self.model}"),
        ]

    def __str__(self) -> str:
        return aligned(self.rows())

    def __repr__(self) -> str:
        return f"WrittenFeatures({self.features}, {self.shape[0]} x {self.shape[1]})"

    def _repr_html_(self) -> str:
        return html_table(("features", ""), self.rows())


def write_features(
    model: TrainedLike, data: str | Path | None, layer: str, weights: str | None, out: Path
) -> WrittenFeatures:
    """Write `features.npy` and `manifest.csv` into the folder `out`.

    `model` is a run, a bundle, or a network, which then has public weights or those that are named.
    Raises `UsageError` for a layer that the network does not have.
    """
    refuse_to_replace(out / "features.npy", out / "manifest.csv")
    network, preprocessing = network_of(model, weights, notify=say)
    network = network.to(device("cuda" if torch.cuda.is_available() else "cpu"))
    extractor = backbone(network, layer)
    matrices, rows, failed = [], [], []
    with progress_bar("looking") as progress:
        for split, items in _splits(data):
            result = decode_all(items, preprocessing, progress=progress)
            failed += result.failed
            for note in stretched_note(items, preprocessing):
                say(note)
            readable = [items[k] for k in result.indices]
            if readable:
                decoding = DecodedImages(readable, result.images, preprocessing)
                matrices.append(features(extractor, decoding, AugmentedCopies(), progress)[:, 0])
                rows += [(item.name, label_text(item.label), split) for item in readable]
    if not matrices:
        raise DataError(
            f"no image of '{data}' can be read", "saccade doctor says what is wrong with each image"
        )
    return _write(out, torch.cat(matrices), rows, (name_of(model), layer), tuple(failed))


def _splits(data: str | Path | None) -> Iterator[tuple[str, tuple[Item, ...]]]:
    source = open_images(data, notify=say)
    for split in source.splits:
        yield split, tuple(source.read(split))


def _write(
    out: Path,
    matrix: Tensor,
    rows: list[tuple[str, str, str]],
    origin: tuple[str, str],
    failed: tuple[Skipped, ...],
) -> WrittenFeatures:
    """Write the features `matrix` [N,D] and the manifest `rows` into the folder `out`."""
    text = io.StringIO()
    table = csv.writer(LineFeeds(text))
    table.writerow(("name", "label", "split"))
    table.writerows(rows)
    with (
        disk_errors(out),
        atomic_file(out / "features.npy") as temporary,
        temporary.open("wb") as file,
    ):
        np.save(file, matrix.numpy())
    write_output(out / "manifest.csv", text.getvalue())
    count, width = matrix.shape
    return WrittenFeatures(
        out / "features.npy", out / "manifest.csv", *origin, (count, width), failed
    )
