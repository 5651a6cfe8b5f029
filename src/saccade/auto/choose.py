"""Automatic settings, chosen from the data: recipe, weights, head, augmentation, batch size.

Every choice comes with the reason for it, which the table of settings shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from saccade.auto.summary import DatasetSummary
from saccade.auto.weights import FROM_SCRATCH, SMALL, Pretrained, pretrained, run_called
from saccade.data.store import format_bytes
from saccade.engine.memory import free_device_memory
from saccade.errors import RecipeError, WeightsError
from saccade.explain.cost import saved_for_backward
from saccade.models.catalogue import CLASSICAL_MODELS
from saccade.models.create import create_model
from saccade.models.weights import PublicWeights
from saccade.own import Own
from saccade.recipes.recipe import Recipe
from saccade.tasks.task import Capability

FEW = 20_000  # images up to which pretrained weights are used
VERY_FEW = 10  # images per class up to which nothing but the last layer is fitted
HANDFUL = 3  # images per class up to which the nearest mean is the best head
WARMUP_STEPS = 50  # steps
BATCHES = (256, 128, 64, 32, 16)  # images
STEPS = 30  # of an epoch, at least
LIGHT, MIDDLE, STRONG = 500, 100, 20  # images per class from which so much augmentation is enough
EPOCH_SETTINGS = (  # settings that only a training by epochs makes use of
    "data.sampling",
    "data.progressive_resizing",
    "train.batch_size",
    "train.micro_batch_size",
    "train.patience",
    "train.checkpoint",
    "train.layer_statistics",
    "train.label_smoothing",
    "train.class_weights",
    "train.ema",
    "train.precision",
    "model.stages",
)
FindWeights = Callable[
    [int, str], list[PublicWeights]
]  # short side, network or auto: the best first
Choice = tuple[Any, str]  # a value and the reason for it
Chosen = dict[str, Choice]


def default_recipe(
    summary: DatasetSummary, flags: Mapping[str, Any], find_weights: FindWeights
) -> tuple[str, str]:
    """The recipe to train by where none is named, and why."""
    size = f"the short side of the images is {summary.short_side} pixels"
    if (name := str(flags.get("model.name"))) in CLASSICAL_MODELS:
        return "classical", f"{name} is fitted, not trained"
    if flags.get("model.weights", "none") != "none":
        return _transfer(summary, "weights to begin from are given")
    if summary.short_side <= SMALL:
        return "small", size
    if isinstance(flags.get("model.name"), Own):
        return "photos", f"{size}; the network is your own"
    if summary.count > FEW or "model.weights" in flags:
        return "photos", size
    if not (entries := find_weights(summary.short_side, name if "model.name" in flags else "auto")):
        return "photos", f"{size}; no pretrained weights are at hand, so {FROM_SCRATCH}"
    why = f"{summary.count:,} images are few, and weights of {entries[0].network} are at hand"
    return _transfer(summary, why)


def _transfer(summary: DatasetSummary, why: str) -> tuple[str, str]:
    if not summary.per_class:
        return "features", f"{why}; numbers are told by a last layer fitted to features"
    each = f"{why}; with {summary.per_class:,} a class"
    if summary.per_class < VERY_FEW:
        return "features", f"{each} nothing but a last layer is fitted"
    return "finetune", f"{each} the last layer is fitted, then all is trained"


def refuse_unused(recipe: Recipe, flags: Mapping[str, Any], origins: dict[str, str]) -> None:
    """Say in `origins` which settings do nothing without an epoch; raise if they are `flags`."""
    names = recipe.settings()
    unused = [name for name in names if name.startswith("optim.") or name in EPOCH_SETTINGS]
    unused += [] if recipe.data.augmented_copies else ["data.augment"]
    for name in unused:
        if name in flags and recipe.settings()[name] != Recipe().settings()[name]:
            raise RecipeError(
                f"{name} does nothing where the last layer is fitted and nothing trained",
                "leave it out, or set train.epochs",
            )
    origins.update(dict.fromkeys(unused, "no use: nothing is trained"))


def choose_weights(
    recipe: Recipe,
    summary: DatasetSummary,
    find_weights: FindWeights,
    choices: Mapping[str, Choice],
) -> tuple[Recipe, Chosen]:
    """The recipe with network, weights, and images prepared as theirs; what was chosen, and why.

    `choices` were made before, by a comparison.
    """
    chosen: Chosen = {}
    recipe = recipe.with_({"model.weights": located_weights(recipe.model.weights)})
    recipe = _apply(recipe, {k: v for k, v in choices.items() if _is_unset(recipe, k)}, chosen)
    if recipe.model.weights == "auto" and isinstance(recipe.model.name, Own):
        recipe = _apply(recipe, {"model.weights": ("none", "your module has its own")}, chosen)
    if recipe.model.weights == "auto":
        recipe = _apply(recipe, _local_choice(recipe, summary, find_weights), chosen)
    if recipe.model.weights == "none":
        unset = {k: v for k, v in DEFAULT_RESIZE.items() if _is_unset(recipe, k)}
        return _apply(recipe, unset, chosen), chosen
    origin = origin_of(recipe)
    if recipe.model.name == "auto":
        recipe = _apply(recipe, {"model.name": (origin.network, "whose weights these are")}, chosen)
    adopted = {k: v for k, v in _as_pretrained(origin).items() if _is_unset(recipe, k)}
    if (without := origin.variant.without) and recipe.model.without not in ((), without):
        raise RecipeError(
            f"'{origin.name}' holds weights of {origin.network} without {' '.join(without)}, "
            f"which model.without={' '.join(recipe.model.without)} does not fit",
            "leave model.without out: it follows the weights",
        )
    return _apply(recipe, adopted, chosen), chosen


def origin_of(recipe: Recipe) -> Pretrained:
    """The weights that a recipe begins from."""
    return pretrained(recipe.model.weights, recipe.model.name)


def _apply(recipe: Recipe, choices: Mapping[str, Choice], chosen: Chosen) -> Recipe:
    chosen.update(choices)
    return recipe.with_({name: value for name, (value, _) in choices.items()})


def _is_unset(recipe: Recipe, setting: str) -> bool:
    unchanged = {"model.without": (), "model.activation": "own"}
    value = recipe.settings()[setting]
    return value == "auto" or value == unchanged.get(setting)


def _local_choice(recipe: Recipe, summary: DatasetSummary, find_weights: FindWeights) -> Chosen:
    """The network and weights that are on this machine."""
    name = recipe.model.name
    if not (entries := find_weights(summary.short_side, name)):
        owner = "" if name == "auto" else f" of {name}"
        raise WeightsError(
            f"no pretrained weights{owner} are at hand to begin from",
            "give a file, a run or a bundle with --weights, or train from scratch with "
            "--recipe photos",
        )
    best = entries[0]
    why = "at hand" if len(entries) == 1 else f"the most accurate of {len(entries)} at hand"
    chosen: Chosen = {"model.weights": (best.tag, f"{why}, {best.top1 or '?'} % as published")}
    if name == "auto":
        chosen["model.name"] = (best.network, f"its weights are {why}")
    return chosen


DEFAULT_RESIZE: Chosen = {
    "data.resize": ("squash", "nothing is cut off"),
    "data.interpolation": ("bilinear", "the usual"),
    "data.crop_pct": (1.0, "nothing is cut off"),
}


def _as_pretrained(origin: Pretrained) -> Chosen:
    """The preprocessing and variant that the weights were trained with."""
    if (p := origin.preprocessing) is None:
        return DEFAULT_RESIZE
    why = "as the weights were trained"
    changed = {
        "model.without": (origin.variant.without, why),
        "model.activation": (origin.variant.activation, why),
    }
    return {k: v for k, v in changed.items() if v[0] not in ((), "own")} | {
        "data.size": (p.size, why),
        "data.resize": (p.resize, why),
        "data.crop_pct": (p.crop, why),
        "data.interpolation": (p.interpolation, why),
        "data.colour": (p.colour, why),
    }


def head(recipe: Recipe, summary: DatasetSummary) -> Choice:
    """The head before training: as fitted to features."""
    why = f"{summary.per_class} images per class" if summary.per_class else "numbers"
    few = summary.per_class <= HANDFUL and "nearest_mean" in summary.task.heads
    return "nearest_mean" if few else summary.task.heads[0], why


def augment(recipe: Recipe, summary: DatasetSummary) -> Choice:
    """The fewer images per class, the stronger the augmentation."""
    colours = ("brightness:0.2", "contrast:0.2")
    if Capability.CROPPING not in summary.task.capabilities:
        return ("flip", *colours), f"nothing is cut off, for {summary.task.kind}"
    why = f"{summary.per_class} images per class"
    if summary.per_class >= LIGHT:
        return ("flip", "resized_crop:0.5"), why
    if summary.per_class >= MIDDLE:
        return ("flip", "resized_crop:0.35", *colours), why
    if summary.per_class >= STRONG:
        return ("flip", "resized_crop:0.25", *colours, "saturation:0.2"), why
    return ("flip", "resized_crop:0.25", "rotate:10", *colours, "saturation:0.2"), why


def warmup(recipe: Recipe, summary: DatasetSummary) -> Choice:
    """Steps, but a share of a training that the clock ends or that is short."""
    steps = recipe.train.epochs * _training_images(recipe, summary) // int(recipe.train.batch_size)
    if recipe.train.minutes:
        return 0.1, "a share, since train.minutes is set"
    if steps < 10 * WARMUP_STEPS:
        return 0.1, f"about {steps} steps are few"
    return WARMUP_STEPS, "steps"


def batch_size(recipe: Recipe, summary: DatasetSummary) -> Choice:
    """The largest batch that leaves an epoch its steps and fits in half of the free memory.

    The other half is for the images, the workspaces of kernels and what a backward pass holds for
    a moment.  What is saved for it is counted in float32, of the network as published.
    """
    count = _training_images(recipe, summary)
    sizes = [size for size in BATCHES if count >= STEPS * size] or [BATCHES[-1]]
    free = free_device_memory(torch.device(recipe.train.device))
    fixed, per_image = _memory(recipe)
    for size in sizes:
        if fixed + size * per_image <= free / 2:
            steps = f"about {count // size:,} steps per epoch"
            fits = f"more do not fit in {format_bytes(free)} of free memory"
            return size, steps if size == sizes[0] else f"{steps}, {fits}"
    return BATCHES[-1], f"the least, though {format_bytes(free)} of free memory are little for it"


def _training_images(recipe: Recipe, summary: DatasetSummary) -> int:
    """About how many images an epoch has."""
    data = recipe.data
    count = int(summary.count * (1 - data.val - data.test))
    if data.per_class and summary.per_class:
        count = min(count, data.per_class * summary.count // summary.per_class)
    return max(1, round(count * data.train_share))


def _memory(recipe: Recipe) -> tuple[int, int]:
    """Bytes of weights, gradients, two moments and an EMA; and those that an image adds."""
    channels, size = (1 if recipe.data.colour == "grey" else 3), int(recipe.data.size)
    with torch.device("meta"):
        network = create_model(recipe.model.name)
    fixed = 5 * sum(weight.nbytes for weight in network.parameters())
    batch = BATCHES[-1]
    return fixed, (saved_for_backward(network, (batch, channels, size, size)) or 0) // batch


def located_weights(weights: str) -> str:
    """A path, or that of the run of this name, made absolute; everything else as it is."""
    path = run_called(weights) or Path(weights)
    return str(path.absolute()) if path.exists() else weights
