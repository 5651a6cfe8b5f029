"""compile_in_place: a network's forward and backward pass as generated code, by torch.compile.

It costs 20 to 190 seconds before the first step, and again for the first measuring; on a processor
it gains little or nothing (docs/speed.md).  Weights keep their names: the module itself stays.
"""

from __future__ import annotations

import os
import shutil

import torch
from torch import nn

from saccade.errors import ResourceError, UsageError

COMPILERS = ("g++", "clang++")
MODES = {  # torch.compile's
    "on": "default",
    "graphs": "reduce-overhead",  # CUDA graphs: all kernels of a pass launched at once
}


def compile_in_place(model: nn.Module, how: str, device: torch.device) -> None:
    """Have `model` compiled at its first step: "off", "on", or "graphs" on a CUDA device."""
    refuse_compiling(how, device)
    if how != "off":
        model.compile(mode=MODES[how])


def refuse_compiling(how: str, device: torch.device) -> None:
    """Raise `UsageError` for graphs without CUDA, `ResourceError` without a compiler."""
    if how == "graphs" and device.type != "cuda":
        hint = "set train.compile=on, or off"
        raise UsageError(f"train.compile=graphs needs a CUDA device, not {device}", hint)
    if how != "off" and device.type == "cpu" and not has_compiler():
        hint = f"install {COMPILERS[0]}, or leave train.compile=off"
        raise ResourceError("train.compile needs a C++ compiler, and none is found", hint)


def has_compiler() -> bool:
    """Whether torch.compile finds what it needs for a processor."""
    return any(shutil.which(name) for name in (os.environ.get("CXX", ""), *COMPILERS))
