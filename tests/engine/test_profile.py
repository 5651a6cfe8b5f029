"""The pace of a training: what the machine's rate is counted by."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest
import torch

from saccade.engine import profile
from saccade.engine.profile import MATRIX_SIZE, peak_flops


def test_the_rate_of_a_processor_does_not_count_what_others_keep_it_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall, worked = count(0.0, 100.0), count(0.0, 0.01)
    clocks = SimpleNamespace(
        perf_counter=lambda: next(wall),
        process_time=lambda: next(worked) * torch.get_num_threads(),
    )
    monkeypatch.setattr(profile, "time", clocks)
    flops = peak_flops(torch.device("cpu"), torch.float32)
    assert flops == pytest.approx(2 * MATRIX_SIZE**3 / 0.01)
