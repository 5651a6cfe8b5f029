"""The initial network of a training: weights loaded, last layer fitted, rows frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from saccade.auto.choose import origin_of
from saccade.auto.fitted import is_fitted
from saccade.auto.summary import channel_statistics
from saccade.classical.fit import fit
from saccade.data.decode import Preprocessing
from saccade.data.grouping import groups_of
from saccade.device import device
from saccade.engine.freezing import keep_statistics
from saccade.errors import RecipeError
from saccade.metrics.measure import primary_metric
from saccade.models.backbone import backbone
from saccade.models.layers.blocks import normalized
from saccade.models.own import refuse_outputs, refuse_probabilities
from saccade.models.variants import apply_variant
from saccade.own import Own
from saccade.probes.features import AugmentedCopies, DecodedImages, features
from saccade.probes.fit import fit_head, install_head, refuse_misfit
from saccade.recipes.recipe import Recipe
from saccade.recipes.settings import freeze_layers, variant_of
from saccade.tasks.catalogue import refuse_without
from saccade.tasks.task import Capability, Task

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class InitialModel:
    """A network before its first step; without epochs it is final."""

    model: nn.Module  # takes images [N,C,size,size] of 0 to 255
    preprocessing: Preprocessing  # with the means and deviations of the network's first row
    notes: tuple[str, ...]  # where its weights come from


def initial_model(
    recipe: Recipe, task: Task, train: DecodedImages, targets: Tensor, progress: Progress
) -> InitialModel:
    """The network of a recipe, for the decoded images to `train` on and their `targets` [N,...].

    Raises `WeightsError` for weights of another network, `UsageError` for a layer that does not
    exist, `RecipeError` where nothing would be learned.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.train.seed)
        network, preprocessing, notes = _with_initial_weights(recipe, task, train)
    model = normalized(network, preprocessing.mean, preprocessing.std)
    model = model.to(device(recipe.train.device)).to(memory_format=torch.channels_last)
    if is_fitted(recipe):
        notes += _fit_rows(model, recipe, task, train, targets, progress)
    elif recipe.model.head != "random":
        train = replace(train, preprocessing=preprocessing)
        notes += (_fit_last_layer(model, recipe, task, train, targets, progress),)
    elif recipe.train.epochs == 0:
        raise RecipeError(
            "train.epochs=0 leaves nothing to learn", "set model.head=logistic, or train"
        )
    freeze_layers(model, recipe)
    if recipe.model.norm_statistics == "pretrained":
        keep_statistics(model)
    return InitialModel(model, preprocessing, notes)


def _with_initial_weights(
    recipe: Recipe, task: Task, train: DecodedImages
) -> tuple[nn.Module, Preprocessing, tuple[str, ...]]:
    """The network with its initial weights, its preprocessing, and notes on the weights."""
    p, notes = train.preprocessing, ()
    network, shape = task.network(recipe.model.name), (p.channels, p.size, p.size)
    pretrained, variant = None, variant_of(recipe)
    if recipe.model.weights != "none":
        origin = origin_of(recipe)
        network = apply_variant(network, origin.variant, shape)
        notes = (str(origin.load_into(network, task.classes)),)
        pretrained, variant = origin.preprocessing, variant.remaining(origin.variant)
    network = apply_variant(network, variant, shape)
    if isinstance(recipe.model.name, Own):
        refuse_outputs(recipe.model.name, network, shape, task.outputs)
        if not isinstance(recipe.train.loss, Own):
            refuse_probabilities(recipe.model.name, network, shape)
    mean, std = (
        (pretrained.mean, pretrained.std) if pretrained else channel_statistics(train.images)
    )
    return network, replace(p, mean=mean, std=std), notes


def _fit_rows(
    model: nn.Sequential,
    recipe: Recipe,
    task: Task,
    train: DecodedImages,
    targets: Tensor,
    progress: Progress,
) -> tuple[str, ...]:
    """Fit every row of a classical network; returns notes.  targets [N] int64"""
    refuse_without(Capability.SUPPORT_VECTORS, task, hint="take a network of saccade models")
    return fit(model, train.images, targets, recipe.train.seed, progress)


def _fit_last_layer(
    model: nn.Module,
    recipe: Recipe,
    task: Task,
    train: DecodedImages,
    targets: Tensor,
    progress: Progress,
) -> str:
    """Fit the last layer to features of the images; returns a note.  targets [N,...]"""
    data = recipe.data
    refuse_misfit(recipe.model.head, task, model)
    if recipe.model.head == "knn" and recipe.train.epochs:
        raise RecipeError(
            "model.head=knn has no weights that epochs could train",
            "set train.epochs=0, or another head",
        )
    copies = AugmentedCopies(data.augmented_copies, tuple(data.augment), recipe.train.seed)
    head_inputs = features(backbone(model), train, copies, progress)
    head = fit_head(recipe.model.head, task, head_inputs, targets)
    install_head(model, head)
    if head.held_out_predictions is None:
        return f"last layer: {head.description}"
    metric = task.metric()
    score = primary_metric(
        metric, metric.rows(head.held_out_predictions, targets), groups_of(train.items)
    )
    return f"last layer: {head.description}; {score.name} {score} held out"
