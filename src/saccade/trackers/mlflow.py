"""MLflow tracker: a run in the experiment "saccade", or in that of MLFLOW_EXPERIMENT_NAME.

The tracking server is MLflow's own choice: MLFLOW_TRACKING_URI, else its default here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class MLflow:
    """Metrics by step, settings as parameters, files as artefacts."""

    name = "mlflow"

    def check(self) -> None:
        """Nothing: MLflow reports an unreachable server itself, after some attempts."""

    def start(self, folder: Path, settings: Mapping[str, Any], run_id: str) -> str:
        """Create the run, or set that of `run_id` running again."""
        from mlflow import MlflowClient  # pyright: ignore
        from mlflow.entities import Param, RunStatus  # pyright: ignore[reportMissingImports]

        self.client = MlflowClient()
        if run_id:
            self.run = run_id
            self.client.update_run(run_id, status=RunStatus.to_string(RunStatus.RUNNING))
            return run_id
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "saccade")
        experiment = self.client.get_experiment_by_name(name)
        experiment_id = (
            experiment.experiment_id if experiment else self.client.create_experiment(name)
        )
        self.run = self.client.create_run(experiment_id, run_name=folder.name).info.run_id
        parameters = [Param(name, str(value)) for name, value in settings.items()]
        self.client.log_batch(self.run, params=parameters)
        return self.run

    def log_metrics(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log metrics of this step."""
        from mlflow.entities import Metric  # pyright: ignore[reportMissingImports]

        now = int(1000 * time.time())
        values = [Metric(name, value, now, step) for name, value in metrics.items()]
        self.client.log_batch(self.run, metrics=values)

    def log_artifact(self, path: Path) -> None:
        """Log the file as an artefact of the run."""
        self.client.log_artifact(self.run, str(path))

    def finish(self, *, finished: bool) -> None:
        """Mark the run finished, or killed."""
        self.client.set_terminated(self.run, "FINISHED" if finished else "KILLED")
