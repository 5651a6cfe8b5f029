"""What `predict` writes beside its answers: copies of the images by answer, and a page of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saccade.auto.trained import TrainedLike, open_trained
from saccade.data.item import Item, Skipped
from saccade.data.pool import stretched_note
from saccade.errors import SaccadeError
from saccade.files import refuse_to_replace, write_output
from saccade.progress import say
from saccade.runs.predictor import Predictor, found_images, names_shown
from saccade.tasks.answers import Answer, Predictions
from saccade.tasks.task import Task

if TYPE_CHECKING:
    from saccade.evaluation.copies import Copies
    from saccade.report.predictions_page import PredictionsPage


class Outputs:
    """Takes answers one by one; refuses at once what could not be written.

    Copies are complete to a file whenever it ends; the page is written at the `end`.
    """

    def __init__(
        self,
        task: Task,
        images: Sequence[object],
        copy_to: str | PathLike[str] | None,
        html: str | PathLike[str] | None,
    ):
        self.copies: Copies | None = None
        self.page: PredictionsPage | None = None
        self.file = None if html is None else Path(html)
        if copy_to is not None:
            from saccade.evaluation.copies import Copies, refuse_inside  # here: seldom needed

            refuse_inside(Path(copy_to), images)
            self.copies = Copies(Path(copy_to), task)
        if self.file is not None:
            refuse_to_replace(self.file)
            from saccade.report.predictions_page import PredictionsPage  # here: it loads reports

            self.page = PredictionsPage(task.classes)

    def answers(
        self, predictor: Predictor, items: Sequence[Item], **options: Any
    ) -> Iterator[Answer | Skipped]:
        """The answers of `predictor.stream`, each written before it is handed on."""
        for item, answer, pixels in predictor.predicted(items, **options):
            if not isinstance(answer, Skipped) and pixels is not None:
                if self.copies:
                    self.copies.take(item, answer)
                if self.page:
                    self.page.take(answer, pixels)
            yield answer

    def end(self, rest: Predictions, title: str, error: SaccadeError | None = None) -> Predictions:
        """Write the page; the same predictions, with notes on what was written."""
        notes = [*rest.notes]
        if self.copies:
            notes.append(self.copies.sentence())
        if self.page and self.file:
            ended = error.what if error else ""
            write_output(self.file, self.page.html(title, rest, ended=ended))
            notes.append(f"the page is {self.file}")
        return replace(rest, notes=tuple(notes))


def predict_images(
    run: TrainedLike,
    *images: object,
    copy_to: str | PathLike[str] | None = None,
    html: str | PathLike[str] | None = None,
    **options: Any,
) -> Predictions:
    """The answers to images, with copies by answer and a page of them where these are wanted.

    `options` are those of `Predictor.stream`.
    """
    network = open_trained(run, notify=say)
    predictor = network.bundle.predictor
    outputs, found = Outputs(predictor.task, images, copy_to, html), found_images(images)
    told = [*outputs.answers(predictor, found.items, **options)]
    predictions = Predictions(
        tuple(answer for answer in told if not isinstance(answer, Skipped)),
        tuple(answer for answer in told if isinstance(answer, Skipped)),
        tuple(found.left_out),
        stretched_note(found.items, predictor.preprocessing),
        named=names_shown(images),
    )
    return outputs.end(predictions, page_title(network.title))


def page_title(name: str) -> str:
    """The heading of the page of a network's predictions."""
    return f"Predictions of {name}"
