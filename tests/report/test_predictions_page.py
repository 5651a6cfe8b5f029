"""The page of predictions: every image in its place, sorted by style alone, bounded in size."""

from __future__ import annotations

import re

import torch

from saccade.data.item import Skipped
from saccade.report.predictions_page import PredictionsPage
from saccade.tasks.answers import Predictions
from saccade.tasks.classification import Prediction
from saccade.tasks.regression import RegressionPrediction

NOTHING = Predictions(())
GREY = torch.full((3, 60, 60), 128, dtype=torch.uint8)


def page_of(*answers: tuple[str, str, float, bool], budget: int = 10**6) -> str:
    page = PredictionsPage(("cat", "dog"), budget=budget)
    for name, said, probability, accepted in answers:
        page.take(Prediction(name, (said,), (probability,), accepted), GREY)
    return page.html("Predictions", NOTHING)


def names(html: str) -> list[str]:
    return re.findall(r'<span class="path">([^<]*)</span>', html)


def places(html: str) -> dict[str, int]:
    """By the name of each image its place among the least certain first."""
    found = re.findall(r'--least:(\d+)">.*?<span class="path">([^<]*)<', html, re.DOTALL)
    return {name: int(place) for place, name in found}


def test_images_stand_by_answer_and_can_be_had_by_certainty() -> None:
    html = page_of(
        ("a", "cat", 0.6, True), ("b", "cat", 0.9, True), ("c", "dog", 0.7, True),
        ("d", "cat", 0.5, False),
    )  # fmt: skip
    assert names(html) == ["b", "a", "c", "d"]  # the largest group first, the surest first in it
    assert sorted(places(html), key=places(html).__getitem__) == ["d", "a", "c", "b"]
    assert re.findall(r"<h3[^>]*>(\w+)<", html) == ["cat", "dog", "unknown"]


def test_no_script_and_no_other_file_is_needed() -> None:
    html = page_of(("<b>", "cat", 0.6, True))
    assert "<script" not in html
    assert not re.search(r'(?:src|href)="(?!data:|#)', html)
    assert "&lt;b&gt;" in html


def test_a_full_page_keeps_the_least_certain_of_each_answer_and_says_so() -> None:
    one = len(page_of(("a", "cat", 0.5, True))) - len(page_of())
    cats = [(f"cat{n}", "cat", n / 1000, True) for n in range(900, 1000)]
    html = page_of(*cats, ("dog", "dog", 0.99, True), budget=5 * one)
    shown = names(html)
    assert "dog" in shown
    assert sorted(shown)[:-1] == [f"cat{n}" for n in range(900, 900 + len(shown) - 1)]
    assert f"{len(shown)} of 101 images are shown" in html
    assert "--csv lists all" in html


def test_numbers_are_sorted_by_their_size() -> None:
    page = PredictionsPage(())
    for name, value in (("a", 3.0), ("b", -1.0), ("c", 2.0)):
        page.take(RegressionPrediction(name, value, None), GREY)
    html = page.html("Predictions", NOTHING)
    assert names(html) == ["a", "b", "c"]
    assert places(html) == {"a": 2, "b": 0, "c": 1}
    assert "smallest first" in html
    assert "<h3" not in html


def test_a_class_called_unknown_is_not_taken_for_no_class() -> None:
    page = PredictionsPage(("unknown", "cat"))
    for name, accepted in (("a", True), ("b", False)):
        page.take(Prediction(name, ("unknown",), (0.6,), accepted), GREY)
    html = page.html("Predictions", NOTHING)
    assert re.findall(r"<h3[^>]*>([^<]*)<", html) == ["unknown", "unknown, no class"]


def test_what_was_not_read_is_named_and_an_early_end_told() -> None:
    rest = Predictions((), (Skipped("bad.png", "damaged"),), (Skipped("x.txt", "no image"),))
    html = PredictionsPage(("cat",)).html("Predictions", rest, ended="stopped after 1 of 2 images")
    assert all(word in html for word in ("bad.png", "damaged", "x.txt", "no image"))
    assert "It ended early: stopped after 1 of 2 images." in html
