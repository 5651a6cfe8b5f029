"""Predictions written row by row: whole in every format, however they end."""

from __future__ import annotations

import csv
import io
import json
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade import cli
from saccade.evaluation.stream import stream_predictions
from saccade.runs.predictor import BATCH
from saccade.runs.run import Run

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of more images than go through the network together, and one that is damaged."""
    chance = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for number in range(BATCH + 6):
        pixels = chance.integers(0, 255, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{number:03d}.png")
    (tmp_path / "images" / "bad.png").write_bytes(PNG + b"nothing more")
    return tmp_path / "images"


def test_rows_are_those_of_the_predictions_at_once(
    trained: Run, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at_once = trained.predict(images, top=2)
    assert cli.main(["predict", str(trained.path), str(images), "--top", "2", "--csv"]) == 4
    assert capsys.readouterr().out == at_once.to_csv() + "\n"
    assert cli.main(["predict", str(trained.path), str(images), "--top", "2"]) == 4
    assert capsys.readouterr().out == f"{at_once}\n"
    assert cli.main(["predict", str(trained.path), str(images), "--top", "2", "--json"]) == 4
    text = capsys.readouterr().out
    assert json.loads(text) == json.loads(json.dumps(at_once.to_dict()))
    assert len(text.splitlines()) == BATCH + 6 + 2  # one an image, and those around


class Interrupted(io.StringIO):
    """A file during whose third row Ctrl-C is pressed."""

    rows = 0

    def write(self, text: str) -> int:
        self.rows += 1
        if self.rows == 3:
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


def test_a_stopped_document_is_whole_and_says_how_far_it_came(trained: Run, images: Path) -> None:
    paper = Interrupted()
    _, error = stream_predictions(trained.path, images, style="json", out=paper)
    assert error and error.exit_code == 130
    told = json.loads(paper.getvalue())
    assert len(told["predictions"]) == 3
    assert told["error"]["message"].startswith("stopped after 3 of ")


def test_a_stopped_table_is_complete_to_a_row(trained: Run, images: Path) -> None:
    paper = Interrupted()
    _, error = stream_predictions(trained.path, images, style="csv", out=paper, top=1)
    assert error and error.exit_code == 130
    head, *rows = csv.reader(io.StringIO(paper.getvalue()))
    assert len(rows) == 2 and {len(row) for row in rows} == {len(head)}


def test_an_image_alone_in_a_folder_is_named_and_a_file_alone_is_not(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "one" / "X.PNG")
    for place in (tmp_path / "one", tmp_path / "one" / "X.PNG"):
        assert cli.main(["predict", str(trained.path), str(place)]) == 0
        printed = capsys.readouterr().out
        assert printed.startswith(f"{tmp_path / 'one' / 'X.PNG'}\n") == place.is_dir()
        assert printed == f"{trained.predict(place)}\n"


def test_what_is_wrong_before_the_first_row_is_an_error_alone(
    trained: Run, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["predict", str(trained.path), str(images / "bad.png"), "--json"]) == 3
    assert json.loads(capsys.readouterr().out).keys() == {"error"}
    assert cli.main(["predict", str(trained.path), str(images), "--top", "0", "--json"]) == 2
    assert json.loads(capsys.readouterr().out).keys() == {"error"}


def test_quiet_leaves_the_answers(
    trained: Run, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["-q", "predict", str(trained.path), str(images / "000.png")]) == 0
    printed = capsys.readouterr()
    assert printed.out and not printed.err
