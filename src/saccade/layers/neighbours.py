"""Neighbours: what the most similar of remembered pictures are."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Neighbours(nn.Module):
    """The votes of the `k` remembered pictures at the smallest angle.  [N,D] -> [N,K]

    As the logarithm of (votes + 1 / K) / (k + 1), so that no class is impossible.
    """

    bank: Tensor  # [M,D] float32, of length 1
    answers: Tensor  # [M,K] float32, 1 for the class of each
    k: Tensor

    def __init__(self, bank: Tensor, answers: Tensor, k: int):
        super().__init__()
        self.register_buffer("bank", F.normalize(bank.float()))
        self.register_buffer("answers", answers.float())
        self.register_buffer("k", torch.tensor(k))

    def forward(self, x: Tensor) -> Tensor:
        similar = F.normalize(x.float()) @ self.bank.T
        return self.votes(similar.topk(int(self.k), dim=1).indices)

    def votes(self, nearest: Tensor) -> Tensor:
        """By the positions of the nearest.  [N,k] -> [N,K]"""
        k, outputs = nearest.shape[1], self.answers.shape[1]
        return ((self.answers[nearest].sum(dim=1) + 1 / outputs) / (k + 1)).log()
