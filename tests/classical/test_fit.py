"""Rows fitted one after the other, beside scikit-learn's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.svm import LinearSVC
from torch import Tensor, nn

from saccade.classical.descriptors import Grey, hog
from saccade.classical.encode import (
    FisherVector,
    PCAProjection,
    SignedSquareRoot,
    bag_of_words,
    fisher,
    fit_gaussian_mixture,
    k_means,
)
from saccade.classical.fit import C_VALUES, fit, fit_svm, held_out_decisions
from saccade.data.cache import CachedImages
from saccade.models.catalogue import CLASSICAL_MODELS
from saccade.models.layers.blocks import normalized


def stripes(count: int, size: int = 32) -> tuple[Tensor, Tensor]:
    """Noisy stripes along the height or the width, in two colours: four classes."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(count) % 4
    wave = 127 + 100 * torch.sin(torch.arange(size) / 2)
    images = torch.rand(count, 3, size, size, generator=generator) * 60
    for image, target in zip(images, targets.tolist()):
        image[target // 2] += wave[:, None] if target % 2 else wave[None, :]
    return images.clamp(0, 255).byte(), targets


def small(name: str) -> nn.Sequential:
    networks = {
        "hog": lambda: hog(4, input_shape=(3, 32, 32)),
        "bag_of_words": lambda: bag_of_words(4, num_words=8),
        "fisher": lambda: fisher(4, gaussians=3),
    }
    return normalized(networks[name](), (0.3, 0.3, 0.3), (0.3, 0.3, 0.3))


def fitted(name: str, seed: int = 0) -> tuple[nn.Sequential, tuple[str, ...]]:
    model = small(name)
    images, targets = stripes(32)
    done: list[int] = []
    notes = fit(model, CachedImages(images), targets, seed, lambda some, _: done.append(some))
    assert done == [16, 32]
    return model, notes


@pytest.mark.parametrize("name", CLASSICAL_MODELS)
def test_a_fitted_recipe_tells_classes_apart_that_its_descriptors_show(name: str):
    model, notes = fitted(name)
    images, targets = stripes(48)
    with torch.inference_mode():
        predicted = model(images).argmax(1)[32:]
    assert torch.equal(predicted % 2, targets[32:] % 2)  # the direction of the stripes
    if name == "fisher":  # the others see no colour
        assert torch.equal(predicted, targets[32:])
    assert "in 3-fold cross-validation" in notes[-1]


@pytest.mark.parametrize("name", CLASSICAL_MODELS)
def test_the_same_seed_gives_the_same_weights(name: str):
    one, other = (fitted(name)[0].state_dict() for _ in range(2))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_the_projection_is_scikit_learns_of_the_same_descriptors():
    model = small("fisher")
    images, targets = stripes(16, 16)  # 16 points at 4 scales are fewer than would be drawn
    fit(model, CachedImages(images), targets, 0, lambda *_: None)
    sift, reduce = (model.get_submodule(f"describe.sift.{name}") for name in ("sift", "reduce"))
    assert isinstance(reduce, PCAProjection)
    with torch.inference_mode():
        grey = Grey()(model.get_submodule("normalize")(images))
        x = SignedSquareRoot()(sift(grey)).flatten(2).mT.flatten(0, 1)
    expected = PCA(64).fit(x.double().numpy())
    np.testing.assert_allclose(reduce.mean.numpy(), expected.mean_, atol=1e-5)
    same = reduce.components[:8].double().numpy() @ np.asarray(expected.components_)[:8].T
    np.testing.assert_allclose(np.abs(np.diag(same)), 1, atol=1e-3)


def test_the_mixture_is_scikit_learns_from_the_same_start():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(6, 700, 4, generator=generator) * torch.rand(6, 1, 4, generator=generator)
    x = (x + 6 * torch.randn(6, 1, 4, generator=generator)).flatten(0, 1)
    row = FisherVector(4, 6)
    fit_gaussian_mixture(row, x, 0)
    variance = x.var(0, correction=0).numpy()
    expected = GaussianMixture(
        6,
        covariance_type="diag",
        means_init=k_means(x, 6, 0).numpy(),
        weights_init=np.full(6, 1 / 6),
        precisions_init=np.tile(1 / variance, (6, 1)),
        tol=1e-6,
    ).fit(x.double().numpy())
    means, variances = np.asarray(expected.means_), np.asarray(expected.covariances_)
    np.testing.assert_allclose(row.means.numpy(), means, atol=0.05)
    np.testing.assert_allclose(row.variances.numpy(), variances, rtol=0.1, atol=0.02)
    np.testing.assert_allclose(row.weights.numpy(), np.asarray(expected.weights_), atol=0.01)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_machine_in_the_images_own_directions_is_that_of_all_features(classes: int):
    generator = torch.Generator().manual_seed(1)
    targets = torch.arange(30) % classes
    features = torch.randn(30, 200, generator=generator)
    features[:, :classes] += 3 * nn.functional.one_hot(targets)
    classifier = nn.Linear(200, classes).requires_grad_(False)
    (note,) = fit_svm(classifier, features, targets, 0)
    cost = float(note.split()[2])
    svm = LinearSVC(C=cost, max_iter=100_000, tol=1e-6).fit(features.numpy(), targets.numpy())
    expected = svm.decision_function(features.numpy())
    scores = classifier(features).numpy()
    if classes == 2:
        scores = scores[:, 1] - scores[:, 0]
    np.testing.assert_allclose(scores, expected, atol=0.02)


def test_a_class_with_one_image_leaves_c_unchosen():
    targets = torch.tensor([0, 0, 0, 1])
    (note,) = fit_svm(nn.Linear(3, 2).requires_grad_(False), torch.eye(4, 3), targets, 0)
    assert note.startswith("C = 1:")


@pytest.mark.parametrize("classes", [2, 3])
def test_held_out_decisions_are_those_of_scikit_learn_s_cross_validation(classes: int) -> None:
    generator = torch.Generator().manual_seed(classes)
    targets = torch.arange(36) % classes
    centres = 2 * torch.randn(classes, 5, generator=generator)
    x = centres[targets] + torch.randn(36, 5, generator=generator)
    folds = torch.arange(36) // classes % 4
    found = held_out_decisions(x, targets, folds, seed=0)
    assert found.shape == (36, classes)
    shares = {}
    for c in C_VALUES:
        svm = LinearSVC(C=c, random_state=0, max_iter=10_000)
        split = PredefinedSplit(folds.numpy())
        said = cross_val_predict(svm, x.double().numpy(), targets.numpy(), cv=split)
        shares[c] = (said, float(np.mean(said == targets.numpy())))
    best = max(shares.values(), key=lambda pair: pair[1])  # the first of equals, the smallest C
    np.testing.assert_array_equal(found.argmax(1), best[0])
