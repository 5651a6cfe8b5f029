"""Studies as files: what is trained, what is refused, and that the shipped ones hold together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from saccade.auto.resolve import resolve
from saccade.auto.summary import summarize
from saccade.data.sources import open_source
from saccade.errors import RecipeError, UsageError
from saccade.models.create import input_shape
from saccade.recipes.recipe import Recipe
from saccade.studies.load import SHIPPED, find_study, load_study
from saccade.studies.study import Study

HEAD = 'question = "which?"\nmetric = "test_accuracy"\n'
PAIR = '[variants.one]\noptim.lr = 0.1\n[variants.two]\noptim.name = "sgd"\n'

Written = Callable[[str], Study]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """The study in a file of this text."""

    def write(text: str) -> Study:
        (tmp_path / "mine.toml").write_text(text)
        return load_study(tmp_path / "mine.toml")

    return write


def test_each_variant_changes_the_common_settings(written: Written) -> None:
    study = written(f"{HEAD}[settings]\ntrain.epochs = 3\noptim.lr = 0.5\n{PAIR}")
    assert study.recipe.settings()["train.epochs"] == 3
    assert [dict(trial.settings) for trial in study.trials] == [
        {"optim.lr": 0.1},
        {"optim.name": "sgd"},
    ]
    assert [variant.baseline for variant in study.variants] == ["", "one"]


def test_axes_give_every_combination(written: Written) -> None:
    axes = (
        "[axes.size.few]\ndata.per_class = 5\n[axes.size.many]\ndata.per_class = 50\n"
        '[axes.augment.plain]\n[axes.augment.flipped]\ndata.augment = ["flip"]\n'
    )
    study = written(HEAD + axes)
    names = ["few, plain", "few, flipped", "many, plain", "many, flipped"]
    assert [variant.name for variant in study.variants] == names
    assert study.variants[3].settings == {"data.per_class": 50, "data.augment": ["flip"]}
    assert [variant.baseline for variant in study.variants] == ["", *["few, plain"] * 3]
    along = written(f'{HEAD}along = "augment"\n{axes}')
    assert [v.baseline for v in along.variants] == ["", "few, plain", "", "many, plain"]


def test_a_tuned_setting_gives_a_trial_for_each_value(written: Written) -> None:
    tuned = "optim.lr = { best_of = [0.1, 0.2] }"
    study = written(f"{HEAD}[settings]\n{tuned}\n[variants.a]\n[variants.b]\noptim.lr = 0.5\n")
    assert [trial.name for trial in study.trials] == ["a, lr 0.1", "a, lr 0.2", "b"]
    assert [trial.folder for trial in study.trials] == ["a-lr-0.1", "a-lr-0.2", "b"]
    assert [dict(trial.settings) for trial in study.trials] == [
        {"optim.lr": 0.1},
        {"optim.lr": 0.2},
        {"optim.lr": 0.5},
    ]


def test_a_named_recipe_can_be_what_is_changed(written: Written) -> None:
    study = written(f'recipe = "small"\n{HEAD}[settings]\ntrain.epochs = 2\n{PAIR}')
    settings = study.recipe.settings()
    assert (settings["train.ema"], settings["train.epochs"], settings["train.threads"]) == (
        0.99,
        2,
        1,
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_a_study_written_and_read_is_the_same_study(name: str, tmp_path: Path) -> None:
    text = find_study(name).to_toml()
    (tmp_path / "study.toml").write_text(text)
    assert load_study(tmp_path / "study.toml").to_toml() == text


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_study_says_what_it_asks_and_what_it_cannot_show(name: str) -> None:
    study = find_study(name)
    assert all((study.title, study.question.endswith("?"), study.lectures, study.limitations))
    assert study.seeds >= 3
    for trial in study.trials:
        recipe = study.recipe.with_(trial.settings)
        assert input_shape(recipe.model.name)[1] in (28, 32)  # small images, small networks


TWO = f"{HEAD}[variants.a]\n[variants.b]\n"


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        (f"{TWO}optim.lrr = 1\n", "the variant 'b': no setting", "optim.lr"),
        (f"{TWO}optim.lr = 'fast'\n", "optim.lr cannot be 'fast'", "a number"),
        (f"{HEAD}[settings]\noptim.lr = -1\n{PAIR}", "the settings of 'mine'", "above 0"),
        (f"{HEAD}[settings]\ntrain.seed = 1\n{PAIR}", "sets train.seed", "seeds = 3"),
        (
            f"against = 'a'\n{HEAD}{PAIR}",
            "no key of a study is called against",
            "it is called baseline now",
        ),
        (f"{HEAD}seed = 3\n{PAIR}", "no key of a study is called 'seed'", "seeds"),
        (f"{HEAD}recipe = 'smal'\n{PAIR}", "no recipe is called 'smal'", "small"),
        (f"{HEAD}seeds = 0\n{PAIR}", "seeds cannot be '0'", "from 1 to"),
        (HEAD, "needs variants or axes", "[variants.adam]"),
        (f"{HEAD}[variants.a]\n", "has nothing to compare", "two variants"),
        (f"{HEAD}[variants.'a b']\n[variants.'a-b']\n", "would lie in one folder", "that differ"),
        (f"{TWO}baseline = 'c'\n", "no variant is called 'c'", "a, b"),
        ("metric = 'test_accuracy'\n" + PAIR, "has no question", "saccade studies"),
        (f"question = '?'\nmetric = 'accuracy'\n{PAIR}", "called 'accuracy'", "test_accuracy"),
        (f"question = '?'\nmetric = 'epochs_to_loss'\n{PAIR}", "'epochs_to_loss'", "loss:0.1"),
        (f"{HEAD}variants = {{}}\n", "needs variants or axes", "[variants.adam]"),
        (f"{HEAD}variants = {{ a = 1, b = 2 }}\n", "'a = 1' sets nothing", "optim.name"),
        (f"{HEAD}axes = {{ a = 1 }}\n", "'a = 1' sets nothing", "optim.name"),
        (f"{HEAD}[axes.a]\nfew = 3\n", "'few = 3' sets nothing", "optim.name"),
        (f"settings = 3\n{TWO}", "'settings = 3' sets nothing", "optim.name"),
        (f"{TWO}optim.lr = {{ best_of = [] }}\n", "optim.lr is the best of '[]'", "best_of"),
        (f"along = 'b'\n{HEAD}[axes.a.one]\n[axes.a.two]\n", "no axis is called 'b'", "a"),
        (f"seeds = true\n{TWO}", "seeds cannot be 'True'", "from 1 to"),
        ("question = ", "is no TOML", ""),
        ("a=" + "[" * 5000, "is nested too deeply", "[variants.adam]"),
        (f"{TWO}train.average = 0.9\n", "no setting is called 'train.average'", "train.ema"),
    ],
)
def test_what_a_study_cannot_mean_is_refused(
    written: Written, text: str, what: str, hint: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        written(text)
    assert what in caught.value.what
    assert hint in caught.value.hint


def test_a_study_of_no_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        find_study("optimizer")
    assert "did you mean optimizers" in caught.value.hint
    with pytest.raises(RecipeError, match="cannot be read"):
        find_study("nowhere.toml")


def test_settings_from_a_command_line_are_read_as_what_they_are(written: Written) -> None:
    study = written(HEAD + PAIR).with_({"train.epochs": "4", "data.augment": "flip noise:3"})
    assert study.settings == {"train.epochs": 4, "data.augment": ("flip", "noise:3")}
    own = {"train.threads": 1, "data.doctor": "off"}
    assert study.recipe == Recipe().with_({**study.settings, **own})
    with pytest.raises(RecipeError, match=r"no setting is called 'train\.epoch'"):
        study.with_({"train.epoch": 3})


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_study_can_be_trained_on_data_that_come_along(name: str) -> None:
    study = find_study(name)
    assert study.data == "digits"
    source = open_source(study.data)
    summary = summarize(source.read(source.splits[0]))
    for trial in study.trials:
        resolve("small", {**study.recipe.settings(), **trial.settings}, summary)


def test_the_list_says_the_data_and_what_was_measured() -> None:
    study = replace(find_study("learning_rate"), measured={"minutes": 2.25, "megabytes": 690.0})
    assert study.cost == "(digits; 2.2 min of one thread, 0.7 GB)"
    assert replace(study, measured={}).cost == "(digits; not measured)"


def test_what_is_measured_is_two_numbers(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(SHIPPED["learning_rate"].read_text("utf-8").replace("minutes =", "hours ="))
    with pytest.raises(RecipeError, match="minutes and megabytes"):
        load_study(file)
