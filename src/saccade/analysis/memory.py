"""Memory of one forward, and of one training step, without running either."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.func import functional_call

from saccade.analysis.shapes import Shapes
from saccade.analysis.trace import Trace, dtype_of, meta_tensors


@dataclass(frozen=True)
class Memory:
    """Bytes, for a batch of `batch` pictures; the workspace of kernels is not known and not in."""

    batch: int
    weights: int  # parameters and buffers
    inference: int  # the most activations that live at one time, the picture included
    gradients: int  # as many as the trained parameters; so is each moment that an optimizer keeps
    training: int | None  # activations kept for the backward pass; None where it cannot run


def memory(trace: Trace, batch: int) -> Memory:
    """What a batch needs: the lives of the tensors in the forward, and what autograd would save."""
    tensors = [*trace.module.parameters(), *trace.module.buffers()]
    return Memory(
        batch=batch,
        weights=sum(tensor.nbytes for tensor in tensors),
        inference=trace.peak * batch,
        gradients=sum(p.nbytes for p in trace.module.parameters() if p.requires_grad),
        training=saved(trace.module, (batch, *trace.picture.shape[1:])),
    )


def saved(module: nn.Module, shape: tuple[int, ...]) -> int | None:
    """Bytes that autograd keeps of a training forward, weights left out; shared memory once."""
    tensors = meta_tensors(module, training=True)
    weights = {tensor.untyped_storage()._cdata for tensor in tensors.values()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        key = tensor.untyped_storage()._cdata
        if key not in weights:
            kept[key] = tensor
        return tensor

    before = [(part, part.training) for part in module.modules()]
    module.train()
    try:
        picture = torch.empty(*shape, device="meta", dtype=dtype_of(module))
        with torch.enable_grad(), saved_tensors_hooks(keep, lambda tensor: tensor), Shapes():
            functional_call(module, tensors, (picture,))
    except (RuntimeError, ValueError, TypeError, NotImplementedError):
        return None  # batch normalisation of one number, or a forward that looks at values
    finally:
        for part, training in before:
            part.training = training
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
