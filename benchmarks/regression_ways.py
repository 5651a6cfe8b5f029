"""The ways by which benchmarks/regression.py tells numbers, and the folds they are judged on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from saccade.data.grouping import stratify
from saccade.data.item import ImageFile, Item
from saccade.probes.simple import ridge

FOLDS, SEED = 5, 0
HIDDEN, PASSES = 64, 15  # of the layer that learns the proxy

Fit = Callable[[Tensor], Tensor]  # positions of the places to fit on -> of all places [N]


class Row(NamedTuple):
    """What one way came to, judged on places out of its folds."""

    name: str
    said: Tensor  # [N]
    true: Tensor


def out_of_folds(parts: Sequence[Sequence[int]], fit: Fit) -> Tensor:
    """What is said of each place by the fit that did not see it.  -> [N]"""
    count = sum(map(len, parts))
    said = torch.empty(count, dtype=torch.float64)
    for held in parts:
        rest = torch.tensor(sorted(set(range(count)) - set(held)))
        said[list(held)] = fit(rest)[list(held)].double()
    return said


def dealt(names: Sequence[str], numbers: Tensor, group: Callable[[Item], str | None]):
    """Folds of places, each with its share of large and small numbers; groups stay together."""
    items = [Item(n, float(y), ImageFile(n)) for n, y in zip(names, numbers.tolist(), strict=True)]
    at = {name: place for place, name in enumerate(names)}
    parts = stratify(items, (1 / FOLDS,) * FOLDS, SEED, group)
    return [[at[item.name] for item in part] for part in parts]


def by_ridge(x: Tensor, y: Tensor) -> Fit:
    """Ridge on the images of places, those of a place left out together; the mean of a place.

    [N,V,D], [N]
    """

    def fit(rest: Tensor) -> Tensor:
        row = ridge(x[rest], y[rest, None].double()).row
        with torch.inference_mode():
            return row(x.float())[..., 0].mean(dim=1)

    return fit


def by_proxy(x: Tensor, y: Tensor, proxy: Tensor) -> Fit:
    """A layer learns the proxy classes from the features; ridge on what it makes of them."""

    def fit(rest: Tensor) -> Tensor:
        return by_ridge(learned(x, proxy, rest), y)(rest)

    return fit


def learned(x: Tensor, proxy: Tensor, rest: Tensor) -> Tensor:
    """The hidden layer of a network that learned the classes of the places `rest`.  -> [N,V,H]"""
    torch.manual_seed(SEED)
    scale = x[rest].std()
    hidden = nn.Sequential(nn.Linear(x.shape[2], HIDDEN), nn.ReLU(), nn.Dropout(0.5))
    head = nn.Linear(HIDDEN, int(proxy.max()) + 1)
    parameters = [*hidden.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.1)
    seen = x[rest].flatten(0, 1) / scale
    wanted = proxy[rest].repeat_interleave(x.shape[1])
    for _ in range(PASSES):
        for part in torch.randperm(len(seen)).split(64):
            loss = nn.functional.cross_entropy(head(hidden(seen[part])), wanted[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.inference_mode():
        return hidden.eval()(x / scale).clone()


def mean_of(y: Tensor) -> Fit:
    return lambda rest: y[rest].mean().expand(len(y))
