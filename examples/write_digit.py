"""Write a digit that a run was tested on, never trained on, as a PNG file.

python examples/write_digit.py RUN FILE.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from saccade.data.sources import open_source
from saccade.data.split_table import read_split


def main(run: str, file: str) -> None:
    division = read_split(Path(run) / "split.csv", open_source("digits"))
    digit = next(item for item in division.test if item.label == "7")
    pixels = digit.image.read()
    assert isinstance(pixels, np.ndarray)
    Image.fromarray(pixels).save(file)
    print(f"{file} is {digit.name}, a {digit.label}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
