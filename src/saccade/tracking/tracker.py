"""Tracker: whoever keeps the numbers of a training elsewhere, too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class Tracker(Protocol):
    """A service or a kind of file; imports its library only when asked to begin."""

    name: str  # of its extra and of its package

    def check(self) -> None:
        """Raise `UsageError` where it could not begin here, such as without an account."""
        ...

    def begin(self, folder: Path, settings: Mapping[str, Any], known: str) -> str:
        """Open the training of the run in `folder`, or go on with the one `known`; gives its id."""
        ...

    def numbers(self, steps: int, numbers: Mapping[str, float]) -> None:
        """Keep numbers by name, as they are after so many steps; safe when this returns."""
        ...

    def artefact(self, path: Path) -> None:
        """Keep a file, or where it is."""
        ...

    def end(self, *, finished: bool) -> None:
        """Close; the training is at its end, or stopped and perhaps to go on."""
        ...
