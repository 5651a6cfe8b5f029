"""LeNet: the paper's by its Table I and its sums, Caffe's by its real weights."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

from saccade.models.create import create_model
from saccade.models.layers.historic import TableConv2d
from saccade.models.networks.lenet import C3_TABLE, digit_codes, lenet5_1998

TABLE_I = """
X...XXX..XXXX.XX
XX...XXX..XXXX.X
XXX...XXX..X.XXX
.XXX..XXXX..X.XX
..XXX..XXXX.XX.X
...XXX..XXXX.XXX
"""


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_c3_sees_what_table_i_says():
    """LeCun 1998, Table I, a row an S2 map and a column a C3 map."""
    lines = TABLE_I.split()
    columns = [tuple(j for j in range(6) if lines[j][i] == "X") for i in range(16)]
    assert list(C3_TABLE) == columns


def test_lenet5_of_1998_has_the_papers_parameters():
    """LeCun 1998, section II-B: 156, 12, 1,516, 32, 48,120, 10,164; 60,000 in all."""
    network = create_model("lenet5_1998", num_classes=10)
    rows = {name: parameters(row) for name, row in network.named_children() if parameters(row)}
    assert rows == {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164}
    assert parameters(network) == 60_000


def test_its_output_is_the_distance_to_the_codes():
    network = lenet5_1998().double()
    x = torch.randn(3, 1, 32, 32).double()
    with torch.no_grad():
        rows = zip(network(x), network[:-1](x))
    for scores, features in rows:
        distances = [float(((features - code) ** 2).sum()) for code in digit_codes().double()]
        assert scores.tolist() == pytest.approx([-d for d in distances])


def test_the_codes_are_ten_different_digits_of_84_numbers():
    codes = digit_codes()
    assert codes.shape == (10, 84)
    assert codes.abs().eq(1).all()
    assert torch.cdist(codes, codes, p=0).add(84 * torch.eye(10)).min() >= 5
    one = codes[1].view(12, 7)
    assert one[:, 3].eq(1).all()  # its stroke
    assert one[:, 0].eq(-1).all()


def test_the_same_class_has_the_same_code_among_any_number_of_classes():
    assert torch.equal(digit_codes(30)[:10], digit_codes())
    assert torch.equal(digit_codes(40)[:30], digit_codes(30))
    assert len({tuple(code) for code in digit_codes(100).tolist()}) == 100


def test_lenet5_of_1998_learns_the_digits_of_scikit_learn():
    digits: Any = load_digits()
    torch.manual_seed(0)
    pixels = torch.from_numpy(digits.images).float()[:, None] / 16 * 1.275 - 0.1
    x = F.interpolate(pixels, 32, mode="bilinear")
    targets = torch.from_numpy(digits.target)
    network = lenet5_1998()
    descent = torch.optim.Adam(network.parameters(), lr=2e-3)
    for start in [*range(0, 1408, 64)] * 5:
        descent.zero_grad()
        scores = network(x[start : start + 64])
        F.cross_entropy(scores, targets[start : start + 64]).backward()
        descent.step()
    with torch.no_grad():
        right = (network(x[1408:]).argmax(1) == targets[1408:]).double().mean()
    assert right > 0.85  # chance is 0.1


def test_only_the_table_s_connections_reach_c3():
    c3 = create_model("lenet5_1998").get_submodule("c3")
    assert isinstance(c3, TableConv2d)
    reached = c3.dense().abs().sum((2, 3)) > 0
    expected = [[j in inputs for j in range(6)] for inputs in C3_TABLE]
    assert reached.tolist() == expected


def mnist_test(folder: Path) -> tuple[Tensor, Tensor]:
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(folder / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return torch.tensor(pixels), torch.tensor(labels)


def test_caffes_weights_read_99_04_percent_of_mnist(shared_data):
    """The published figure, on all 10,000 test images."""
    weights = shared_data / "weights" / "lenet_caffe_mnist.npz"
    network = create_model("lenet_caffe", weights=weights).eval()
    pixels, labels = mnist_test(shared_data / "mnist")
    with torch.no_grad():
        predicted = torch.cat([network(part / 256).argmax(1) for part in pixels.split(1000)])
    assert (predicted == labels).sum() == 9904
