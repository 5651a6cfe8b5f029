"""Ledger: what the trackers of a run have been told, so that nothing is told twice."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Entry:
    """How far one tracker knows a training."""

    id: str  # that the tracker gave it
    steps: int = 0  # done before its last look at a loss
    epochs: int = 0  # told


class Ledger:
    """`tracking.json` of a run folder, as it is after every entry; without flushing to the disk."""

    def __init__(self, folder: Path):
        self.path = folder / "tracking.json"
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else "{}"
        self.entries = {name: Entry(**entry) for name, entry in json.loads(text).items()}

    def write(self) -> None:
        """Put the file in its place in one instant: a training may be killed at any."""
        beside = self.path.with_name(".tracking.json")
        told = {name: asdict(entry) for name, entry in self.entries.items()}
        beside.write_text(json.dumps(told), encoding="utf-8")
        beside.replace(self.path)
