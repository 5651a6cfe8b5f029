"""Every public name says what it is, and every function of tensors says their shapes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import saccade

ROOT = Path(saccade.__file__).parent
TENSORS = re.compile(r"\b(Tensor|NDArray)\b")
SHAPES = re.compile(r"\[[^\]]*\]|\bscalars?\b|\bany shape\b", re.IGNORECASE)
Function = tuple[str, ast.FunctionDef, ast.ClassDef | None]  # where, itself, its class


def functions() -> Iterator[Function]:
    """The public functions and methods of the package."""
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        for owner in (None, *(c for c in classes if not c.name.startswith("_"))):
            for node in (owner or tree).body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node, owner


def bases(owner: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).partition("[")[0] for base in owner.bases}


ALL = list(functions())
PROMISED = {node.name for _, node, owner in ALL if owner and bases(owner) == {"Protocol"}}


def says_for_itself(function: Function) -> bool:
    """Whether no base class and no protocol says what the function does."""
    _, node, owner = function
    if owner is None or bases(owner) == {"Protocol"}:
        return True
    return node.name not in PROMISED and not bases(owner) - {"NamedTuple", "IntFlag", "Generic"}


def of_tensors(node: ast.FunctionDef) -> bool:
    given = ast.unparse(node.args) + (ast.unparse(node.returns) if node.returns else "")
    return bool(TENSORS.search(given))


def test_every_public_function_has_a_docstring() -> None:
    bare = [f[0] for f in ALL if says_for_itself(f) and not ast.get_docstring(f[1])]
    assert not bare, "\n".join(bare)


def test_every_function_of_tensors_says_their_shapes() -> None:
    """In its docstring or in that of its class."""
    silent = []
    for where, node, owner in filter(says_for_itself, ALL):
        texts = [ast.get_docstring(node) or "", (owner and ast.get_docstring(owner)) or ""]
        if of_tensors(node) and not any(map(SHAPES.search, texts)):
            silent.append(where)
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize("text", ["images [N,C,H,W] -> [N]", "A scalar.", "Tensors of any shape."])
def test_these_are_shapes(text: str) -> None:
    assert SHAPES.search(text) and not SHAPES.search("The rows of images.")
