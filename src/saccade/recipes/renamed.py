"""Renamed settings and values: hints for the old names, and settings of old runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SETTINGS = {
    "data.crop": "data.crop_pct",
    "data.held_per_class": "data.held_out_per_class",
    "data.grow": "data.progressive_resizing",
    "data.views": "data.augmented_copies",
    "optim.clip": "optim.clip_grad",
    "optim.patience": "optim.plateau_patience",
    "train.micro_batch": "train.micro_batch_size",
    "train.stop_after": "train.patience",
    "train.keep": "train.checkpoint",
    "train.statistics": "train.layer_statistics",
    "train.average": "train.ema",
}
VALUES = {
    "model.head": {"fresh": "random", "means": "nearest_mean", "neighbours": "knn"},
    "optim.schedule": {"steps": "multistep"},
}


def hint_on_name(name: str) -> str:
    """What a setting is called now, of its last name too; empty for one never called so."""
    now = [new for old, new in SETTINGS.items() if name in (old, old.partition(".")[2])]
    return f"it is called {now[0]} now" if now else ""


def hint_on_value(name: str, value: Any) -> str:
    """What a value of a setting is called now; empty for one that was never called so."""
    now = _value_now(name, value)
    return "" if now is value else f"it is called {now} now: {name}={now}"


def current(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a run folder of an earlier version states them, by today's names and values."""
    renamed = {SETTINGS.get(name, name): value for name, value in stated.items()}
    return {name: _value_now(name, value) for name, value in renamed.items()}


def note_on(stated: Mapping[str, Any]) -> tuple[str, ...]:
    """What `current` changes, in a line; none where it changes nothing."""
    changed = [f"{name} as {SETTINGS[name]}" for name in stated if name in SETTINGS]
    values = ((name, value, _value_now(name, value)) for name, value in stated.items())
    changed += [f"{name}={value} as {now}" for name, value, now in values if now is not value]
    return (f"an earlier version's settings are read: {', '.join(changed)}",) if changed else ()


def _value_now(name: str, value: Any) -> Any:
    return VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value
