"""Facts 11 to 22: connectivity, convolution, pooling."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from lectures.convolution import cross_correlation, flip_and_filter, toeplitz, translate_and_scale
from lectures.filters import (
    box,
    filtered,
    gaussian,
    gaussian_pyramid,
    laplacian_pyramid,
    restored,
    sharpening,
    vertical_edge,
)
from lectures.pooling import L2Pool, MaxAcrossChannels, StochasticPool
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from saccade.models.create import create_model
from saccade.models.layers.historic import LocallyConnected

BLOCK = [[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0], [3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0]]


def weights(row: nn.Module) -> int:
    """Parameters without biases."""
    return sum(p.numel() for name, p in row.named_parameters() if not name.endswith("bias"))


def multiplications(row: nn.Module, *shape: int) -> int:
    x = torch.empty(1, *shape, device="meta")
    with FlopCounterMode(display=False) as counter:
        row.to("meta")(x)
    return counter.get_total_flops() // 2


def reach(network: nn.Module, size: int) -> tuple[int, int]:
    """Height and width of the part of the image that one output in the middle sees."""
    x = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    y = network.double()(x)
    y[0, 0, y.shape[2] // 2, y.shape[3] // 2].backward()
    assert x.grad is not None
    seen = x.grad[0, 0].nonzero()
    height, width = (seen.amax(0) - seen.amin(0) + 1).tolist()
    return height, width


def test_f11_tied_weights_move_together_by_the_sum_of_their_errors():
    w = torch.tensor(0.5, requires_grad=True)
    x1, x2 = torch.tensor(3.0), torch.tensor(-2.0)
    w1, w2 = (w.detach().clone().requires_grad_() for _ in range(2))
    (torch.tanh(w * x1) * torch.sigmoid(w * x2)).backward()
    (torch.tanh(w1 * x1) * torch.sigmoid(w2 * x2)).backward()
    assert w.grad is not None
    assert w1.grad is not None
    assert w2.grad is not None
    torch.testing.assert_close(w.grad, w1.grad + w2.grad)


def test_f11_max_pooling_sends_the_gradient_to_the_winner_alone():
    x = torch.tensor([[BLOCK]], requires_grad=True)
    nn.MaxPool2d(2)(x).sum().backward()
    assert x.grad is not None
    assert x.grad[0, 0].tolist() == [[0, 0, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 1]]


def test_f12_parameters_of_full_local_and_shared_connections():
    with torch.device("meta"):
        full = nn.Linear(1000 * 1000, 1_000_000, bias=False)
        local = LocallyConnected(1, 100, 10, size=1000, stride=10)
        small = LocallyConnected(1, 100, 10, size=200, stride=10)
        shared = nn.Conv2d(1, 100, 10, bias=False)
        assert local(torch.empty(1, 1, 1000, 1000)).numel() == 1_000_000  # hidden units
        assert small(torch.empty(1, 1, 200, 200)).numel() == 40_000
    assert weights(full) == 10**12
    assert weights(local) == 10**8
    assert weights(small) == 4_000_000
    assert weights(shared) == 10_000


def test_f13_seven_inputs_and_three_hidden_units():
    """The matrix of a convolution of width 3 and stride 2: 21 entries, 9 links, 3 weights."""
    conv = nn.Conv1d(1, 1, 3, stride=2, bias=False)
    torch.nn.init.uniform_(conv.weight, 0.1, 1.0)
    matrix = conv(torch.eye(7).unsqueeze(1))[:, 0].T
    assert matrix.numel() == weights(nn.Linear(7, 3)) == 21
    assert matrix.count_nonzero() == 9
    assert len(matrix[matrix != 0].unique()) == weights(conv) == 3


def test_f14_one_dimensional_convolution_three_ways():
    a, b = torch.tensor([2.0, -1.0, 1.0]), torch.tensor([1.0, 1.0, 2.0])
    for way in (translate_and_scale, flip_and_filter, lambda x, k: toeplitz(k, x.shape) @ x):
        assert way(a, b).tolist() == way(b, a).tolist() == [2, 1, 4, -1, 2]


def test_f14_convolution_is_commutative_and_distributive_in_two_dimensions_too():
    a, b, c = (torch.randn(size).double() for size in ((5, 4), (3, 2), (3, 2)))
    for way in (translate_and_scale, flip_and_filter):
        torch.testing.assert_close(way(a, b), way(b, a))
        torch.testing.assert_close(way(a, b + c), way(a, b) + way(a, c))
    product = toeplitz(b, a.shape) @ a.flatten()
    torch.testing.assert_close(product.view(7, 5), translate_and_scale(a, b))


def test_f14_deep_learnings_convolution_is_cross_correlation():
    x, kernel = torch.randn(6, 6).double(), torch.randn(3, 3).double()
    conv = F.conv2d(x[None, None], kernel[None, None], padding=2)[0, 0]
    torch.testing.assert_close(conv, cross_correlation(x, kernel))
    torch.testing.assert_close(conv, translate_and_scale(x, kernel.flip(0, 1)))


def test_f15_a_translated_image_gives_a_translated_map():
    conv, x = nn.Conv2d(2, 3, 3, padding=1), torch.zeros(1, 2, 12, 12)
    x[:, :, 3:6, 3:6] = torch.randn(1, 2, 3, 3)
    moved = x.roll((2, 4), (2, 3))
    torch.testing.assert_close(conv(moved)[..., 4:9, 6:11], conv(x)[..., 2:7, 2:7])


def test_f15_a_convolution_is_one_linear_layer_for_every_patch():
    conv, x = nn.Conv2d(2, 3, 3), torch.randn(1, 2, 5, 6)
    patch = x[0, :, 1:4, 2:5].flatten()
    found = conv.weight.flatten(1) @ patch + conv.get_parameter("bias")
    torch.testing.assert_close(found, conv(x)[0, :, 1, 2])


def test_f15_a_convolution_is_an_image_filter():
    x, kernel = torch.rand(1, 1, 8, 8), gaussian(3, 1.0)
    conv = nn.Conv2d(1, 1, 3, bias=False)
    conv.load_state_dict({"weight": kernel[None, None]})
    torch.testing.assert_close(conv(x), filtered(x, kernel)[..., 1:-1, 1:-1])


def test_f15_a_convolution_is_a_local_layer_with_shared_parameters():
    conv, local = nn.Conv2d(1, 2, 3, bias=False), LocallyConnected(1, 2, 3, size=6)
    shared = conv.weight.flatten(1).T.expand_as(local.weight)
    local.load_state_dict({"weight": shared, "bias": torch.zeros_like(local.bias)})
    x = torch.randn(2, 1, 6, 6)
    torch.testing.assert_close(local(x), conv(x))


def test_f15_a_convolution_takes_any_input_size():
    conv = nn.Conv2d(1, 1, 5, padding=2)
    for size in ((5, 5), (17, 40), (1, 3)):
        assert conv(torch.zeros(1, 1, *size)).shape[2:] == size


@pytest.mark.parametrize(
    ("size", "settings", "expected"),
    [
        (32, {"kernel_size": 5}, 28),
        (28, {"kernel_size": 5}, 24),
        (227, {"kernel_size": 11, "stride": 4}, 55),
        (224, {"kernel_size": 7, "stride": 2, "padding": 3}, 112),
        (32, {"kernel_size": 3, "dilation": 2}, 28),  # as a kernel of 5
    ],
)
def test_f16_sizes_after_a_convolution(size, settings, expected):
    y = nn.Conv2d(1, 1, **settings)(torch.zeros(1, 1, size, size))
    assert y.shape[2:] == (expected, expected)


def test_f16_groups_divide_the_weights():
    assert weights(nn.Conv2d(96, 256, 5)) == 2 * weights(nn.Conv2d(96, 256, 5, groups=2))


def test_f17_minus_one_plus_one_finds_vertical_edges():
    square = torch.zeros(1, 1, 8, 8)
    square[..., 2:6, 2:6] = 1
    found = filtered(square, vertical_edge())[0, 0]
    places = {tuple(place) for place in found.nonzero().tolist()}
    assert places == {(row, column) for row in range(2, 6) for column in (1, 5)}


def test_f17_smoothing_weakens_noise_and_sharpening_strengthens_it():
    noise = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    assert filtered(noise, box(3)).std() == pytest.approx(1 / 3, rel=0.1)  # 9 values averaged
    smoothed = filtered(noise, gaussian(5, 1.0)).std()
    assert smoothed == pytest.approx(gaussian(5, 1.0).norm().item(), rel=0.1)
    assert filtered(noise, sharpening(5, 1.0)).std() > 1.5


def test_f17_pyramids_halve_and_give_the_image_back():
    image = torch.rand(1, 3, 32, 48)
    sizes = [tuple(level.shape[2:]) for level in gaussian_pyramid(image, 3)]
    assert sizes == [(32, 48), (16, 24), (8, 12)]
    torch.testing.assert_close(restored(laplacian_pyramid(image, 3)), image)


def test_f18_max_pooling():
    assert nn.MaxPool2d(2)(torch.tensor([[BLOCK]]))[0, 0].tolist() == [[6, 8], [3, 4]]


def test_f18_other_poolings_of_the_same_block():
    x = torch.tensor([[BLOCK]])
    assert nn.AvgPool2d(2)(x).flatten().tolist() == [3.25, 5.25, 2, 2]
    l2 = [math.sqrt(value) for value in (63, 133, 18, 26)]
    assert L2Pool(2)(x).flatten().tolist() == pytest.approx(l2)
    expectation = [63 / 13, 133 / 21, 18 / 8, 26 / 8]
    assert StochasticPool(2).eval()(x).flatten().tolist() == pytest.approx(expectation)


def test_f18_pooling_across_channels():
    x = torch.tensor(BLOCK).view(1, 4, 4, 1)  # each row of the block a channel
    assert MaxAcrossChannels(2)(x).flatten(2)[0].tolist() == [[5, 6, 7, 8], [3, 2, 3, 4]]


@pytest.mark.parametrize(("k", "p"), [(5, 2), (3, 3), (7, 4)])
def test_f19_convolution_then_pooling_sees_p_plus_k_minus_1(k, p):
    network = nn.Sequential(nn.Conv2d(1, 1, k), nn.AvgPool2d(p))
    assert reach(network, 40) == (p + k - 1, p + k - 1)


def test_f20_a_1x1_convolution_first_saves_nine_tenths():
    direct = nn.Conv2d(192, 32, 5, padding=2)
    reduce, then = nn.Conv2d(192, 16, 1), nn.Conv2d(16, 32, 5, padding=2)
    assert multiplications(direct, 192, 28, 28) == 120_422_400
    assert multiplications(reduce, 192, 28, 28) == 2_408_448
    assert multiplications(then, 16, 28, 28) == 10_035_200
    assert multiplications(nn.Sequential(reduce, then), 192, 28, 28) == 12_443_648


def stack(*kernel_sizes: int | tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(*(nn.Conv2d(1, 1, size, bias=False) for size in kernel_sizes))


def test_f21_two_stacked_3x3_reach_5x5_with_18_coefficients():
    assert reach(stack(3, 3), 21) == reach(stack(5), 21) == (5, 5)
    assert (weights(stack(3, 3)), weights(stack(5))) == (18, 25)


def test_f21_a_separable_3x3_has_6_coefficients():
    pair = stack((3, 1), (1, 3))
    assert reach(pair, 21) == (3, 3)
    assert (weights(pair), weights(stack(3))) == (6, 9)
    x, whole = torch.randn(1, 1, 7, 7).double(), stack(3).double()
    column, row = (conv[0, 0] for conv in pair.parameters())
    whole.load_state_dict({"0.weight": (column @ row)[None, None]})
    torch.testing.assert_close(pair(x), whole(x))


def test_f22_the_first_layer_of_alexnet():
    with torch.device("meta"):
        filters: Tensor = create_model("alexnet_2012").get_parameter("conv1.weight")
    assert len(filters) == 96
    assert filters[0].numel() == 11 * 11 * 3 == 363
