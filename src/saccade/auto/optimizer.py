"""What each optimizer asks for: its own learning rate, momentum and weight decay.

Who changes the optimizer of a recipe alone gets those of the new one, and who changes the batch
size a learning rate that fits it; what was set stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from saccade.own import Own
from saccade.recipes.recipe import Recipe

FIGURES = 2  # of a learning rate that is carried over
NAME, BATCH = "optim.name", "train.batch_size"
LINEAR = ("sgd", "nesterov")  # their rate falls with the batch size, that of others with its root
MOST = 4.0  # times the rate, for large batches


class Needs(NamedTuple):
    """What an optimizer learns well with."""

    rate: float  # its learning rate where AdamW's is 1
    momentum: float
    weight_decay: float


# Rates: benchmarks/defaults.py; decay of the gradient's own optimizers 0.0005 (Krizhevsky 2012),
# none where it would be divided by the second moment (Loshchilov 2017); Lion's three times AdamW's
# at a third of its rate (Chen 2023, Section 5).
NEEDS: Mapping[str, Needs] = {
    "sgd": Needs(15, 0.9, 5e-4),
    "nesterov": Needs(15, 0.9, 5e-4),
    "adagrad": Needs(3, 0.9, 0.0),
    "adadelta": Needs(250, 0.9, 0.0),
    "rmsprop": Needs(0.3, 0.0, 0.0),
    "adam": Needs(1, 0.9, 0.0),
    "adamw": Needs(1, 0.9, 0.05),
    "lion": Needs(0.3, 0.9, 0.15),
    "muon": Needs(2.5, 0.9, 0.05),
}


def with_own_needs(
    recipe: Recipe, before: Recipe, stated: Collection[str], origins: dict[str, str]
) -> Recipe:
    """The recipe with what its optimizer asks for, where it is another than that of `before`.

    `stated` are the settings that were set beside it; `origins` says of each other one whose it is.
    """
    name, old = recipe.optim.name, before.optim.name
    if name == old:
        return recipe
    if isinstance(name, Own):
        for setting in {"optim.lr", "optim.weight_decay"} - {*stated}:
            origins[setting] += f", made for {old}"
        return recipe
    needs, others = NEEDS[name], NEEDS["adamw" if isinstance(old, Own) else old]
    values = {"optim.momentum": needs.momentum, "optim.weight_decay": needs.weight_decay}
    if isinstance(before.optim.lr, float):
        rate = before.optim.lr * needs.rate / others.rate
        values["optim.lr"] = _rounded(rate)
    values = {setting: value for setting, value in values.items() if setting not in stated}
    known = before.settings()
    for setting, value in values.items():
        if value != known[setting]:
            origins[setting] = f"auto: {name}'s own; {known[setting]:g} is {old}'s"
    return recipe.with_(values)


def with_rate_of_batches(
    recipe: Recipe, before: Recipe, stated: Collection[str], origins: dict[str, str]
) -> Recipe:
    """The recipe with a learning rate for its batches, where they are of another size than before.

    Of SGD in proportion for smaller batches (Goyal 2017), and the same for larger ones, for which
    it is near to its limit; of others by the root of the size (Krizhevsky 2014; for Adam Malladi
    2022), 4 times at most; Adadelta has no such rate.
    """
    size, old, rate = recipe.train.batch_size, before.train.batch_size, recipe.optim.lr
    known = all(isinstance(value, int) for value in (size, old)) and isinstance(rate, float)
    if not known or size == old or "optim.lr" in stated or recipe.optim.name == "adadelta":
        return recipe
    factor, linear = int(size) / int(old), recipe.optim.name in LINEAR
    factor = min(1.0, factor) if linear else min(MOST, factor**0.5)
    if factor == 1:
        return recipe
    value = _rounded(float(rate) * factor)
    origins["optim.lr"] = f"auto: for batches of {size}; {rate:g} is for {old}"
    return recipe.with_({"optim.lr": value})


def _rounded(rate: float) -> float:
    return float(f"{rate:.{FIGURES}g}")
