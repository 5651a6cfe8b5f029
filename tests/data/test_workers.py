"""Workers: processes that open image files, and may die."""

from __future__ import annotations

import gc
import io
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.data.decode import Preprocessing, decode
from saccade.data.source import File, Pixels
from saccade.data.workers import Workers
from saccade.errors import DataError, ResourceError

SMALL = Preprocessing(16)

POISON = """
import os, signal, time
from PIL import Image

opened_by_pillow = Image.open

def opened(stream, **options):
    start = stream.read(8)
    if start == b"segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if start == b"exits!!!":
        os._exit(7)
    if start == b"hangs!!!":
        time.sleep(600)
    if start == b"gluttony":
        bytearray(2**40)
    if start == b"prints!!":
        os.write(1, b"what a strange file")
    stream.seek(0)
    return opened_by_pillow(stream, **options)

Image.open = opened
"""


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def poisonous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker started now has a decoder that dies of certain files."""
    (tmp_path / "sitecustomize.py").write_text(POISON)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_a_worker_gives_the_bytes_that_decode_gives():
    with Workers(1) as workers:
        for seed in range(3):
            assert torch.equal(workers.decode(png(seed), SMALL), decode(png(seed), SMALL))


def test_many_threads_share_few_workers():
    with Workers(2) as workers, ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda seed: workers.decode(png(seed), SMALL), range(40)))
    for seed, picture in enumerate(found):
        assert torch.equal(picture, decode(png(seed), SMALL))


def test_what_a_worker_refuses_is_said_as_decode_says_it():
    with Workers(1) as workers:
        for raw in (b"", b"nothing", png(0)[:100]):
            with pytest.raises(DataError) as here:
                decode(raw, SMALL)
            with pytest.raises(DataError) as there:
                workers.decode(raw, SMALL)
            assert there.value.what == here.value.what


@pytest.mark.usefixtures("poisonous")
def test_a_poisonous_file_costs_that_file_and_no_other():
    with Workers(2, patience=30) as workers:
        for raw, reason in [
            (b"segfault", r"the process that opened it died \(signal 11\)"),
            (b"exits!!!", r"the process that opened it ended itself \(exit code 7\)"),
            (b"gluttony", "more memory than there is"),
            (b"prints!!", "no image file of a known format"),
        ]:
            assert torch.equal(workers.decode(png(1), SMALL), decode(png(1), SMALL))
            with pytest.raises(DataError, match=reason):
                workers.decode(raw, SMALL)
        assert torch.equal(workers.decode(png(2), SMALL), decode(png(2), SMALL))


@pytest.mark.usefixtures("poisonous")
def test_a_file_that_never_ends_is_given_up():
    with Workers(1, patience=3) as workers:
        workers.decode(png(0), SMALL)
        start = time.monotonic()
        with pytest.raises(DataError, match="could not be opened within 3 seconds"):
            workers.decode(b"hangs!!!", SMALL)
        assert time.monotonic() - start < 30
        assert torch.equal(workers.decode(png(1), SMALL), decode(png(1), SMALL))


def test_a_worker_killed_from_outside_costs_nothing():
    with Workers(1) as workers:
        workers.decode(png(0), SMALL)
        for worker in tuple(workers._live):
            worker.process.kill()
        assert torch.equal(workers.decode(png(1), SMALL), decode(png(1), SMALL))


def test_workers_that_do_not_start_are_no_fault_of_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "sitecustomize.py").write_text("import os; os._exit(1)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Workers(1) as workers, pytest.raises(ResourceError, match="does not start"):
        workers.decode(png(0), SMALL)


def test_a_users_file_named_like_a_module_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "re.py").write_text("raise SystemExit('not the one of Python')\n")
    monkeypatch.chdir(tmp_path)
    with Workers(1) as workers:
        assert torch.equal(workers.decode(png(0), SMALL), decode(png(0), SMALL))


def test_pixels_need_no_process():
    pixels = np.zeros((9, 9), np.uint8)
    with Workers(1) as workers:
        assert torch.equal(workers.read(Pixels(pixels), SMALL), decode(pixels, SMALL))
        assert not workers._live


def test_a_file_that_is_gone_says_so(tmp_path: Path):
    with Workers(1) as workers, pytest.raises(DataError, match=r"cannot be read: .*No such file"):
        workers.read(File(tmp_path / "gone.png"), SMALL)


def test_forgotten_workers_end():
    workers = Workers(1)
    workers.decode(png(0), SMALL)
    (worker,) = workers._live
    del workers
    gc.collect()
    assert worker.process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(worker.process.pid, 0)
