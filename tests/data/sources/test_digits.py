"""digits: against scikit-learn's own copy."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from sklearn.datasets import load_digits

from saccade.data.sources import open_source


def test_nothing_named_opens_the_embedded_digits() -> None:
    source = open_source(None)
    assert source.name == open_source("digits").name == "digits"
    assert source.splits == ("all",)
    assert source.classes == tuple("0123456789")


def test_the_digits_are_scikit_learns_scaled_to_bytes() -> None:
    bunch = load_digits(as_frame=False)
    items = open_source(None).read("all")
    assert len(items) == 1797
    assert items[0].name == "digits/0001" and items[-1].name == "digits/1797"
    assert [int(str(item.label)) for item in items] == bunch.target.tolist()  # pyright: ignore
    pixels = np.stack([np.asarray(item.image.read()) for item in items])
    levels = {0: 0, 1: 16, 8: 128, 16: 255}  # by hand: 255/16 = 15.9, 8*255/16 = 127.5, even
    for level, byte in levels.items():
        assert (pixels[bunch.images == level] == byte).all()  # pyright: ignore
    assert pixels.dtype == np.uint8


def test_opening_sources_loads_neither_torch_nor_scikit_learn() -> None:
    code = "import sys, saccade.data.sources; print({'torch', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
