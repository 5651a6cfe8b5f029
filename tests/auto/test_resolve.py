from __future__ import annotations

from pathlib import Path

import pytest
import torch

from saccade.auto.resolve import resolve
from saccade.auto.summary import DatasetSummary
from saccade.device import device
from saccade.errors import RecipeError, ResourceError, UsageError
from saccade.recipes.recipe import Recipe

GREY = DatasetSummary(short_side=8, grey=True)
PHOTOS = DatasetSummary(short_side=480, grey=False)


def test_every_setting_has_an_origin_and_nothing_stays_auto() -> None:
    for seen in (GREY, PHOTOS):
        settings = resolve(None, {}, seen)
        assert set(settings.origins) == set(settings.recipe.settings())
        left = [name for name, value in settings.recipe.settings().items() if value == "auto"]
        assert left == ["data.split_column", "data.cache"]  # decided where the images lie


def test_flags_go_before_the_recipe_and_the_recipe_before_defaults(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[optim]\nlr = 0.5\nclip_grad = 1\n")
    settings = resolve(tmp_path / "mine.toml", {"optim.lr": 0.25}, GREY)
    assert settings.recipe.optim.lr == 0.25
    assert settings.recipe.optim.clip_grad == 1
    origins = settings.origins
    assert origins["optim.lr"] == "flag"
    assert origins["optim.clip_grad"] == "file mine.toml"
    assert origins["optim.momentum"] == "default"
    assert origins["model.name"].startswith("auto: grey, 8 pixels")


def test_what_the_user_wrote_is_never_overridden() -> None:
    wanted = {"model.name": "lenet5_rgb", "data.size": 32, "train.precision": "float32"}
    chosen = resolve(None, wanted, PHOTOS).recipe.settings()
    assert {name: chosen[name] for name in wanted} == wanted
    assert chosen["data.colour"] == "rgb"


@pytest.mark.parametrize(
    ("bfloat16", "capability", "chosen"),
    [(True, (9, 0), "bfloat16"), (False, (7, 5), "float16"), (False, (6, 1), "float32")],
)
def test_a_gpu_computes_in_the_shortest_numbers_that_it_is_fast_at(
    bfloat16: bool, capability: tuple[int, int], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: bfloat16)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    settings = resolve(None, {"train.device": "cuda"}, GREY)
    assert settings.recipe.train.precision == chosen


def test_a_recipe_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="no recipe is called 'smal'"):
        resolve("smal", {}, GREY)


def test_a_wrong_setting_is_refused_before_weights_are_asked_for() -> None:
    def fetching(short_side: int, network: str) -> list:
        raise AssertionError("weights were asked for")

    for flags, words in (({"optim.lr": "fast"}, "cannot be 'fast'"), ({"optim.rl": 1}, "optim.rl")):
        with pytest.raises(RecipeError, match=words):
            resolve(None, flags, PHOTOS, find_weights=fetching)


def test_a_device_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="no device is called 'gpu'"):
        device("gpu")
    with pytest.raises(ResourceError):
        device("cuda:99")


def test_a_resolved_recipe_resolves_to_itself(tmp_path: Path) -> None:
    recipe = resolve(None, {}, PHOTOS).recipe
    recipe.save(tmp_path / "r.toml")
    assert resolve(tmp_path / "r.toml", {}, GREY).recipe == recipe
    assert Recipe.load(tmp_path / "r.toml") == recipe
