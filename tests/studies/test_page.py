"""The drawing and the page of a study: numbers in their places, and nothing by colour alone."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from saccade.studies.metric import metric_of
from saccade.studies.page import Scale, study_page, svg
from saccade.studies.result import StudyResult
from saccade.studies.study import Study, Variant
from saccade.studies.study_run import StudyRun

NAN = float("nan")


def result(number: str = "test_accuracy", seeds: int = 2) -> StudyResult:
    variants = (Variant("plain", {}), Variant("<b> & more", {"optim.lr": 1}, "plain"))
    study = Study(
        "mine", "Mine", "which?", metric_of(number), variants, {}, "f0", "much", seeds=seeds
    )
    values = {"plain": [0.5, 0.6], "<b> & more": [0.8, None]}
    curves = {"plain": (0.2, 0.4), "<b> & more": (0.9, NAN)}
    cells = [
        StudyRun(
            t, s, Path(t.folder), v, v, "" if v else "diverged in epoch 2", curves[t.variant], 1.0
        )
        for s in range(seeds)
        for t in study.trials
        for v in [values[t.variant][s]]
    ]
    return StudyResult(study, Path("there"), tuple(cells))


def test_a_scale_puts_numbers_in_proportion() -> None:
    plain, log = Scale(0, 10, 100, 200), Scale(0.01, 100, 0, 400, log=True)
    assert (plain(0), plain(2.5), plain(10)) == (100, 125, 200)
    assert (log(0.01), log(1), log(10)) == pytest.approx((0, 200, 300))
    assert log.ticks() == pytest.approx([0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100])
    upright = Scale(0, 1, 50, 0)
    assert upright(0.25) == 37.5


@pytest.mark.parametrize("number", ["test_accuracy", "final_loss", "epochs_to_loss:0.5"])
def test_the_drawing_is_whole_and_says_its_numbers(number: str) -> None:
    drawn = svg(result(number))
    root = ElementTree.fromstring(drawn)
    texts = [node.text for node in root.iter() if node.text]
    assert "<b> & more" in texts
    assert "diverged in epoch 2, 1 of 2 seeds" in texts
    assert "nan" not in drawn and "prefers-color-scheme: dark" in drawn


def test_every_seed_has_its_circle_and_every_mean_its_diamond() -> None:
    drawn = svg(result())
    assert drawn.count('class="seed"') == 2  # of the variant that has a mean
    assert drawn.count('class="mean"') == 1
    assert drawn.count('class="own"') == drawn.count('class="other"') == 2
    x = [float(v) for v in re.findall(r'class="seed" cx="([\d.]+)"', drawn)]
    middle = re.search(r'class="mean" d="M([\d.]+)', drawn)
    assert middle and float(middle[1]) == pytest.approx(sum(x) / 2, abs=0.11)


def test_the_page_holds_question_table_limits_and_nothing_from_outside() -> None:
    page = study_page(result(), "saccade study mine --with optim.lr=1")
    for words in ("which?", "much", "saccade study mine --with optim.lr=1", "&lt;b&gt; &amp; more"):
        assert words in page
    assert "default-src 'none'" in page
    assert not re.search(r'(src|href)="(?!data:|#)', page)


def test_one_seed_has_no_interval() -> None:
    drawn = svg(result(seeds=1))
    assert 'class="ends"' not in drawn and "95 %" not in drawn
