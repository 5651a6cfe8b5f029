"""The house: imports only go down, and a bare import stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import saccade

ROOT = Path(saccade.__file__).parent
FLOORS = {
    "errors": 0, "batch": 0, "files": 0, "fetch": 0, "allocator": 0,
    "layers": 1, "metrics": 1,
    "models": 2, "data": 2, "classical": 2,
    "tasks": 3, "analysis": 3,
    "engine": 4, "transfer": 4,
    "recipe": 5, "recipes": 5, "settings": 5, "results": 5, "answers": 5, "runs": 5, "bundle": 5,
    "report": 5, "setting_text": 5,
    "export": 5, "environment": 5, "commands": 5,
    "pretrained": 5, "starting": 5, "fitted": 5,
    "training": 6, "evaluation": 6, "verbs": 6,
    "comparison": 6, "studies": 6, "wrong_labels": 6, "processes": 6, "tracking": 6,
    "terminal": 6, "api": 6,
    "cli": 7, "studio": 7,
}  # fmt: skip
APART = [("models", "data"), ("data", "models")]  # rooms of one floor that never meet


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts != ("__init__",):
            found.append((".".join(part for part in parts if part != "__init__"), path))
    return found


def imports(path: Path) -> set[str]:
    """The modules of saccade that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name.removeprefix("saccade.") for name in found if name.startswith("saccade.")}


@pytest.mark.parametrize(("name", "path"), modules(), ids=lambda value: str(value))
def test_imports_only_go_down(name: str, path: Path) -> None:
    room = name.split(".")[0]
    assert room in FLOORS, f"{name} is on no floor"
    for other in imports(path):
        below = other.split(".")[0]
        assert FLOORS[below] <= FLOORS[room], f"{name} imports {other}, which is above it"
        assert (room, below) not in APART, f"{name} imports {other}: these rooms never meet"


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: imports(path) for name, path in modules()}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way, name))
        if name not in done:
            for other in graph.get(name, ()):
                visit(other, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_nothing_is_imported_relatively_or_by_star() -> None:
    for name, path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, name
                assert all(alias.name != "*" for alias in node.names), name


@pytest.mark.parametrize("name", ["saccade", "saccade.cli", "saccade.api"])
def test_a_bare_import_needs_neither_torch_nor_numpy(name: str) -> None:
    code = f"import sys, {name}; print([m for m in ('torch', 'numpy', 'PIL') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pickle_is_never_loaded() -> None:
    for name, path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in ("pickle.load", "pickle.loads"), f"{name} loads a pickle"
            if isinstance(node, ast.Call) and called == "torch.load":
                words = {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert words.get("weights_only") == "True", f"{name} loads code with weights"
