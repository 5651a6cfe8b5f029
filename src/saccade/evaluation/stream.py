"""Predictions for a command line: a row an image as soon as it is there, as text, CSV or JSON.

JSON is one document, with a line for each image; a stopped one is complete to a row.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from saccade.auto.trained import open_trained
from saccade.data.image_files import find_images
from saccade.data.item import Skipped
from saccade.data.pool import stretched_note
from saccade.engine.stopping import stop_requests
from saccade.errors import SaccadeError, Stopped
from saccade.evaluation.outputs import Outputs, page_title
from saccade.progress import progress_bar, say
from saccade.runs.predictor import names_shown
from saccade.tasks.answers import Answer, Predictions
from saccade.words import LineFeeds, defined

Style = Literal["text", "csv", "json"]


def stream_predictions(
    run: str | Path,
    *images: str | Path,
    style: Style,
    out: IO[str],
    copy_to: str | Path | None = None,
    html: str | Path | None = None,
    **options: Any,
) -> tuple[Predictions, SaccadeError | None]:
    """Write each answer to `out`; returns all but the answers, and what ended it early, if any.

    `copy_to` and `html` are those of `Outputs`, other options of `Predictor.stream`.  A signal ends
    it after a row, with `Stopped`; what is wrong before the first row is raised.
    """
    network, found = open_trained(run, notify=say), find_images(images)
    predictor = network.bundle.predictor
    outputs = Outputs(predictor.task, images, copy_to, html)
    rows = {"text": TextRows, "csv": CsvRows, "json": JsonRows}[style](out, names_shown(images))
    unreadable, error, begun, total = [], None, False, len(found.items)
    shown = style == "json" or not out.isatty()  # else the rows themselves show that it goes on
    again = "; the same line again copies the rest" if copy_to else ""
    with stop_requests() as request, progress_bar("predicting", shown=shown) as progress:
        try:
            for done, answer in enumerate(outputs.answers(predictor, found.items, **options), 1):
                progress(done, total)
                if isinstance(answer, Skipped):
                    unreadable.append(answer)
                else:
                    rows.write(answer)
                    begun = True
                if request.signum and done < total:
                    what = f"stopped after {done:,} of {total:,} images"
                    hint = f"the rows above are complete{again}"
                    raise Stopped(what, hint, signal=request.signum)
        except SaccadeError as caught:
            if not begun and not isinstance(caught, Stopped):
                raise
            error = caught
    notes = () if error else stretched_note(found.items, predictor.preprocessing)
    rest = Predictions((), tuple(unreadable), tuple(found.left_out), notes)
    rest = outputs.end(rest, page_title(network.title), error)
    rows.end(rest, error)
    return rest, error


class Rows(Protocol):
    """A format of predictions that is written row by row."""

    def write(self, answer: Answer) -> None:
        """Write the row of an answer, whole."""
        ...

    def end(self, rest: Predictions, error: SaccadeError | None) -> None:
        """Write what comes after the rows."""
        ...


class TextRows:
    """Answers for people, under the names of their images where these are `named`."""

    def __init__(self, out: IO[str], named: bool):
        self.out, self.named, self.between = out, named, ""

    def write(self, answer: Answer) -> None:
        name = f"{answer.name}\n" if self.named else ""
        _write(self.out, f"{self.between}{name}{answer}\n")
        self.between = "\n"

    def end(self, rest: Predictions, error: SaccadeError | None) -> None: ...


class CsvRows:
    """The rows of `Predictions.to_csv`, those that could not be read last."""

    def __init__(self, out: IO[str], named: bool):
        self.out = out
        self.columns: Sequence[str] | None = None

    def write(self, answer: Answer) -> None:
        self._head(answer.columns())
        self._row([answer.name, *answer.cells(), ""])

    def end(self, rest: Predictions, error: SaccadeError | None) -> None:
        columns = self._head([])
        for skipped in rest.unreadable:
            self._row([skipped.name, *[""] * len(columns), skipped.reason])

    def _head(self, columns: Sequence[str]) -> Sequence[str]:
        if self.columns is None:
            self.columns = columns
            self._row(["name", *columns, "error"])
        return self.columns

    def _row(self, cells: Sequence[str]) -> None:
        csv.writer(LineFeeds(self.out)).writerow(cells)
        self.out.flush()


class JsonRows:
    """What `Predictions.to_dict` gives as one JSON document, a line an answer.

    Where it ended early, "error" says why.
    """

    def __init__(self, out: IO[str], named: bool):
        self.out, self.between = out, '{"predictions": [\n'

    def write(self, answer: Answer) -> None:
        _write(self.out, self.between + _json(asdict(answer)))
        self.between = ",\n"

    def end(self, rest: Predictions, error: SaccadeError | None) -> None:
        fields = {k: v for k, v in rest.to_dict().items() if k != "predictions"}
        if error:
            fields["error"] = error.to_dict()
        begun = "" if self.between == ",\n" else self.between
        _write(self.out, f"{begun}\n], {_json(fields)[1:]}\n")


def _json(value: Any) -> str:
    return json.dumps(defined(value), ensure_ascii=False)


def _write(out: IO[str], text: str) -> None:
    out.write(text)
    out.flush()
