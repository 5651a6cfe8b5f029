"""judge: whether a finished network is under- or overfitted, logged in words."""

from __future__ import annotations

from saccade.analysis.judgement import Score, judgement
from saccade.engine.evaluate import evaluate
from saccade.metrics.interval import Interval
from saccade.metrics.measured import Number
from saccade.runs import Run
from saccade.tasks.task import Task
from saccade.training.prepared import Prepared


def judge(run: Run, prepared: Prepared, task: Task, val: Number) -> None:
    """Measure on as many training pictures, as they are, as there are held-out ones; compare.

    The loss of the log will not do for it: it is that of augmented pictures, of smoothed targets,
    and of weights that moved on meanwhile.
    """
    sample = prepared.splits["train"].spread(val.n)
    result = evaluate(prepared.best, task, sample, prepared.world)
    train = task.measured(result.predictions, result.targets)[val.name]
    found = judgement(run.history, _score(train), _score(val))
    run.log("judgement", kind=found.kind, words=found.words)


def _score(number: Number) -> Score:
    interval = number.interval or Interval(number.value, number.value)
    return Score(number.name, number.value, interval, str(number), number.unit)
