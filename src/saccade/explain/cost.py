"""The cost of operations: units, connections and multiply-adds of one image, bytes of memory.

Multiply-adds are those of convolutions and matrix products.  Biases, activations, normalisation and
pooling are not counted, and a multiplication with its addition is one: FLOPs are twice as many.
Memory is that of one forward and of one training step, found without running either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.func import functional_call

from saccade.explain.field_rules import PRODUCTS
from saccade.explain.graph import Operation, Shapes, Value
from saccade.explain.tracing import Trace, dtype_of, meta_tensors
from saccade.explain.windows import ADAPTIVE_POOLS, POOLS, window_of

CONVENTION = (
    "multiply-adds of convolutions and matrix products; "
    "biases, activations, normalisation and pooling are not counted"
)


@dataclass(frozen=True)
class Counts:
    """The counts of one operation, or of several added up."""

    units: int = 0  # outputs of convolutions, products with weights, and poolings
    connections: int = 0  # what these read, output by output; biases apart
    biases: int = 0  # units that also have a bias: one connection more each
    weights: int = 0  # parameters, biases included
    multiply_adds: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            *(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values()))
        )

    def __sub__(self, other: Counts) -> Counts:
        return Counts(
            *(mine - theirs for mine, theirs in zip(vars(self).values(), vars(other).values()))
        )


def count(operation: Operation, weights: Mapping[str, int]) -> Counts:
    """The counts of an operation but for its weights; `weights` has the size of each parameter."""
    name, output = operation.name, operation.output
    if name in PRODUCTS or name == "convolution":
        return product_counts(operation, weights)
    if name.startswith("_scaled_dot_product"):
        query, key, value = (operation.arguments[word] for word in ("query", "key", "value"))
        pairs = prod(query.shape[:-1]) * key.shape[-2]
        return Counts(multiply_adds=pairs * (query.shape[-1] + value.shape[-1]))
    window = window_of(name, operation.arguments)
    if name in POOLS and window and prod(window.kernel[-2:]) > 1:
        return Counts(output.numel, output.numel * prod(window.kernel))
    if name in ADAPTIVE_POOLS or (name == "mean" and is_global_pooling(operation)):
        inputs = operation.inputs[0].numel
        return Counts(output.numel, inputs) if inputs > output.numel else Counts()
    if name.startswith("add") and any(weights.get(w) for w in operation.weights):
        return Counts(biases=output.numel)
    return Counts()


def is_global_pooling(operation: Operation) -> bool:
    """Whether a mean is taken over height and width, as pooling to 1 x 1 does."""
    image = operation.inputs[0]
    axes = operation.arguments.get("dim") or []
    return len(image.shape) == 4 and {axis % 4 for axis in axes} == {2, 3}


def product_counts(operation: Operation, weights: Mapping[str, int]) -> Counts:
    """The counts of a convolution or a matrix product; one of two activations has no units."""
    arguments, output = operation.arguments, operation.output
    if operation.name == "convolution":
        factors, bias = [arguments["input"], arguments["weight"]], arguments["bias"]
        cost = convolution_cost(arguments, output)
    else:
        factors = [arguments[word] for word in PRODUCTS[operation.name]]
        bias = None if operation.name in ("mm", "bmm") else arguments["self"]
        cost = output.numel * factors[0].shape[-1]
    constants = [factor for factor in factors if not factor.depends_on_image]
    if not constants:
        return Counts(multiply_adds=cost)  # attention
    kernel = constants[0]
    learned = sum(weights.get(name, 0) for name in kernel.weights) or kernel.numel
    connections = cost * min(learned, kernel.numel) // kernel.numel  # without a table's gaps
    biased = output.numel if bias is not None else 0
    return Counts(output.numel, connections, biased, multiply_adds=cost)


def convolution_cost(arguments: dict, output: Value) -> int:
    """Multiply-adds: each position of the output, or of a transposed input, times its kernel."""
    weight = arguments["weight"]
    positions = arguments["input"].numel if arguments["transposed"] else output.numel
    return positions * prod(weight.shape[1:])


@dataclass(frozen=True)
class Memory:
    """Bytes, for a batch of `batch` images; the workspace of kernels is not known and not in."""

    batch: int
    weights: int  # parameters and buffers
    inference: int  # the most activations that live at one time, the image included
    gradients: int  # as many as the trained parameters; so is each moment that an optimizer keeps
    training: int | None  # activations saved for the backward pass; None where it cannot run


def memory(trace: Trace, batch: int) -> Memory:
    """The memory of a batch: live tensors of the forward, and what autograd would save."""
    tensors = [*trace.module.parameters(), *trace.module.buffers()]
    return Memory(
        batch=batch,
        weights=sum(tensor.nbytes for tensor in tensors),
        inference=trace.peak * batch,
        gradients=sum(p.nbytes for p in trace.module.parameters() if p.requires_grad),
        training=saved_for_backward(trace.module, (batch, *trace.image.shape[1:])),
    )


def saved_for_backward(module: nn.Module, shape: tuple[int, ...]) -> int | None:
    """Bytes that autograd saves of a training forward for `shape` [N,C,H,W], weights left out.

    Shared memory counts once; None where the module cannot run such a forward.
    """
    tensors = meta_tensors(module, training=True)
    weights = {tensor.untyped_storage()._cdata for tensor in tensors.values()}
    saved: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        key = tensor.untyped_storage()._cdata
        if key not in weights:
            saved[key] = tensor
        return tensor

    modes = [(part, part.training) for part in module.modules()]
    module.train()
    try:
        image = torch.empty(*shape, device="meta", dtype=dtype_of(module))
        with torch.enable_grad(), saved_tensors_hooks(pack, lambda tensor: tensor), Shapes():
            functional_call(module, tensors, (image,))
    except (RuntimeError, ValueError, TypeError, NotImplementedError):
        return None  # batch normalisation of one number, or a forward that looks at values
    finally:
        for part, training in modes:
            part.training = training
    return sum(tensor.untyped_storage().nbytes() for tensor in saved.values())
