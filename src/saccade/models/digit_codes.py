"""The codes of LeNet-5's output: digits as pictures of 7 x 12.  LeCun 1998, Figure 3.

The paper prints its bitmaps as pictures only; these are drawn after them.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor

PICTURES = """
..###.. ...#... .#####. .#####. .....#.
.#...#. ..##... #.....# #.....# ....##.
#.....# .#.#... #.....# ......# ...#.#.
#.....# ...#... ......# ......# ..#..#.
#.....# ...#... ......# ......# ..#..#.
#.....# ...#... .....#. ..####. .#...#.
#.....# ...#... ....#.. ......# #....#.
#.....# ...#... ...#... ......# #######
#.....# ...#... ..#.... ......# .....#.
#.....# ...#... .#..... ......# .....#.
.#...#. ...#... #...... #.....# .....#.
..###.. .#####. ####### .#####. .....#.

####### ..####. ####### .#####. .#####.
#...... .#..... ......# #.....# #.....#
#...... #...... ......# #.....# #.....#
#...... #...... .....#. #.....# #.....#
#.####. #...... .....#. .#...#. #.....#
##....# #.####. ....#.. ..###.. #....##
......# ##....# ....#.. .#...#. .####.#
......# #.....# ...#... #.....# ......#
......# #.....# ...#... #.....# ......#
......# #.....# ..#.... #.....# ......#
#.....# #.....# ..#.... #.....# .....#.
.#####. .#####. ..#.... .#####. .####..
"""


def digit_codes(num_classes: int = 10) -> Tensor:
    """A code of 84 numbers, +1 ink and -1 paper, for each class.  [num_classes,84]

    Classes after the tenth get random codes, always the same: the paper names this as the
    alternative ("chosen at random with equal probabilities", section II-B).
    """
    codes = _digits()
    chance = random.Random(1998)
    codes += [chance.choices((-1.0, 1.0), k=84) for _ in range(num_classes - len(codes))]
    return torch.tensor(codes[:num_classes])


def _digits() -> list[list[float]]:
    codes = []
    for half in PICTURES.strip().split("\n\n"):
        for digit in zip(*(line.split() for line in half.split("\n"))):
            codes.append([1.0 if pixel == "#" else -1.0 for pixel in "".join(digit)])
    return codes
