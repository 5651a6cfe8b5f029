"""Convolution three ways against SciPy and against each other."""

from __future__ import annotations

import pytest
import scipy.signal
import torch
from lectures.convolution import cross_correlation, flip_and_filter, toeplitz, translate_and_scale

SIZES = [((7,), (3,)), ((2,), (5,)), ((5, 6), (3, 2)), ((3, 4, 2), (2, 2, 2))]


@pytest.mark.parametrize(("size", "kernel_size"), SIZES)
def test_all_three_are_scipys_convolution(size, kernel_size):
    x, kernel = torch.randn(size).double(), torch.randn(kernel_size).double()
    expected = torch.from_numpy(scipy.signal.convolve(x.numpy(), kernel.numpy(), method="direct"))
    torch.testing.assert_close(translate_and_scale(x, kernel), expected)
    torch.testing.assert_close(flip_and_filter(x, kernel), expected)
    torch.testing.assert_close((toeplitz(kernel, size) @ x.flatten()).view_as(expected), expected)


@pytest.mark.parametrize(("size", "kernel_size"), SIZES)
def test_cross_correlation_is_scipys(size, kernel_size):
    x, kernel = torch.randn(size).double(), torch.randn(kernel_size).double()
    expected = scipy.signal.correlate(x.numpy(), kernel.numpy(), method="direct")
    torch.testing.assert_close(cross_correlation(x, kernel), torch.from_numpy(expected))


def test_every_diagonal_of_a_toeplitz_matrix_has_one_value():
    matrix = toeplitz(torch.tensor([1.0, 1.0, 2.0]), [4])
    assert torch.equal(matrix[1:, 1:], matrix[:-1, :-1])
    assert matrix[:, 0].tolist() == [1, 1, 2, 0, 0, 0]
