"""What every test can ask for."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pictures and weights beside a checkout; the test is skipped without it."""
    for parent in Path(__file__).resolve().parents:
        folder = parent.parent / "shared" / "data"
        if (folder / "README.md").is_file():
            return folder
    pytest.skip("needs the real data in ../shared/data")
