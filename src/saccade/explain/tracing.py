"""One forward of any `nn.Module` on the meta device, recorded as a graph of operations.

The operations are those of PyTorch's dispatcher, so functional, reused and in-place layers are
all seen; hooks say which module ran each of them.  No weight is made and none of the module is
changed.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from saccade.errors import SaccadeError, UsageError
from saccade.explain.graph import Call, Operation, Value, shapes_of
from saccade.explain.windows import window_of

# Made with the shape of a tensor, but not of its numbers.
FRESH = {f"{kind}_like" for kind in ("zeros", "ones", "empty", "full", "rand", "randn")} | {
    f"new_{kind}" for kind in ("zeros", "ones", "empty", "full", "empty_strided")
}


class TooSmall(Exception):
    """A window larger than the map under it; says the size that would come out."""


class Recorder(TorchDispatchMode):
    """Notes every operation that depends on the image, in the call it was made in."""

    def __init__(self, tensors: dict[str, Tensor], image: Tensor, root: Call):
        super().__init__()
        self.root = root
        self.stack = [root]
        self.count = 0
        self.live = self.peak = 0
        # A value is known by its memory and its place there: views and in-place results included.
        self.known: dict[int, dict[tuple, Value]] = {}
        for name, tensor in tensors.items():
            self.remember(tensor, weights=frozenset({name}))
        self.image = self.remember(image, depends_on_image=True)

    @property
    def current(self) -> Call:
        return self.stack[-1]

    @contextmanager
    def watching(self, module: nn.Module) -> Iterator[None]:
        """Hooks on every part of the module, for the time of one forward."""
        with ExitStack() as stack:
            for path, part in module.named_modules():
                stack.enter_context(part.register_forward_pre_hook(self.enter(path)))
                stack.enter_context(part.register_forward_hook(self.leave))
            yield

    def enter(self, path: str):
        def hook(module: nn.Module, inputs: tuple) -> None:
            call = Call(path, module) if self.stack[1:] or path else self.root
            call.inputs = tuple(self.values(inputs))
            if call is not self.root:
                self.current.children.append(call)
            self.stack.append(call)

        return hook

    def leave(self, module: nn.Module, inputs: tuple, output: object) -> None:
        self.stack.pop().output = next(self.values(output), None)

    def values(self, tensors: object) -> Iterator[Value]:
        for leaf in tree_leaves(tensors):
            if isinstance(leaf, Tensor) and (value := self.recall(leaf)):
                yield value

    def recall(self, tensor: Tensor) -> Value | None:
        return self.known.get(storage_of(tensor), {}).get(place(tensor))

    def remember(
        self, tensor: Tensor, *, depends_on_image: bool = False, weights=frozenset()
    ) -> Value:
        """A new value for what the tensor now holds."""
        storage = tensor.untyped_storage()
        if storage._cdata not in self.known:
            self.known[storage._cdata] = {}
            size = storage.nbytes() if depends_on_image else 0
            self.live += size
            self.peak = max(self.peak, self.live)
            weakref.finalize(storage, self.forget, storage._cdata, size).atexit = False
        value = Value(self.count, tuple(tensor.shape), depends_on_image, weights)
        self.count += 1
        self.known[storage._cdata][place(tensor)] = value
        return value

    def forget(self, storage: int, size: int) -> None:
        self.known.pop(storage, None)
        self.live -= size

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        args, kwargs = tree_map_only(Tensor, on_meta(args, kwargs), (args, kwargs or {}))
        names = [argument.name for argument in func._schema.arguments]
        arguments = {a.name: a.default_value for a in func._schema.arguments}
        arguments |= dict(zip(names, args)) | kwargs
        arguments = tree_map_only(
            Tensor, lambda tensor: self.recall(tensor) or self.remember(tensor), arguments
        )
        window = window_of(func.overloadpacket.__name__, arguments)
        if window and min(window.output) < 1:
            raise TooSmall("x".join(str(max(size, 0)) for size in window.output))
        result = shapes_of(func, args, kwargs)
        self.note(func, arguments, result)
        return result

    def note(self, func, arguments: dict[str, Any], result: object) -> None:
        """Record the operation, and that what it wrote in place changed every view of it."""
        name = func.overloadpacket.__name__
        operation = Operation(name, arguments, ())
        on_image = name not in FRESH and any(value.depends_on_image for value in operation.inputs)
        weights = frozenset() if on_image else operation.weights
        tensors = result if isinstance(result, (tuple, list)) else (result,)
        written = [t for t in tensors if isinstance(t, Tensor) and func._schema.is_mutable]
        views = [(t, dict(self.known.get(storage_of(t), {}))) for t in written if on_image]
        outputs = tuple(
            self.remember(tensor, depends_on_image=on_image, weights=weights)
            if isinstance(tensor, Tensor)
            else None
            for tensor in tensors
        )
        if on_image and any(outputs):
            self.current.children.append(Operation(name, arguments, outputs))
        for tensor, places in views:
            self.rewrite(tensor, places)

    def rewrite(self, tensor: Tensor, views: dict[tuple, Value]) -> None:
        """New values for the other views of what was written."""
        storage = self.known[storage_of(tensor)]
        written = storage[place(tensor)]
        for where, old in views.items():
            if where == place(tensor):
                continue
            storage[where] = Value(self.count, old.shape, depends_on_image=True)
            self.count += 1
            self.current.children.append(
                Operation("write", {"self": old, "part": written}, (storage[where],))
            )


def storage_of(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def place(tensor: Tensor) -> tuple:
    """Where in its memory a tensor lies: equal places hold equal values."""
    return tensor.storage_offset(), tuple(tensor.shape), tensor.stride()


def on_meta(args: tuple, kwargs: dict | None):
    """A function that moves a tensor to the meta device where the others of the call are there."""
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    if not any(tensor.is_meta for tensor in tensors):
        return lambda tensor: tensor
    return lambda tensor: tensor if tensor.is_meta else tensor.to("meta")


@dataclass(frozen=True)
class Trace:
    """One forward: the image, the calls, and the most bytes that lived at one time."""

    module: nn.Module
    image: Value
    root: Call
    peak: int  # bytes of the image and everything made from it, one image


def trace(module: nn.Module, input_size: tuple[int, ...], name: str = "") -> Trace:
    """The evaluating forward of one image of `input_size` (channels, height, width)."""
    name = name or type(module).__name__
    tensors = meta_tensors(module)
    image = torch.empty(1, *input_size, device="meta", dtype=dtype_of(module))
    recorder = Recorder(tensors, image, Call("", module))
    try:
        with evaluating(module), recorder.watching(module), torch.no_grad(), recorder:
            functional_call(module, tensors, (image,))
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
    return Trace(module, recorder.image, recorder.root, recorder.peak)


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
