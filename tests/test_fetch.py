"""fetch: downloads from a server on this machine, whole, damaged, cut off and forbidden."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from saccade.download import OFFLINE, Digest, fetch, silent
from saccade.errors import DataError, NetworkError, SaccadeError, WeightsError

CONTENT = bytes(range(256)) * 20_000  # 5 MB
MD5, SHA256 = hashlib.md5(CONTENT).hexdigest(), hashlib.sha256(CONTENT).hexdigest()
OTHER = Digest("sha256", "00000000")
NOBODY = "http://127.0.0.1:9/whole.pth"  # nobody listens there


class Server(BaseHTTPRequestHandler):
    """Answers /whole.pth, /cut.pth (half of what it announces), /other.pth and nothing else."""

    def do_GET(self) -> None:
        half = len(CONTENT) // 2
        sent = {"/whole.pth": CONTENT, "/cut.pth": CONTENT[:half], "/other.pth": b"other"}
        if self.path not in sent:
            self.send_error(404, "no such file")
            return
        self.send_response(200)
        length = 5 if self.path == "/other.pth" else len(CONTENT)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(sent[self.path])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    for name in OFFLINE:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def fetched(path: Path, *addresses: str, digest: Digest, tell=silent) -> Path:
    return fetch(path, addresses, digest, damaged=WeightsError, notify=tell)


def test_a_file_is_fetched_once_with_progress(address: str, tmp_path: Path):
    lines: list[str] = []
    path, digest = tmp_path / "new" / "whole.pth", Digest("sha256", SHA256[:8])
    assert fetched(path, f"{address}/whole.pth", digest=digest, tell=lines.append) == path
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert lines[0] == "whole.pth: 1.0 of 5.1 MB, 20 %"
    assert lines[-1] == "whole.pth: 5.1 of 5.1 MB, 100 %"
    assert fetched(path, NOBODY, digest=Digest("md5", MD5)) == path


def test_the_first_address_with_the_whole_file_gives_it(address: str, tmp_path: Path):
    names = ("absent", "other", "cut", "whole")
    addresses = (NOBODY, *(f"{address}/{name}.pth" for name in names))
    path = fetched(tmp_path / "here", *addresses, digest=Digest("md5", MD5))
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("absent.pth", "no such file"),
        ("other.pth", f"its sha256 begins with {hashlib.sha256(b'other').hexdigest()[:8]}, not 0"),
        ("cut.pth", "the connection ended after 2560000 of 5120000 bytes"),
    ],
)
def test_nothing_is_kept_of_what_is_not_the_file(
    place: str, reason: str, address: str, tmp_path: Path
):
    path = tmp_path / "kept" / "x.pth"
    with pytest.raises(NetworkError) as caught:
        fetched(path, f"{address}/{place}", NOBODY, digest=OTHER)
    assert f"{address}/{place} cannot be fetched: " in caught.value.what
    assert reason in caught.value.what
    assert f"{NOBODY} cannot be fetched: " in caught.value.what
    assert caught.value.hint == f"put the file at {path}; its sha256 begins with 00000000"
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("error", [DataError, WeightsError])
def test_a_file_that_was_damaged_later_is_named(error: type[SaccadeError], tmp_path: Path):
    path = tmp_path / "whole.pth"
    path.write_bytes(CONTENT[:-1] + b"\0")
    with pytest.raises(error, match=rf"^whole.pth is damaged.*{MD5}\nhint: delete {path}"):
        fetch(path, [NOBODY], Digest("md5", MD5), damaged=error)


@pytest.mark.parametrize("setting", OFFLINE)
def test_offline_nothing_is_asked_of_the_network(
    setting: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path, digest = tmp_path / "whole.pth", Digest("md5", MD5)
    monkeypatch.setenv(setting, "1")
    with pytest.raises(NetworkError, match=f"{setting} forbids.*\nhint: put the file at {path}"):
        fetched(path, f"{address}/whole.pth", digest=digest)
    monkeypatch.setenv(setting, "0")
    assert fetched(path, f"{address}/whole.pth", digest=digest) == path
    monkeypatch.setenv(setting, "1")
    assert fetched(path, f"{address}/whole.pth", digest=digest) == path


def test_a_folder_that_cannot_be_written_is_a_matter_of_resources(address: str, tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(NetworkError, match="cannot be fetched"):
        fetched(tmp_path / "file" / "x", f"{address}/whole.pth", digest=Digest("md5", MD5))
