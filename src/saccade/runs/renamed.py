"""Events and keys of log.jsonl of earlier versions, read by their current names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EVENTS = {
    "memory": "out_of_memory",
    "kept": "checkpoint",
    "calibrated": "calibration",
    "judgement": "fit_diagnosis",
}
KEYS = {  # of each event, by its name of today
    "started": {"pictures": "images"},
    "stage": {"learning": "trainable"},
    "checkpoint": {"early": "stopped_early"},
    "fit_diagnosis": {"words": "message"},
    "novelty": {"pictures": "images", "words": "message"},
    "plan": {"pictures": "images", "tried": "steps_tried"},
    "evaluation": {"numbers": "metrics"},
}
PER_CLASS = {"pictures": "support", "named": "predicted", "right": "true_positives"}


def current_fact(fact: dict[str, Any]) -> dict[str, Any]:
    """An event of log.jsonl with the names of this version."""
    event = EVENTS.get(fact["event"], fact["event"])
    named = _named(fact | {"event": event}, KEYS.get(event, {}))
    if event == "evaluation" and "per_class" in named:
        named["per_class"] = [_named(row, PER_CLASS) for row in named["per_class"]]
    return named


def _named(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in fields.items()}
