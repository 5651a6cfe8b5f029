"""Command lines as people read them and as processes run them."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from saccade import api
from saccade.command import RENAMED, Command, renamed


def test_what_says_nothing_is_left_out_and_the_rest_is_quoted() -> None:
    made = Command.of(
        "train",
        "my photos",
        recipe=None,
        with_={"optim.lr": 0.1, "data.augment": ("flip", "cutout")},
        track=["mlflow", "wandb"],
        max_restarts=2,
        save=True,
        by="",
        out=Path("runs/a b"),
    )
    assert made.arguments == (
        "train", "my photos", "--with", "optim.lr=0.1", "--with", "data.augment=flip cutout",
        "--track", "mlflow", "--track", "wandb", "--max-restarts", "2", "--save", "--out",
        "runs/a b",
    )  # fmt: skip
    assert shlex.split(str(made)) == ["saccade", *made.arguments]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("find-rate d --out r.svg", "saccade lr-find d --out r.svg"),
        ("suspects d --apply c.csv", "saccade label-issues d --cleaned c.csv"),
        ("train d --plan --epochs 3", "saccade plan d --epochs 3"),
        ("train d --features-only", "saccade train d --recipe features"),
        ("evaluate r --views 'crops flip'", "saccade evaluate r --tta 'crops flip'"),
        (
            "evaluate r --precision 0.9 --keep",
            "saccade tune-threshold r --precision 0.9 --save",
        ),
        ("study s --at-once 4", "saccade study s --jobs 4"),
        ("resume r --restarts 1", "saccade resume r --max-restarts 1"),
    ],
)
def test_a_command_of_before_is_said_in_todays_words(before: str, now: str) -> None:
    assert str(renamed(shlex.split(before))) == now


def test_todays_commands_are_left_alone() -> None:
    assert renamed([]) is None
    assert renamed(["train", "d", "--epochs", "3"]) is None
    verbs = {name.replace("_", "-") for name in api.__all__}
    assert {now[0] for now in RENAMED.values()} <= verbs
