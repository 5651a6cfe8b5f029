"""Resolving a recipe: a value for every `auto`, and the origin of each value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from saccade.augmentation.augmentation import compose
from saccade.augmentation.catalogue import parse_augmentation
from saccade.augmentation.crop import stage_sizes
from saccade.auto import choose as starting
from saccade.auto import optimizer
from saccade.auto.choose import FindWeights, choose_weights
from saccade.auto.fitted import is_fitted, without_training, without_use_beside_own
from saccade.auto.summary import DatasetSummary
from saccade.auto.weights import SMALL, local_weights
from saccade.data.batch import Batch
from saccade.device import device
from saccade.engine.freezing import batch_norms, trainable_per_stage
from saccade.engine.step import refuse_compiling
from saccade.errors import RecipeError, UsageError
from saccade.explain.anatomy import anatomy
from saccade.models import own as own_network
from saccade.models.create import check_size, create_model, input_shape
from saccade.models.table import is_table
from saccade.models.variants import apply_variant
from saccade.own import Own
from saccade.recipes.recipe import Recipe, checked_settings_in, known_setting
from saccade.recipes.settings import Settings, freeze_layers, variant_of
from saccade.recipes.shipped import RECIPES, unknown_recipe
from saccade.recipes.training import ENDLESS

MANY = 20_000  # images
TINY = 1e9  # operations in a step, some milliseconds of one core
TENSOR_CORES = (7, 0)  # CUDA's compute capability of Volta, the first GPUs with fast float16
CPU_SIZE = 128  # pixels; a third of the work of 224
Chooser = Callable[[Recipe, DatasetSummary], tuple[Any, str]]  # a value and the reason for it


def resolve(
    recipe: str | Path | None,
    flags: Mapping[str, Any],
    summary: DatasetSummary,
    *,
    find_weights: FindWeights = local_weights,
    choices: Mapping[str, tuple[Any, str]] | None = None,
) -> Settings:
    """Defaults, then the recipe, then the flags; what is still `auto` is chosen from `summary`.

    `find_weights` lists pretrained weights; `choices` of a comparison, values with their reasons,
    go before all others.
    """
    Recipe().with_(flags)  # refuses what no recipe takes, before any weights are fetched
    name, notes = (
        (recipe, ()) if recipe is not None else _default_recipe(summary, flags, find_weights)
    )
    values = Recipe().settings()
    origins = dict.fromkeys(values, "default")
    stated, origin = _recipe_values(name)
    result = Recipe().with_(stated).with_(flags)
    origins.update(dict.fromkeys(stated, origin))
    origins.update(dict.fromkeys(flags, "flag"))
    if optimizer.NAME in flags:
        before = Recipe().with_(stated)
        result = optimizer.with_own_needs(result, before, flags, origins)
    elif optimizer.NAME in stated and str(name) not in RECIPES:
        result = optimizer.with_own_needs(result, Recipe(), {*stated, *flags}, origins)
    if optimizer.BATCH in flags:
        before = Recipe().with_(stated)
        result = optimizer.with_rate_of_batches(result, before, flags, origins)
    if is_table(result.model.name):
        result = result.with_({"model.name": str(Path(result.model.name).absolute())})
    result = without_use_beside_own(result, flags, origins)
    if is_fitted(result):
        result = without_training(result, flags, origins)
    elif result.train.epochs == 0:
        starting.refuse_unused(result, flags, origins)
    result, adopted = choose_weights(result, summary, find_weights, choices or {})
    origins.update({name: f"auto: {why}" for name, (_, why) in adopted.items()})
    if (
        result.train.minutes
        and result.train.epochs
        and origins["train.epochs"].split()[0] in ("default", "recipe")
    ):
        result = result.with_({"train.epochs": ENDLESS})
        origins["train.epochs"] = "auto: the time limit train.minutes ends the training"
    result = _choose(result, FIRST_CHOICES, summary, origins)
    _refuse_misfits(result)
    device(result.train.device)  # refused here where there is none
    return Settings(_choose(result, LATER_CHOICES, summary, origins), origins, notes)


def _choose(
    recipe: Recipe, choices: Mapping[str, Chooser], summary: DatasetSummary, origins: dict[str, str]
) -> Recipe:
    """The recipe with a value for each `auto` of `choices`; the reasons go into `origins`."""
    for setting, choose in choices.items():
        if recipe.settings()[setting] == "auto":
            value, reason = choose(recipe, summary)
            recipe = recipe.with_({setting: value})
            origins[setting] = f"auto: {reason}"
    return recipe


def _default_recipe(
    summary: DatasetSummary, flags: Mapping[str, Any], find_weights: FindWeights
) -> tuple[str, tuple[str, ...]]:
    name, why = starting.default_recipe(summary, flags, find_weights)
    return name, (f"recipe {name}: {why}",)


def stated_settings(recipe: str | Path | None, flags: Mapping[str, Any]) -> dict[str, Any]:
    """What a recipe and the flags set, by full names; the flags go before the recipe.

    Raises `RecipeError` for a setting that there is not or a value that it cannot take.
    """
    stated = {} if recipe is None else _recipe_values(recipe)[0]
    return {name: known_setting(name).read(value) for name, value in (stated | {**flags}).items()}


def _recipe_values(recipe: str | Path) -> tuple[dict[str, Any], str]:
    """The values that a named recipe or a file sets, and the name of their origin."""
    if not isinstance(recipe, str | Path):
        what = f"recipe cannot be a value of the type {type(recipe).__name__}"
        hint = "name a recipe or a TOML file; settings go into with_={'optim.lr': 0.1}"
        raise UsageError(what, hint)
    if str(recipe) in RECIPES:
        defaults = Recipe().settings()
        values = RECIPES[str(recipe)]().settings()
        return {k: v for k, v in values.items() if v != defaults[k]}, f"recipe {recipe}"
    if str(recipe).lower().endswith(".toml"):
        return checked_settings_in(Path(recipe)), f"file {Path(recipe).name}"
    raise unknown_recipe(str(recipe))


def _refuse_misfits(recipe: Recipe) -> None:
    """Raise `UsageError` where the network cannot take the images that the recipe gives it."""
    name, size, colour = recipe.model.name, int(recipe.data.size), recipe.data.colour
    channels = input_shape(name)[0]
    if channels != (1 if colour == "grey" else 3):
        takes = "grey" if channels == 1 else "rgb"
        raise UsageError(f"{name} takes {takes} images, not {colour}", f"set data.colour={takes}")
    if recipe.train.compile != "off":
        refuse_compiling(recipe.train.compile, device(recipe.train.device))
    for side in sorted({size, *_training_sizes(recipe, channels)}):
        check_size(name, side)
    with torch.device("meta"):
        network = apply_variant(create_model(name, 10), variant_of(recipe), (channels, size, size))
    if recipe.model.norm_statistics == "pretrained":
        _refuse_to_keep_nothing(recipe, network)
    if recipe.train.epochs:
        freeze_layers(network, recipe)
        trainable_per_stage(network, recipe.stages)


def _refuse_to_keep_nothing(recipe: Recipe, network: torch.nn.Module) -> None:
    """Raise `RecipeError` where there are no pretrained statistics of batches."""
    if recipe.model.weights != "none" and batch_norms(network):
        return
    lacking = "batch normalisation" if recipe.model.weights != "none" else "pretrained weights"
    what = f"model.norm_statistics=pretrained keeps nothing: {recipe.model.name} has no {lacking}"
    raise RecipeError(what, "leave it out")


def _training_sizes(recipe: Recipe, channels: int) -> tuple[int, ...]:
    """The sizes of the images that training uses, in pixels."""
    size = int(recipe.data.size)
    augment = compose([parse_augmentation(text, classes=1) for text in recipe.data.augment])
    images = torch.zeros(1, channels, size, size, dtype=torch.uint8)
    batch = Batch(images, torch.zeros(1, dtype=torch.int64), torch.arange(1))
    return stage_sizes(
        augment(batch, torch.Generator()).images.shape[2], recipe.data.progressive_resizing
    )


def _model(recipe: Recipe, summary: DatasetSummary) -> tuple[str, str]:
    colour = "grey" if summary.grey else "colour"
    why = f"{colour}, {summary.short_side} pixels"
    if summary.short_side > SMALL:
        return "resnet18", why
    return ("lenet5" if summary.grey else "cifar_resnet20"), why


def _size(recipe: Recipe, summary: DatasetSummary) -> tuple[int, str]:
    name, own = recipe.model.name, input_shape(recipe.model.name)[1]
    if isinstance(name, Own):
        largest = CPU_SIZE if recipe.train.device == "cpu" else own_network.LARGEST_SIZE
        size = own_network.nearest_size(name, min(summary.short_side, largest))
        return size, f"of the sizes that it takes, for images of {summary.short_side} pixels"
    if recipe.train.device == "cpu" and own > CPU_SIZE and _takes(name, CPU_SIZE):
        return CPU_SIZE, f"a processor's pace; {name}'s own is {own}"
    return own, f"{name}'s own"


def _takes(name: str, size: int) -> bool:
    try:
        check_size(name, size)
    except UsageError:
        return False
    return True


def _norm_statistics(recipe: Recipe, summary: DatasetSummary) -> tuple[str, str]:
    if recipe.model.weights == "none" or not recipe.train.epochs:
        return "batch", "no pretrained weights" if recipe.train.epochs else "nothing is trained"
    if not _has_batch_norm(recipe.model.name):
        return "batch", "no use: the network has no batch normalisation"
    return "pretrained", "batches of few images would spoil what the weights know"


def _has_batch_norm(name: str) -> bool:
    with torch.device("meta"):
        return bool(batch_norms(create_model(name, 10)))


def _doctor(recipe: Recipe, summary: DatasetSummary) -> tuple[str, str]:
    if not summary.files and summary.count > MANY:
        return "off", f"{summary.count:,} arrays take a minute; saccade doctor looks at them"
    return "on", "it is quick"


def _colour(recipe: Recipe, summary: DatasetSummary) -> tuple[str, str]:
    grey = input_shape(recipe.model.name)[0] == 1
    return ("grey" if grey else "rgb"), f"{recipe.model.name}'s own"


def _window(recipe: Recipe, summary: DatasetSummary) -> tuple[str, str]:
    if summary.deep:
        return "auto", "the training images say it"  # `auto.window.with_window`
    return "type", "8 bits a sample"


def _device(recipe: Recipe, summary: DatasetSummary) -> tuple[str, str]:
    if torch.cuda.is_available():
        return "cuda", torch.cuda.get_device_name()
    if torch.backends.mps.is_available():
        return "mps", "an Apple GPU is there"
    return "cpu", "no GPU here"


def _threads(recipe: Recipe, summary: DatasetSummary) -> tuple[int, str]:
    name, size = recipe.model.name, int(recipe.data.size)
    with torch.device("meta"):
        network = create_model(name)
    forward = anatomy(network, (input_shape(name)[0], size, size)).total.multiply_adds
    batch = int(recipe.train.batch_size)
    operations = 6 * forward * batch  # two a multiply-add, backward twice that
    if operations < TINY:
        return 1, "small steps"
    return torch.get_num_threads(), "all"


def _precision(recipe: Recipe, summary: DatasetSummary) -> tuple[str, str]:
    kind = recipe.train.device.split(":")[0]
    if kind == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return "bfloat16", "the GPU has it"
    if kind == "cuda" and torch.cuda.get_device_capability(recipe.train.device) >= TENSOR_CORES:
        return "float16", "the GPU has it, and no bfloat16"
    if kind == "cpu" and _cpu_computes_bfloat16():
        return "bfloat16", "the processor has it"
    return "float32", "no fast bfloat16 here"


def _cpu_computes_bfloat16() -> bool:
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


FIRST_CHOICES: dict[str, Chooser] = {  # in this order: later ones look at earlier ones
    "model.name": _model,
    "train.device": _device,
    "data.size": _size,
    "data.colour": _colour,
    "data.window": _window,
    "data.doctor": _doctor,
    "data.augment": starting.augment,
    "model.head": starting.head,
    "model.norm_statistics": _norm_statistics,
}
LATER_CHOICES: dict[str, Chooser] = {
    "train.precision": _precision,
    "train.batch_size": starting.batch_size,
    "optim.warmup": starting.warmup,
    "train.threads": _threads,
}
