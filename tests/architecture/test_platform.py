"""Files are UTF-8 whatever the locale, and what one platform alone has is asked for first."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

import saccade

ROOT = Path(saccade.__file__).parent
POSITION = {"open": 2, "read_text": 0, "write_text": 1, "fdopen": 2}  # of the encoding
PIPES = ("run", "Popen", "call", "check_call", "check_output")  # of subprocess
# what Windows lacks, or macOS: docs.python.org says "Availability" of each
LACKING = frozenset(
    """
    SIGHUP SIGQUIT SIGKILL SIGUSR1 SIGUSR2 SIGPIPE SIGALRM SIGCHLD SIGTSTP SIGCONT alarm setitimer
    pthread_sigmask pthread_kill sigwait fork forkpty forkserver register_at_fork getuid geteuid
    getgid getegid getlogin getpgid setpgid killpg setsid sched_getaffinity sched_setaffinity
    sysconf statvfs getloadavg nice mkfifo mknod chown lchown fchown fchmod uname wait wait3 wait4
    waitpid posix_fadvise posix_fallocate sendfile pread pwrite O_DIRECTORY O_CLOEXEC O_NOFOLLOW
    O_DIRECT MAP_ANONYMOUS MAP_PRIVATE madvise
    """.split()  # noqa: SIM905
)
MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "posix", "msvcrt"}
OWNERS = {"os", "signal", "mmap", "multiprocessing"}


Node = tuple[str, ast.AST, tuple[ast.AST, ...]]  # where, itself, those around it


@cache
def nodes() -> list[Node]:
    """The calls, attributes and imports of the package's code."""
    kinds = (ast.Call, ast.Attribute, ast.Import, ast.ImportFrom)
    return [node for node in every_node() if isinstance(node[1], kinds)]


def every_node() -> Iterator[Node]:
    """All of the package's code, a file after the other."""
    for path in sorted(ROOT.rglob("*.py")):
        waiting: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [
            (ast.parse(path.read_text(encoding="utf-8")), ())
        ]
        while waiting:
            node, around = waiting.pop()
            yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", node, around
            waiting += [(child, (*around, node)) for child in ast.iter_child_nodes(node)]


def opens_text_without_encoding(node: ast.AST) -> bool:
    """Whether a call opens a file as text in whatever encoding the locale has."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    keywords = {keyword.arg for keyword in node.keywords}
    if "encoding" in keywords:
        return False
    if name in PIPES:
        return not keywords.isdisjoint(("text", "universal_newlines"))
    if name not in POSITION:
        return False
    owner = ast.unparse(node.func).rpartition(".")[0]
    method = bool(owner) and name != "fdopen"
    if name == "open":
        known = ("os", "tarfile", "gzip", "Image", "Run", "cls", "self", "disk_cache")
        mode = node.args[0 if method else 1 :][:1]
        binary = any(isinstance(m, ast.Constant) and "b" in str(m.value) for m in mode)
        return not (owner in known or binary)
    if name == "fdopen":
        return not any("b" in ast.unparse(a) for a in node.args[1:2])
    return len(node.args) <= POSITION[name]


def has_fallback(around: tuple[ast.AST, ...]) -> bool:
    """Whether the code around asks for the platform first, or catches what it lacks."""
    for node in around:
        if isinstance(node, ast.Try) and any(
            caught in ast.unparse(handler.type)
            for handler in node.handlers
            if handler.type
            for caught in ("AttributeError", "ImportError")
        ):
            return True
        if isinstance(node, ast.With) and "ImportError" in ast.unparse(node.items[0]):
            return True
        if isinstance(node, ast.If | ast.IfExp | ast.FunctionDef):
            test = node.body if isinstance(node, ast.FunctionDef) else [node.test]
            asked = " ".join(ast.unparse(part) for part in test)
            if any(word in asked for word in ("sys.platform", "os.name", "hasattr")):
                return True
    return False


def test_text_files_are_opened_as_utf_8() -> None:
    assert not [where for where, node, _ in nodes() if opens_text_without_encoding(node)]


def test_what_a_platform_lacks_has_a_fallback() -> None:
    bare = []
    for where, node, around in nodes():
        name = ""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = node.attr if node.value.id in OWNERS and node.attr in LACKING else ""
        elif isinstance(node, ast.Import):
            name = " ".join(alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            name = node.module or ""
        if name and not has_fallback(around):
            bare.append(f"{where} {name}")
    assert not bare, "\n".join(bare)


@pytest.mark.parametrize(
    ("code", "unsafe"),
    [
        ("path.read_text()", True),
        ("path.read_text('utf-8')", False),
        ("path.open()", True),
        ("path.open('rb')", False),
        ("open(path, 'w')", True),
        ("open(path, 'wb')", False),
        ("path.write_text(text)", True),
        ("subprocess.run(words, text=True)", True),
        ("os.fdopen(handle, 'w')", True),
    ],
)
def test_the_test_sees_what_has_no_encoding(code: str, unsafe: bool) -> None:
    assert opens_text_without_encoding(ast.parse(code, mode="eval").body) == unsafe


NAMES = """
import sys
from pathlib import Path
from saccade.data.classes import read_classes, write_classes
from saccade.data.sources import open_source
from saccade.data.split_table import read_split, write_split
from saccade.data.splits import split_data
root = Path(sys.argv[1])
source = open_source(root / "set")
write_classes(root / "classes.txt", source.classes)
assert read_classes(root / "classes.txt") == source.classes
write_split(root / "split.csv", split_data(source))
read_split(root / "split.csv", source)
assert all(len(item.image.read()) > 50 for item in source.read("all"))
table = open_source(root / "set" / "t.csv")
assert all(len(item.image.read()) > 50 for item in table.read("all"))
print(ascii([source.classes, table.classes, sorted(i.name for i in table.read("all"))[0]]))
"""


@pytest.fixture
def latin1(tmp_path: Path) -> dict[str, str]:
    """The environment of a locale whose text is Latin-1; the test is skipped where none is made."""
    made = tmp_path / "locales" / "en_US.ISO-8859-1"
    made.parent.mkdir()
    maker = shutil.which("localedef")
    words = [maker or "", "-i", "en_US", "-f", "ISO-8859-1", str(made)]
    if maker is None or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no locale of Latin-1 can be made here")
    return {"LC_ALL": made.name, "LOCPATH": str(made.parent)}


@pytest.mark.skipif(sys.platform == "win32", reason="the locale has no say in names there")
@pytest.mark.parametrize("locale", ["C", "latin1"])
def test_names_are_the_same_in_a_locale_without_utf_8(
    locale: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    told = {"LC_ALL": "C"} if locale == "C" else request.getfixturevalue("latin1")
    for name in ("café", "naïve"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("RGB", (8, 8)).save(tmp_path / "set" / name / f"{number}é.png")
    rows = [f"{name}/{number}é.png,{name}" for name in ("café", "naïve") for number in range(4)]
    (tmp_path / "set" / "t.csv").write_text("\n".join(["path,label", *rows]), encoding="utf-8")
    told |= {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    run = [sys.executable, "-c", NAMES, str(tmp_path)]
    done = subprocess.run(run, env=os.environ | told, capture_output=True, encoding="utf-8")
    classes = ("café", "naïve")
    assert done.stdout.strip() == ascii([classes, classes, "café/0é.png"]), done.stderr
