"""What the tests of sources share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., Path]:
    """Writes files below a folder, each holding its own name; returns the folder."""

    def write(*names: str) -> Path:
        root = tmp_path / "photos"
        root.mkdir(exist_ok=True)
        for name in names:
            place = root / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(os.fsencode(name))
        return root

    return write
