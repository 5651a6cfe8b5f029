"""TensorBoard tracker: event files in the run folder, for `tensorboard --logdir runs`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


class TensorBoard:
    """Scalars by step, settings as a table, paths of artefacts as text."""

    name = "tensorboard"

    def check(self) -> None:
        """Nothing: TensorBoard needs no more than its package."""

    def start(self, folder: Path, settings: Mapping[str, Any], run_id: str) -> str:
        """Open an event file in the run folder, with a table of the settings."""
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(folder / "tensorboard"))
        if not run_id:
            lines = [f"|{name}|{_words(value)}|" for name, value in settings.items()]
            self.writer.add_text("settings", "\n".join(["|setting|value|", "|-|-|", *lines]))
        self.writer.flush()
        return folder.name

    def log_metrics(self, step: int, metrics: Mapping[str, float]) -> None:
        """Add scalars of this step."""
        for name, value in metrics.items():
            self.writer.add_scalar(name, value, step)
        self.writer.flush()

    def log_artifact(self, path: Path) -> None:
        """Add the path of the file as text."""
        self.writer.add_text(path.stem, str(path.resolve()))

    def finish(self, *, finished: bool) -> None:
        """Close the event file."""
        self.writer.close()


def _words(value: object) -> str:
    text = " ".join(value) if isinstance(value, tuple) else str(value)
    return text.replace("|", "\\|")
