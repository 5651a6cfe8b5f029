"""The house: imports only go down, strictly, a floor a line, and a bare import stays light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

import saccade

ROOT = Path(saccade.__file__).parent
FLOORS = """
errors words verb_package
own
command files device bar frame
progress download
data
augmentation metrics models/layers
augmentation/corrupt data/sources models/networks classical
models data/doctor
tasks
engine/distributed
engine
probes explain recipes
runs
report auto
report/tasks
report/pages
training/view
training
evaluation
comparison studies audit
listings terminal
trackers
call
api
usage
cli
"""  # from the ground up; rooms of one line never meet; inside a room files make no circle
FLOOR = {room: n for n, line in enumerate(FLOORS.strip().splitlines()) for room in line.split()}


WRITERS = """
files download data/store data/sources/frames data/sources/frame_images data/sources/object_table
data/doctor/scan probes/features data/split_table data/classes recipes/recipe engine/checkpoint
data/sandbox
engine/distributed/launch
"""  # below runs
WRITING = re.compile(
    r"\batomic_(write|file|folder)\(|\.write_(text|bytes)\(|\bopen\(\"[wa]|\bmkdir\(|TemporaryDirectory"
)
DRAWING = Path(__file__).parents[2] / "docs" / "architecture.md"


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def files() -> dict[str, Path]:
    """Every file of the package by its path without the ending: data/sources/folder."""
    found = sorted(ROOT.rglob("*.py"))
    return {str(path.relative_to(ROOT).with_suffix("")): path for path in found}


def imports(path: Path) -> set[str]:
    """The files of the package that a file imports, wherever in the file."""
    found, known = set(), files()
    for node in ast.walk(tree(path)):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("saccade."):
                file = name.removeprefix("saccade.").replace(".", "/")
                found |= {file, f"{file}/__init__"} & known.keys()
    return found


def room(file: str) -> str:
    """The room that a file is in: the longest part of its path that is on a floor."""
    whole = file.removesuffix("/__init__")
    while whole not in FLOOR:
        assert "/" in whole, f"{file} is on no floor"
        whole = whole.rpartition("/")[0]
    return whole


@pytest.mark.parametrize("file", [file for file in files() if file != "__init__"])
def test_imports_only_go_down(file: str) -> None:
    here = room(file)
    for other in imports(files()[file]):
        there = room(other)
        assert there == here or FLOOR[there] < FLOOR[here], f"{file} imports {other}, not below it"


def test_every_room_of_the_floors_is_there() -> None:
    assert {room(file) for file in files() if file != "__init__"} == FLOOR.keys()


def test_the_drawing_names_every_room() -> None:
    drawing = DRAWING.read_text(encoding="utf-8").split("```")[1]
    rooms = {room.partition("/")[0] for room in FLOOR}
    assert rooms - {"tasks"} <= set(re.findall(r"\w+", drawing))


def test_below_the_runs_few_files_write_and_none_prints() -> None:
    below = {file for file in files() if file != "__init__" and FLOOR[room(file)] < FLOOR["runs"]}
    texts = {file: files()[file].read_text(encoding="utf-8") for file in below}
    assert {file for file, text in texts.items() if WRITING.search(text)} == set(WRITERS.split())
    for file in below - {"progress"}:
        assert "progress" not in imports(files()[file]), file
        assert not re.search(r"\bprint\(", texts[file]), file


def test_no_file_imports_itself_in_a_circle() -> None:
    graph = {file: imports(path) for file, path in files().items() if file != "__init__"}
    done: set[str] = set()

    def visit(file: str, way: tuple[str, ...]) -> None:
        assert file not in way, " -> ".join((*way, file))
        if file not in done:
            for other in graph.get(file, ()):
                visit(other, (*way, file))
            done.add(file)

    for file in graph:
        visit(file, ())


def test_no_folder_imports_itself_in_a_circle() -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for file, path in files().items():
        if "/" in file:
            here = file.rpartition("/")[0]
            graph[here] |= {there.rpartition("/")[0] for there in imports(path)} - {here, ""}

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [*graph[start]]
        while waiting:
            if (folder := waiting.pop()) not in seen:
                seen.add(folder)
                waiting += graph[folder]
        return seen

    assert not [folder for folder in list(graph) if folder in reached(folder)]


def test_nothing_is_imported_relatively_or_by_star() -> None:
    for file, path in files().items():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, file
                assert all(alias.name != "*" for alias in node.names), file


@pytest.mark.parametrize("name", ["saccade", "saccade.cli", "saccade.api"])
def test_a_bare_import_needs_neither_torch_nor_numpy(name: str) -> None:
    code = f"import sys, {name}; print([m for m in ('torch', 'numpy', 'PIL') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pickle_is_never_loaded() -> None:
    for file, path in files().items():
        for node in ast.walk(tree(path)):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in ("pickle.load", "pickle.loads"), f"{file} loads a pickle"
            if isinstance(node, ast.Call) and called == "torch.load":
                words = {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert words.get("weights_only") == "True", f"{file} loads code with weights"
