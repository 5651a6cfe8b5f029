"""Freezing, and gradual unfreezing: which rows of a network are trained in which epochs.

A frozen weight requires no gradient, so no optimizer takes it and none is computed; the rows up to
the last frozen one stay in eval mode, their running statistics and their dropout with them.  Stages
release rows from the last one down (Howard 2018, "Universal language model fine-tuning for text
classification", Section 3.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from math import ceil

from torch import nn

from saccade.engine.stages import ALL, HEAD, Stage
from saccade.engine.step import Stepper
from saccade.errors import RecipeError, UsageError, unknown, without_effect
from saccade.models.layers.surgery import find_layers
from saccade.models.weights import classifiers

FEATURES = "features"  # all but the last layer
BY_NAME = "saccade show NETWORK lists them; features are all but the last"  # a hint
MAX_WARMUP_STEPS = 50  # of newly released weights, whose learning rate rises from zero; or ...
WARMUP_DIVISOR = 10  # ... a tenth of the stage, where that is shorter


def freeze(model: nn.Module, layer: str) -> None:
    """Freeze every weight up to and with `layer`, or with "features" all but the classifiers'.

    Raises `UsageError` for a layer that the network does not have, `RecipeError` where nothing
    would be left to learn.
    """
    modules = dict(model.named_modules())
    if layer == FEATURES:
        frozen = [name for name in modules if name not in classifiers(model)]
    else:
        frozen = list(modules)[: _module_range(model, layer).stop]
    weights = [weight for name in frozen for weight in modules[name].parameters(recurse=False)]
    if not weights:
        made = ((name, None) for name in frozen if name)
        hint = "name a layer that has weights, or one behind such a layer"
        raise without_effect(f"model.freeze={layer}", "freezes no weights", made, hint)
    for weight in weights:
        weight.requires_grad_(False)
    if not any(weight.requires_grad for weight in model.parameters()):
        raise RecipeError(
            f"with all frozen up to '{layer}' nothing is left to learn",
            "freeze up to an earlier layer, or write features",
        )


def unfreeze_from(model: nn.Module, layer: str) -> None:
    """Freeze every weight before `layer`; that row and all after it learn."""
    modules = list(model.named_modules())
    model.requires_grad_(True)
    for _, module in modules[: _module_range(model, layer).start]:
        for weight in module.parameters(recurse=False):
            weight.requires_grad_(False)


def trainable_per_stage(model: nn.Module, stages: Sequence[Stage]) -> tuple[frozenset[str], ...]:
    """The names of the weights that learn in each stage, of those that are not frozen now.

    Raises `UsageError` for a stage named by a layer that the network does not have, `RecipeError`
    for one that releases nothing.
    """
    trainable = tuple(_released(model, stage.name) for stage in stages)
    for index, (stage, names) in enumerate(zip(stages, trainable)):
        before = trainable[index - 1] if index else frozenset()
        if not before < names:
            after = f", which comes after '{stages[index - 1].name}'," if index else ""
            raise RecipeError(
                f"the stage '{stage.name}'{after} releases nothing",
                "stages go from the last layer down and begin behind what is frozen: "
                "head layer4 layer3 all",
            )
    return trainable


def _released(model: nn.Module, layer: str) -> frozenset[str]:
    """The names of the weights from `layer` on, of those that are not frozen."""
    names = [name for name, _ in model.named_modules()]
    if layer == HEAD:
        names = list(classifiers(model))
    elif layer != ALL:
        names = names[_module_range(model, layer).start :]
    free = {name for name, weight in model.named_parameters() if weight.requires_grad}
    return frozenset(name for name in free if name.rpartition(".")[0] in names)


def freeze_all_but(model: nn.Module, trainable: Set[str]) -> None:
    """Let the weights of these names learn, and no others."""
    for name, weight in model.named_parameters():
        weight.requires_grad_(name in trainable)


KEPT = "keeps_statistics"  # an attribute of layers


def keep_statistics(model: nn.Module) -> int:
    """Let all batch normalisation use its running statistics in training, too; how many layers.

    Those of a pretrained network are of a million images; those of a batch of 32 are so far from
    them that a last layer fitted to its features no longer fits.
    """
    layers = batch_norms(model)
    for layer in layers:
        setattr(layer, KEPT, True)
    return len(layers)


def batch_norms(model: nn.Module) -> list[nn.Module]:
    """The layers with running statistics of batches."""
    return [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


def training_mode(model: nn.Module) -> None:
    """Put `model` in train mode, but all rows up to the last leading frozen one in eval mode.

    In eval mode are, too, the layers of `keep_statistics`.
    """
    model.train()
    for layer in batch_norms(model):
        if getattr(layer, KEPT, False):
            layer.eval()
    if all(weight.requires_grad for weight in model.parameters()):
        return
    modules = list(model.modules())
    learns = [any(w.requires_grad for w in module.parameters()) for module in modules]
    own = [list(module.parameters(recurse=False)) for module in modules]
    first = next(
        (k for k, weights in enumerate(own) if any(w.requires_grad for w in weights)), len(modules)
    )
    last = max((k for k, weights in enumerate(own[:first]) if weights), default=-1)
    for module, learning in zip(modules[: last + 1], learns):
        if not learning:
            module.eval()


def _module_range(model: nn.Module, layer: str) -> slice:
    """The positions of `layer` and its submodules in `model.named_modules()`."""
    names = [name for name, _ in model.named_modules()]
    if type(model) is nn.Sequential and layer not in names and not layer.isdecimal():
        layers = find_layers(model, layer)
    elif layer in names[1:]:
        layers = [layer]
    elif layer.isdecimal():
        what = f"no layer of this network is called '{layer}': layers have names, not numbers"
        raise UsageError(what, BY_NAME)
    else:
        raise unknown("layer of this network", layer, names[1:])
    inside = [k for k, n in enumerate(names) if any(_within(n, path) for path in layers)]
    return slice(min(inside), max(inside) + 1)


def _within(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}.")


@dataclass(frozen=True)
class Unfreezing:
    """Gradual unfreezing: which weights of a network are trained in which epochs.

    Weights trained before keep their moments and their learning rate; that of newly released
    weights rises linearly from the first step on.
    """

    groups: Callable[[nn.Module], list[dict]]  # parameter groups of the weights that are trained
    stages: tuple[Stage, ...]
    trainable: tuple[frozenset[str], ...]  # in each, the names of the weights
    steps: int  # of an epoch

    def begin_epoch(self, model: nn.Module, stepper: Stepper, epoch: int) -> None:
        """Release the weights of all stages begun by `epoch`, from 0; calling it again is harmless.

        `stepper` trains the weights of the first stage of `model`, and those released since.
        """
        for stage, trainable in zip(self.stages[1:], self.trainable[1:], strict=True):
            if stage.first <= epoch:
                freeze_all_but(model, trainable)
                warmup_steps = min(
                    MAX_WARMUP_STEPS, ceil(stage.epochs * self.steps / WARMUP_DIVISOR)
                )
                stepper.add_groups(self.groups(model), stage.first * self.steps, warmup_steps)

    def stage_begins(self, epoch: int) -> tuple[int, Stage] | None:
        """The number, from 1, of the stage that begins with `epoch`, and that stage."""
        beginning = [(k, stage) for k, stage in enumerate(self.stages, 1) if stage.first == epoch]
        return beginning[-1] if beginning else None


ALL_AT_ONCE = Unfreezing(lambda model: [], (), (), 0)  # no stages: the same weights throughout


def trainable_parameters(model: nn.Module) -> tuple[int, int]:
    """The number of trainable parameters of a network, and of all its parameters."""
    weights = list(model.parameters())
    return sum(w.numel() for w in weights if w.requires_grad), sum(w.numel() for w in weights)
