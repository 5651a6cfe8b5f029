"""What the pages of the documentation say to type is typed here, and every Python block is run."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from write_digit import main as write_digit

from saccade import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    str(page.relative_to(ROOT)): page.read_text("utf-8")
    for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")))
}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
TYPED = re.compile(r"(^|\| |srun )saccade |saccade\.cli ")
OPERATORS = {"|", ">"}
ELSEWHERE = {  # commands that are not run here, each with the reason
    "saccade train photos/ --processes 4": "four processes: tests/engine/distributed",
    "saccade train /data/photos --processes 8 --nodes 2 --rendezvous 10.0.0.1:29400": "machines",
    "torchrun --nproc-per-node 4 -m saccade.cli train /data/photos": "torchrun starts it",
    "srun saccade train /data/photos --processes 8 --nodes 2 --rendezvous "
    "$(scontrol show hostnames $SLURM_JOB_NODELIST | head -n 1):29400": "Slurm starts it",
    "saccade train photos --track tensorboard --track mlflow": "mlflow is not installed for tests",
}
EXIT_CODES: dict[str, int] = {}  # of commands whose page says another one than 0


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page in a language; "" for those without one."""
    return [text for name, text in BLOCK.findall(PAGES[page]) if name == language]


def commands(page: str) -> list[str]:
    """The command lines of a page that call saccade, without comments, lines joined."""
    text = "\n".join(blocks(page, ""))
    lines = (without_comment(line) for line in re.sub(r"\\\n\s*", "", text).splitlines())
    return [line for line in lines if TYPED.search(line)]


def without_comment(line: str) -> str:
    """A line of a shell without what stands behind #."""
    return re.sub(r"(^|\s)#.*", "", line).strip()


LONG = ("cross-validate", "learning-curve", "study")  # one page's is enough of equal ones
WITH_COMMANDS = [page for page in PAGES if commands(page)]
WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]


def segments(line: str) -> Iterator[tuple[str, list[str]]]:
    """The words of a line between | and >, each with the operator before them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>")
    lexer.whitespace_split = True
    operator, words = "", list[str]()
    for word in lexer:
        if word in OPERATORS:
            yield operator, words
            operator, words = word, []
        else:
            words.append(word)
    yield operator, words


def typed(line: str) -> tuple[int, str]:
    """Run a line as a shell would: the exit code of saccade in it, and all that was printed."""
    code, told, passed = 0, "", b""
    for operator, words in segments(line):
        if operator == ">":
            Path(words[0]).write_bytes(passed)
        elif words[0] == "cat":
            passed = b"".join(Path(name).read_bytes() for name in words[1:])
        else:
            assert words[0] == "saccade", words
            code, passed, said = called(words[1:], passed)
            told += passed.decode() + said
    return code, told


def called(words: list[str], given: bytes) -> tuple[int, bytes, str]:
    """The exit code of the command, and what it wrote to its two streams."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()) as said:
        stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(given))
        try:
            code = cli.main(words)
        finally:
            sys.stdin = stdin
    out.flush()
    return code, out.buffer.getvalue(), said.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_every_command_of_a_page_does_what_it_is_there_for(
    page: str, documented: SimpleNamespace
) -> None:
    earlier = WITH_COMMANDS[: WITH_COMMANDS.index(page)]
    run_before = {line for other in earlier for line in commands(other) if line.split()[1] in LONG}
    for line in commands(page):
        if line not in ELSEWHERE and line not in run_before:
            code, told = typed(line)
            assert code == EXIT_CODES.get(line, 0), f"{line}: exit code {code}\n{told}"


@pytest.mark.parametrize("page", WITH_PYTHON)
def test_the_python_of_a_page_runs_from_top_to_bottom(
    page: str, documented: SimpleNamespace
) -> None:
    names: dict[str, object] = {"__name__": page}
    for text in blocks(page, "python"):
        exec(compile(text, page, "exec"), names)


def test_the_demo_of_the_readme_trains_measures_and_predicts(documented: SimpleNamespace) -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\ndemo:")[1].split("\n\n")[0]
    lines = [line.strip() for line in recipe.splitlines() if "$(BIN)/" in line]
    assert [line.split()[:2] for line in lines] == [
        ["$(BIN)/saccade", "train"],
        ["$(BIN)/saccade", "evaluate"],
        ["$(BIN)/python", "examples/write_digit.py"],
        ["$(BIN)/saccade", "predict"],
    ]
    for line in lines:
        program, *words = line.removeprefix("$(BIN)/").split()
        if program == "python":
            write_digit(*words[1:])
            continue
        code, told = typed(f"saccade {' '.join(words)}")
        assert code == 0, told
    assert Path("demo/run/report.html").is_file()


def test_what_is_not_run_is_in_the_documentation() -> None:
    written = {line for page in PAGES for line in commands(page)}
    assert written >= ELSEWHERE.keys() | EXIT_CODES.keys()
