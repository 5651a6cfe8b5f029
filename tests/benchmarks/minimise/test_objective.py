"""Objective: values, gradients and curvature beside matrices that autograd makes whole."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minimise.objective import Objective, network_loss, weights_of


def problem() -> tuple[nn.Sequential, Tensor, Tensor]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    return network, torch.randn(9, 5, dtype=torch.float64), torch.arange(9) % 3


def test_loss_and_gradient_are_those_of_the_network_with_decay():
    network, x, targets = problem()
    squares = sum(p.square().sum() for p in network.parameters())
    expected = F.cross_entropy(network(x), targets) + 0.1 / 2 * squares
    expected.backward()
    gradient = torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])
    objective, w = network_loss(network, x, targets, decay=0.1), weights_of(network)
    assert objective.loss(w) == pytest.approx(expected.item(), rel=1e-12)
    found, ours = objective.gradient(w)
    assert found == pytest.approx(expected.item(), rel=1e-12)
    torch.testing.assert_close(ours, gradient)


def test_the_product_is_that_of_the_gauss_newton_matrix_written_out():
    """Mean over images of J' (diag(p) - p p') J, plus decay: Schraudolph 2002, Section 3."""
    network, x, targets = problem()
    objective, w = network_loss(network, x, targets, decay=0.1), weights_of(network)
    matrix = 0.1 * torch.eye(len(w), dtype=torch.float64)
    for image in x:
        p = network(image).softmax(0)
        rows = []
        for k in range(3):
            gradients = torch.autograd.grad(network(image)[k], list(network.parameters()))
            rows.append(torch.cat([g.flatten() for g in gradients]))
        jacobian = torch.stack(rows)
        matrix += (jacobian.T @ (torch.diag(p) - torch.outer(p, p)) @ jacobian).detach() / len(x)
    v = torch.randn(len(w), dtype=torch.float64)
    model = objective.model(w)
    torch.testing.assert_close(model.product(v), matrix @ v)
    loss, gradient = objective.gradient(w)
    assert model.loss == pytest.approx(loss)
    torch.testing.assert_close(model.gradient, gradient)


def test_for_a_linear_model_it_is_the_hessian():
    torch.manual_seed(0)
    network = nn.Linear(4, 3).double()
    x, targets = torch.randn(6, 4, dtype=torch.float64), torch.arange(6) % 3
    objective, w = network_loss(network, x, targets), weights_of(network)

    def loss(w: Tensor) -> Tensor:
        weight, bias = w.split((12, 3))
        return F.cross_entropy(F.linear(x, weight.view(3, 4), bias), targets)

    hessian = torch.autograd.functional.hessian(loss, w)
    v = torch.randn(15, dtype=torch.float64)
    torch.testing.assert_close(objective.model(w).product(v), hessian @ v)


def test_costs_are_counted_in_passes_and_by_the_share_of_images():
    network, x, targets = problem()
    objective, w = network_loss(network, x, targets), weights_of(network)
    third = torch.arange(3)
    costs = []
    model = objective.model(w)
    for ask in (
        lambda: objective.loss(w),
        lambda: objective.gradient(w),
        lambda: model.product(w),
        lambda: objective.loss(w, third),
        lambda: objective.gradient(w, third),
    ):
        before = objective.cost
        ask()
        costs.append(objective.cost - before)
    assert costs == pytest.approx([1, 3, 4, 1 / 3, 1])


def test_rows_are_the_images_alone():
    network, x, targets = problem()
    some = torch.tensor([7, 2])
    whole, part = network_loss(network, x, targets), network_loss(network, x[some], targets[some])
    w = weights_of(network)
    assert isinstance(whole, Objective)
    assert whole.loss(w, some) == pytest.approx(part.loss(w))
    torch.testing.assert_close(whole.gradient(w, some)[1], part.gradient(w)[1])
    torch.testing.assert_close(whole.model(w, some).product(w), part.model(w).product(w))
