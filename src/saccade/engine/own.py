"""A person's own optimizer: a class like those of `torch.optim`, or a function that makes one."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

import torch

from saccade.errors import RecipeError
from saccade.own import Own, checked

SETTING = "optim.name"
HINT = (
    "give a class like those of torch.optim, or a function of (parameter groups, lr): "
    "with_={'optim.name': lambda groups, lr: torch.optim.NAdam(groups, lr=lr)}"
)


def own_optimizer(own: Own, groups: list[dict], lr: float) -> torch.optim.Optimizer:
    """What the class or function of `own` makes of parameter groups and a learning rate.

    Raises `RecipeError` where that fails, or is an optimizer of other weights or with a closure.
    """
    part = own.need(SETTING)
    if isinstance(part, torch.optim.Optimizer):
        raise RecipeError(f"{SETTING}={own} holds the weights of another network", HINT)
    if isinstance(part, partial):
        _refuse_settings(own, part)
    _refuse_closure(own, part.func if isinstance(part, partial) else part)
    weights = [weight for group in groups for weight in group["params"]]
    try:
        made = part(groups, lr=lr)
    except (TypeError, ValueError, RuntimeError, LookupError) as error:
        what = f"{SETTING}={own} fails on parameter groups and lr={lr:g}: "
        raise RecipeError(f"{what}{type(error).__name__}: {error}", HINT) from error
    kind = torch.optim.Optimizer
    optimizer = checked(SETTING, own, made, kind, "make a torch.optim.Optimizer")
    _refuse_closure(own, type(optimizer))
    held = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
    if held != {id(weight) for weight in weights}:
        what = f"{SETTING}={own} does not hold the {len(weights)} weights that it is given"
        raise RecipeError(what, f"pass on all groups; model.freeze keeps rows as they are. {HINT}")
    rates = [group.get("lr", lr) for group in optimizer.param_groups]
    if any(rate != lr for rate in rates):
        listed = ", ".join(f"{rate:g}" for rate in rates)
        what = f"{SETTING}={own} has the learning rates {listed} in place of the recipe's {lr:g}"
        raise RecipeError(what, HINT)
    return optimizer


def _refuse_settings(own: Own, part: partial[Any]) -> None:
    """Raise `RecipeError` for what the recipe decides, and would replace without a word."""
    for name in ("lr", "weight_decay"):
        if name in part.keywords:
            value = part.keywords[name]
            what = f"{SETTING}={own} has {name}={value} of its own, which the recipe's replaces"
            raise RecipeError(what, f"leave it out, and set with_={{'optim.{name}': {value}}}")


def _refuse_closure(own: Own, kind: object) -> None:
    """Raise `RecipeError` for a class whose step evaluates the loss itself, as that of LBFGS."""
    if not (isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)):
        return
    parameters = [*inspect.signature(kind.step).parameters.values()][1:]
    if any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters):
        what = f"{SETTING}={own} needs a closure, since it evaluates a batch several times a step"
        raise RecipeError(what, "take one that steps by one gradient, such as torch.optim.NAdam")
