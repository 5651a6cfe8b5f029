"""Weights & Biases tracker: a run in the project "saccade", or in that of WANDB_PROJECT.

With WANDB_MODE=offline nothing leaves the machine; `wandb sync` sends it later.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saccade.errors import UsageError


class WeightsAndBiases:
    """Metrics by step, settings as the config, files as artefacts."""

    name = "wandb"

    def check(self) -> None:
        """Raise `UsageError` without an account, unless offline."""
        if os.environ.get("WANDB_MODE") in ("offline", "disabled", "dryrun"):
            return
        import wandb  # pyright: ignore[reportMissingImports]

        if not wandb.login(prompt=False):  # pyright: ignore[reportAttributeAccessIssue]
            what = "Weights & Biases knows no account on this machine"
            raise UsageError(what, "run `wandb login`, or set WANDB_MODE=offline")

    def start(self, folder: Path, settings: Mapping[str, Any], run_id: str) -> str:
        """Create the run, or resume that of `run_id`."""
        import wandb  # pyright: ignore[reportMissingImports]

        self.run = wandb.init(  # pyright: ignore[reportAttributeAccessIssue]
            project=os.environ.get("WANDB_PROJECT", "saccade"),
            name=folder.name,
            id=run_id or None,
            resume="allow" if run_id else None,
            dir=str(folder),
            config=dict(settings),
            settings=wandb.Settings(silent=True, console="off"),  # pyright: ignore[reportAttributeAccessIssue]
        )
        return self.run.id

    def log_metrics(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log metrics of this step."""
        self.run.log(dict(metrics), step=step)

    def log_artifact(self, path: Path) -> None:
        """Log the file as an artefact of the run."""
        self.run.log_artifact(str(path), name=f"{path.stem}-{self.run.id}", type=path.stem)

    def finish(self, *, finished: bool) -> None:
        """Finish the run, failed where the training did not finish."""
        self.run.finish(exit_code=0 if finished else 1)
