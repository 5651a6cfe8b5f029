"""The scan goes on where it stopped, reads only what changed, and survives what kills a process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.data import sandbox
from saccade.data.doctor.scan import parse_response, request, scan
from saccade.data.item import EncodedImage, ImageArray, ImageFile, Item
from saccade.errors import ResourceError

# a process that looks at images in which one kills it, and one meets a bug of ours
TRAPPED = """
import os, signal
from saccade.data.doctor import facts
plain = facts.facts_of
def facts_of(raw):
    if raw == b"poison":
        os.kill(os.getpid(), signal.SIGKILL)
    if raw == b"slow":
        signal.pause()
    return raw["no such key"] if raw == b"bug" else plain(raw)
facts.facts_of = facts_of
"""


@pytest.fixture
def trapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "traps").mkdir()
    (tmp_path / "traps" / "sitecustomize.py").write_text(TRAPPED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "traps"))


@dataclass(frozen=True)
class Bug:
    """Raises what no image should."""

    def read(self) -> bytes:
        raise ZeroDivisionError("a bug of ours")


def images(folder: Path, count: int) -> list[Item]:
    items = []
    for n in range(count):
        path = folder / f"{n}.png"
        Image.fromarray(np.full((12, 10 + n, 3), n, np.uint8)).save(path)
        items.append(Item(path.name, None, ImageFile(str(path))))
    return items


def test_a_second_scan_reads_only_what_has_changed(tmp_path):
    items, state = images(tmp_path, 5), tmp_path / "state.jsonl"
    first = scan(items, state=state, processes=1)
    Image.fromarray(np.zeros((7, 7), np.uint8)).save(tmp_path / "3.png")
    (tmp_path / "4.png").write_bytes(b"")
    second = scan(items, state=state, processes=1)
    assert (first.cached, second.cached) == (0, 3)
    assert (first.table[:3] == second.table[:3]).all()
    assert second.table["width"].tolist() == [10, 11, 12, 7, 0]
    assert second.reasons == {4: "an empty file"}
    assert scan(items, state=state, processes=1).cached == 5


def test_a_half_line_left_by_a_kill_is_cut_off(tmp_path):
    items, state = images(tmp_path, 4), tmp_path / "state.jsonl"
    scan(items[:3], state=state, processes=1)
    whole = state.read_bytes()
    state.write_bytes(whole[:-20])
    again = scan(items, state=state, processes=1)
    assert again.cached == 2
    lines = state.read_text().splitlines()
    assert sorted(json.loads(line)[0] for line in lines[1:]) == [
        str(tmp_path / i.name) for i in items
    ]


def test_a_state_of_another_version_is_not_believed(tmp_path):
    items, state = images(tmp_path, 2), tmp_path / "state.jsonl"
    scan(items, state=state, processes=1)
    head, *lines = state.read_text().splitlines()
    older = json.dumps(json.loads(head) | {"decoder": 0})
    state.write_text("\n".join([older, *lines]) + "\n")
    assert scan(items, state=state, processes=1).cached == 0
    assert state.read_text().splitlines()[0] == head


@pytest.mark.usefixtures("trapped")
@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (b"poison", "the process that opened it died (signal 9)"),
        (b"slow", "could not be opened within 8 seconds"),
    ],
)
def test_an_image_that_kills_or_stops_the_process_costs_that_image(
    tmp_path, monkeypatch, poison, reason
):
    if poison == b"slow":  # the others open in time, however busy the machine is
        monkeypatch.setattr(sandbox, "TIMEOUT", 8.0)
    items = images(tmp_path, 6)
    items.insert(2, Item("poison", None, EncodedImage(poison)))
    found = scan(items, processes=1)
    assert found.reasons == {2: reason}
    assert found.table["readable"].tolist() == [True, True, False, True, True, True, True]
    assert found.table["width"][3] == 12


def test_an_error_of_ours_is_not_taken_for_a_bad_image():
    with pytest.raises(ZeroDivisionError, match="a bug of ours"):
        scan([Item("bug", None, Bug())], processes=1)


@pytest.mark.usefixtures("trapped")
def test_a_bug_in_a_process_is_not_taken_for_a_bad_image():
    with pytest.raises(RuntimeError, match=r"a bug in saccade\.data\.doctor\.scan"):
        scan([Item("bug", None, EncodedImage(b"bug"))], processes=1)


@pytest.mark.usefixtures("trapped")
def test_answers_left_over_by_a_bug_are_not_taken_for_later_ones(tmp_path):
    first, second = (item.image.read() for item in images(tmp_path, 2))
    with sandbox.Sandbox("saccade.data.doctor.scan", 1) as box:
        with pytest.raises(RuntimeError, match="a bug in"):
            box.submit([request(b"bug"), request(first)])
        (answer,) = box.submit([request(second)])
    assert parse_response(answer, second).width == 11


def test_progress_counts_every_image_once_with_several_processes():
    items = [Item(str(n), None, ImageArray(np.full((8, 8), n, np.uint8))) for n in range(100)]
    seen: list[tuple[int, int]] = []
    found = scan(items, progress=lambda done, total: seen.append((done, total)), processes=2)
    assert seen == [(n, 100) for n in range(101)]
    assert found.table["brightest"].tolist() == list(range(100))


def test_a_state_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(ResourceError, match=r"state\.jsonl' cannot be used"):
        (tmp_path / "file").write_text("")
        scan(images(tmp_path, 1), state=tmp_path / "file" / "state.jsonl", processes=1)


def test_a_process_that_cannot_start_is_no_bad_image(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(ResourceError, match="does not start"):
        scan(images(tmp_path, 1), processes=1)


def test_what_a_decoder_prints_goes_nowhere(tmp_path, capfd):
    (tmp_path / "bad.tif").write_bytes(b"II*\0\x08\0\0\0\xff\xff" + bytes(40))
    found = scan([Item("bad.tif", None, ImageFile(str(tmp_path / "bad.tif")))], processes=1)
    assert found.reasons
    assert capfd.readouterr() == ("", "")
