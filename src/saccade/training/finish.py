"""The end of a training: save and evaluate the weights, then write model card and report."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from typing import Any

from saccade.command import Command
from saccade.data.grouping import groups_of
from saccade.data.loader import evenly_spaced
from saccade.engine.evaluate import evaluate
from saccade.errors import UnwrittenError
from saccade.metrics.classification import ClassMetric
from saccade.metrics.fit_diagnosis import Mistakes, fit_diagnosis
from saccade.metrics.measure import named_metric
from saccade.metrics.metric import MetricReport, MetricValue
from saccade.recipes.settings import variant_of
from saccade.report.card import write_card
from saccade.report.pages.run_page import write_report
from saccade.runs.bundle import Bundle
from saccade.runs.predictions import write_predictions
from saccade.runs.results import Evaluation
from saccade.runs.run import Run
from saccade.tasks.task import Task
from saccade.training.novelty import fit_novelty, log_novelty
from saccade.training.prepare import Split, TrainingSetup
from saccade.training.view import View

Failure = tuple[str, Exception]  # what could not be written, and why


def finish(run: Run, setup: TrainingSetup, view: View, began: float) -> list[Failure]:
    """Write all that a finished run holds; returns what of card and report failed."""
    if note := restore_weights(run, setup):
        view.note(note)
    measure(run, setup, began)
    return write_prose(run, setup.splits["test"]) if setup.world.is_main_process else []


def restore_weights(run: Run, setup: TrainingSetup) -> str:
    """Load the weights of the best epoch, if set; returns a note on that and on early stopping."""
    settings, record, done = setup.recipe.train, setup.early_stopping, len(run.history)
    record.restore_best(setup.eval_model)
    undefined = done > 0 and record.epoch == 0  # the score was a number after no epoch
    which = "last" if undefined else settings.checkpoint
    epoch = record.epoch if which == "best" else done
    run.log(
        "checkpoint",
        weights=which,
        epoch=epoch,
        stopped_early=record.should_stop,
    )
    note = f"the weights are those of epoch {epoch}, the {which} one"
    if undefined:
        note = f"the validation score was undefined after every epoch: {note}"
    if record.should_stop:
        why = note if undefined else f"validation was best in epoch {record.epoch}; {note}"
        return f"ended after epoch {done} of {settings.epochs}: {why}"
    return note if undefined or settings.checkpoint == "best" else ""


def measure(run: Run, setup: TrainingSetup, began: float) -> None:
    """Calibrate, save the bundle, evaluate the held-out splits and log the results."""
    val, test = setup.splits["val"], setup.splits["test"]
    model, world = setup.eval_model, setup.world
    outputs = evaluate(model, setup.task, val.sequential(), world)
    task, facts = setup.task.calibrate(outputs.rows.predictions, outputs.rows.targets)
    run.log("calibration", **facts)
    novelty = fit_novelty(setup)
    if world.is_main_process:
        name, variant = setup.recipe.model.name, variant_of(setup.recipe)
        bundle = Bundle(name, task, setup.preprocessing, model, variant, novelty=novelty)
        bundle.save(run.path / "bundle")
    val_rows = evaluate(model, task, val.sequential(), world).rows
    held_out = log_evaluation(run, "val", task, val, val_rows).metrics[0]
    log_fit_diagnosis(run, setup, task, held_out, val_rows)
    result = evaluate(model, task, test.sequential(), world, novelty=novelty)
    log_evaluation(run, "test", task, test, result.rows)
    if not world.is_main_process:
        return
    write_predictions(run.path / "predictions.csv", test.items, task, result)
    if novelty and result.novelty is not None:
        log_novelty(run, novelty, result.novelty)
    previous_seconds = sum(fact["seconds"] for fact in run.events("finished")[-1:])
    run.log("finished", seconds=round(previous_seconds + time.perf_counter() - began, 2))


def log_evaluation(run: Run, name: str, task: Task, split: Split, rows: Any) -> MetricReport:
    """Log all metrics of the `rows` of a split, and return them."""
    report = task.metric().report(rows, groups_of(split.items))
    run.log("evaluation", **Evaluation.of(name, task.kind, report).to_dict())
    return report


def log_fit_diagnosis(
    run: Run, setup: TrainingSetup, task: Task, val: MetricValue, val_rows: Any
) -> None:
    """Evaluate as many training images as there are validation ones, and log the fit diagnosis.

    The training loss in the log does not serve: it is of augmented images, of smoothed targets, and
    of weights that changed within the epoch.
    """
    split, metric = setup.splits["train"], task.metric()
    rows = evaluate(setup.eval_model, task, split.evenly_spaced(val.n), setup.world).rows
    groups = groups_of(split.items)
    if groups is not None:
        groups = groups[evenly_spaced(len(groups), val.n)(0)]
    train = named_metric(metric, rows, val.name, groups)
    mistakes = None
    if isinstance(metric, ClassMetric):
        confidences = val_rows.predictions.amax(dim=1)
        mistakes = Mistakes.of(confidences, val_rows.answers, metric.correct(val_rows))
    diagnosis = fit_diagnosis(run.history, train, val, len(split.items), mistakes)
    run.log("fit_diagnosis", kind=diagnosis.kind, message=diagnosis.message)


def write_prose(run: Run, test: Split) -> list[Failure]:
    """Write the model card and the report; returns what failed, and why.

    No error here costs the run: all else is on disk already.
    """
    failures: list[Failure] = []
    writers = {
        "the model card": lambda: write_card(run),
        "the report": lambda: write_report(run, test.images),
    }
    for name, write in writers.items():
        try:
            write()
        except Exception as error:
            run.log("unwritten", what=name, error="".join(traceback.format_exception(error)))
            failures.append((name, error))
    return failures


def unwritten_error(run: Run, failures: Sequence[Failure]) -> UnwrittenError:
    """The error for a card or report that could not be written, with the way to write it anew."""
    names = " and ".join(name for name, _ in failures)
    causes = "; ".join(f"{type(error).__name__}: {error}" for _, error in failures)
    return UnwrittenError(
        f"{names} could not be written ({causes}); the run is finished: its weights are in "
        f"{run.path / 'bundle'}, its numbers in {run.path / 'log.jsonl'}",
        "the traceback is in log.jsonl; both are written anew by: "
        f"{Command.of('report', run.path)}",
    )
