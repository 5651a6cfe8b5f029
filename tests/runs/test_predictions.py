"""predictions.csv: what was written is read, and what is damaged is said by its path."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from saccade.data.cache import CachedImages
from saccade.data.item import EncodedImage, Item
from saccade.engine.evaluate import EvaluationOutputs
from saccade.errors import DataError
from saccade.report import images
from saccade.runs.predictions import read_predictions, write_predictions
from saccade.tasks.classification import Classification
from saccade.tasks.regression import Regression

TASK = Classification(("cat", "a, b"))
ITEMS = [Item('one "1".png', "cat", EncodedImage(b"")), Item("two.png", "a, b", EncodedImage(b""))]
SAID = torch.tensor([[0.75, 0.25], [0.5, 0.5]])


def test_what_is_written_is_read_column_by_column(tmp_path: Path) -> None:
    """Losses are -log 0.75 and -log 0.5."""
    result = EvaluationOutputs(
        TASK.metric().rows(SAID, torch.tensor([0, 1])), torch.tensor([0.125, 1.0])
    )
    write_predictions(path := tmp_path / "p.csv", ITEMS, TASK, result)
    assert list(read_predictions(path).items()) == [
        ("name", ('one "1".png', "two.png")),
        ("label", ("cat", "a, b")),
        ("prediction", ("cat", "cat")),
        ("loss", ("0.287682", "0.693147")),
        ("p(cat)", ("0.750000", "0.500000")),
        ("p(a, b)", ("0.250000", "0.500000")),
        ("novelty", ("0.125000", "1.000000")),
    ]
    tested = images.TestedImages.read(
        path, CachedImages(torch.zeros(2, 1, 8, 8, dtype=torch.uint8))
    )
    assert (
        torch.equal(tested.probabilities, SAID.double())
        and tested.probabilities.dtype == torch.float64
    )
    assert tested.losses.tolist() == [0.287682, 0.693147]
    assert tested.novelty is not None and tested.novelty.tolist() == [0.125, 1]
    assert (tested.names, tested.predictions) == (('one "1".png', "two.png"), ("cat", "cat"))


def test_numbers_have_no_probabilities_and_novelty_may_be_unknown(tmp_path: Path) -> None:
    task = Regression.plain(())
    items = [Item(name, 1.0, EncodedImage(b"")) for name in ("one", "two", "three")]
    said = torch.tensor([[1.0], [2.0], [3.0]])
    write_predictions(
        path := tmp_path / "p.csv", items, task, EvaluationOutputs(task.metric().rows(said, said))
    )
    assert list(read_predictions(path)) == ["name", "label", "prediction", "loss"]
    tested = images.TestedImages.read(
        path, CachedImages(torch.zeros(3, 1, 8, 8, dtype=torch.uint8))
    )
    assert tested.probabilities.shape == (3, 0) and tested.novelty is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "lacks label, loss, name, prediction"),
        ("name,label\nx,1\n", "lacks label, loss, name, prediction"),
        ("name,label,prediction,loss\n", "lacks label, loss, name, prediction"),
        ("name,label,prediction,loss\na,1,1,0\nb,1,1\n", "damaged: row 3 has 3 cells"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "p.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_predictions(tmp_path / "p.csv")


def test_a_file_that_is_gone_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(b"\xff\xfe\xff")
    for name in ("p.csv", "gone.csv"):
        with pytest.raises(DataError, match=f"{name}' cannot be read"):
            read_predictions(tmp_path / name)


def test_a_mark_at_the_beginning_of_the_file_is_no_part_of_a_title(tmp_path: Path) -> None:
    """As spreadsheets write it."""
    text = "name,label,prediction,loss\na,1,1,0\n"
    (tmp_path / "p.csv").write_text(text, encoding="utf-8-sig")
    assert read_predictions(tmp_path / "p.csv")["name"] == ("a",)
