"""learned_from: how many of the pictures to be measured a run has learned from."""

from __future__ import annotations

from collections.abc import Sequence

from saccade.data.digests import digests
from saccade.data.source import Item
from saccade.data.sources import open_source
from saccade.data.split import read_split
from saccade.errors import SaccadeError
from saccade.files import cache_folder
from saccade.runs import Run

MOST = 100_000  # training pictures, up to which their contents are compared


def learned_from(run: Run, items: Sequence[Item]) -> int:
    """Those of `items` whose contents are in the training pictures of `run`, while these lie there.

    Files that were read before are known by their times and not read again.
    """
    try:
        train = read_split(run.path / "split.csv", open_source(run.started["data"])).train
    except (SaccadeError, OSError):  # moved, changed or gone
        return 0
    if len(train) > MOST:
        return 0
    memory = cache_folder() / "digests.sqlite"
    known = set(digests(train, memory))
    return sum(content in known for content in digests(items, memory))
