"""Side by side: means, intervals, pairs and words, by hand and with SciPy."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy import stats

from saccade.studies.metric import StudyMetric, metric_of
from saccade.studies.result import StudyResult, edge_notes, rows_of, verdict
from saccade.studies.study import BestOf, Study, Variant
from saccade.studies.study_run import StudyRun

ACCURACY = StudyMetric("test_accuracy")
BASE = [0.80, 0.82, 0.81, 0.83]
CLEAR = [0.90, 0.93, 0.91, 0.94]  # 10, 11, 10, 11 points above, seed by seed
UNCLEAR = [0.82, 0.79, 0.86, 0.81]


def study(variants: tuple[Variant, ...], number: StudyMetric = ACCURACY, seeds: int = 4) -> Study:
    return Study("mine", "Mine", "which?", number, variants, {}, seeds=seeds)


THREE = study((Variant("a", {}), Variant("b", {"optim.lr": 0.1}, "a"), Variant("c", {}, "a")))


def message_of(value: float | None) -> str:
    return "" if value else "diverged in epoch 2"


def cells(of: Study, values: dict[str, list[float | None]]) -> list[StudyRun]:
    """Cells with these values by trial, tuned settings to be chosen by the same."""
    trials = {trial.name: trial for trial in of.trials}
    return [
        StudyRun(trials[name], seed, Path(name), v, v, message_of(v), (0.5,), 2.0)
        for seed in range(of.seeds)
        for name, row in values.items()
        for v in [row[seed]]
    ]  # fmt: skip


def test_means_and_pairs_are_those_of_scipy() -> None:
    a, b, c = rows_of(THREE, cells(THREE, {"a": [*BASE], "b": [*CLEAR], "c": [*UNCLEAR]}))
    assert a.mean == pytest.approx(0.815)
    assert a.interval == pytest.approx(stats.t.interval(0.95, 3, 0.815, stats.sem(BASE)))
    assert a.difference is None
    assert b.difference is not None and c.difference is not None
    assert b.difference.difference == pytest.approx(0.105)
    expected = [stats.ttest_rel(values, BASE).pvalue for values in (CLEAR, UNCLEAR)]
    assert [b.difference.p_value, c.difference.p_value] == pytest.approx(expected)
    assert [b.p_value, c.p_value] == pytest.approx([2 * expected[0], expected[1]])  # Holm, by hand
    assert [verdict(row, 1) for row in (a, b, c)] == ["", "better", "inside the noise"]
    assert verdict(b, -1) == "worse"


def test_a_tuned_setting_is_chosen_by_validation_and_its_edges_are_told() -> None:
    lr = BestOf((0.1, 0.2, 0.4))
    tuned = study((Variant("a", {"optim.lr": lr}), Variant("b", {}, "a")), seeds=2)
    values = {
        "a, lr 0.1": [0.1, 0.2],
        "a, lr 0.2": [0.6, 0.5],
        "a, lr 0.4": [0.9, None],
        "b": [0.5, 0.5],
    }
    row, _ = rows = rows_of(tuned, cells(tuned, values))
    assert row.runs[0].trial.tuned == {"optim.lr": 0.2}  # one that diverged is not the best
    assert row.values == (0.6, 0.5)
    assert edge_notes(tuned, rows) == []
    values["a, lr 0.4"] = [0.9, 0.9]
    notes = edge_notes(tuned, rows_of(tuned, cells(tuned, values)))
    assert notes == ["a: the best optim.lr, 0.4, is at the edge of those tried"]


def test_a_variant_without_a_number_says_why_and_is_not_compared() -> None:
    a, b, c = rows_of(
        THREE, cells(THREE, {"a": [*BASE], "b": [0.9, None, None, 0.9], "c": [*CLEAR]})
    )
    assert (b.mean, b.interval, b.difference) == (None, None, None)
    assert verdict(b, 1) == "diverged in epoch 2, 2 of 4 seeds"
    assert c.difference is not None
    assert c.p_value == pytest.approx(c.difference.p_value)  # one comparison is left
    a, b, _ = rows_of(THREE, cells(THREE, {"a": [None] * 4, "b": [*BASE], "c": [*CLEAR]}))
    assert verdict(b, 1) == "a has no number"
    assert verdict(a, 1) == "diverged in epoch 2, 4 of 4 seeds"


def test_one_seed_tells_no_noise() -> None:
    once = study(THREE.variants, seeds=1)
    _, b, _ = rows_of(once, cells(once, {"a": [0.5], "b": [0.9], "c": [0.5]}))
    assert (b.interval, b.difference, verdict(b, 1)) == (None, None, "one seed tells no noise")


def test_an_interval_of_shares_ends_where_shares_do() -> None:
    of = study(THREE.variants[:2], seeds=2)
    row = rows_of(of, cells(of, {"a": [0.98, 1.0], "b": [0.0, 0.02]}))
    assert row[0].interval is not None and row[1].interval is not None
    assert row[0].interval.high == 1.0 and row[1].interval.low == 0.0


def test_the_table_is_the_same_in_words_markdown_and_data() -> None:
    values: dict[str, list[float | None]] = {"a": [*BASE], "b": [*CLEAR], "c": [*UNCLEAR]}
    result = StudyResult(THREE, Path("there"), tuple(cells(THREE, values)))
    assert result.head()[3] == "less a"
    assert result.rows()[1][:2] == ["b", "92.0 %"]
    assert result.rows()[1][3:6] == ["+10.5", "+9.6 to +11.4", "better"]
    assert result.to_markdown().splitlines()[3].startswith("| b | 92.0 % |")
    assert result.to_dict()["rows"][1]["difference"] == pytest.approx(0.105)
    assert len(result.to_csv().splitlines()) == 1 + 12
    assert "Holm's rule for 2 comparisons" in str(result)
    assert "<td>better</td>" in result._repr_html_()


@pytest.mark.parametrize(
    ("text", "value", "written", "difference"),
    [
        ("test_accuracy", 0.8125, "81.2 %", "+81.2"),
        ("final_loss", 0.01234, "0.0123", "+0.0123"),
        ("epochs_to_loss:0.5", 7.0, "7.0", "+7.0"),
    ],
)
def test_a_number_is_written_in_its_unit(
    text: str, value: float, written: str, difference: str
) -> None:
    number = metric_of(text)
    assert str(number) == text
    assert (number.formatted(value), number.difference(value)) == (written, difference)
