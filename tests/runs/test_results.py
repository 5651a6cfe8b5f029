from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import torch

from saccade.data.item import Skipped
from saccade.metrics.classification import ClassMetric
from saccade.metrics.intervals import wilson
from saccade.metrics.metric import MetricValue
from saccade.runs.results import Evaluation, Robustness
from saccade.tasks.answers import Predictions
from saccade.tasks.classification import Prediction
from saccade.words import percent, proportion

CATS = Prediction("a<b>.png", ("cat", "dog"), (0.75, 0.25))


def test_numbers_read_as_people_write_them() -> None:
    assert percent(0.98765) == "98.8 %"
    assert proportion(0.9, wilson(90, 100), 100) == "90.0 % (82.6–94.5, n = 100)"
    assert proportion(0.5, wilson(5000, 10000), 10000).endswith("n = 10,000)")


def test_a_prediction_is_a_line_a_class() -> None:
    assert str(CATS) == " 75.0 %  cat\n 25.0 %  dog"
    assert repr(CATS) == "Prediction(a<b>.png: cat, 75.0 %)"
    assert CATS.best == "cat"


def test_results_are_escaped_in_notebooks() -> None:
    html = Predictions((CATS,))._repr_html_() + CATS._repr_html_()
    assert "<b>" not in html
    assert html.count("&lt;b&gt;") == 2


def test_predictions_are_a_sequence_and_a_table() -> None:
    result = Predictions((CATS, CATS), (Skipped("c.png", "cut short"),))
    assert (len(result), result[1], list(result)) == (2, CATS, [CATS, CATS])
    rows = list(csv.DictReader(io.StringIO(result.to_csv())))
    assert rows[0]["class_1"] == "cat"
    assert float(rows[0]["probability_2"]) == 0.25
    assert (rows[2]["name"], rows[2]["class_1"], rows[2]["error"]) == ("c.png", "", "cut short")
    assert str(result).count("a<b>.png") == 2
    assert result.to_dict()["unreadable"] == [{"name": "c.png", "reason": "cut short"}]


def test_an_evaluation_reads_well() -> None:
    probabilities = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.7, 0.3]])
    metric = ClassMetric(("a", "b"))
    measured = metric.report(metric.rows(probabilities, torch.tensor([0, 0, 1, 1])))
    note = "the data has no image of 1 of 3 classes: 'c'"
    result = replace(Evaluation.of("test", "classification", measured), notes=(note,))
    assert repr(result) == "Evaluation(test: accuracy 75.0 % (24.2–98.7, n = 4))"
    assert result.rows(1) == [("accuracy", "75.0 % (24.2–98.7, n = 4), baseline 50.0 %")]
    assert "note" in str(result)
    assert "top-5" not in str(result)
    assert result.confusion == ((2, 0), (1, 1))
    assert Evaluation.read(json.loads(json.dumps(result.to_dict()))) == result


def test_nothing_is_the_hardest_of_one_or_of_equals() -> None:
    def measured(**means: float) -> Robustness:
        clean = MetricValue("accuracy", 0.9, 10, None, "%")
        return Robustness(clean, {n: (replace(clean, value=v),) * 5 for n, v in means.items()})

    assert measured(fog=0.5).hardest() == measured(fog=0.5, snow=0.5).hardest() == ""
    assert "hardest" not in measured(fog=0.5).verdict()
    told = measured(fog=0.5, snow=0.6, frost=0.5).hardest()
    assert told == "of these 3 corruptions fog and frost have the lowest mean"
