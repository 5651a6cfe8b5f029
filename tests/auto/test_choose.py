"""Transfer is chosen where it helps, visibly, and never against what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from saccade.auto.resolve import resolve
from saccade.auto.summary import DatasetSummary
from saccade.errors import RecipeError, WeightsError
from saccade.models.weights import PublicWeights, weights_entry
from saccade.recipes.recipe import Recipe
from saccade.tasks.catalogue import LABELS

FEW = DatasetSummary(short_side=480, grey=False, count=244, per_class=122)
TINY = DatasetSummary(short_side=480, grey=False, count=8, per_class=4)
MANY = DatasetSummary(short_side=480, grey=False, count=1_000_000, per_class=1000)
DIGITS = DatasetSummary(short_side=8, grey=True, count=1797, per_class=179)


def here(short_side: int, network: str = "auto") -> list[PublicWeights]:
    return [weights_entry("resnet18", "imagenet")] if network in ("auto", "resnet18") else []


def nothing(short_side: int, network: str = "auto") -> list[PublicWeights]:
    return []


def test_few_photographs_and_weights_at_hand_are_transfer_and_it_is_said() -> None:
    settings = resolve(None, {}, FEW, find_weights=here)
    model, data = settings.recipe.model, settings.recipe.data
    assert settings.notes == (
        "recipe finetune: 244 images are few, and weights of resnet18 are at hand; with 122 a "
        "class the last layer is fitted, then all is trained",
    )
    assert (model.name, model.weights, model.head) == ("resnet18", "imagenet", "logistic")
    assert (data.size, data.resize, data.crop_pct) == (224, "crop", 224 / 256)
    assert settings.origins["model.weights"] == "auto: at hand, 69.758 % as published"
    assert settings.origins["data.size"] == "auto: as the weights were trained"
    assert settings.origins["data.augment"] == "auto: 122 images per class"


def test_very_few_images_are_not_trained_on_but_looked_at() -> None:
    settings = resolve(None, {}, TINY, find_weights=here)
    assert settings.notes[0].endswith("; with 4 a class nothing but a last layer is fitted")
    recipe = settings.recipe
    assert (recipe.train.epochs, recipe.model.freeze) == (0, "features")
    assert recipe.model.head == "logistic"
    fewer = DatasetSummary(short_side=480, grey=False, count=4, per_class=2)
    assert resolve(None, {}, fewer, find_weights=here).recipe.model.head == "nearest_mean"
    numbers = resolve(
        None, {}, DatasetSummary(480, grey=False, count=90, task=LABELS[float]), find_weights=here
    )
    assert numbers.notes[0].endswith("; numbers are told by a last layer fitted to features")
    assert numbers.recipe.model.head == "ridge"


@pytest.mark.parametrize(
    ("seen", "hand", "flags"),
    [(FEW, nothing, {}), (MANY, here, {}), (FEW, here, {"model.weights": "none"}),
     (FEW, here, {"model.name": "vgg11"})],
)  # fmt: skip
def test_else_it_is_learned_from_scratch(seen: DatasetSummary, hand: object, flags: dict) -> None:
    settings = resolve(None, flags, seen, find_weights=hand)  # type: ignore[arg-type]
    assert settings.recipe.model.weights == "none"
    assert settings.notes[0].startswith("recipe photos: ")


def test_without_weights_the_reason_for_starting_from_scratch_is_told() -> None:
    (note,) = resolve(None, {}, FEW, find_weights=nothing).notes
    assert "no pretrained weights are at hand, so from scratch: " in note
    assert "26 and 27 points of accuracy" in note
    assert "curl" not in note  # this is kept in the run and its report: no path of a machine


def test_digits_are_learned_from_scratch_whatever_lies_here() -> None:
    assert resolve(None, {}, DIGITS, find_weights=here).recipe.model.weights == "none"


def test_transfer_that_was_asked_for_is_not_replaced_by_anything() -> None:
    with pytest.raises(WeightsError, match="no pretrained weights are at hand"):
        resolve("finetune", {}, FEW, find_weights=nothing)
    with pytest.raises(WeightsError, match="no pretrained weights of vgg11 are at hand"):
        resolve("features", {"model.name": "vgg11"}, FEW, find_weights=here)


def test_what_is_written_stays(tmp_path: Path) -> None:
    wanted = {"data.size": 160, "data.resize": "squash", "model.head": "ridge", "optim.lr": 0.5}
    chosen = resolve(None, wanted, FEW, find_weights=here).recipe.settings()
    assert {name: chosen[name] for name in wanted} == wanted
    assert chosen["data.interpolation"] == "bilinear"


def test_a_resolved_recipe_of_transfer_resolves_to_itself(tmp_path: Path) -> None:
    recipe = resolve(None, {}, FEW, find_weights=here).recipe
    recipe.save(tmp_path / "r.toml")
    assert resolve(tmp_path / "r.toml", {}, DIGITS, find_weights=nothing).recipe == recipe


def test_settings_that_do_nothing_without_an_epoch_say_so_or_are_refused() -> None:
    settings = resolve("features", {}, FEW, find_weights=here)
    assert settings.origins["optim.lr"] == "no use: nothing is trained"
    for name, value in (
        ("optim.lr", 0.1),
        ("train.label_smoothing", 0.1),
        ("data.augment", "flip"),
    ):
        with pytest.raises(RecipeError, match=f"{name} does nothing"):
            resolve("features", {name: value}, FEW, find_weights=here)
    views = {"data.augment": "flip", "data.augmented_copies": 2}
    assert resolve("features", views, FEW, find_weights=here).recipe.data.augment == ("flip",)


def test_a_comparison_goes_before_the_published_figures() -> None:
    found = {"model.name": ("resnet50", "better"), "model.weights": ("imagenet", "better")}
    settings = resolve(None, {}, FEW, find_weights=here, choices=found)
    assert settings.recipe.model.name == "resnet50"
    assert settings.origins["model.name"] == "auto: better"
    kept = resolve(None, {"model.name": "resnet18"}, FEW, find_weights=here, choices=found)
    assert kept.recipe.model.name == "resnet18"


def test_fewer_images_are_changed_more() -> None:
    def augment(per_class: int) -> tuple[str, ...]:
        seen = DatasetSummary(short_side=480, grey=False, count=4 * per_class, per_class=per_class)
        return tuple(resolve("finetune", {}, seen, find_weights=here).recipe.data.augment)

    lengths = [len(augment(count)) for count in (10, 50, 200, 1000)]
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) == 4


def test_the_rate_rises_over_steps_but_over_a_share_where_the_clock_ends_it() -> None:
    seen = DatasetSummary(short_side=480, grey=False, count=4000, per_class=1000)
    assert resolve("finetune", {}, seen, find_weights=here).recipe.optim.warmup == 50
    timed = resolve("finetune", {"train.minutes": 5}, seen, find_weights=here).recipe
    assert timed.optim.warmup == 0.1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model.freeze": "conv1", "model.unfreeze": "layer4"}, "does not go with model.unfreeze"),
        ({"model.weights": "imagenet", "model.init": "he"}, "it would undo them"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes: dict, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        Recipe().with_(changes)


@pytest.mark.parametrize(
    ("count", "per_class", "chosen"),
    [
        (100_000, 0, 256),  # 70,000 to train on, 273 steps
        (1797, 0, 32),  # 1,257: 39 steps, where 64 would leave 19
        (100, 0, 16),  # 70: 4 steps, and 16 is the least
        (100_000, 100, 32),  # 1,000 of 10 classes: 31 steps
    ],
)
def test_a_batch_leaves_an_epoch_thirty_steps(count: int, per_class: int, chosen: int) -> None:
    seen = DatasetSummary(short_side=28, grey=True, count=count, per_class=count // 10)
    wanted = {"train.batch_size": "auto", "data.per_class": per_class}
    settings = resolve("small", wanted, seen)
    assert settings.recipe.train.batch_size == chosen
    assert settings.origins["train.batch_size"].startswith("auto: about ")
    assert "steps per epoch" in settings.origins["train.batch_size"]


def test_a_batch_fits_in_half_of_the_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: 784 inputs to 10 classes and their biases, five times; an image keeps itself."""
    fixed, each = 5 * 4 * (784 * 10 + 10), 4 * 784
    seen = DatasetSummary(short_side=28, grey=True, count=100_000, per_class=10_000)
    wanted = {"train.batch_size": "auto", "model.name": "logistic_regression"}
    for free, chosen in (
        (2 * (fixed + 256 * each), 256),
        (2 * (fixed + 256 * each) - 2, 128),
        (2 * (fixed + 16 * each), 16),
        (0, 16),
    ):
        monkeypatch.setattr(
            "saccade.auto.choose.free_device_memory", lambda device, free=free: free
        )
        settings = resolve("small", wanted, seen)
        assert settings.recipe.train.batch_size == chosen
        reason = settings.origins["train.batch_size"]
        assert ("memory" in reason) == (chosen < 256)


