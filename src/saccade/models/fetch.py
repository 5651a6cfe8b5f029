"""fetch: one published file, downloaded once, checked every time."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError

import torch

from saccade.errors import ResourceError, WeightsError
from saccade.files import whole_file

Tell = Callable[[str], None]  # takes one line for the person who waits

CHUNK = 1 << 20  # bytes
PATIENCE = 30.0  # seconds without a byte


def silent(line: str) -> None:
    """Tell nobody."""


def kept_at(url: str) -> Path:
    """Where the file of `url` lies: TORCH_HOME's folder, shared with torchvision and timm."""
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]


def fetch(url: str, sha256: str, *, tell: Tell = silent) -> Path:
    """The file of `url`, whose digest begins with `sha256`.

    Raises `ResourceError` when it is neither there nor to be had, `WeightsError` when damaged.
    """
    path = kept_at(url)
    if path.is_file():
        _check(path, path.name, sha256, f"delete {path}, and it is fetched again")
        return path
    by_hand = f"put the file at {path}; its sha256 begins with {sha256}"
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise ResourceError(f"{url} is not here, and HF_HUB_OFFLINE forbids to fetch it", by_hand)
    try:
        with whole_file(path) as temporary:
            _download(url, temporary, tell)
            _check(temporary, path.name, sha256, "try again; nothing has been kept")
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise ResourceError(f"{url} cannot be fetched: {reason}", by_hand) from error
    return path


def _check(path: Path, name: str, sha256: str, hint: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(sha256):
        raise WeightsError(
            f"{name} is damaged: its sha256 begins with {found[: len(sha256)]}, not {sha256}",
            hint,
        )


def _answer(url: str) -> HTTPResponse:
    try:
        return urllib.request.urlopen(url, timeout=PATIENCE)
    except HTTPError as error:
        error.close()
        raise


def _download(url: str, path: Path, tell: Tell) -> None:
    name, done, told = url.rsplit("/", 1)[-1], 0, 0
    with _answer(url) as answer, path.open("wb") as file:
        total = int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            done += len(chunk)
            if total and done * 10 // total > told:
                told = done * 10 // total
                tell(f"{name}: {done / 1e6:.1f} of {total / 1e6:.1f} MB, {told * 10} %")
    if total and done < total:
        raise OSError(f"the connection ended after {done} of {total} bytes")
