"""A person's own network: a module, or a function of num_classes that makes one."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from saccade.errors import UsageError
from saccade.models.backbone import all_outputs
from saccade.models.catalogue import Shape
from saccade.models.layers.surgery import meta_forward
from saccade.models.table import DEFAULT_CLASSES
from saccade.own import Own, checked

SETTING = "model.name"
LARGEST_SIZE = 224  # pixels, where nothing else says it
SIDES = (32, 28, 64, 128, 224, 227, 299, 48, 96, 160, 192, 256, 384, 512)  # pixels, as is usual


def own_network(own: Own, num_classes: int | None = None) -> nn.Module:
    """A copy of the module with its weights, or what the function makes, on the default device.

    The module that was given is never changed.
    """
    part = own.need(SETTING)
    if isinstance(part, nn.Module):
        _refuse_special(own, part)
        network = copy.deepcopy(part)
    else:
        _refuse_without_num_classes(own, part)
        network = part(num_classes=num_classes or DEFAULT_CLASSES)
    network = checked(SETTING, own, network, nn.Module, "be a torch.nn.Module")
    if any(map(is_lazy, network.parameters())):
        hint = "let one batch of images through it first"
        raise UsageError(f"{own} has layers whose sizes are not known yet", hint)
    return network.to(torch.get_default_device())


def _refuse_special(own: Own, module: nn.Module) -> None:
    """Raise `UsageError` for a module that cannot be copied, traced and kept as it is."""
    if isinstance(module, torch.jit.ScriptModule) or hasattr(module, "_orig_mod"):
        what = f"{own} is compiled, and its weights have other names than the module's"
        raise UsageError(what, "give the module itself; train.compile=on compiles it")


def own_input(own: Own) -> Shape:
    """The images that a network takes: the channels of its first convolution, a usual size."""
    network = _on_meta(own, None)
    first = next((m for m in network.modules() if isinstance(m, nn.Conv2d)), None)
    channels = (3, 1) if first is None else (first.in_channels,)
    shapes = [(c, side, side) for side in SIDES for c in channels]
    return next((shape for shape in shapes if not misfit(network, shape)), (channels[0], 224, 224))


def nearest_size(own: Own, side: int) -> int:
    """Of the usual sizes that the network takes, the nearest to `side`, in pixels."""
    network, channels = _on_meta(own, None), own_input(own)[0]
    fitting = [s for s in SIDES if not misfit(network, (channels, s, s))]
    return min(fitting or SIDES, key=lambda s: abs(s - side))


def misfit(network: nn.Module, shape: Shape) -> str:
    """Why a network does not take images of this shape; "" where it does."""
    try:
        meta_forward(network, torch.empty(2, *shape, device="meta"))
    except (RuntimeError, ValueError, TypeError) as error:
        return str(error).partition("\n")[0]
    return ""


def refuse_size(own: Own, shape: Shape) -> None:
    """Raise `UsageError` where the network does not take images of this shape."""
    if why := misfit(_on_meta(own, None), shape):
        size = "x".join(map(str, shape))
        raise UsageError(f"{own} does not take images of {size}: {why}", _hint(why))


def _hint(why: str) -> str:
    if "meta" in why:
        return "write it without if, item() or numpy on values of tensors: only shapes are traced"
    if "argument" in why:
        return "its forward is to take one tensor, the images [N,C,H,W]"
    return "set data.size and data.colour to what it is made for"


def refuse_outputs(own: Own, network: nn.Module, shape: Shape, outputs: int) -> None:
    """Raise `UsageError` unless the network gives `outputs` numbers for each image."""
    results = _trial_outputs(network, shape)
    for result in results:
        given = checked(SETTING, own, result, Tensor, "give a tensor of numbers [N,K]").shape
        if given != (2, outputs):
            several = " Of several outputs all are classifiers." if len(results) > 1 else ""
            raise UsageError(
                f"{own} gives {' x '.join(map(str, given))} numbers for 2 images; the labels ask "
                f"for 2 x {outputs}.{several}",
                "give a function of num_classes, or a module with so many outputs",
            )


def refuse_probabilities(own: Own, network: nn.Module, shape: Shape) -> None:
    """Raise `UsageError` for a network that ends in a softmax: a task takes logits."""
    for result in _trial_outputs(network, shape):
        one = torch.ones(len(result)).to(result)
        sum_to_one = result.shape[1] > 1 and torch.allclose(result.sum(dim=1), one, atol=1e-4)
        if sum_to_one and bool((result >= 0).all()):
            raise UsageError(
                f"{own} gives probabilities: for random images its outputs sum to 1, none below 0; "
                "the loss takes logits, and a second softmax hardly learns",
                "leave out the softmax at its end; predictions are probabilities all the same",
            )


def _trial_outputs(network: nn.Module, shape: Shape) -> tuple[Tensor, ...]:
    """All outputs of a copy of the network, in training mode, for two random images."""
    device = next(network.parameters(), torch.empty(0)).device
    trial = copy.deepcopy(network).train()  # whose statistics may change
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        return all_outputs(trial(torch.randn(2, *shape).to(device)))


def _on_meta(own: Own, num_classes: int | None) -> nn.Module:
    with torch.device("meta"):
        return own_network(own, num_classes)


def _refuse_without_num_classes(own: Own, part: Any) -> None:
    try:
        inspect.signature(part).bind(num_classes=1)
    except TypeError as error:
        hint = "give an object of the class, or a function of num_classes"
        raise UsageError(f"{own} cannot be made for a number of classes: {error}", hint) from error
