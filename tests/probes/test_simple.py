"""Heads in closed form against scikit-learn, against fits made anew, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from torch import Tensor

from saccade.errors import DataError
from saccade.probes.head import PrincipalFeatures, held_out_score, stratified_folds
from saccade.probes.logistic import logistic
from saccade.probes.simple import knn, nearest_mean, ridge


def digits(count: int = 120, classes: int = 10) -> tuple[Tensor, Tensor]:
    """Pixels as features [N,1,64] and classes [N]."""
    pixels, labels = load_digits(return_X_y=True)
    chosen = np.flatnonzero(labels < classes)[:count]
    return torch.tensor(pixels[chosen]).float()[:, None], torch.tensor(labels[chosen])


@pytest.mark.parametrize("count", [40, 120])  # fewer images than features, and more
def test_turned_features_keep_every_distance_but_for_the_scale(count: int) -> None:
    features = digits(count)[0][:, 0].double()
    principal = PrincipalFeatures.of(features)
    near = torch.cdist(features, features) / principal.scale
    assert torch.allclose(torch.cdist(principal.z, principal.z), near, atol=1e-5)
    assert principal.z.square().sum() / features.numel() == pytest.approx(1)


@pytest.mark.parametrize("count", [40, 120])
def test_ridge_is_scikit_learns(count: int) -> None:
    features, targets = digits(count)
    x = features[:, 0].double()
    scale = float(PrincipalFeatures.of(x).scale)
    head = ridge(features, targets, penalties=[100.0])
    theirs = Ridge(alpha=100 * scale**2).fit(x.numpy(), np.eye(10)[targets])
    with torch.no_grad():
        outputs = head.row(x.float())
    assert np.allclose(outputs, theirs.predict(x.numpy()), atol=1e-4)


@pytest.mark.parametrize("views", [1, 3])
def test_ridge_knows_what_fits_without_an_image_would_say_of_it(views: int) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(12, views, 5, generator=generator)
    targets = torch.randn(12, 1, generator=generator) + features[:, 0, :1]
    scale = float(PrincipalFeatures.of(features.flatten(0, 1)).scale)
    predictions = []
    for k in range(12):
        others = [i for i in range(12) if i != k]
        x = features[others].flatten(0, 1).double().numpy()
        y = targets[others].repeat_interleave(views, 0).numpy()
        fit = Ridge(alpha=3 * scale**2).fit(x, y)
        predictions.append(fit.predict(features[k, :1].double().numpy()).item())
    y = targets[:, 0].numpy()
    expected = 1 - np.square(np.array(predictions) - y).sum() / np.square(y - y.mean()).sum()
    left_out = ridge(features, targets, penalties=[3.0]).held_out_predictions
    assert left_out is not None
    assert held_out_score(left_out, targets) == pytest.approx(expected, abs=1e-5)
    assert np.allclose(left_out[:, 0], predictions, atol=1e-5)


def test_ridge_takes_the_strongest_penalty_where_features_say_nothing() -> None:
    """A number that turns its sign with each copy of the features: any weight makes it worse."""
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(20, 1, 5, generator=generator).repeat(2, 1, 1)
    numbers = torch.tensor([1.0] * 20 + [-1.0] * 20)[:, None]
    assert ridge(features, numbers).description.startswith("ridge, penalty 1e+07 ")


@pytest.mark.parametrize("classes", [2, 10])
def test_logistic_regression_is_scikit_learns(classes: int) -> None:
    features, targets = digits(100, classes)
    x = features[:, 0].double()
    principal = PrincipalFeatures.of(x)
    scaled = ((x - principal.mean) / principal.scale).numpy()
    head = logistic(features, targets, penalties=[0.1])
    if classes == 2:  # one column there, two here: half the weights, twice over
        theirs = LogisticRegression(C=1 / (0.05 * 100), tol=1e-10, max_iter=10_000)
    else:
        theirs = LogisticRegression(C=1 / (0.1 * 100), tol=1e-10, max_iter=10_000)
    theirs.fit(scaled, targets.numpy())
    with torch.no_grad():
        probabilities = head.row(x.float()).softmax(dim=1)
    assert np.allclose(probabilities, theirs.predict_proba(scaled), atol=2e-4)


def test_several_labels_are_as_many_regressions() -> None:
    features, digit = digits(100)
    labels = torch.stack([digit % 2 == 1, digit > 4, digit == 0], dim=1).float()
    head = logistic(features, labels, penalties=[0.1])
    x = features[:, 0].double()
    principal = PrincipalFeatures.of(x)
    scaled = ((x - principal.mean) / principal.scale).numpy()
    with torch.no_grad():
        probabilities = head.row(x.float()).sigmoid()
    for k in range(3):  # the loss is a mean over images and labels
        theirs = LogisticRegression(C=1 / (3 * 0.1 * 100), tol=1e-10, max_iter=10_000)
        theirs.fit(scaled, labels[:, k].numpy())
        assert np.allclose(probabilities[:, k], theirs.predict_proba(scaled)[:, 1], atol=2e-4)


def test_the_penalty_is_the_one_of_least_loss_held_out() -> None:
    features, targets = digits(100)
    x = features[:, 0].double()
    principal = PrincipalFeatures.of(x)
    scaled, folds = (
        ((x - principal.mean) / principal.scale).numpy(),
        stratified_folds(targets, 0).numpy(),
    )
    losses = {}
    for penalty in (1.0, 0.1, 0.01, 0.001, 1e-4, 1e-5):
        probabilities = np.empty((100, 10))
        for k in range(folds.max() + 1):
            rest = folds != k
            fit = LogisticRegression(C=1 / (penalty * rest.sum()), tol=1e-8, max_iter=5000)
            fit.fit(scaled[rest], targets.numpy()[rest])
            probabilities[~rest] = fit.predict_proba(scaled[~rest])
        losses[penalty] = -np.log(probabilities[np.arange(100), targets]).mean()
    best = min(losses, key=lambda penalty: losses[penalty])
    head = logistic(features, targets, penalties=list(losses))
    assert head.description == f"logistic, penalty {best:.2g} by 5-fold cross-validation"
    assert best not in (1.0, 1e-5)


def test_class_means_are_the_nearest_centroids() -> None:
    features, targets = digits(200)
    features = features + 0.01 * torch.randn(
        features.shape, generator=torch.Generator().manual_seed(2)
    )
    theirs = NearestCentroid().fit(features[:100, 0].numpy(), targets[:100].numpy())
    row = nearest_mean(features[:100], targets[:100]).row
    with torch.no_grad():
        predicted = row(features[100:, 0]).argmax(dim=1)
    assert predicted.tolist() == theirs.predict(features[100:, 0].numpy()).tolist()


def test_one_image_a_class_is_enough_for_means() -> None:
    features, targets = digits(10)  # the first ten digits are 0 to 9
    row = nearest_mean(features, targets).row
    with torch.no_grad():
        assert row(features[:, 0]).argmax(dim=1).tolist() == targets.tolist()
    with pytest.raises(DataError, match="a class has a single image"):
        logistic(features, targets)


def test_neighbours_are_scikit_learns_by_angle() -> None:
    features, targets = digits(200)
    head = knn(features[:150], targets[:150])
    k = int(head.row.get_buffer("k"))
    theirs = KNeighborsClassifier(k, metric="cosine").fit(features[:150, 0], targets[:150])
    probabilities = head.row(features[150:, 0]).exp()
    votes = probabilities * (k + 1) - 1 / 10
    assert np.allclose(votes / k, theirs.predict_proba(features[150:, 0].numpy()), atol=1e-4)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(50))


def test_a_view_never_votes_for_its_own_image() -> None:
    alone = torch.eye(4)[:, None].repeat(1, 3, 1)  # only its own views are like an image
    targets = torch.tensor([0, 0, 1, 1])
    votes = knn(alone, targets).held_out_predictions
    assert votes is not None
    assert held_out_score(votes, targets) < 1


def test_every_class_is_spread_over_all_folds() -> None:
    targets = torch.tensor([0] * 23 + [1] * 9)
    folds = stratified_folds(targets)
    for k in (0, 1):
        counts = folds[targets == k].bincount(minlength=5)
        assert counts.max() - counts.min() <= 1
    assert (
        int(stratified_folds(torch.tensor([0, 0, 1, 1, 1])).max()) == 1
    )  # as many as the smallest class has
