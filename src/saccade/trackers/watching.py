"""Training with the terminal and the trackers as one view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from saccade.engine.distributed.world import World
from saccade.runs.run import Run
from saccade.terminal import TrainingView
from saccade.trackers.tracker import TrackerProgress, trackers
from saccade.trackers.view import TrackingView
from saccade.training.follow import LogView, interrupted_run, process_world
from saccade.training.train import follow_training, resume_training
from saccade.training.view import CompositeView, View


@contextmanager
def training_view(names: Sequence[str]) -> Iterator[View]:
    """The terminal, and the trackers of these names.

    Raises `UsageError` where one of them cannot work here.
    """
    selected = trackers(names)
    with ExitStack() as stack:
        views: list[View] = [stack.enter_context(TrainingView())]
        if selected:
            views.append(stack.enter_context(TrackingView(selected)))
        yield CompositeView(*views)


def trackers_of(run: Run) -> list[str]:
    """The names of the trackers that a run was started with."""
    return list(TrackerProgress(run.path).entries)


def run_training(
    train: Callable[[View, World], Run], names: Sequence[str], own: Mapping[str, Any]
) -> Run:
    """Call `train` in the process of rank 0, or resume its run after a restart; else follow.

    `own` are the parts of a person's own, by their setting.
    """
    with process_world() as world:
        if not world.is_main_process:
            return follow_training(LogView(), world, own)
        with training_view(names) as view:
            run_folder = interrupted_run()
            return (
                resume_training(Run.open(run_folder, with_=own), view, world)
                if run_folder
                else train(view, world)
            )
