"""judge: whether a finished network is under- or overfitted, logged in words."""

from __future__ import annotations

from saccade.analysis.judgement import Score, judgement
from saccade.engine.evaluate import evaluate
from saccade.prepared import Prepared
from saccade.results import Evaluation, classifier_evaluation, proportion
from saccade.runs import Run


def judge(run: Run, prepared: Prepared, val: Evaluation) -> None:
    """Measure on as many training pictures, as they are, as there are held-out ones; compare.

    The loss of the log will not do for it: it is that of augmented pictures, of smoothed targets,
    and of weights that moved on meanwhile.
    """
    sample = prepared.splits["train"].spread(val.n)
    scores = evaluate(prepared.best, prepared.task, sample, prepared.world).scores
    train = classifier_evaluation("train", scores, prepared.task.classes)
    found = judgement(run.history, _score(train), _score(val))
    run.log("judgement", kind=found.kind, words=found.words)


def _score(measured: Evaluation) -> Score:
    value, interval = measured.accuracy, measured.accuracy_interval
    return Score("accuracy", value, interval, proportion(value, interval, measured.n))
