"""What people know from elsewhere leads to a setting or an option that there is."""

from __future__ import annotations

import pytest

from saccade import api
from saccade.call import SILENCE
from saccade.recipes.foreign import (
    ANSWERS,
    NAMES,
    OPTIONS,
    PLACES,
    PYTHON_ANSWERS,
    SWITCHES,
    VALUES,
    VERBS,
    plain_name,
    setting_for,
)
from saccade.recipes.recipe import Recipe, all_settings
from saccade.usage import options_of


def test_every_name_leads_to_a_setting() -> None:
    assert set(NAMES.values()) <= all_settings().keys()


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_leads_to_a_value_that_its_setting_takes(name: str) -> None:
    setting, _, value = SWITCHES[name].partition("=")
    Recipe().with_({setting: value})


@pytest.mark.parametrize(
    ("setting", "value"), [(name, v) for name, values in VALUES.items() for v in values.values()]
)
def test_every_value_is_one_that_its_setting_takes(setting: str, value: str) -> None:
    Recipe().with_({setting: value})


def test_every_option_is_one_of_a_verb() -> None:
    verbs = [name.replace("_", "-") for name in api.__all__]
    known = {option for verb in verbs for option in options_of(verb)}
    assert set(OPTIONS.values()) <= known
    assert set(VERBS.values()) <= set(verbs)


def test_a_name_is_in_one_table_of_settings_and_has_no_setting_of_its_own() -> None:
    tables = [NAMES, SWITCHES, ANSWERS, dict.fromkeys(PLACES)]
    names = [name for table in tables for name in table]
    assert len(names) == len(set(names))
    fields = {setting.field for setting in all_settings().values()}
    assert not fields & {*NAMES, *SWITCHES}
    assert all(name == plain_name(name) for name in [*names, *OPTIONS])


@pytest.mark.parametrize(
    ("name", "value", "setting", "here"),
    [
        ("--learning-rate", "0.1", "optim.lr", "0.1"),
        ("imgsz", "224", "data.size", "224"),
        ("--opt", "momentum", "optim.name", "sgd"),
        ("--sched", "step", "optim.schedule", "multistep"),
        ("--pretrained", "", "model.weights", "auto"),
        ("--pretrained", "False", "model.weights", "none"),
        ("--pretrained", "mine.pth", "model.weights", "mine.pth"),
        ("--mixup", "0.4", "data.augment", "mixup:0.4"),
        ("--fliplr", "0.5", "data.augment", "flip:0.5"),
        ("--fliplr", "0.0", "data.augment", ""),
        ("--mixup", "1", "data.augment", "mixup:1"),
        ("--model-ema", "0.99", "train.ema", "0.99"),
        ("--amp", "0.", "train.precision", "float32"),
        ("--img-size", "(224, 224)", "data.size", "224"),
        ("--gpu", "0", "train.device", "cuda:0"),
    ],
)
def test_a_name_and_a_value_are_said_as_here(
    name: str, value: str, setting: str, here: str
) -> None:
    assert setting_for(name, value) == (setting, here)


def test_a_switch_that_is_off_stands_for_nothing() -> None:
    for no in ("0", "0.0", "0.", "false", "No", "none", "off"):
        assert setting_for("--mixup", no) is None
        assert setting_for("--save-best", no) == ("train.checkpoint", "last")


def test_no_answer_in_python_is_a_word_of_a_command_line() -> None:
    answered = {name: answer for name, answer in PYTHON_ANSWERS.items() if name not in SILENCE}
    assert not [
        name for name, answer in answered.items() if "--" in answer or "saccade r" in answer
    ]
