"""Fisher vectors beside scikit-image's."""

from __future__ import annotations

import numpy as np
import torch
from skimage.feature import fisher_vector as skimage_fisher_vector
from sklearn.mixture import GaussianMixture

from saccade.classical.encode import FisherVector, L2Normalize, SignedSquareRoot

GAUSSIANS, SIZE = 5, 7


def mixture() -> GaussianMixture:
    many = np.random.default_rng(0).normal(size=(400, SIZE)) * np.arange(1, SIZE + 1)
    return GaussianMixture(GAUSSIANS, covariance_type="diag", random_state=0).fit(many)


def row(fitted: GaussianMixture, levels: tuple[tuple[int, int], ...] = ((1, 1),)) -> FisherVector:
    vector = FisherVector(SIZE, GAUSSIANS, levels=levels).double()
    vector.weights.copy_(torch.from_numpy(fitted.weights_))
    vector.means.copy_(torch.from_numpy(fitted.means_))
    vector.variances.copy_(torch.from_numpy(fitted.covariances_))
    return vector


def expected(descriptors: torch.Tensor, fitted: GaussianMixture) -> np.ndarray:
    """scikit-image's, without the weights' part, the deviations' part as the paper signs it.

    [...,D] -> [2*K*D]
    """
    vector = skimage_fisher_vector(descriptors.reshape(-1, SIZE).numpy(), fitted)
    means, deviations = np.split(vector[GAUSSIANS:], 2)
    return np.concatenate([means, -deviations])


def test_gradients_are_those_of_scikit_image():
    fitted = mixture()
    x = torch.randn(2, SIZE, 3, 4, 5, dtype=torch.float64)
    vectors = row(fitted)(x)
    for image in range(2):
        right = expected(x[image].movedim(0, -1), fitted)
        np.testing.assert_allclose(vectors[image].numpy(), right, atol=1e-10)


def test_the_regions_of_a_pyramid_follow_one_another_row_by_row():
    fitted = mixture()
    x = torch.randn(1, SIZE, 2, 6, 4, dtype=torch.float64)
    vectors = row(fitted, ((1, 1), (2, 2), (3, 1)))(x)[0].view(8, -1).numpy()
    positions = x[0].movedim(0, -1)
    cuts = [
        positions,
        positions[:, :3, :2],
        positions[:, :3, 2:],
        positions[:, 3:, :2],
        positions[:, 3:, 2:],
    ]
    cuts += [positions[:, :2], positions[:, 2:4], positions[:, 4:]]
    for part, cut in zip(vectors, cuts, strict=True):
        np.testing.assert_allclose(part, expected(cut, fitted), atol=1e-10)


def test_root_and_length_are_the_improvements_of_2010():
    x = torch.tensor([[4.0, -9.0, 0.0, 16.0]])
    assert SignedSquareRoot()(x).tolist() == [[2.0, -3.0, 0.0, 4.0]]
    torch.testing.assert_close(
        L2Normalize()(torch.tensor([[3.0, -4.0]])), torch.tensor([[0.6, -0.8]])
    )
    halves = L2Normalize(2)(torch.tensor([[0.0, 0.0, 3.0, 4.0]]))
    torch.testing.assert_close(halves, torch.tensor([[0.0, 0.0, 0.6, 0.8]]))
