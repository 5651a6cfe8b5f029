"""Thresholds of confidence and prediction sets: chosen on validation images, measured on others."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from torch import Tensor

from saccade.engine.evaluate import EvaluationOutputs
from saccade.errors import UsageError
from saccade.metrics.conformal import least_images, prediction_sets
from saccade.metrics.interval_methods import FEWEST_GROUPS
from saccade.metrics.measure import with_intervals
from saccade.metrics.metric import Quantity
from saccade.metrics.sample import Sample
from saccade.metrics.selective import (
    Cuts,
    MeasuredSets,
    SelectedThreshold,
    least_answers,
    threshold_at,
    worth,
)
from saccade.tasks.catalogue import refuse_without
from saccade.tasks.task import Capability, Task
from saccade.words import percent, pluralize

STEP = 0.005  # between the targets that are tried where one is out of reach
GROWTH = 1.25  # of the numbers of images that are tried
MOST_GROWN = 1000  # times as many images


@dataclass(frozen=True)
class Labelled:
    """Predictions of images whose classes are known, and which of them belong together."""

    outputs: EvaluationOutputs
    groups: Tensor | None = None  # [N] int64

    @property
    def confidences(self) -> Tensor:
        """That of each prediction.  -> [N] float32"""
        return self.outputs.rows.predictions.amax(dim=1)

    @property
    def correct(self) -> Tensor:
        """Whether each prediction is.  -> [N] bool"""
        return self.outputs.rows.answers == self.outputs.rows.targets

    @property
    def sample(self) -> Sample:
        """The images, by group."""
        return Sample(len(self.outputs.rows), self.groups)


class ThresholdTarget(NamedTuple):
    """The target of a confidence threshold on validation images.

    "precision" is the share of the answers that are correct, "coverage" that of the images with an
    answer, "recall" that of all images with a correct one, "cost" that of an unknown beside 1 for a
    wrong answer.
    """

    criterion: str
    target: float
    save: bool = False  # whether to save the threshold in the bundle

    @classmethod
    def of(cls, save: bool, **criteria: float | None) -> ThresholdTarget | None:
        """The target from the options of a command; raises `UsageError` for several, or no share.

        None where none is given.
        """
        named = [(what, share) for what, share in criteria.items() if share is not None]
        if len(named) > 1:
            given = " and ".join(f"--{what}" for what, _ in named)
            raise UsageError(
                f"a threshold is found for one thing, not for {given}", "leave one out"
            )
        for what, share in named:
            refuse_no_share(what, share)
        return cls(*named[0], save) if named else None


class SetsTarget(NamedTuple):
    """The share of images whose prediction sets are to hold the true class."""

    level: float
    by_class: bool = False
    save: bool = False  # whether to save them in the bundle

    @classmethod
    def of(cls, level: float | None, by_class: bool, save: bool) -> SetsTarget | None:
        """The target from the options of a command; None without a level."""
        if level is None:
            if by_class:
                raise UsageError("--by-class is of prediction sets", "give --sets 0.9, too")
            return None
        refuse_no_share("sets", level)
        return cls(level, by_class, save)


def refuse_nothing_asked(threshold: ThresholdTarget | None, sets: SetsTarget | None) -> None:
    """Raise `UsageError` where neither a threshold nor sets are asked for."""
    if threshold is None and sets is None:
        options = "--precision 0.95, --coverage 0.9, --recall 0.9, --cost 0.1 or --sets 0.9"
        raise UsageError("it is not said what for", f"give {options}")


def refuse_no_share(option: str, share: float) -> None:
    """Raise `UsageError` for what is no share."""
    if not 0 < share < 1:
        raise UsageError(f"--{option} cannot be {share:g}", "it is a share below 1: 0.98, say")


def refuse_without_confidence(task: Task) -> None:
    """Raise `UsageError` for a task without a confidence."""
    hint = "labels have thresholds of their own, numbers a margin"
    refuse_without(Capability.CONFIDENCE, task, UsageError, hint)


def select_threshold(target: ThresholdTarget, val: Labelled, these: Labelled) -> SelectedThreshold:
    """The threshold that keeps to `target`, chosen on `val`, and its effect on `these`.

    On fresh images like those of `val` it keeps its word in at least 95 of 100 choices; raises
    `UsageError` where the images are too few, or the network not good enough, for that.
    """
    _refuse_few_groups(val.sample)
    value = _threshold(target, val)
    chosen, measured = (threshold_at(value, x.confidences, x.correct) for x in (val, these))
    return SelectedThreshold(target.criterion, target.target, chosen, measured)


def _threshold(target: ThresholdTarget, val: Labelled) -> float:
    criterion, share, _ = target
    if criterion == "cost":
        return 1 - share  # Chow 1970
    cuts = Cuts.of(val.confidences, val.correct)
    cuts = cuts.scaled(worth(val.correct, val.groups))
    if criterion == "coverage":
        return cuts.for_coverage(share)
    value = _promised(cuts, criterion, share)
    if value is None:
        raise _out_of_reach(target, cuts, val.sample)
    return value


def _promised(cuts: Cuts, criterion: str, share: float) -> float | None:
    return cuts.for_precision(share) if criterion == "precision" else cuts.for_recall(share)


def _out_of_reach(target: ThresholdTarget, cuts: Cuts, sample: Sample) -> UsageError:
    """Why no threshold can be told, the highest target that can, and how many images it takes."""
    criterion, share, _ = target
    images = pluralize(sample.n, "validation image")
    what = f"{images} cannot promise a {criterion} of {percent(share)}"
    best = cuts.answered if criterion == "precision" else cuts.n
    seen = float((cuts.correct / best).max())
    if cuts.n < least_answers(share):
        least = ceil(least_answers(share) * sample.n / cuts.n)
        what += f": it takes {least:,}, without a mistake"
    elif seen <= share:
        what += f": no threshold had more than {percent(seen)}"
    elif (needed := _images_needed(cuts, criterion, share)) is not None:
        what += f": it would take about {ceil(needed * sample.n / cuts.n):,} like them"
    tried = (share - STEP * k for k in range(1, int(share / STEP)))
    lower = next((s for s in tried if _promised(cuts, criterion, s) is not None), None)
    if lower is None:
        return UsageError(what, "validate on more images: --with data.val=0.4")
    return UsageError(what, f"they promise --{criterion} {lower:.3f}".rstrip("0"))


def _images_needed(cuts: Cuts, criterion: str, share: float) -> float | None:
    """How many images of the same kind would be enough, if they went as these did."""
    factor = 1.0
    while factor < MOST_GROWN:
        factor *= GROWTH
        if _promised(cuts.scaled(factor), criterion, share) is not None:
            return cuts.n * factor
    return None


def _refuse_few_groups(sample: Sample) -> None:
    """Raise `UsageError` where the validation images are of too few groups to tell of others."""
    if sample.groups is not None and len(sample.sizes) < FEWEST_GROUPS:
        what = f"the validation images are of {pluralize(len(sample.sizes), 'group')} only"
        hint = f"{FEWEST_GROUPS} at least tell of others: train with a larger --with data.val"
        raise UsageError(what, hint)


def select_sets(target: SetsTarget, val: Labelled, these: Labelled) -> MeasuredSets:
    """The prediction sets of a level, from `val`, and what they do on `these`.

    Raises `UsageError` where the images are too few for a set that leaves a class out.
    """
    rows, units = val.outputs.rows, len(val.sample.sizes)
    least = least_images(target.level)
    if units < least:
        what = f"sets of {percent(target.level)} take {least:,} validation images"
        what += "" if val.groups is None else " of as many groups"
        raise UsageError(f"{what}; there are {units:,}", "ask for a lower share")
    probabilities, targets = rows.predictions, rows.targets
    sets = prediction_sets(
        probabilities, targets, target.level, by_class=target.by_class, groups=val.groups
    )
    members = sets.members(these.outputs.rows.predictions)
    held = members.gather(1, these.outputs.rows.targets[:, None])[:, 0]
    sizes = members.sum(dim=1)
    quantities = (
        Quantity.proportion("sets that hold the class", held),
        Quantity.mean("classes in a set", sizes.double()),
        Quantity.proportion("sets of one class", sizes == 1),
    )
    return MeasuredSets(sets, val.sample.n, *with_intervals(quantities, these.sample))
