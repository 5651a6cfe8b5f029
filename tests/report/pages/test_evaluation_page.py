"""The report of an evaluation: the sections of a run's, about other images."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import saccade
from saccade.auto.trained import open_trained
from saccade.command import Command
from saccade.data.cache import CachedImages
from saccade.metrics.classification import ClassMetric
from saccade.metrics.metric import MetricReport
from saccade.report import images
from saccade.report.pages.evaluation_page import EvaluatedData, evaluation_page
from saccade.runs.results import Evaluation
from saccade.runs.run import Run


def lead_of(page: str) -> str:
    return page.split('<p class="lead">')[1].split("</p>")[0]


def titles_of(page: str) -> list[str]:
    return re.findall(r"<h2>([^<]*)</h2>", page)


@pytest.fixture(scope="module")
def measured(trained: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluation, Path]:
    """The run on its validation images, with all that can be asked for, and its folder."""
    out = tmp_path_factory.mktemp("measured") / "val"
    asked = {"by": "([0-4])$", "corrupt": "brightness", "out": out}
    return saccade.evaluate(trained.path, split="val", **asked), out


def test_an_evaluation_has_a_page_made_for_all_readers(
    measured: tuple[Evaluation, Path], check_page: Callable[[str], None]
) -> None:
    check_page((measured[1] / "report.html").read_text(encoding="utf-8"))


def test_the_page_has_the_sections_of_the_run_and_those_asked_for(
    measured: tuple[Evaluation, Path], trained: Run
) -> None:
    page = (measured[1] / "report.html").read_text(encoding="utf-8")
    own = titles_of((trained.path / "report.html").read_text(encoding="utf-8"))
    shared = own[own.index("Confusion matrix") : own.index("Images") + 1]
    asked = ["Metrics by slice", "Robustness to corruptions"]
    assert titles_of(page) == ["Result", *asked, *shared, "What was measured", "How to repeat it"]


def test_the_page_tells_the_numbers_of_the_evaluation(
    measured: tuple[Evaluation, Path], trained: Run
) -> None:
    found, out = measured
    page = (out / "report.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    page = page.replace("\u2060", "")
    assert lead_of(page).startswith(f"{found.primary} {found.primary.name} on its validation")
    assert str(trained.test[found.primary.name]) in lead_of(page)
    assert found.robustness is not None
    told = [*map(str, found.metrics), *(str(one.metric) for one in found.slices)]
    assert all(words in page for words in told)
    for number in found.robustness.corrupted["brightness"]:
        assert f">{100 * number.value:.0f} (" in page
    assert "The brightest channel raised; hue, saturation as they were." in page
    wrong = found.n - sum(row[k] for k, row in enumerate(found.confusion))
    assert f"{wrong} of {found.n} images, as" in page


def test_the_command_on_the_page_is_the_one_that_was_given(
    measured: tuple[Evaluation, Path], trained: Run
) -> None:
    _, out = measured
    page = (out / "report.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    options = f"--split val --by '([0-4])$' --out {out} --corrupt brightness"
    assert f"saccade evaluate {trained.path} {options}<" in page.replace("&#x27;", "'")


def test_a_tuned_threshold_has_its_section_and_its_command(trained: Run, tmp_path: Path) -> None:
    out = tmp_path / "tuned"
    found = saccade.tune_threshold(trained.path, split="val", coverage=0.9, out=out)
    page = (out / "report.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    page = page.replace("\u2060", "")
    assert "Selective prediction (confidence threshold)" in titles_of(page)
    assert found.selected is not None
    assert (
        f"confidence of {found.selected.on_validation.value:.4f}, for a coverage of 90.0 %" in page
    )
    command = f"saccade tune-threshold {trained.path} --split val --out {out} --coverage 0.9"
    assert f"{command}<" in page


def test_options_that_say_nothing_are_not_in_the_command() -> None:
    options = {"split": "", "tta": "crops flip", "precision": 0.98, "save": True, "out": None}
    command = Command.of("evaluate", "runs/mine", "my photos", **options)
    assert str(command) == (
        "saccade evaluate runs/mine 'my photos' --tta 'crops flip' --precision 0.98 --save"
    )


def test_labels_and_numbers_have_their_page(
    other_run: Run, tmp_path: Path, check_page: Callable[[str], None]
) -> None:
    table = other_run.path.parent / "set.csv"
    found = saccade.evaluate(other_run.path, table, by="(1|2)", out=tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    check_page(page)
    assert "on set.csv" in lead_of(page) and str(found.primary) in lead_of(page)
    answers = {"multilabel": "Metrics by label", "regression": "Predicted vs. true values"}[
        found.task
    ]
    assert answers in titles_of(page) and "Highest loss" in titles_of(page)
    matched = "2 of 2 have images here, matched by name"
    assert (matched in page) == (found.task == "multilabel")


def measured_classes(
    said: torch.Tensor, true: torch.Tensor, classes: tuple[str, ...]
) -> MetricReport:
    metric = ClassMetric(classes)
    return metric.report(metric.rows(said, true))


def evaluated(trained: Run, right: int, n: int) -> str:
    """The page of `n` images of a 3 each, of which so many are called 3, the others 5."""
    classes = trained.classes
    named = torch.tensor([3] * right + [5] * (n - right))
    said = torch.nn.functional.one_hot(named, len(classes)).double()
    true = torch.full((n,), 3)
    test = Evaluation.of("test", "classification", measured_classes(said.float(), true, classes))
    answers = images.TestedImages(
        tuple(f"{k}.png" for k in range(n)),
        ("3",) * n,
        tuple(classes[k] for k in named),
        (named != true).double(),
        said,
        CachedImages(torch.zeros(n, 1, 8, 8, dtype=torch.uint8)),
    )
    return evaluation_page(
        open_trained(trained), test, answers, EvaluatedData("some/threes", "saccade evaluate")
    )


def test_a_difference_from_the_own_test_is_called_so_only_beyond_chance(trained: Run) -> None:
    """On 269 images the run has about 96 %: 4 of 4 may be chance, 100 of 200 are not."""
    assert "the difference may be chance" in lead_of(evaluated(trained, 4, 4))
    assert "the difference is more than chance explains" in lead_of(evaluated(trained, 100, 200))


def test_classes_without_images_stand_last(trained: Run) -> None:
    rows = evaluated(trained, 15, 20).split("Metrics by class</h2>")[1].split("</section>")[0]
    names = re.findall(r'<th scope="row"[^>]*>(\d)</th>', rows)
    assert names[:2] == ["5", "3"]  # 5 was never right, 3 in 15 of 20; of the others nothing is
    assert sorted(names[2:]) == list("01246789")
    assert "1 of 10 have images here" in evaluated(trained, 15, 20)


def test_class_names_and_paths_cannot_become_markup(trained: Run) -> None:
    test = Evaluation.of(
        "test", "regression", measured_classes(torch.eye(2), torch.arange(2), ("a", "<b>"))
    )
    held = CachedImages(torch.zeros(2, 1, 8, 8, dtype=torch.uint8))
    answers = images.TestedImages(
        ("<b>1", "<b>2"), ("1", "2"), ("1", "3"), torch.zeros(2), torch.zeros(2, 0), held
    )
    page = evaluation_page(
        open_trained(trained), test, answers, EvaluatedData("<b>", "saccade <b>")
    )
    assert "&lt;b&gt;" in page and "<b>" not in page
