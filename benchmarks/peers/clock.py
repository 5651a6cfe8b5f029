"""Clock: CPU seconds of training steps, the first of each epoch left out, taken alike everywhere.

Every script beside this one is called with FOLDER NETWORK SIZE BATCH EPOCHS [TARGET], trains on
FOLDER/train and measures on FOLDER/test after every epoch, up to the accuracy TARGET, on one
thread, and prints one line of JSON.  All do the same work:
AdamW at a constant rate of 0.001, no augmentation, everything else as the library ships it.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

RATE, DECAY = 0.001, 0.01


@dataclass(frozen=True)
class Job:
    """What is to be trained."""

    folder: Path
    network: str
    size: int  # pixels
    batch: int  # images
    epochs: int
    target: float = 2.0  # test accuracy at which to end

    @classmethod
    def asked(cls) -> Job:
        """The one that the command line asks for."""
        folder, network, *numbers = sys.argv[1:]
        return cls(Path(folder), network, *map(int, numbers[:3]), *map(float, numbers[3:]))

    @property
    def channels(self) -> int:
        return 1 if self.network == "lenet5" else 3


class Clock:
    """Told of the end of every step, it knows how many images a CPU second were trained on."""

    def __init__(self, target: float) -> None:
        self.target = target
        self.seconds, self.images = 0.0, 0
        self.began: float | None = None
        self.accuracies: list[float] = []
        self.reached: list[float] = []

    def epoch(self) -> None:
        """An epoch begins."""
        self.began = None

    def step(self, images: int) -> None:
        """A step over so many images is done."""
        now = time.process_time()
        if self.began is not None:
            self.seconds += now - self.began
            self.images += images
        self.began = now

    def measured(self, accuracy: float) -> None:
        """An epoch came to so much; ends the process at the target."""
        self.accuracies.append(accuracy)
        self.reached.append(time.process_time())
        if accuracy >= self.target:
            self.report()
            sys.exit()

    def report(self) -> None:
        """Print images a CPU second, accuracies, and the CPU seconds since the process began."""
        rate = self.images / max(self.seconds, 1e-9)
        print(json.dumps({"rate": rate, "accuracies": self.accuracies, "seconds": self.reached}))
