"""state: what a file of weights holds, under the names of the network it is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from saccade.errors import WeightsError
from saccade.models.caffe import CAFFE_NAMES, from_caffe

State = dict[str, Tensor]

NESTS = ("state_dict", "model_state_dict", "model_state", "model", "net", "weights")
PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.", "network.", "net.")

OTHER_NAMES = (
    *CAFFE_NAMES,
    # DenseNets of torchvision, before dots in names of rows were forbidden
    (re.compile(r"(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.\w+)"), r"\1\2"),
)


def read_state(path: Path) -> State:
    """All tensors of a .pth, .pt, .th, .safetensors or .npz file, as they are named there.

    No file can run code.  Raises `WeightsError` for whatever cannot be read.
    """
    readers: dict[str, Callable[[Path], object]] = {".safetensors": load_file, ".npz": _arrays}
    try:
        content = readers.get(path.suffix, _pickled)(path)
    except FileNotFoundError:
        raise WeightsError(f"there is no file of weights at '{path}'") from None
    except Exception as error:
        why = str(error).strip().split("\n")[0][:200]
        raise WeightsError(
            f"'{path}' cannot be read as weights: {why}",
            "files of tensors alone are read: a state_dict in .pth, .safetensors or .npz",
        ) from error
    state = _table(content)
    if state is None:
        raise WeightsError(
            f"'{path}' holds no table of named tensors",
            f"a state_dict is wanted, at the top or under one of {', '.join(NESTS)}",
        )
    return state


def named_for(state: State, known: Collection[str]) -> State:
    """The same tensors, foreign prefixes and other libraries' names turned into `known` ones."""
    for _ in PREFIXES:  # they nest
        for prefix in PREFIXES:
            if all(n.startswith(prefix) for n in state) and not _any_starts(known, prefix):
                state = {name.removeprefix(prefix): value for name, value in state.items()}
    state = from_caffe(state)
    return {name if name in known else _ours(name): value for name, value in state.items()}


def _any_starts(names: Collection[str], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in names)


def _ours(name: str) -> str:
    for pattern, replacement in OTHER_NAMES:
        if pattern.fullmatch(name):
            return pattern.sub(replacement, name)
    return name


def _pickled(path: Path) -> object:
    return torch.load(path, map_location="cpu", weights_only=True)


def _arrays(path: Path) -> State:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def _table(content: object) -> State | None:
    if not isinstance(content, Mapping) or not content:
        return None
    if all(isinstance(value, Tensor) for value in content.values()):
        return {str(name): value for name, value in content.items()}
    for nest in NESTS:
        if nest in content and (state := _table(content[nest])) is not None:
            return state
    return None
