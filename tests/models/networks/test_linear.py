"""Linear and logistic regression and the perceptron against scikit-learn and their rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression, LogisticRegression

from saccade.models.networks.small import linear, perceptron

DIGITS: Any = load_digits()
X = torch.from_numpy(DIGITS.images / 16).view(-1, 1, 8, 8)
Y = torch.from_numpy(DIGITS.target)


def test_linear_regression_with_least_squares_weights_is_scikit_learns():
    targets = DIGITS.images[:, 2:4, 3].copy()
    theirs = LinearRegression().fit(DIGITS.data, targets)
    ours = linear(2, input_shape=(1, 8, 8)).double()
    ours.load_state_dict(
        {"fc.weight": torch.tensor(theirs.coef_), "fc.bias": torch.tensor(theirs.intercept_)}
    )
    outputs = ours(torch.tensor(DIGITS.images)[:, None]).detach().numpy()
    np.testing.assert_allclose(outputs, theirs.predict(DIGITS.data), atol=1e-9)


def test_logistic_regressions_softmax_is_scikit_learns_probability():
    theirs = LogisticRegression(max_iter=40, tol=0.1).fit(X.flatten(1).numpy(), DIGITS.target)
    ours = linear(10, input_shape=(1, 8, 8)).double()
    ours.load_state_dict(
        {"fc.weight": torch.tensor(theirs.coef_), "fc.bias": torch.tensor(theirs.intercept_)}
    )
    probabilities = ours(X).softmax(1).detach().numpy()
    np.testing.assert_allclose(probabilities, theirs.predict_proba(X.flatten(1).numpy()), atol=1e-9)


def test_the_perceptron_learns_what_can_be_separated_and_then_rests():
    """Rosenblatt's theorem: noughts against the rest are separable, so the errors reach zero."""
    network = perceptron(1, input_shape=(1, 8, 8)).double()
    torch.nn.init.zeros_(network.get_parameter("fc.weight"))
    torch.nn.init.zeros_(network.get_parameter("fc.bias"))
    x, targets = X[:300], (Y[:300] == 0).double()[:, None]
    descent = torch.optim.SGD(network.parameters(), lr=1.0)
    for _ in range(3000):
        descent.zero_grad()
        loss = 0.5 * F.mse_loss(network(x), targets, reduction="sum")
        if loss == 0:
            break
        loss.backward()
        descent.step()
    assert torch.equal(network(x), targets)


def test_the_perceptron_says_nought_or_one():
    y = perceptron(10, input_shape=(1, 8, 8)).double()(X)
    assert set(y.unique().tolist()) == {0.0, 1.0}
