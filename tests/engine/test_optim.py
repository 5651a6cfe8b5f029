from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from saccade.engine.muon import Muon, orthogonal
from saccade.engine.optim import OPTIMIZERS, Lookahead, parameter_groups
from saccade.models.create import create_model
from saccade.models.layers.blocks import chain

STEPS = 12


def network() -> nn.Sequential:
    """The ReLU gives the first bias a gradient; before a batch norm it is nothing but rounding."""
    torch.manual_seed(3)
    rows = {"conv": nn.Conv2d(2, 4, 3), "relu": nn.ReLU(), "bn": nn.BatchNorm2d(4)}
    return chain(**rows, flatten=nn.Flatten(), fc=nn.Linear(64, 3))


def named(model: nn.Sequential) -> dict[str, nn.Parameter]:
    return dict(model.named_parameters())


def trained(make: Callable[[nn.Sequential], torch.optim.Optimizer | Lookahead]) -> list[Tensor]:
    """The weights of a small network after some steps."""
    model = network()
    optimizer = make(model)
    generator = torch.Generator().manual_seed(5)
    for _ in range(STEPS):
        x = torch.randn(8, 2, 6, 6, generator=generator)
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
    return [p.detach() for p in model.parameters()]


def groups(model: nn.Sequential) -> list[dict]:
    return parameter_groups(model, 0.1)


