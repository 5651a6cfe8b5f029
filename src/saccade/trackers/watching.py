"""watching: all who watch a training, the terminal and the trackers, as one view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from saccade.engine.distributed.world import World
from saccade.runs.run import Run
from saccade.terminal import TrainingView
from saccade.trackers.tracker import TrackerProgress, trackers
from saccade.trackers.view import TrackingView
from saccade.training.follow import LogView, interrupted_run, process_world
from saccade.training.train import follow_training, resume_training
from saccade.training.view import CompositeView, View


@contextmanager
def training_view(tracked: Sequence[str]) -> Iterator[View]:
    """The terminal, and the trackers of these names.

    Raises `UsageError` where one of them cannot work here.
    """
    found = trackers(tracked)
    with ExitStack() as stack:
        views: list[View] = [stack.enter_context(TrainingView())]
        if found:
            views.append(stack.enter_context(TrackingView(found)))
        yield CompositeView(*views)


def trackers_of(run: Run) -> list[str]:
    """The names of the trackers that a run began with."""
    return list(TrackerProgress(run.path).entries)


def run_training(lead: Callable[[View, World], Run], tracked: Sequence[str]) -> Run:
    """Lead a training, where this process does, or follow; after a restart, go on with it."""
    with process_world() as world:
        if world.rank:
            return follow_training(LogView(), world)
        with training_view(tracked) as view:
            before = interrupted_run()
            return resume_training(Run.open(before), view, world) if before else lead(view, world)
