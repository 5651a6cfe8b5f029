"""Networks of timm, and weights files with the names of Caffe, timm and torchvision.

Any network of timm is called timm:NAME.  A file's tensors are renamed to the keys of the network
that they are for; no file can run code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from saccade.errors import NetworkError, UsageError, WeightsError, unknown

PREFIX = "timm:"


def timm_network(name: str, num_classes: int = 1000, *, pretrained: bool) -> nn.Module:
    """timm's network, with default weights where `pretrained`.  [N,3,H,W] -> [N,num_classes]"""
    timm = _timm(name)
    try:
        return timm.create_model(name, pretrained=pretrained, num_classes=num_classes)
    except Exception as error:
        if not pretrained:
            raise UsageError(
                f"timm cannot make '{name}': {error}", "timm.list_models() names what it can make"
            ) from error
        raise NetworkError(
            f"timm has no weights for '{name}' that can be fetched: {error}",
            "give weights as the path of a file",
        ) from error


def timm_input(name: str) -> tuple[int, int, int]:
    """Channels, height and width in pixels that timm's network was trained on."""
    return tuple(_timm(name).get_pretrained_cfg(name).input_size)


def timm_transforms(name: str) -> dict[str, Any]:
    """The preprocessing of timm's weights under timm's keys: crop_pct, mean, std, ..."""
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


# fmt: off
CAFFE_LAYERS = {  # of GoogLeNet: Caffe's names to torchvision's
    r"conv1/7x7_s2":                    r"conv1.conv",
    r"conv2/3x3_reduce":                r"conv2.conv",
    r"conv2/3x3":                       r"conv3.conv",
    r"inception_(\d\w)/1x1":            r"inception\1.branch1.conv",
    r"inception_(\d\w)/3x3_reduce":     r"inception\1.branch2.0.conv",
    r"inception_(\d\w)/3x3":            r"inception\1.branch2.1.conv",
    r"inception_(\d\w)/5x5_reduce":     r"inception\1.branch3.0.conv",
    r"inception_(\d\w)/5x5":            r"inception\1.branch3.1.conv",
    r"inception_(\d\w)/pool_proj":      r"inception\1.branch4.1.conv",
    r"loss([12])/conv":                 r"aux\1.conv.conv",
    r"loss([12])/fc":                   r"aux\1.fc1",
    r"loss([12])/classifier":           r"aux\1.fc2",
    r"loss3/classifier":                r"fc",
}
# fmt: on


CAFFE_NAMES = tuple(
    (re.compile(rf"{theirs}\.(?P<kind>weight|bias)"), rf"{ours}.\g<kind>")
    for theirs, ours in CAFFE_LAYERS.items()
)
FIRST_CONV = "conv1/7x7_s2.weight"


def from_caffe(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state for RGB images; Caffe's first layer [64,3,7,7] takes BGR."""
    return {**state, FIRST_CONV: state[FIRST_CONV].flip(1)} if FIRST_CONV in state else state


State = dict[str, Tensor]
STATE_KEYS = ("state_dict", "model_state_dict", "model_state", "model", "net", "weights")
PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.", "network.", "net.")
OTHER_NAMES = (
    *CAFFE_NAMES,
    # DenseNets of torchvision, before dots in names of rows were forbidden
    (re.compile(r"(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.\w+)"), r"\1\2"),
)


def read_state(path: Path) -> State:
    """All tensors of a .pth, .pt, .th, .safetensors or .npz file under the file's own keys.

    No file can run code.  Raises `WeightsError` for whatever cannot be read.
    """
    readers: dict[str, Callable[[Path], object]] = {".safetensors": load_file, ".npz": _load_npz}
    try:
        content = readers.get(path.suffix.lower(), _load_pickle)(path)
    except FileNotFoundError:
        raise WeightsError(
            f"there is no file of weights at '{path}'", "give a file that is there"
        ) from None
    except Exception as error:
        message = str(error).strip().split("\n")[0][:200]
        raise WeightsError(
            f"'{path}' cannot be read as weights: {message}",
            "files of tensors alone are read: a state_dict in .pth, .safetensors or .npz",
        ) from error
    state = _find_state(content)
    if state is None:
        raise WeightsError(
            f"'{path}' holds no table of named tensors",
            f"a state_dict is wanted, at the top or under one of {', '.join(STATE_KEYS)}",
        )
    return state


def rename_keys(state: State, names: Collection[str]) -> State:
    """The tensors of `state` with prefixes removed and other libraries' keys changed to `names`."""
    for _ in PREFIXES:  # prefixes of prefixes
        for prefix in PREFIXES:
            if all(n.startswith(prefix) for n in state) and not _any_starts(names, prefix):
                state = {name.removeprefix(prefix): value for name, value in state.items()}
    state = from_caffe(state)
    return {name if name in names else _translate(name): value for name, value in state.items()}


def _any_starts(names: Collection[str], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in names)


def _translate(name: str) -> str:
    for pattern, replacement in OTHER_NAMES:
        if pattern.fullmatch(name):
            return pattern.sub(replacement, name)
    return name


def _load_pickle(path: Path) -> object:
    return torch.load(path, map_location="cpu", weights_only=True)


def _load_npz(path: Path) -> State:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def _find_state(content: object) -> State | None:
    if not isinstance(content, Mapping) or not content:
        return None
    if all(isinstance(value, Tensor) for value in content.values()):
        return {str(name): value for name, value in content.items()}
    for key in STATE_KEYS:
        if key in content and (state := _find_state(content[key])) is not None:
            return state
    return None
