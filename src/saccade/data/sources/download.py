"""download: published files of a data set, fetched once and held to their published digest."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from saccade.errors import DataError, ResourceError
from saccade.files import whole_file

Tell = Callable[[str], None]  # takes one line for the person who waits

CHUNK = 1 << 20  # bytes
PATIENCE = 30.0  # seconds without a byte
OFFLINE = ("SACCADE_OFFLINE", "HF_HUB_OFFLINE")


@dataclass(frozen=True)
class Published:
    """A file, where it is to be had, and the MD5 that its publishers tell of it."""

    name: str
    md5: str
    mirrors: Sequence[str]  # addresses of folders


def silent(line: str) -> None:
    """Tell nobody."""


def data_home() -> Path:
    """Where downloaded data lie: SACCADE_DATA, else saccade/data in the user's cache."""
    if told := os.environ.get("SACCADE_DATA"):
        return Path(told)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "saccade" / "data"


def download(file: Published, folder: Path, tell: Tell = silent) -> Path:
    """The file in `folder`, fetched from the first mirror that has it whole.

    Raises `DataError` when the file there is damaged, `ResourceError` when it is not to be had.
    """
    path = folder / file.name
    if path.is_file():
        if _md5(path) != file.md5:
            raise DataError(f"'{path}' is damaged: its MD5 is not {file.md5}", "delete the file")
        return path
    by_hand = f"put the file at {path}; its MD5 is {file.md5}"
    if name := next((one for one in OFFLINE if os.environ.get(one, "0") not in ("", "0")), None):
        raise ResourceError(f"{file.name} is not here, and {name} forbids to fetch it", by_hand)
    reasons = []
    for mirror in file.mirrors:
        try:
            with whole_file(path) as temporary:
                _fetch(mirror + file.name, temporary, tell)
                if (found := _md5(temporary)) != file.md5:
                    raise OSError(f"its MD5 is {found}, not {file.md5}")
            return path
        except (OSError, HTTPException) as error:
            reasons.append(f"{mirror}: {getattr(error, 'reason', None) or error}")
    raise ResourceError(f"{file.name} cannot be fetched ({'; '.join(reasons)})", by_hand)


def _fetch(address: str, path: Path, tell: Tell) -> None:
    """Write what `address` has to `path`, telling each tenth."""
    name, done, told = address.rpartition("/")[2], 0, 0
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer, path.open("wb") as file:
        total = int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            done += len(chunk)
            if total and done * 10 // total > told:
                told = done * 10 // total
                tell(f"{name}: {done / 1e6:.1f} of {total / 1e6:.1f} MB, {told * 10} %")
    if done < total:
        raise OSError(f"the connection ended after {done} of {total} bytes")


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
