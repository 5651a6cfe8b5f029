"""from_timm: any network of timm, under the name timm:NAME."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from torch import nn

from saccade.errors import ResourceError, UsageError, unknown

PREFIX = "timm:"


def timm_network(name: str, num_classes: int = 1000, *, trained: bool) -> nn.Module:
    """timm's network, with its default weights where `trained`.  [N,3,H,W] -> [N,num_classes]"""
    timm = _timm(name)
    try:
        return timm.create_model(name, pretrained=trained, num_classes=num_classes)
    except Exception as error:
        if not trained:
            raise UsageError(f"timm cannot make '{name}': {error}") from error
        raise ResourceError(
            f"timm has no weights for '{name}' that can be fetched: {error}",
            "give weights as the path of a file",
        ) from error


def timm_input(name: str) -> tuple[int, int, int]:
    """Channels, height and width in pixels that timm's network was trained on."""
    return tuple(_timm(name).get_pretrained_cfg(name).input_size)


def timm_transforms(name: str) -> dict[str, Any]:
    """How pictures are prepared for timm's weights, in timm's words: crop_pct, mean, std, ..."""
    return _timm(name).get_pretrained_cfg(name).to_dict()


def _timm(name: str) -> ModuleType:
    try:
        import timm
    except ImportError as error:
        raise UsageError(
            f"'{PREFIX}{name}' needs the package timm, which is not installed",
            "pip install 'saccade[timm]'",
        ) from error
    if not timm.is_model(name):
        raise unknown("network of timm", name, timm.list_models())
    return timm
