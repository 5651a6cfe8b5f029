"""The drawing of a sweep over learning rates."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Literal, cast

from saccade.engine.finder import Trial


def rate_picture(found: Sequence[Trial], rate: float, kind: str) -> bytes:
    """Loss over rate, the rate on a scale of powers of ten; `kind` is png or svg."""
    from matplotlib.figure import Figure  # half a second, which trainings have no use for

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    rates = [trial.rate for trial in found]
    axes.plot(rates, [trial.loss for trial in found], ".", color="0.7", label="loss of a step")
    axes.plot(rates, [trial.smooth for trial in found], color="tab:blue", label="smooth")
    lowest = min(found, key=lambda trial: trial.smooth)
    axes.plot(lowest.rate, lowest.smooth, "s", color="black", label=f"lowest at {lowest.rate:.2g}")
    axes.axvline(rate, color="tab:orange", linestyle="--", label=f"suggested: {rate:.2g}")
    tops = sorted(trial.loss for trial in found)
    top = 1.1 * max(found[0].smooth, tops[int(0.9 * (len(tops) - 1))])
    axes.set(xscale="log", xlabel="learning rate", ylabel="training loss", ylim=(0, top))
    axes.legend()
    drawn = io.BytesIO()
    format = cast(Literal["png", "svg"], kind)
    figure.savefig(drawn, format=format, dpi=150, metadata={"Date": None} if kind == "svg" else {})
    return drawn.getvalue()