def test_a_batch_that_a_recipe_states_stays() -> None:
    assert resolve("imagenet", {}, FEW).recipe.train.batch_size == 256
    assert resolve("small", {}, DIGITS).origins["train.batch_size"] == "default"


@pytest.mark.parametrize(
    ("changes", "chosen", "why"),
    [
        ({}, "pretrained", "batches of few images"),
        ({"model.weights": "none", "model.head": "random"}, "batch", "no pretrained weights"),
        ({"train.epochs": 0}, "batch", "nothing is trained"),
        ({"model.norm_statistics": "batch"}, "batch", "flag"),
    ],
)
def test_pretrained_statistics_of_batch_normalisation_are_kept(
    changes: dict[str, object], chosen: str, why: str
) -> None:
    settings = resolve("finetune", changes, FEW, find_weights=here)
    assert settings.recipe.model.norm_statistics == chosen
    assert why in settings.origins["model.norm_statistics"]


def test_statistics_that_there_are_none_of_cannot_be_kept() -> None:
    kept = {"model.norm_statistics": "pretrained"}
    with pytest.raises(RecipeError, match="has no pretrained weights"):
        resolve("photos", kept, FEW, find_weights=nothing)
    with pytest.raises(RecipeError, match="vgg11 has no batch normalisation"):
        resolve("finetune", {**kept, "model.name": "vgg11"}, FEW, find_weights=vgg)


def vgg(short_side: int, network: str = "auto") -> list[PublicWeights]:
    return [weights_entry("vgg11", "imagenet")]
