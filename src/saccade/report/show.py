"""show: the anatomy, the drawing and the receptive fields of a network, by its name or as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from saccade.analysis.anatomy import Anatomy, anatomy
from saccade.errors import UsageError
from saccade.models.ablation import without as ablated
from saccade.models.catalogue import NETWORKS, SEVERAL_LOGITS
from saccade.models.create import create_model, input_shape
from saccade.models.input_size import check_size
from saccade.report.drawing import svg
from saccade.report.field_picture import FieldPicture, field_picture

__all__ = ["field", "show", "svg"]


def show(
    model: str | nn.Module,
    *,
    input_size: Sequence[int] | None = None,
    size: int | None = None,
    batch: int = 1,
    all: bool = False,
    without: Sequence[str] = (),
) -> Anatomy:
    """The table of a network of the catalogue, or of any module, for pictures of one size.

    `input_size` is channels, height, width; `size` alone the height and width.  `without` names
    layers to leave out, and the anatomy then says what that saves.
    """
    if batch < 1:
        raise UsageError(f"a batch of {batch} pictures", "a batch has at least one")
    network, name, shape = found(model, input_size, size)
    full = described(network, name, shape, batch, all)
    if not without:
        return full
    if not isinstance(network, nn.Sequential):
        raise UsageError(f"{name} is no chain of rows", "layers can be left out of chains alone")
    with torch.device("meta"):
        rest = ablated(network, without, input_shape=shape)
    less = anatomy(rest, shape, batch=batch, all=all, name=name)
    return replace(less, without=tuple(without), saved=full.total - less.total)


def found(
    model: str | nn.Module, input_size: Sequence[int] | None, size: int | None
) -> tuple[nn.Module, str, tuple[int, int, int]]:
    """The network without weights of its own, its name, and the size of its pictures."""
    if isinstance(model, nn.Module):
        network, name, shape = model, type(model).__name__, (3, 224, 224)
    else:
        shape = input_shape(model)
        with torch.device("meta"):
            network, name = as_published(model), model
    if input_size is not None:
        if len(input_size) != 3:
            raise UsageError(
                f"input size {'x'.join(map(str, input_size))}", "give channels, height and width"
            )
        channels, height, width = input_size
        shape = (channels, height, width)
    if size is not None:
        shape = (shape[0], size, size)
    if min(shape) < 1:
        raise UsageError(f"input {'x'.join(map(str, shape))} holds no picture", "1 or more pixels")
    return network, name, shape


def as_published(name: str) -> nn.Module:
    """The network with the classes of its paper: 10 for LeNet, 1000 where nothing else is said."""
    networks = {**NETWORKS, **SEVERAL_LOGITS}
    return networks[name]() if name in networks else create_model(name)


def described(
    network: nn.Module, name: str, shape: tuple[int, int, int], batch: int, all: bool
) -> Anatomy:
    """The anatomy; a size that does not fit is explained with the sizes that do."""
    try:
        return anatomy(network, shape, batch=batch, all=all, name=name)
    except UsageError:
        if isinstance(name, str) and shape[0] == catalogue_channels(name):
            check_size(name, *shape[1:])
        raise


def catalogue_channels(name: str) -> int | None:
    """The channels of a network of the catalogue; None for any other."""
    try:
        return input_shape(name)[0]
    except UsageError:
        return None


def field(
    model: str | nn.Module,
    layer: str,
    *,
    input_size: Sequence[int] | None = None,
    size: int | None = None,
    weights: str | None = None,
    inputs: int = 16,
) -> FieldPicture:
    """What a unit in the middle of a layer sees: its box, and the gradient as measured.

    Without `weights` a named network is measured as it is before training.
    """
    network, name, shape = found(model, input_size, size)
    table = described(network, name, shape, 1, False)
    if not isinstance(model, nn.Module):
        network = create_model(model, weights=weights) if weights else as_published(model)
    return field_picture(network, table, layer, inputs=inputs)
