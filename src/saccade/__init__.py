"""saccade: train, measure, explain and ship networks that recognise what is in an image."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saccade.api import (
        augment,
        compare,
        create_model,
        cross_validate,
        doctor,
        evaluate,
        features,
        label_issues,
        lr_find,
        plan,
        predict,
        resume,
        settings,
        show,
        study,
        train,
        tune_threshold,
    )
    from saccade.runs.run import Run, open_bundle

__version__ = version("saccade")

HOMES = {  # where a name lives; it is imported when first asked for, PyTorch with it
    "Run": "saccade.runs.run",
    "augment": "saccade.api",
    "compare": "saccade.api",
    "create_model": "saccade.api",
    "cross_validate": "saccade.api",
    "doctor": "saccade.api",
    "evaluate": "saccade.api",
    "features": "saccade.api",
    "label_issues": "saccade.api",
    "lr_find": "saccade.api",
    "open_bundle": "saccade.runs.run",
    "plan": "saccade.api",
    "predict": "saccade.api",
    "resume": "saccade.api",
    "settings": "saccade.api",
    "show": "saccade.api",
    "study": "saccade.api",
    "train": "saccade.api",
    "tune_threshold": "saccade.api",
}

__all__ = [
    "Run",
    "augment",
    "compare",
    "create_model",
    "cross_validate",
    "doctor",
    "evaluate",
    "features",
    "label_issues",
    "lr_find",
    "open_bundle",
    "plan",
    "predict",
    "resume",
    "settings",
    "show",
    "study",
    "train",
    "tune_threshold",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'saccade' has no attribute '{name}'")
    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *HOMES]
