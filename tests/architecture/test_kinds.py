"""The task knows: no other room of the house asks what kind an answer is of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import saccade
from saccade.tasks.catalogue import RENAMED_KINDS, TASKS

ROOT = Path(saccade.__file__).parent
ROOMS = ("tasks/", "report/tasks/")
KINDS = {*TASKS, *RENAMED_KINDS}
CLASSES = {task.__name__ for task in TASKS.values()}


def kinds_named(path: Path) -> Iterator[str]:
    """The kinds that a file names in its code: as a text, a class, or a file that is imported."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and node.value in KINDS:
            yield f"line {node.lineno}: {node.value!r}"
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in CLASSES:
                yield f"line {node.lineno}: {name}"
        if isinstance(node, ast.ImportFrom) and node.module:
            for module in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                room, _, file = module.removeprefix("saccade.").rpartition(".")
                if f"{room}/".replace(".", "/") in ROOMS and file in KINDS:
                    yield f"line {node.lineno}: {module}"


@pytest.mark.parametrize(
    "file",
    [
        file
        for file in sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))
        if not file.startswith(ROOMS)
    ],
)
def test_no_kind_of_answer_is_named_outside_of_the_tasks(file: str) -> None:
    assert not list(kinds_named(ROOT / file))
