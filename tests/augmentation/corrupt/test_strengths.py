"""The strengths of corruptions: Hendrycks 2019's published numbers, and which ones are ours."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from saccade.augmentation.corrupt import optics, scene

Numbers = tuple[float, ...]
OURS = None  # stated in the head of the file

# Parameters of make_cifar_c.py and of make_imagenet_c.py, in the order in which they are used here:
# github.com/hendrycks/robustness, ImageNet-C/create_c, at ca360085 and e0377d46.
PUBLISHED: dict[str, list[tuple[Numbers | None, Numbers | None]]] = {
    "gaussian_noise": [((0.04, 0.06, 0.08, 0.09, 0.10), (0.08, 0.12, 0.18, 0.26, 0.38))],
    "shot_noise": [((500, 250, 100, 75, 50), (60, 25, 12, 5, 3))],
    "impulse_noise": [((0.01, 0.02, 0.03, 0.05, 0.07), (0.03, 0.06, 0.09, 0.17, 0.27))],
    "speckle_noise": [((0.06, 0.1, 0.12, 0.16, 0.2), (0.15, 0.2, 0.35, 0.45, 0.6))],
    "gaussian_blur": [((0.4, 0.6, 0.7, 0.8, 1), (1, 2, 3, 4, 6))],
    "defocus_blur": [((0.3, 0.4, 0.5, 1, 1.5), (3, 4, 6, 8, 10))],
    "motion_blur": [((6, 6, 6, 8, 9), (10, 15, 15, 15, 20)), (OURS, (3, 5, 8, 12, 15))],
    "zoom_blur": [((1.05, 1.10, 1.15, 1.20, 1.25), (1.10, 1.15, 1.20, 1.25, 1.30))],
    "glass_blur": [(OURS, (0.7, 0.9, 1, 1.1, 1.5)), (OURS, OURS)],
    "fog": [((0.2, 0.5, 0.75, 1, 1.5), OURS), (OURS, OURS)],
    "frost": [(OURS, OURS), (OURS, OURS)],
    "snow": [
        ((0.1, 0.1, 0.15, 0.25, 0.3), (0.1, 0.2, 0.55, 0.55, 0.55)),
        ((0.2, 0.2, 0.3, 0.3, 0.3), (0.3, 0.3, 0.3, 0.3, 0.3)),
        ((1, 1, 1.75, 2.25, 1.25), (3, 2, 4, 4.5, 2.5)),
        ((0.6, 0.5, 0.55, 0.6, 0.65), (0.5, 0.5, 0.9, 0.85, 0.85)),
        ((8, 10, 10, 12, 14), (10, 12, 12, 12, 12)),
        ((3, 4, 4, 6, 12), (4, 4, 8, 8, 12)),
        ((0.95, 0.9, 0.9, 0.85, 0.8), (0.8, 0.7, 0.7, 0.65, 0.55)),
    ],
    "brightness": [((0.05, 0.1, 0.15, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4, 0.5))],
    "contrast": [((0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05))],
    "pixelate": [(OURS, (0.6, 0.5, 0.4, 0.3, 0.25))],
    "jpeg": [((80, 65, 58, 50, 40), (25, 18, 15, 10, 7))],
    "saturate": [(OURS, OURS)],
    "elastic": [(OURS, OURS), (OURS, OURS)],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_strengths_are_the_published_ones_but_for_those_stated(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[tuple[Sequence[float], Sequence[float]]] = []
    plain = optics.strength

    def noted(small: Sequence[float], large: Sequence[float], severity: int, x: Tensor) -> float:
        used.append((tuple(small), tuple(large)))
        return plain(small, large, severity, x)

    room = optics if hasattr(optics, name) else scene
    monkeypatch.setattr(room, "strength", noted)
    getattr(room, name)(torch.full((1, 3, 32, 32), 100.0), 1, torch.Generator().manual_seed(0))
    assert len(used) == len(PUBLISHED[name])
    for found, published in zip(used, PUBLISHED[name]):
        for ours, theirs in zip(found, published):
            assert theirs is OURS or ours == theirs
