"""The section on layers says what is wrong and draws each row."""

from __future__ import annotations

from dataclasses import asdict, replace

from saccade.explain.layer_stats import LayerStatistics
from saccade.report.pages.run_page import layer_section

FC = LayerStatistics("fc6", 10.0, 0.1, 0.001, 0.0, 1.0, 0, None, None)
RELU = LayerStatistics("relu6", None, None, None, 0.1, 1.0, 4096, 0.43, None)


def test_a_training_that_was_not_looked_into_has_no_section():
    assert layer_section([{"epoch": 1, "loss": 1.0}]) is None


def test_what_is_wrong_stands_first():
    layers = [asdict(FC), asdict(RELU)]
    page = str(layer_section([{"epoch": k, "layers": layers} for k in (1, 2)])).replace(
        "\u00a0", " "
    )
    assert "relu6: 43 % of its 4,096 units never fire" in page
    assert "As they were in epoch 2" in page
    assert page.count("<svg") >= 2


def test_a_sound_training_is_said_to_be_one():
    page = str(layer_section([{"epoch": 3, "layers": [asdict(FC)]}]))
    assert "Nothing is wrong" in page and "of one epoch only" in page


def test_a_row_that_stands_still_is_left_out_of_its_curve():
    still = asdict(replace(FC, gradient=0.0, update=0.0))
    page = str(layer_section([{"epoch": k, "layers": [still]} for k in (1, 2)]))
    assert "fc6: nothing to draw" in page