def two(model: nn.Sequential) -> list[dict]:
    """Decay on what has more than one dimension, written a second time."""
    weights = named(model)
    matrices = [weights["conv.weight"], weights["fc.weight"]]
    rest = [weights[n] for n in ("conv.bias", "bn.weight", "bn.bias", "fc.bias")]
    return [{"params": matrices, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]


REFERENCES: dict[str, Callable[[list[dict]], torch.optim.Optimizer]] = {
    "sgd": lambda g: torch.optim.SGD(g, lr=0.02, momentum=0.9, foreach=False),
    "nesterov": lambda g: torch.optim.SGD(g, 0.02, momentum=0.9, nesterov=True, foreach=False),
    "adagrad": lambda g: torch.optim.Adagrad(g, lr=0.02, foreach=False),
    "adadelta": lambda g: torch.optim.Adadelta(g, lr=0.02, rho=0.9, foreach=False),
    "rmsprop": lambda g: torch.optim.RMSprop(g, lr=0.02, momentum=0.9, foreach=False),
    "adam": lambda g: torch.optim.Adam(g, lr=0.02, betas=(0.9, 0.999), foreach=False),
    "adamw": lambda g: torch.optim.AdamW(g, lr=0.02, betas=(0.9, 0.999), foreach=False),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_an_optimizer_moves_as_pytorchs_plain_loop_does(name: str) -> None:
    ours = trained(lambda model: OPTIMIZERS[name](groups(model), 0.02, 0.9))
    expected = trained(lambda model: REFERENCES[name](two(model)))
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


def test_every_optimizer_is_compared_with_a_reference() -> None:
    assert set(OPTIMIZERS) == {*REFERENCES, "lion", "muon"}


def test_lion_is_the_papers_algorithm_2() -> None:
    lr, decay, beta1, beta2 = 0.01, 0.1, 0.8, 0.99
    start, gradients = [1.0, -2.0, 0.5], [[0.3, -0.1, 0.0], [-1.0, 0.2, 0.4], [0.1, 0.1, -0.9]]
    weight = nn.Parameter(torch.tensor(start))
    optimizer = OPTIMIZERS["lion"]([{"params": [weight], "weight_decay": decay}], lr, beta1)
    theta, mean = list(start), [0.0] * 3
    for gradient in gradients:
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        for k, g in enumerate(gradient):
            c = beta1 * mean[k] + (1 - beta1) * g
            theta[k] -= lr * ((c > 0) - (c < 0) + decay * theta[k])
            mean[k] = beta2 * mean[k] + (1 - beta2) * g
    assert weight.tolist() == pytest.approx(theta, rel=1e-6)


def test_newton_and_schulz_come_near_the_orthogonal_factor() -> None:
    generator = torch.Generator().manual_seed(0)
    for shape in ((6, 9), (9, 6), (5, 5)):
        matrix = torch.randn(shape, generator=generator)
        u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
        result = orthogonal(matrix)
        singular = torch.linalg.svdvals(result)
        assert singular.min() > 0.6 and singular.max() < 1.25  # Jordan 2024: 0.7 to 1.2
        along = u.T @ result @ vh.T  # the same directions: nothing beside the diagonal
        torch.testing.assert_close(along, torch.diag(along.diagonal()), rtol=0, atol=1e-4)


def test_newton_and_schulz_move_each_singular_value_by_the_papers_quintic() -> None:
    values = torch.tensor([3.0, 2.0, 0.5])
    expected = values / values.norm()
    for _ in range(5):
        expected = 3.4445 * expected - 4.7750 * expected**3 + 2.0315 * expected**5
    torch.testing.assert_close(orthogonal(torch.diag(values)), torch.diag(expected))


def test_muon_moves_matrices_as_pytorchs_does() -> None:
    def reference(model: nn.Sequential) -> torch.optim.Optimizer:
        options = {"momentum": 0.9, "nesterov": True, "adjust_lr_fn": "match_rms_adamw"}
        return torch.optim.Muon([named(model)["fc.weight"]], lr=0.02, weight_decay=0.1, **options)

    def ours(model: nn.Sequential) -> torch.optim.Optimizer:
        return Muon([{"params": [named(model)["fc.weight"]], "weight_decay": 0.1}], 0.02, 0.9)

    actual, other = trained(ours)[-2], trained(reference)[-2]
    moved = (actual - named(network())["fc.weight"]).norm()
    assert (actual - other).norm() < 0.02 * moved  # theirs computes in bfloat16


def test_muon_moves_vectors_as_adamw_does() -> None:
    def vectors(model: nn.Sequential) -> list[dict]:
        weights = named(model)
        return [{"params": [weights["bn.weight"], weights["fc.bias"]], "weight_decay": 0.1}]

    def adamw(model: nn.Sequential) -> torch.optim.Optimizer:
        return torch.optim.AdamW(vectors(model), lr=0.02)

    torch.testing.assert_close(trained(lambda m: Muon(vectors(m), 0.02)), trained(adamw))


def test_muon_takes_a_kernel_for_a_matrix_of_its_output_channels() -> None:
    kernel = nn.Parameter(torch.zeros(4, 2, 3, 3))
    kernel.grad = torch.randn(4, 2, 3, 3, generator=torch.Generator().manual_seed(1))
    Muon([{"params": [kernel]}], 0.1).step()
    expected = -0.1 * 0.2 * math.sqrt(18) * orthogonal(kernel.grad.view(4, 18))
    torch.testing.assert_close(kernel.detach().view(4, 18), expected)


def test_lookahead_is_the_papers_algorithm_1() -> None:
    weight = nn.Parameter(torch.tensor([2.0]))
    optimizer = Lookahead(torch.optim.SGD([weight], lr=0.1), steps=3, alpha=0.5)
    slow = fast = 2.0
    for step in range(1, 8):
        weight.grad = weight.detach().clone()  # of w^2 / 2
        optimizer.step()
        fast -= 0.1 * fast
        if step % 3 == 0:
            slow += 0.5 * (fast - slow)
            fast = slow
        assert weight.item() == pytest.approx(fast, rel=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adamw", "muon"])
def test_lookahead_goes_on_exactly_from_a_saved_state(name: str) -> None:
    def run(saved_after: int | None) -> Tensor:
        weight = nn.Parameter(torch.ones(3, 2))
        optimizer = Lookahead(OPTIMIZERS[name]([{"params": [weight]}], 0.1, 0.9), steps=4)
        for step in range(10):
            weight.grad = (weight.detach() - step).sin()
            optimizer.step()
            if step == saved_after:
                state = optimizer.state_dict()
                optimizer = Lookahead(OPTIMIZERS[name]([{"params": [weight]}], 0.1, 0.9), steps=4)
                optimizer.load_state_dict(state)
        return weight.detach()

    assert torch.equal(run(None), run(saved_after=5))


def test_layers_further_down_move_at_a_smaller_rate() -> None:
    model = chain(
        stem=nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU()),
        conv=nn.Conv2d(2, 2, 3, bias=False),
        bn=nn.BatchNorm2d(2),
        flatten=nn.Flatten(),
        fc=nn.Linear(8, 3),
    )
    rates = {
        parameter: group["lr_scale"]
        for group in parameter_groups(model, 0.1, layer_decay=0.5)
        for parameter in group["params"]
    }
    result = {name: rates[parameter] for name, parameter in model.named_parameters()}
    assert result == {
        "stem.0.weight": 0.25, "stem.0.bias": 0.25, "stem.1.weight": 0.25, "stem.1.bias": 0.25,
        "conv.weight": 0.5, "bn.weight": 0.5, "bn.bias": 0.5,
        "fc.weight": 1.0, "fc.bias": 1.0,
    }  # fmt: skip


def test_layers_with_rates_of_their_own_keep_decay_on_weights_alone() -> None:
    for group in parameter_groups(network(), 0.1, layer_decay=0.5):
        assert {p.ndim > 1 for p in group["params"]} == {group["weight_decay"] > 0}


def test_no_bias_decays_whatever_its_layer() -> None:
    """Those of a locally connected layer, one a place, among them."""
    for name in ("net3", "lenet5_1998"):
        model = create_model(name)
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        for group in parameter_groups(model, 0.1):
            biases = {names[id(p)].endswith("bias") for p in group["params"]}
            assert True not in biases or group["weight_decay"] == 0
