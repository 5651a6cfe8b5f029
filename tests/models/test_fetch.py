"""fetch: downloads from a server on this machine, whole, damaged, cut off and forbidden."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from saccade.errors import ResourceError, WeightsError
from saccade.models.fetch import fetch, kept_at

CONTENT = bytes(range(256)) * 20_000  # 5 MB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Answers /whole.pth, /cut.pth (half of what it announces) and nothing else."""

    def do_GET(self) -> None:
        if self.path not in ("/whole.pth", "/cut.pth"):
            self.send_error(404, "no such file")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/whole.pth" else CONTENT[: len(CONTENT) // 2])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def folder(tmp_path: Path) -> list[str]:
    return sorted(p.name for p in (tmp_path / "hub" / "checkpoints").iterdir())


def test_a_file_is_fetched_once_and_lies_where_torchvision_looks(address: str, tmp_path: Path):
    lines: list[str] = []
    path = fetch(f"{address}/whole.pth", SHA256[:8], tell=lines.append)
    assert path == tmp_path / "hub" / "checkpoints" / "whole.pth"
    assert path.read_bytes() == CONTENT
    assert folder(tmp_path) == ["whole.pth"]
    assert lines[0] == "whole.pth: 1.0 of 5.1 MB, 20 %"
    assert lines[-1] == "whole.pth: 5.1 of 5.1 MB, 100 %"
    assert fetch("http://127.0.0.1:9/whole.pth", SHA256) == path  # nobody listens there


def test_another_digest_leaves_nothing_behind(address: str, tmp_path: Path):
    with pytest.raises(WeightsError, match=rf"whole.pth is damaged.*{SHA256[:8]}, not 00000000"):
        fetch(f"{address}/whole.pth", "00000000")
    assert folder(tmp_path) == []


def test_a_connection_that_ends_early_leaves_nothing_behind(address: str, tmp_path: Path):
    with pytest.raises(ResourceError, match="ended after 2560000 of 5120000 bytes"):
        fetch(f"{address}/cut.pth", SHA256)
    assert folder(tmp_path) == []


def test_a_file_that_was_damaged_later_is_named(address: str):
    url = f"{address}/whole.pth"
    path = fetch(url, SHA256)
    path.write_bytes(CONTENT[:-1] + b"\0")
    with pytest.raises(WeightsError, match=f"hint: delete {path}"):
        fetch(url, SHA256)


@pytest.mark.parametrize("place", ["/absent.pth", None])
def test_without_the_file_or_the_network_it_is_said_where_to_put_it(
    address: str, place: str | None
):
    url = f"{address}{place}" if place else "http://127.0.0.1:9/absent.pth"
    with pytest.raises(ResourceError) as caught:
        fetch(url, SHA256[:8])
    assert f"{url} cannot be fetched" in caught.value.what
    assert (
        caught.value.hint == f"put the file at {kept_at(url)}; its sha256 begins with {SHA256[:8]}"
    )


def test_offline_nothing_is_asked_of_the_network(address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ResourceError, match="HF_HUB_OFFLINE forbids"):
        fetch(f"{address}/whole.pth", SHA256)


def test_a_folder_that_cannot_be_written_is_a_matter_of_resources(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "file"))
    with pytest.raises(ResourceError, match="cannot be fetched"):
        fetch(f"{address}/whole.pth", SHA256)
