"""open_source: which kind of source a path or a name is."""

from __future__ import annotations

from pathlib import Path

from saccade.data.source import Source
from saccade.data.sources.digits import digits
from saccade.data.sources.folder import folder


def open_source(data: str | Path | None) -> Source:
    """The source that `data` names: a path, a name, or nothing for the embedded digits."""
    if data is None or data == "digits":
        return digits()
    return folder(Path(data))
