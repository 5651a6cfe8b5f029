"""Five thousand damaged files of twelve formats: each is an image or a reason, none the end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).parents[2] / "benchmarks" / "fuzz_decode.py"


def test_of_five_thousand_damaged_files_each_is_decoded_or_listed():
    command = [sys.executable, str(FUZZ), "5000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["decoded"] + report["listed"] == report["files"] == 5000
    assert report["processes that died"] == []
    assert report["gave no answer"] == []
    assert len(report["decoded of each format"]) == report["formats"] == 12
    assert report["decoded"] > 1000  # damaged, not shredded
    assert max(report["reasons"].values()) < 1500  # and in many ways
