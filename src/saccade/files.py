"""Atomic writes: to a temporary file, flushed to the disk, renamed; and the cache folder."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from saccade.errors import ResourceError, UsageError


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes the place of `path` when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def atomic_write(path: Path, content: str | bytes) -> None:
    """Replace the file at `path` by `content`, in one instant; text is written as UTF-8."""
    data = as_utf8(content) if isinstance(content, str) else content
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def write_new(path: Path, content: bytes | Path) -> bool:
    """Write a file, or copy one with its times, whole; never over another: False where one is."""
    if os.path.lexists(path):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".saccade.")
    os.close(handle)
    temporary = Path(name)
    try:
        if isinstance(content, Path):
            shutil.copyfile(content, temporary)
            shutil.copystat(content, temporary)
        else:
            temporary.write_bytes(content)
            temporary.chmod(0o666 & ~_umask())
        return _move_to_new(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _move_to_new(temporary: Path, path: Path) -> bool:
    """Give a file another name, in one instant, unless something has that name."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    except OSError:  # a disk without hard links
        if os.path.lexists(path):
            return False
        temporary.rename(path)
    return True


MADE = b"made by saccade"
PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
COMMENT = b"<!-- " + MADE + b" -->\n"


def refuse_to_replace(*paths: Path | None) -> None:
    """Raise `UsageError` for a path that holds what saccade did not write there itself.

    Its pages and drawings say so in their last bytes; of all other files none is replaced.
    So is one that is named twice.  Raises `ResourceError` where nothing can be written.
    """
    places: set[str] = set()
    for path in paths:
        if path is None:
            continue
        if (place := os.path.realpath(path)) in places:
            raise UsageError(f"'{path}' is named for two outputs", "name another file for one")
        places.add(place)
        refuse_unwritable(path)
        if not (path.exists() or path.is_symlink()):
            continue
        if not path.is_file() or not _end_of(path).endswith(_signature(path)):
            raise UsageError(f"'{path}' exists", "name another file, or remove it")


def _end_of(path: Path) -> bytes:
    with disk_errors(path):
        return path.read_bytes()


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Within the block, an error of the disk becomes a `ResourceError` about the file `path`."""
    try:
        yield
    except OSError as error:
        raise ResourceError(
            f"'{path}' cannot be written: {error.strerror or error}",
            "name another place, or see to it that there is room and that you may write there",
        ) from error


def refuse_unwritable(path: Path) -> None:
    """Raise `ResourceError` where no file or folder `path` can be made; nothing stays behind."""
    with disk_errors(path):
        with suppress(FileNotFoundError):
            path.lstat()  # a name that the disk cannot hold, or a file where a folder is needed
        parent = next(folder for folder in path.absolute().parents if folder.exists())
        with tempfile.TemporaryFile(dir=parent):
            return


def write_output(path: Path, content: str | bytes) -> None:
    """Write a page, a drawing or a table where a person asked for it, and sign it.

    Raises `UsageError` as `refuse_to_replace`, which is better asked before the work.
    """
    refuse_to_replace(path)
    data = as_utf8(content) if isinstance(content, str) else content
    signature = _signature(path)
    if signature.endswith(PNG_END):
        data = data.removesuffix(PNG_END)
    elif not signature.endswith(COMMENT):
        signature = b""
    with disk_errors(path):
        atomic_write(path, data + signature)


def _signature(path: Path) -> bytes:
    """The last bytes of a file of this kind that saccade wrote; of most kinds there are none."""
    suffix = path.suffix.lower()
    if suffix in (".html", ".svg"):
        return COMMENT
    if suffix == ".png":
        chunk = b"tEXtSoftware\x00" + MADE
        length, check = (n.to_bytes(4, "big") for n in (len(chunk) - 4, zlib.crc32(chunk)))
        return length + chunk + check + PNG_END
    return b"\xff" + MADE  # no file that we write ends so


def as_utf8(text: str) -> bytes:
    r"""Text as UTF-8; what is no text, of a file name say, as `\udcff`, which JSON reads back."""
    return text.encode("utf-8", "backslashreplace")


def read_utf8(path: Path) -> str:
    """A text file as UTF-8 whatever the locale, with or without a mark, its line ends untouched."""
    return path.read_bytes().decode("utf-8-sig")


UTF8_NAMES = sys.getfilesystemencoding().replace("-", "").lower() == "utf8"


def text_of_name(name: str) -> str:
    """A name that the disk gave as text, in the UTF-8 of the disk and not as the locale has it."""
    return name if UTF8_NAMES else os.fsencode(name).decode("utf-8", "surrogateescape")


def name_of_text(text: str) -> str:
    """A name that a file of text gave as the disk takes it; the reverse of `text_of_name`."""
    return text if UTF8_NAMES else os.fsdecode(text.encode("utf-8", "surrogateescape"))


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` to fill; it takes the place of `path` when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        for file in temporary.rglob("*"):
            _flush(file)
        if path.exists():
            path.replace(retired := temporary.with_name(temporary.name + ".old"))
            temporary.replace(path)
            shutil.rmtree(retired)
        else:
            temporary.replace(path)
        _flush(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def cache_folder() -> Path:
    """`SACCADE_CACHE`, or where the platform keeps caches."""
    if folder := os.environ.get("SACCADE_CACHE"):
        return Path(folder)
    if sys.platform == "win32":
        root = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local"
    elif sys.platform == "darwin":
        root = Path.home() / "Library/Caches"
    else:
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "saccade"


def _flush(path: Path) -> None:
    """Onto the disk; Windows flushes what is open for writing, and no folders."""
    posix = os.name == "posix"
    if not posix and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if posix else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
