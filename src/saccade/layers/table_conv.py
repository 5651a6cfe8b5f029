"""TableConv2d: a convolution in which each map sees only some.  LeCun 1998, Table I."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TableConv2d(nn.Module):
    """Convolution along a table of connections.  [N,cin,H,W] -> [N,cout,h,w]

    `table[i]` lists the input maps that output map i sees; only these have weights.
    """

    rows: Tensor  # [connections], output map of each kernel
    columns: Tensor  # [connections], input map of each kernel

    def __init__(self, cin: int, table: Sequence[Sequence[int]], kernel_size: int) -> None:
        super().__init__()
        self.cin = cin
        self.table = tuple(tuple(seen) for seen in table)
        pairs = torch.tensor([(i, j) for i, seen in enumerate(self.table) for j in seen])
        self.register_buffer("rows", pairs[:, 0].clone(), persistent=False)
        self.register_buffer("columns", pairs[:, 1].clone(), persistent=False)
        fan_in = kernel_size**2 * torch.tensor([len(seen) for seen in self.table])
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
