"""The window that a convolution or a pooling slides over its input, axis by axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

POOLS = {
    "max_pool2d_with_indices": 2,
    "max_pool3d_with_indices": 3,
    "avg_pool2d": 2,
    "avg_pool3d": 3,
}
ADAPTIVE_POOLS = {
    "_adaptive_avg_pool2d": 2,
    "_adaptive_avg_pool3d": 3,
    "adaptive_max_pool2d": 2,
    "adaptive_max_pool3d": 3,
}


@dataclass(frozen=True)
class Window:
    """A sliding window: a number for each of the input's last axes, in pixels of that input."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    output: tuple[int, ...]  # size that comes out


def window_of(name: str, arguments: dict[str, Any]) -> Window | None:
    """The window of an operation; None for one that has none."""
    if name == "convolution" and not arguments["transposed"]:
        size = arguments["input"].shape[2:]
        return window(size, arguments["weight"].shape[2:], arguments)
    if name == "im2col":
        return window(arguments["self"].shape[-2:], arguments["kernel_size"], arguments)
    if name in POOLS:
        size = arguments["self"].shape[-POOLS[name] :]
        return window(size, arguments["kernel_size"], arguments)
    return None


def window(size: tuple[int, ...], kernel: Any, arguments: dict[str, Any]) -> Window:
    """A window with PyTorch's defaults written out for each axis, and its output size."""
    axes = len(size)
    kernel = every(kernel, axes)
    stride = every(arguments.get("stride") or kernel, axes)
    padding = every(arguments.get("padding", 0), axes)
    dilation = every(arguments.get("dilation", 1), axes)
    output = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation):
        span = n + 2 * p - d * (k - 1) - 1
        if arguments.get("ceil_mode"):
            positions = -(-span // s) + 1
            positions -= (positions - 1) * s >= n + p  # the last window starts inside
        else:
            positions = span // s + 1
        output.append(positions)
    return Window(kernel, stride, padding, dilation, tuple(output))


def every(value: Any, axes: int) -> tuple[int, ...]:
    """A number for each axis, from one for all axes or a list of them."""
    numbers = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    return numbers * axes if len(numbers) == 1 else numbers
