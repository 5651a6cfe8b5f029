"""trace: one forward of any `nn.Module` on the meta device, recorded as a graph of operations.

The operations are those of PyTorch's dispatcher, so functional, reused and in-place layers are all
seen; hooks say which module ran each of them.  No weight is made and none of the module is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from saccade.analysis.graph import Call, Value
from saccade.analysis.recorder import Recorder, TooSmall
from saccade.errors import SaccadeError, UsageError


@dataclass(frozen=True)
class Trace:
    """One forward: the picture, the calls, and the most bytes that lived at one time."""

    module: nn.Module
    picture: Value
    root: Call
    peak: int  # bytes of the picture and everything made from it, one picture


def trace(module: nn.Module, input_size: tuple[int, ...], name: str = "") -> Trace:
    """The evaluating forward of one picture of `input_size` (channels, height, width)."""
    name = name or type(module).__name__
    tensors = meta_tensors(module)
    picture = torch.empty(1, *input_size, device="meta", dtype=dtype_of(module))
    recorder = Recorder(tensors, picture, Call("", module))
    try:
        with evaluating(module), recorder.watching(module), torch.no_grad(), recorder:
            functional_call(module, tensors, (picture,))
    except SaccadeError:
        raise
    except TooSmall as small:
        raise UsageError(
            f"input {input_size[-2]}x{input_size[-1]} is too small for {name}: "
            f"{recorder.current.path or name} would be {small}",
            "give a larger size",
        ) from None
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise UsageError(
            f"{name} cannot take {'x'.join(map(str, input_size))}: "
            f"{recorder.current.path or name} stopped with '{first}'",
            "give the size that the network is made for; a forward that looks at the values of its "
            "input cannot be traced",
        ) from error
    return Trace(module, recorder.picture, recorder.root, recorder.peak)


def meta_tensors(module: nn.Module, *, training: bool = False) -> dict[str, Tensor]:
    """Parameters and buffers by name, as tensors without memory; tied ones once."""
    tensors = {
        name: torch.empty_like(parameter, device="meta").requires_grad_(
            training and parameter.requires_grad
        )
        for name, parameter in module.named_parameters()
    }
    for name, buffer in module.named_buffers():
        tensors[name] = torch.empty_like(buffer, device="meta")
    return tensors


def dtype_of(module: nn.Module) -> torch.dtype:
    """The type of number that the module computes in."""
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """The module and all within it in evaluation mode, each part put back afterwards."""
    before = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in before:
            part.training = training
