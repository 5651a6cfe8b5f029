"""saccade: train, measure, explain and ship networks that recognise what is in an image."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saccade.api import (
        augment,
        backprop,
        compare,
        create_model,
        cross_validate,
        doctor,
        evaluate,
        features,
        label_issues,
        learning_curve,
        lr_find,
        models,
        plan,
        predict,
        recipe,
        recipes,
        report,
        resume,
        runs,
        settings,
        show,
        studies,
        study,
        train,
        tune_threshold,
    )
    from saccade.errors import SaccadeError
    from saccade.runs.bundle import Bundle
    from saccade.runs.run import Run, open_bundle

__version__ = version("saccade")

__all__ = [
    "Bundle",
    "Run",
    "SaccadeError",
    "augment",
    "backprop",
    "compare",
    "create_model",
    "cross_validate",
    "doctor",
    "evaluate",
    "features",
    "label_issues",
    "learning_curve",
    "lr_find",
    "models",
    "open_bundle",
    "plan",
    "predict",
    "recipe",
    "recipes",
    "report",
    "resume",
    "runs",
    "settings",
    "show",
    "studies",
    "study",
    "train",
    "tune_threshold",
]

HOMES = dict.fromkeys(__all__, "saccade.api") | {
    "Bundle": "saccade.runs.bundle",
    "Run": "saccade.runs.run",
    "SaccadeError": "saccade.errors",
    "open_bundle": "saccade.runs.run",
}  # where a name lives; it is imported when first asked for, PyTorch with it
PACKAGES = ("models", "recipes", "report", "runs", "studies")  # verbs too: see verb_package


def __getattr__(name: str) -> Any:
    if name in PACKAGES:
        return import_module(f"saccade.{name}")
    if name not in HOMES:
        raise AttributeError(f"module 'saccade' has no attribute '{name}'")
    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
