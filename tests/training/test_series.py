"""A training warns of a series that it would divide, and no more once its images are grouped."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
from PIL import Image

from saccade.training.inputs import training_inputs

FRAMES = 10


def write_films(root: Path) -> None:
    """Six films of each of two classes, in one folder each, numbered through."""
    for film in range(12):
        draw = np.random.default_rng(film)
        first, last = draw.integers(0, 256, (2, 6, 6, 3)).astype(float)
        place = root / "ab"[film % 2]
        place.mkdir(parents=True, exist_ok=True)
        for t in range(FRAMES):
            now = Image.fromarray((first + (last - first) * t / FRAMES).astype(np.uint8))
            whole = np.asarray(now.resize((64, 64), Image.Resampling.BICUBIC)) * 0.6 + 50
            grained = whole + draw.normal(0, 40, whole.shape)
            pixels = grained.clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(place / f"IMG_{film * 100 + t:04d}.png")


def test_the_group_that_a_training_proposes_keeps_films_together(tmp_path: Path) -> None:
    write_films(tmp_path / "films")
    flags = {"model.name": "lenet5", "train.device": "cpu", "data.size": 32}
    told = training_inputs(tmp_path / "films", None, flags).notes
    (warning,) = [note for note in told if "as in a series" in note]
    words = shlex.split(warning[warning.index("--with") :])
    name, _, value = words[1].partition("=")
    grouped = training_inputs(tmp_path / "films", None, {**flags, name: value})
    assert not [note for note in grouped.notes if "as in a series" in note]
    parts = [
        {item.name.rpartition("_")[2][:2] for item in part}
        for part in (grouped.division.train, grouped.division.val, grouped.division.test)
    ]
    assert all(parts) and not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
