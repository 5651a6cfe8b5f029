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
    "plan": {"pictures": "images", "tried": "largest_batch", "steps_tried": "largest_batch"},
    "evaluation": {"numbers": "metrics"},
    "epoch": {"val_r_squared": "val_r2"},
}
PER_CLASS = {"pictures": "support", "named": "predicted", "right": "true_positives"}
METRICS = {  # names, a "per place" behind some aside
    "kappa": "Cohen's kappa",
    "Matthews": "Matthews correlation",
    "ROC area": "ROC AUC",
    "all labels right": "subset accuracy",
    "R squared": "R2",
    "calibration error": "expected calibration error",
    "root mean square error": "root mean squared error",
    "Spearman": "Spearman correlation",
    "Pearson": "Pearson correlation",
    "bias": "mean error",
}
METHODS = {  # of intervals, the "basic" in front of some aside
    "bootstrap of groups": "cluster bootstrap",
    "of Wilson's by class": "Wilson, by class",
}
FITS = {"fits": "good fit", "cannot tell": "inconclusive"}


def current_fact(fact: dict[str, Any]) -> dict[str, Any]:
    """An event of log.jsonl with the names of this version."""
    event = str(EVENTS.get(fact["event"], fact["event"]))
    current = _renamed(fact | {"event": event}, KEYS.get(event, {}))
    if event == "evaluation":
        current |= {k: list(map(ROWS[k], rows)) for k, rows in current.items() if k in ROWS}
    if event == "fit_diagnosis":
        current["kind"] = FITS.get(current["kind"], current["kind"])
    return current


def _current_metric(metric: Mapping[str, Any]) -> dict[str, Any]:
    """A metric by its name of today, and so the method of its interval."""
    name, method = metric["name"], metric["method"]
    plain, basic = name.removesuffix(" per place"), method.removeprefix("basic ")
    return {
        **metric,
        "name": METRICS.get(plain, plain) + name.removeprefix(plain),
        "method": method.removesuffix(basic) + METHODS.get(basic, basic),
    }


def _current_class(row: Mapping[str, Any]) -> dict[str, Any]:
    return _renamed(row, PER_CLASS)


ROWS = {"metrics": _current_metric, "per_class": _current_class}  # of an evaluation


def _renamed(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in fields.items()}
