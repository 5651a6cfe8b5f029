"""Published files, which are downloaded once and whose digest is checked every time."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError

from saccade.errors import NetworkError, SaccadeError
from saccade.files import atomic_file

Notify = Callable[[str], None]  # takes one line for the person who waits
CHUNK = 1 << 20  # bytes
TIMEOUT = 30.0  # seconds without a byte
OFFLINE = ("SACCADE_OFFLINE", "HF_HUB_OFFLINE")


@dataclass(frozen=True)
class Digest:
    """The published digest of a file."""

    kind: str  # sha256 or md5
    digits: str  # hexadecimal, all of them or the first

    def __str__(self) -> str:
        return f"its {self.kind} begins with {self.digits}"

    def mismatch(self, path: Path) -> str:
        """How the file's digest differs; empty for the file that was published."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(
                file, lambda: hashlib.new(self.kind, usedforsecurity=False)
            )
        digits = digest.hexdigest()[: len(self.digits)]
        return (
            ""
            if digits == self.digits
            else f"its {self.kind} begins with {digits}, not {self.digits}"
        )


def silent(line: str) -> None:
    """A `Notify` that drops every line."""


def fetch(
    path: Path,
    addresses: Sequence[str],
    digest: Digest,
    *,
    damaged: type[SaccadeError],
    notify: Notify = silent,
) -> Path:
    """The file at `path`, fetched if need be from the first address that has it whole.

    Raises `damaged` when another file lies there, `NetworkError` when none is available.
    """
    if path.is_file():
        if fault := digest.mismatch(path):
            raise damaged(
                f"{path.name} is damaged: {fault}", f"delete {path}, and it is fetched again"
            )
        return path
    by_hand = f"put the file at {path}; {digest}"
    if setting := _offline():
        raise NetworkError(f"{path.name} is not here, and {setting} forbids to fetch it", by_hand)
    failures = []
    for address in addresses:
        try:
            with atomic_file(path) as temporary:
                _download(address, temporary, notify)
                if fault := digest.mismatch(temporary):
                    raise OSError(f"what lies there is damaged, {fault}")
            return path
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            failures.append(f"{address} cannot be fetched: {reason}")
    raise NetworkError("; ".join(failures), by_hand)


def _offline() -> str | None:
    """The setting that forbids to use the network."""
    enabled = ("1", "true", "yes", "on")
    return next((name for name in OFFLINE if os.environ.get(name, "").lower() in enabled), None)


def _download(address: str, path: Path, notify: Notify) -> None:
    """Write what `address` has to `path`, and notify at each tenth."""
    name, done, tenths = address.rpartition("/")[2], 0, 0
    with _open(address) as response, path.open("wb") as file:
        total = int(response.headers.get("Content-Length") or 0)
        while chunk := response.read(CHUNK):
            file.write(chunk)
            done += len(chunk)
            if total and done * 10 // total > tenths:
                tenths = done * 10 // total
                notify(f"{name}: {done / 1e6:.1f} of {total / 1e6:.1f} MB, {tenths * 10} %")
    if done < total:
        raise OSError(f"the connection ended after {done} of {total} bytes")


def _open(address: str) -> HTTPResponse:
    try:
        return urllib.request.urlopen(address, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        raise
