"""The figures of docs/studies/second_order.md: second-order, first-order and black-box training.

    python benchmarks/second_order.py docs/studies

prints the table and writes second_order.svg into that folder.  Two small networks learn the
embedded digits; every method has the same cost, in passes of all images forward, and the best of
three settings, found from a seed that is not among the others.  About two minutes of one core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from math import inf, isfinite
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

import matplotlib
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from minimise.black_box import evolved, random_search
from minimise.first_order import first_order, shuffled_batches, stepwise
from minimise.hessian_free import hessian_free
from minimise.lbfgs import lbfgs
from minimise.objective import Objective, network_loss, weights_of
from saccade.metrics.intervals import mean_interval
from saccade.models.layers.blocks import chain
from saccade.models.networks.small import mlp

KINDS = ("softmax regression", "MLP 64-32-10")
BUDGET, BATCH, DECAY = 200, 64, 1e-4
SEEDS, TUNING = range(5), 100
MARKS = np.unique(np.geomspace(3, BUDGET, 60).round(3))  # costs at which the loss is read
Walk = Iterator[Tensor]


def network(kind: str) -> nn.Sequential:
    if kind == KINDS[0]:
        return chain(flatten=nn.Flatten(), fc=nn.Linear(64, 10))
    return mlp(10, (32,), activation=nn.Tanh, input_shape=(1, 8, 8))


@dataclass
class Problem:
    """A network, the digits it learns and those it is tried on, from one seed."""

    kind: str
    seed: int

    def __post_init__(self) -> None:
        x, y = load_digits(return_X_y=True)
        order = np.random.default_rng(self.seed).permutation(len(x))
        images = torch.from_numpy(x[order] / 16).view(-1, 1, 8, 8)
        targets = torch.from_numpy(y[order])
        self.train, self.test = (images[450:], targets[450:]), (images[:450], targets[:450])
        torch.manual_seed(self.seed)
        self.network = network(self.kind).double()
        self.start = weights_of(self.network)

    def objective(self) -> Objective:
        return network_loss(self.network, *self.train, decay=DECAY)

    def accuracy(self, w: Tensor) -> float:
        nn.utils.vector_to_parameters(w, self.network.parameters())
        with torch.inference_mode():
            return (self.network(self.test[0]).argmax(1) == self.test[1]).double().mean().item()


@dataclass(frozen=True)
class Method:
    """A way down, and the settings that are tried."""

    name: str
    settings: tuple[float, ...]
    word: str  # what the setting is
    walk: Callable[[Objective, Tensor, float, torch.Generator], Walk]


def step(name: str, momentum: float, size: int = BATCH):
    def walk(objective: Objective, start: Tensor, lr: float, chance: torch.Generator) -> Walk:
        batches = shuffled_batches(objective.count, size or objective.count, chance)
        gradient = first_order(objective)
        return stepwise(gradient, start, batches, optimizer=name, lr=lr, momentum=momentum)

    return walk


def evolution(objective: Objective, start: Tensor, lr: float, chance: torch.Generator) -> Walk:
    batches = shuffled_batches(objective.count, BATCH, chance)
    gradient = evolved(objective, chance)
    return stepwise(gradient, start, batches, optimizer="adam", lr=lr, momentum=0.9)


def gauss_newton(objective: Objective, start: Tensor, solves: float, _: torch.Generator) -> Walk:
    return hessian_free(objective, start, damping=0.1, solves=int(solves))


def quasi_newton(objective: Objective, start: Tensor, memory: float, _: torch.Generator) -> Walk:
    return lbfgs(objective, start, memory=int(memory))


def blind(objective: Objective, start: Tensor, sigma: float, chance: torch.Generator) -> Walk:
    return random_search(objective, start, chance, sigma=sigma)


METHODS = (
    Method("gradient descent", (1, 3, 10), "rate", step("sgd", 0, size=0)),
    Method("SGD", (0.3, 1, 3), "rate", step("sgd", 0)),
    Method("momentum 0.9", (0.03, 0.1, 0.3), "rate", step("sgd", 0.9)),
    Method("Adam", (0.003, 0.01, 0.03), "rate", step("adam", 0.9)),
    Method("L-BFGS", (5, 10, 30), "memory", quasi_newton),
    Method("Gauss-Newton, CG", (3, 10, 30), "CG steps", gauss_newton),
    Method("evolution strategy", (0.01, 0.03, 0.1), "rate", evolution),
    Method("random search", (0.003, 0.03, 0.3), "step", blind),
)


@dataclass(frozen=True)
class Trace:
    """What came of one walk."""

    losses: list[float]  # at MARKS
    accuracy: float  # of the last weights within the budget
    seconds: float  # of one core


def traced(problem: Problem, method: Method, setting: float) -> Trace:
    """Walk until the budget is spent; at each mark the loss is that of the last weights before."""
    objective, judge = problem.objective(), problem.objective()
    generator = torch.Generator().manual_seed(problem.seed)
    marks, losses, here = list(MARKS), [], problem.start
    began, looking = time.process_time(), 0.0
    for w in method.walk(objective, problem.start, setting, generator):
        paused = time.process_time()
        while marks and objective.cost > marks[0]:
            losses.append(judge.loss(here))
            marks.pop(0)
        looking += time.process_time() - paused
        if not marks:
            break
        here = w
    seconds = time.process_time() - began - looking
    losses += [judge.loss(here)] * len(marks)  # it had come to its end
    return Trace(losses, problem.accuracy(here), seconds)


def best_setting(kind: str, method: Method) -> float:
    def end(setting: float) -> float:
        loss = traced(Problem(kind, TUNING), method, setting).losses[-1]
        return loss if isfinite(loss) else inf

    return min(method.settings, key=end)


def minimum(problem: Problem) -> float:
    """The lowest loss of a convex problem, by many steps of L-BFGS."""
    *_, last = lbfgs(problem.objective(), problem.start, memory=100)
    return problem.objective().loss(last)


def spread(values: Sequence[float], form: str) -> str:
    """The mean, and half the width of its 95 % interval over the seeds."""
    interval = mean_interval(values)
    assert interval
    return f"{fmean(values):{form}} ± {(interval.high - interval.low) / 2:{form}}"


def measured(kind: str, name: str) -> tuple[float, list[Trace]]:
    """The best setting of a method, and what came of it from each seed."""
    torch.set_num_threads(1)
    method = next(method for method in METHODS if method.name == name)
    setting = best_setting(kind, method)
    return setting, [traced(Problem(kind, seed), method, setting) for seed in SEEDS]


def row(method: Method, setting: float, traces: list[Trace]) -> str:
    early = int(np.searchsorted(MARKS, BUDGET / 10))
    cells = [
        method.name,
        f"{method.word} {setting:g}",
        spread([t.losses[early] for t in traces], ".4f"),
        spread([t.losses[-1] for t in traces], ".4f"),
        spread([100 * t.accuracy for t in traces], ".1f"),
        f"{fmean(t.seconds for t in traces):.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    losses = " | ".join(f"loss at {cost:g}" for cost in (BUDGET / 10, BUDGET))
    drawn: dict[str, dict[str, list[Trace]]] = {}
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        waited = {
            (kind, method): pool.submit(measured, kind, method.name)
            for kind in KINDS
            for method in METHODS
        }
        for kind in KINDS:
            print(f"\n### {kind}\n")
            print(f"| method | setting | {losses} | test accuracy, % | seconds |")
            print("|---|---|---|---|---|---:|")
            drawn[kind] = {}
            for method in METHODS:
                setting, traces = waited[kind, method].result()
                print(row(method, setting, traces), flush=True)
                drawn[kind][method.name] = traces
    floors = [minimum(Problem(KINDS[0], seed)) for seed in SEEDS]
    print(f"\nThe lowest loss of {KINDS[0]}: {spread(floors, '.5f')}")
    draw(drawn, floors, Path(sys.argv[1]) / "second_order.svg")


LOOKS = {
    "gradient descent": ("#7a7a7a", "-"),
    "SGD": ("#1f6fb2", "-"),
    "momentum 0.9": ("#1f6fb2", "--"),
    "Adam": ("#1f6fb2", ":"),
    "L-BFGS": ("#c2410c", "-"),
    "Gauss-Newton, CG": ("#c2410c", "--"),
    "evolution strategy": ("#2e7d32", "-"),
    "random search": ("#2e7d32", "--"),
}


def draw(drawn: dict, floors: list[float], path: Path) -> None:
    """Means over seeds; the band goes from the lowest to the highest seed."""
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "second order", "svg.fonttype": "none"})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    for axis, (kind, found) in zip(axes, drawn.items(), strict=True):
        below = np.array(floors)[:, None] if kind == KINDS[0] else 0.0
        for name, traces in found.items():
            colour, dash = LOOKS[name]
            losses = np.maximum(np.array([t.losses for t in traces]) - below, 1e-9)
            axis.fill_between(MARKS, losses.min(0), losses.max(0), color=colour, alpha=0.12, lw=0)
            axis.plot(MARKS, losses.mean(0), dash, color=colour, label=name, lw=1.8)
        axis.set(xscale="log", yscale="log", xlabel="cost, passes of all images forward")
        axis.set_title(kind, loc="left")
        axis.grid(alpha=0.25)
    axes[0].set_ylabel("training loss above its minimum")
    axes[1].set_ylabel("training loss")
    axes[1].legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
