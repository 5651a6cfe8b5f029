"""What benchmarks/kills.py does a thousand times, ten times."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).parents[1] / "benchmarks" / "kills.py"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_trainings_killed_at_any_instant_and_inside_saves_come_to_the_same_bits() -> None:
    command = [sys.executable, str(KILLS), "--kills", "10", "--inside", "4", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tally = json.loads(done.stdout)
    assert (tally["kills"], tally["inside"], tally["damaged"]) == (10, 4, 0)
    assert tally["same"] == tally["trainings"]
    assert tally["resumed"] > 0
