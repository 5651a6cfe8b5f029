from __future__ import annotations

from pathlib import Path

import pytest

from saccade.api import resume
from saccade.errors import UsageError
from saccade.recipes.recipe import Recipe


def test_a_run_that_was_killed_before_its_first_line_is_told_so(tmp_path: Path) -> None:
    Recipe().with_({"train.threads": 1}).save(tmp_path / "recipe.toml")
    with pytest.raises(UsageError, match="stopped before its first step") as caught:
        resume(tmp_path)
    assert "train again" in caught.value.hint
