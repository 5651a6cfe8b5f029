"""A network written as a table in a TOML file, a row a line, in order.

    input = [3, 32, 32]  # channels, height, width in pixels

    [rows]
    conv1 = { layer = "Conv2d", out_channels = 16, kernel_size = 3, padding = 1 }
    relu1 = { layer = "ReLU" }
    block = { layer = "BasicBlock", channels = 32, stride = 2, repeat = 2 }
    pool = { layer = "AdaptiveAvgPool2d", output_size = 1 }
    flatten = { layer = "Flatten" }
    fc = { layer = "Linear", out_features = "num_classes" }

A layer is one of torch.nn's with its arguments there, or a block of the lectures.  What comes in is
read off the row before, so that no row says it.  Nothing of a file is ever run.
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from saccade.errors import UsageError, unknown
from saccade.files import read_utf8
from saccade.models.catalogue import Shape
from saccade.models.layers.blocks import SqueezeExcite, chain
from saccade.models.layers.surgery import meta_forward
from saccade.own import PREFIX

SUFFIX = ".toml"
NUM_CLASSES = "num_classes"  # in place of a number: that of the classes
DEFAULT_CLASSES = 10  # where no number of them is said
# fmt: off
PLAIN = (
    "AdaptiveAvgPool2d", "AdaptiveMaxPool2d", "AvgPool2d", "Dropout", "Dropout2d", "ELU", "Flatten",
    "GELU", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity", "LeakyReLU", "LocalResponseNorm",
    "LPPool2d", "MaxPool2d", "Mish", "PReLU", "ReLU", "ReLU6", "Sigmoid", "SiLU", "Softplus",
    "Tanh", "Upsample", "ZeroPad2d",
)
SIZED: Mapping[str, str] = {  # layers that are told the channels of what comes in: under which name
    "Conv2d": "in_channels", "ConvTranspose2d": "in_channels", "Linear": "in_features",
    "BatchNorm2d": "num_features", "InstanceNorm2d": "num_features", "GroupNorm": "num_channels",
}
# fmt: on
Layer = Callable[..., nn.Module]


def is_table(name: str) -> bool:
    """Whether the name of a network is that of a file with its table."""
    return name.endswith(SUFFIX)


def shown_name(name: str) -> str:
    """The name of a network for people: that of a table without its folder."""
    return Path(name).name if is_table(name) else name.removeprefix(PREFIX)


def table_network(path: str | Path, num_classes: int | None = None) -> nn.Sequential:
    """The network of the table in a file; raises `UsageError` that names the row at fault."""
    table = read_table(path)
    x = torch.empty(2, *_input_of(table, path), device="meta")
    rows: dict[str, nn.Module] = {}
    for name, cells in table["rows"].items():
        rows[name] = _row(f"row '{name}' of '{path}'", cells, x, num_classes or DEFAULT_CLASSES)
        x = _through(f"row '{name}' of '{path}'", rows[name], x)
    return chain(**rows)


def table_input(path: str | Path) -> Shape:
    """Channels, height and width in pixels that the table names."""
    return _input_of(read_table(path), path)


def _input_of(table: Mapping[str, Any], path: str | Path) -> Shape:
    match table.get("input"):
        case [int(channels), int(height), int(width)] if min(channels, height, width) > 0:
            return channels, height, width
    raise UsageError(f"'{path}' does not say its input", "write input = [3, 32, 32] at its top")


def read_table(path: str | Path) -> dict[str, Any]:
    """The keys of a file with a network's table; raises `UsageError` for another file."""
    try:
        table = tomllib.loads(read_utf8(Path(path)).replace("\r\n", "\n"))
    except OSError as error:
        what = f"the network '{path}' cannot be read: {error.strerror}"
        raise UsageError(
            what, "name a TOML file that is there, or one of saccade models"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        hint = "docs/networks.md has a table to begin with"
        raise UsageError(f"'{path}' is no TOML: {error}", hint) from error
    rows = table.get("rows")
    if not isinstance(rows, Mapping) or not rows:
        hint = 'write them below [rows], as in fc = { layer = "Linear", out_features = 10 }'
        raise UsageError(f"'{path}' has no rows", hint)
    if more := [key for key in table if key not in ("input", "rows")]:
        raise UsageError(
            f"'{path}' has '{more[0]}', which means nothing", "input and rows are read"
        )
    return table


def blocks(channels_in: int) -> dict[str, Layer]:
    """The blocks of the lectures for so many channels that come in."""
    from saccade.models.networks.googlenet import inception  # here, since few networks are tables
    from saccade.models.networks.resnet import BasicBlock, bottleneck

    return {
        "BasicBlock": partial(_residual, BasicBlock, channels_in),
        "Bottleneck": partial(_residual, bottleneck, channels_in),
        "Inception": partial(inception, channels_in),
        "SqueezeExcite": partial(SqueezeExcite, channels_in),
    }


def _residual(block: Layer, cin: int, *, channels: int, stride: int = 1) -> nn.Module:
    return block(cin, channels, stride)


def _row(where: str, cells: Any, x: Tensor, num_classes: int) -> nn.Module:
    """The layer of a row, or as many as its `repeat` says, one after the other."""
    if not isinstance(cells, Mapping) or not isinstance(cells.get("layer"), str):
        raise UsageError(f"{where} names no layer", 'write { layer = "ReLU" }, say')
    kind, repeat = str(cells["layer"]), cells.get("repeat", 1)
    told = {k: v for k, v in cells.items() if k not in ("layer", "repeat")}
    cells = {k: num_classes if v == NUM_CLASSES else v for k, v in told.items()}
    if not isinstance(repeat, int) or not 1 <= repeat <= 1000:
        raise UsageError(
            f"{where}: repeat cannot be '{repeat}'", "it takes a number from 1 to 1,000"
        )
    layers: list[nn.Module] = []
    for _ in range(repeat):
        layers.append(_layer(where, kind, cells, x))
        x = _through(where, layers[-1], x)
        cells = {**cells, "stride": 1} if "stride" in cells else cells
    return layers[0] if repeat == 1 else nn.Sequential(*layers)


def _layer(where: str, kind: str, cells: Mapping[str, Any], x: Tensor) -> nn.Module:
    known = blocks(x.shape[1])
    if kind not in (*PLAIN, *SIZED, *known):
        raise _in(where, unknown("layer", kind, (*PLAIN, *SIZED, *known)))
    make: Layer = known[kind] if kind in known else getattr(nn, kind)
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in cells.items()}
    if kind in SIZED:
        given = {SIZED[kind]: x.shape[1]} | given
    taken = [p for p in inspect.signature(make).parameters if p not in ("device", "dtype")]
    if other := [name for name in given if name not in taken]:
        raise _in(where, unknown(f"argument of {kind}", other[0], taken))
    try:
        return make(**given)
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise UsageError(f"{where}: {error}", f"{kind} takes {', '.join(taken)}") from error


def _through(where: str, layer: nn.Module, x: Tensor) -> Tensor:
    """What a layer makes of its input, of which only the shape is computed.  [N,...] -> [N,...]"""
    try:
        return meta_forward(layer, x)
    except (RuntimeError, ValueError, TypeError) as error:
        size = "x".join(map(str, x.shape[1:]))
        raise UsageError(
            f"{where} does not take the {size} of the row before: {str(error).splitlines()[0]}",
            "saccade show prints the sizes of a table that fits",
        ) from error


def _in(where: str, error: Any) -> UsageError:
    return UsageError(f"{where}: {error.what}", error.hint)
