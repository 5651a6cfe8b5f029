from __future__ import annotations

import pytest
import sklearn.metrics as oracle
import torch
from torchmetrics.functional.classification import multilabel_exact_match, multilabel_f1_score

from saccade.metrics.counts import (
    LabelCounted,
    Macro,
    Weighted,
    exact_matches,
    f1,
    precision,
    recall,
)
from saccade.metrics.metric import Averaged


@pytest.mark.parametrize("score", [precision, recall, f1])
def test_label_scores_agree_with_scikit_learn(score, labels, measured) -> None:
    named, true = (labels[0] >= 0.5).numpy(), labels[1].numpy()
    reference = getattr(oracle, f"{score.__name__}_score")
    ours = measured(LabelCounted(5, score), *labels).nan_to_num(0)
    assert ours.tolist() == pytest.approx(reference(true, named, average=None, zero_division=0))
    for kind, average in (("macro", Macro), ("weighted", Weighted)):
        expected = reference(true, named, average=kind, zero_division=0)
        assert measured(LabelCounted(5, average(score)), *labels) == pytest.approx(expected)


def test_f1_and_exact_match_agree_with_torchmetrics(labels, measured) -> None:
    p, t = labels[0] * 0.99 + 0.006, labels[1].int()  # it names from above one half on
    theirs = multilabel_f1_score(p, t, num_labels=5, average=None)
    torch.testing.assert_close(measured(LabelCounted(5, f1), *labels).float(), theirs)
    theirs = float(multilabel_exact_match(p, t, num_labels=5))
    assert measured(Averaged(exact_matches), *labels) == pytest.approx(theirs)


def test_every_label_must_be_right_for_a_match(measured) -> None:
    p = torch.tensor([[0.9, 0.1], [0.9, 0.6], [0.2, 0.5]])
    t = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert measured(Averaged(exact_matches), p, t) == pytest.approx(2 / 3)
