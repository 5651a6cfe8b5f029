"""fetch: one published file, downloaded once, held to its digest every time."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError

from saccade.errors import ResourceError, SaccadeError
from saccade.files import whole_file

Tell = Callable[[str], None]  # takes one line for the person who waits

CHUNK = 1 << 20  # bytes
PATIENCE = 30.0  # seconds without a byte
OFFLINE = ("SACCADE_OFFLINE", "HF_HUB_OFFLINE")


@dataclass(frozen=True)
class Digest:
    """What the publishers of a file tell of its content."""

    kind: str  # sha256 or md5
    digits: str  # hexadecimal, all of them or the first

    def __str__(self) -> str:
        return f"its {self.kind} begins with {self.digits}"

    def fault(self, path: Path) -> str:
        """How the file's digest differs, in words; empty for the file that was published."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(
                file, lambda: hashlib.new(self.kind, usedforsecurity=False)
            )
        found = digest.hexdigest()[: len(self.digits)]
        return (
            ""
            if found == self.digits
            else f"its {self.kind} begins with {found}, not {self.digits}"
        )


def silent(line: str) -> None:
    """Tell nobody."""


def fetch(
    path: Path,
    addresses: Sequence[str],
    digest: Digest,
    *,
    damaged: type[SaccadeError],
    tell: Tell = silent,
) -> Path:
    """The file at `path`, fetched if need be from the first address that has it whole.

    Raises `damaged` when another file lies there, `ResourceError` when none is to be had.
    """
    if path.is_file():
        if fault := digest.fault(path):
            raise damaged(
                f"{path.name} is damaged: {fault}", f"delete {path}, and it is fetched again"
            )
        return path
    by_hand = f"put the file at {path}; {digest}"
    if setting := _offline():
        raise ResourceError(f"{path.name} is not here, and {setting} forbids to fetch it", by_hand)
    failures = []
    for address in addresses:
        try:
            with whole_file(path) as temporary:
                _download(address, temporary, tell)
                if fault := digest.fault(temporary):
                    raise OSError(f"what lies there is damaged, {fault}")
            return path
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            failures.append(f"{address} cannot be fetched: {reason}")
    raise ResourceError("; ".join(failures), by_hand)


def _offline() -> str | None:
    """The setting that forbids to use the network."""
    yes = ("1", "true", "yes", "on")
    return next((name for name in OFFLINE if os.environ.get(name, "").lower() in yes), None)


def _download(address: str, path: Path, tell: Tell) -> None:
    """Write what `address` has to `path`, telling each tenth."""
    name, done, told = address.rpartition("/")[2], 0, 0
    with _answer(address) as answer, path.open("wb") as file:
        total = int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            done += len(chunk)
            if total and done * 10 // total > told:
                told = done * 10 // total
                tell(f"{name}: {done / 1e6:.1f} of {total / 1e6:.1f} MB, {told * 10} %")
    if done < total:
        raise OSError(f"the connection ended after {done} of {total} bytes")


def _answer(address: str) -> HTTPResponse:
    try:
        return urllib.request.urlopen(address, timeout=PATIENCE)
    except HTTPError as error:
        error.close()
        raise
