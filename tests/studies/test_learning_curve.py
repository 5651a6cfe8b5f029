"""A learning curve: nested shares, what more images give, and when that cannot be said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import saccade
from saccade.data.split_table import split_rows
from saccade.errors import DataError, UsageError
from saccade.metrics.intervals import wilson
from saccade.metrics.metric import MetricValue
from saccade.studies.curve_page import curve_page, log_ticks
from saccade.studies.curve_result import LearningCurve
from saccade.studies.forecast import CurvePoint

QUICK = {"data.doctor": "off", "model.name": "lenet5", "train.device": "cpu"}
TESTS = 400


def point(images: int, seed: int, errors: int, share: float) -> CurvePoint:
    value = 1 - errors / TESTS
    interval = wilson(TESTS - errors, TESTS)
    metric = MetricValue("accuracy", value, TESTS, interval, "%", method="Wilson")
    return CurvePoint(share, seed, images, metric, Path(f"share-{share:g}/seed-{seed}"))


def curve(errors: Mapping[int, tuple[int, ...]], target: float | None = None) -> LearningCurve:
    most = max(errors)
    points = tuple(
        point(images, seed, count, images / most)
        for images, counts in errors.items()
        for seed, count in enumerate(counts)
    )
    return LearningCurve(Path("runs/curve"), "classification", points, True, target)


FALLING = {100: (160, 158, 163), 200: (112, 115, 114), 400: (80, 78, 81), 800: (56, 58, 56)}


def test_twice_the_images_give_what_the_line_gives() -> None:
    """Errors fall by about the square root of two for each doubling."""
    result = curve(FALLING)
    assert result.reason == "" and [f.images for f in result.forecasts] == [1600, 3200]
    for forecast, error in zip(result.forecasts, (0.1, 0.0707), strict=True):
        assert 1 - forecast.score == pytest.approx(error, abs=0.003)
        assert forecast.low < forecast.score < forecast.high
    assert "1,600" in str(result) and "95 % interval" in str(result)


def test_a_target_needs_so_many_images_or_more_than_are_spoken_of() -> None:
    needed = curve(FALLING, 0.9).needed  # 0.4 sqrt(100 / n) = 0.1 at 1600
    assert needed and needed.images == pytest.approx(1600, rel=0.05)
    assert needed.low and needed.low < 1600
    far = curve(FALLING, 0.99)
    assert far.needed and far.needed.images is None
    assert "accuracy 99.0 % needs more than 3,200 images" in str(far)
    near = curve(FALLING, 0.75).needed
    assert near and near.images and near.images < 400


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        ({100: (160,), 200: (112,), 400: (80,)}, "one seed"),
        ({100: (160, 158), 200: (112, 115)}, "too few points"),
        ({100: (160, 158), 200: (160, 161), 400: (162, 160)}, "no downward slope"),
        ({100: (0, 0), 200: (0, 0), 400: (0, 0)}, "no error at any size"),
        (
            {100: (200, 202, 201), 200: (90, 91, 92), 400: (85, 86, 85), 800: (84, 83, 84)},
            "the curve flattens",
        ),
    ],
)
def test_it_says_why_nothing_can_be_said(errors: dict, reason: str) -> None:
    result = curve(errors, 0.9)
    assert reason in result.reason and result.forecasts == () and result.needed is None
    assert result.reason in str(result) and "cannot be said" in str(result)
    assert json.dumps(result.to_dict()) and curve_page(result, "saccade")


def test_no_error_counts_as_half_a_one() -> None:
    assert point(100, 0, 0, 1.0).error == pytest.approx(0.5 / 401)
    result = curve({100: (9, 8, 7), 200: (4, 3, 5), 400: (2, 2, 1), 800: (0, 1, 0)})
    assert result.law and result.law.c > 0.5 and "half a one" in str(result)


def test_a_fall_steeper_than_images_alone_give_is_said_to_be_too_good() -> None:
    steep = {100: (200, 202, 201), 200: (81, 79, 80), 400: (32, 32, 31), 800: (13, 12, 13)}
    assert "too good; try more --epochs" in str(curve(steep))
    assert "too good" not in str(curve(FALLING))


def test_a_table_has_each_training_and_each_forecast() -> None:
    result = curve(FALLING)
    lines = result.to_csv().splitlines()
    assert lines[0].startswith("kind,images,share,seed,score") and len(lines) == 1 + 12 + 2
    assert lines[1].startswith("trained,100,0.125,0,0.6,")
    assert len(result.to_frame()) == 14
    assert "accuracy" in result._repr_html_() and "12 trainings" in repr(result)
    page = curve_page(result, "saccade learning-curve photos")
    assert page.count('class="dot"') == 12 and "logarithmic" in page


def test_ticks_of_a_logarithmic_axis_are_round_and_three_to_seven_where_there_are_as_many() -> None:
    assert log_ticks(100, 10_000) == [100, 1000, 10_000]
    assert log_ticks(150, 3200) == [200, 500, 1000, 2000]
    assert log_ticks(0.05, 0.4) == [0.05, 0.1, 0.2]
    assert log_ticks(1e-5, 1) == [1e-5, 1e-4, 1e-3, 0.01, 0.1, 1]
    assert log_ticks(157, 5026) == [200, 500, 1000, 2000, 5000]
    assert log_ticks(7.9, 8.3) == [8.1]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> LearningCurve:
    out = tmp_path_factory.mktemp("curve") / "runs"
    options: dict[str, Any] = {"out": out, "seeds": 2, "shares": [0.5], "epochs": 1}
    return saccade.learning_curve("digits", with_=QUICK, **options)


def test_a_share_is_part_of_the_larger_one_and_the_test_images_are_the_seeds(
    digits: LearningCurve,
) -> None:
    parts = {
        (p.share, p.seed): {
            split: {n for n, row in split_rows(p.run / "split.csv").items() if row.split == split}
            for split in ("train", "test")
        }
        for p in digits.points
    }
    assert sorted(parts) == [(0.5, 0), (0.5, 1), (1.0, 0), (1.0, 1)]
    for seed in (0, 1):
        half, whole = parts[0.5, seed], parts[1.0, seed]
        assert half["train"] < whole["train"] and half["test"] == whole["test"]
        assert len(half["train"]) == pytest.approx(len(whole["train"]) / 2, abs=5)
    assert parts[1.0, 0]["test"] != parts[1.0, 1]["test"] and not digits.shared_test
    assert "too few points" in digits.reason


def test_the_same_command_keeps_what_is_there_and_another_is_refused(
    digits: LearningCurve,
) -> None:
    logs = [(p.run / "log.jsonl").read_bytes() for p in digits.points]
    options: dict[str, Any] = {"out": digits.path, "shares": [0.5], "epochs": 1}
    again = saccade.learning_curve("digits", with_=QUICK, seeds=2, target=0.9, **options)
    assert again.points == digits.points
    assert logs == [(p.run / "log.jsonl").read_bytes() for p in digits.points]
    assert (digits.path / "learning-curve.html").is_file()
    told = json.loads((digits.path / "learning-curve.json").read_text())
    assert told == json.loads(json.dumps(again.to_dict()))
    with pytest.raises(UsageError, match="holds something else"):
        saccade.learning_curve("digits", with_=QUICK, out=digits.path, epochs=2)


def test_what_it_varies_itself_cannot_be_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"train.seed=3 does nothing") as error:
        saccade.learning_curve("digits", with_={"train.seed": 3}, out=tmp_path / "a")
    assert "--seeds" in error.value.hint
    with pytest.raises(UsageError, match=r"data.train_share=0.5 does nothing"):
        saccade.learning_curve("digits", with_={"data.train_share": 0.5}, out=tmp_path / "a")
    wrong: tuple[dict[str, Any], ...] = (
        {"target": 1.0},
        {"shares": [0.0]},
        {"seeds": 0},
        {"jobs": 0},
    )
    for options in wrong:
        with pytest.raises(UsageError, match=f"--{next(iter(options))} cannot be"):
            saccade.learning_curve("digits", out=tmp_path / "a", **options)
    with pytest.raises(DataError, match="too few for a learning curve"):
        saccade.learning_curve("digits", with_={"data.per_class": 3}, out=tmp_path / "a")
    assert not (tmp_path / "a").exists()
