"""One forward of any `nn.Module` on the meta device, recorded as a graph of operations.

The operations are those of PyTorch's dispatcher, so functional, reused and in-place layers are
all recorded; hooks say which module ran each of them.  No weight is allocated and none of the
module is changed.
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

# Operations that read the shape of a tensor but not its values.
FACTORIES = {f"{kind}_like" for kind in ("zeros", "ones", "empty", "full", "rand", "randn")} | {
    f"new_{kind}" for kind in ("zeros", "ones", "empty", "full", "empty_strided")
}


class InputTooSmall(Exception):
    """A window larger than its feature map; the message is the size that would come out."""


class Recorder(TorchDispatchMode):
    """Records every operation that depends on the image, in the module call that made it."""

    def __init__(self, tensors: dict[str, Tensor], image: Tensor, root: Call):
        super().__init__()
        self.root = root
        self.stack = [root]
        self.count = 0
        self.live = self.peak = 0
        # A value's key is its storage and its view of that, so aliases and in-place results meet.
        self.storages: dict[int, dict[tuple, Value]] = {}
        for name, tensor in tensors.items():
            self.register(tensor, weights=frozenset({name}))
        self.image = self.register(image, depends_on_image=True)

    @property
    def current(self) -> Call:
        """The innermost call that is running."""
        return self.stack[-1]

    @contextmanager
    def module_hooks(self, module: nn.Module) -> Iterator[None]:
        """Hooks on every submodule, for the time of one forward."""
        with ExitStack() as stack:
            for path, part in module.named_modules():
                stack.enter_context(part.register_forward_pre_hook(self.enter(path)))
                stack.enter_context(part.register_forward_hook(self.leave))
            yield

    def enter(self, path: str):
        """A forward pre-hook that opens the call of the module at `path`."""

        def hook(module: nn.Module, inputs: tuple) -> None:
            call = Call(path, module) if self.stack[1:] or path else self.root
            call.inputs = tuple(self.values(inputs))
            if call is not self.root:
                self.current.children.append(call)
            self.stack.append(call)

        return hook

    def leave(self, module: nn.Module, inputs: tuple, output: object) -> None:
        """A forward hook that closes the innermost call."""
        self.stack.pop().output = next(self.values(output), None)

    def values(self, tensors: object) -> Iterator[Value]:
        """The values of the tensors in a nested structure."""
        for leaf in tree_leaves(tensors):
            if isinstance(leaf, Tensor) and (value := self.lookup(leaf)):
                yield value

    def lookup(self, tensor: Tensor) -> Value | None:
        """The value that the tensor has now; None for one from elsewhere."""
        return self.storages.get(storage_of(tensor), {}).get(view_of(tensor))

    def register(
        self, tensor: Tensor, *, depends_on_image: bool = False, weights=frozenset()
    ) -> Value:
        """A new value for the tensor as it is now."""
        storage = tensor.untyped_storage()
        if storage._cdata not in self.storages:
            self.storages[storage._cdata] = {}
            size = storage.nbytes() if depends_on_image else 0
            self.live += size
            self.peak = max(self.peak, self.live)
            weakref.finalize(storage, self.release, storage._cdata, size).atexit = False
        value = Value(self.count, tuple(tensor.shape), depends_on_image, weights)
        self.count += 1
        self.storages[storage._cdata][view_of(tensor)] = value
        return value

    def release(self, storage: int, size: int) -> None:
        """Drop a storage of `size` bytes whose last tensor is gone."""
        self.storages.pop(storage, None)
        self.live -= size

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        args, kwargs = tree_map_only(Tensor, on_meta(args, kwargs), (args, kwargs or {}))
        names = [argument.name for argument in func._schema.arguments]
        arguments = {a.name: a.default_value for a in func._schema.arguments}
        arguments |= dict(zip(names, args)) | kwargs
        arguments = tree_map_only(
            Tensor, lambda tensor: self.lookup(tensor) or self.register(tensor), arguments
        )
        window = window_of(func.overloadpacket.__name__, arguments)
        if window and min(window.output) < 1:
            raise InputTooSmall("x".join(str(max(size, 0)) for size in window.output))
        result = shapes_of(func, args, kwargs)
        self.record(func, arguments, result)
        return result

    def record(self, func, arguments: dict[str, Any], result: object) -> None:
        """Record the operation, and new values for all aliases of what it wrote in place."""
        name = func.overloadpacket.__name__
        operation = Operation(name, arguments, ())
        on_image = name not in FACTORIES and any(
            value.depends_on_image for value in operation.inputs
        )
        weights = frozenset() if on_image else operation.weights
        tensors = result if isinstance(result, (tuple, list)) else (result,)
        written = [t for t in tensors if isinstance(t, Tensor) and func._schema.is_mutable]
        aliases = [(t, dict(self.storages.get(storage_of(t), {}))) for t in written if on_image]
        outputs = tuple(
            self.register(tensor, depends_on_image=on_image, weights=weights)
            if isinstance(tensor, Tensor)
            else None
            for tensor in tensors
        )
        if on_image and any(outputs):
            self.current.children.append(Operation(name, arguments, outputs))
        for tensor, values in aliases:
            self.update_aliases(tensor, values)

    def update_aliases(self, tensor: Tensor, aliases: dict[tuple, Value]) -> None:
        """New values for the other views of the memory that was written."""
        storage = self.storages[storage_of(tensor)]
        written = storage[view_of(tensor)]
        for view, old in aliases.items():
            if view == view_of(tensor):
                continue
            storage[view] = Value(self.count, old.shape, depends_on_image=True)
            self.count += 1
            self.current.children.append(
                Operation("write", {"self": old, "part": written}, (storage[view],))
            )


def storage_of(tensor: Tensor) -> int:
    """The identity of the memory that a tensor is a view of."""
    return tensor.untyped_storage()._cdata


def view_of(tensor: Tensor) -> tuple:
    """Offset, shape and strides of a tensor in its memory: equal views have equal values."""
    return tensor.storage_offset(), tuple(tensor.shape), tensor.stride()


def on_meta(args: tuple, kwargs: dict | None):
    """A function that moves a tensor to the meta device where others of the call are there."""
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    if not any(tensor.is_meta for tensor in tensors):
        return lambda tensor: tensor
    return lambda tensor: tensor if tensor.is_meta else tensor.to("meta")


@dataclass(frozen=True)
class Trace:
    """One forward: the image, the module calls and the peak of memory."""

    module: nn.Module
    image: Value
    root: Call
    peak: int  # bytes of one image and all that depends on it, at the worst moment


def trace(module: nn.Module, input_size: tuple[int, ...], name: str = "") -> Trace:
    """The forward in eval mode of one image of `input_size` (channels, height, width) in pixels.

    Raises `UsageError` where the module cannot take the size, or its forward cannot be traced.
    """
    name = name or type(module).__name__
    tensors = meta_tensors(module)
    image = torch.empty(1, *input_size, device="meta", dtype=dtype_of(module))
    recorder = Recorder(tensors, image, Call("", module))
    try:
        with evaluating(module), recorder.module_hooks(module), torch.no_grad(), recorder:
            functional_call(module, tensors, (image,))
    except SaccadeError:
        raise
    except InputTooSmall as error:
        raise UsageError(
            f"input {input_size[-2]}x{input_size[-1]} is too small for {name}: "
            f"{recorder.current.path or name} would be {error}",
            "give a larger size",
        ) from None
    except Exception as error:
        message = str(error).strip().partition("\n")[0]
        raise UsageError(
            f"{name} cannot take {'x'.join(map(str, input_size))}: "
            f"{recorder.current.path or name} stopped with '{message}'",
            "give the size that the network is made for; a forward that looks at the values of its "
            "input cannot be traced",
        ) from error
    return Trace(module, recorder.image, recorder.root, recorder.peak)


def meta_tensors(module: nn.Module, *, training: bool = False) -> dict[str, Tensor]:
    """Parameters and buffers of any shape by name, without memory; tied ones once."""
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
    """The dtype of the module's parameters, float32 where it has none."""
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """The module and its submodules in eval mode; each one's own mode is restored afterwards."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
