"""threshold: from which confidence on a classifier answers at all."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from saccade.engine.evaluate import Evaluated
from saccade.errors import UsageError
from saccade.metrics.selective import (
    Selected,
    threshold_at,
    threshold_for_coverage,
    threshold_for_precision,
    thresholds,
)
from saccade.results import percent
from saccade.tasks.classification import Classification
from saccade.tasks.task import Task


class Wish(NamedTuple):
    """What a threshold is to reach on validation pictures."""

    what: str  # precision: a share of answers that are right; coverage: a share answered
    share: float
    keep: bool = False  # whether the bundle is to have the threshold from then on

    @classmethod
    def of(cls, precision: float | None, coverage: float | None, keep: bool) -> Wish | None:
        """The wish as a person says it; raises `UsageError` for none or two at a time."""
        given = {"precision": precision, "coverage": coverage}
        named = [(what, share) for what, share in given.items() if share is not None]
        if len(named) > 1 or (keep and not named):
            raise UsageError(
                "a threshold is found for one thing", "give --precision 0.98 or --coverage 0.9"
            )
        for what, share in named:
            if not 0 < share <= 1:
                raise UsageError(f"--{what} cannot be {share:g}", "it is a share: 0.98, say")
        return cls(*named[0], keep) if named else None


def refuse_unwishable(task: Task) -> None:
    """Raise `UsageError` where there is no confidence in one answer."""
    if task.kind != Classification.kind:
        raise UsageError(
            f"a threshold of confidence is for classification; this is {task.kind}",
            "labels have thresholds of their own, numbers a margin",
        )


def selected(wish: Wish, val: Evaluated, found: Evaluated) -> Selected:
    """The threshold that `val` asks for, and what it does to the pictures of `found`."""
    confidences, right = _confidences(val)
    choose = threshold_for_precision if wish.what == "precision" else threshold_for_coverage
    chosen = choose(confidences, right, wish.share)
    if chosen is None:
        best = max(thresholds(confidences, right), key=lambda there: there.precision)
        raise UsageError(
            f"no threshold has {percent(wish.share)} of its answers right on the "
            f"{best.n:,} validation pictures",
            f"the best has {percent(best.precision)}, and answers {percent(best.coverage)}",
        )
    return Selected(wish.what, wish.share, chosen, threshold_at(chosen.value, *_confidences(found)))


def _confidences(found: Evaluated) -> tuple[Tensor, Tensor]:
    """How sure the network is of each answer, and whether it is right.  [N] float32, [N] bool"""
    sure, named = found.predictions.max(dim=1)
    return sure, named == found.targets
