"""neighbours: the classes of the most similar training pictures.  Cover & Hart 1967."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.layers.neighbours import Neighbours
from saccade.transfer.head import Head, as_columns, held_out_score

COUNTS = (1, 3, 5, 10, 20)


def neighbours(features: Tensor, targets: Tensor) -> Head:
    """The row with as many neighbours as are most often right of each picture left out.

    features [N,V,D], all views of a picture left out together; targets [N] int64.
    """
    pictures, views, _ = features.shape
    answers = as_columns(targets).repeat_interleave(views, dim=0)
    row = Neighbours(features.flatten(0, 1), answers, 1)
    similar = F.normalize(features[:, 0].float()) @ row.bank.T
    own = torch.arange(pictures).repeat_interleave(views)
    similar[torch.arange(pictures)[:, None] == own] = -2  # below every cosine
    most = max(1, (pictures - 1) * views)
    ranked = similar.topk(min(max(COUNTS), most), dim=1).indices
    counts = [k for k in COUNTS if k <= most]
    said = [row.votes(ranked[:, :k]).exp() for k in counts]
    scores = [held_out_score(votes, targets) for votes in said]
    best = scores.index(max(scores))
    row.k.fill_(counts[best])
    words = f"the nearest {counts[best]} of {pictures} pictures, by leaving each out"
    return Head(row, words, said[best])
