"""Workers: processes that open image files, and may die."""

from __future__ import annotations

import gc
import io
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.data import sandbox
from saccade.data.decode import Preprocessing, decode
from saccade.data.formats import MAX_PIXELS
from saccade.data.item import ImageArray, ImageFile
from saccade.data.pool import DecoderPool
from saccade.data.sandbox import BATCH_BYTES, LONGEST
from saccade.errors import DataError, ResourceError

SMALL = Preprocessing(16)

POISON = """
import os, signal, time
from pathlib import Path
from PIL import Image

opened_by_pillow = Image.open

def opened(stream, **options):
    start = stream.read(8)
    if start == b"segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if start == b"exits!!!":
        os._exit(7)
    if start == b"hangs!!!":
        Path(__file__).with_name("hangs").touch()
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


def decoded(workers: DecoderPool, raw: bytes) -> torch.Tensor:
    """One file by a worker; raises what `decode` would."""
    (result,) = workers.decode([raw], SMALL)
    return there(result)


def there(result: torch.Tensor | DataError) -> torch.Tensor:
    if isinstance(result, DataError):
        raise result
    return result


def reason(result: torch.Tensor | DataError) -> str:
    assert isinstance(result, DataError)
    return result.what


@pytest.fixture
def poisonous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker started now has a decoder that dies of certain files."""
    (tmp_path / "sitecustomize.py").write_text(POISON)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_a_worker_gives_the_bytes_that_decode_gives():
    with DecoderPool(1) as workers:
        for seed in range(3):
            assert torch.equal(decoded(workers, png(seed)), decode(png(seed), SMALL))


def test_many_threads_share_few_workers():
    with DecoderPool(2) as workers, ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda seed: decoded(workers, png(seed)), range(40)))
    for seed, image in enumerate(found):
        assert torch.equal(image, decode(png(seed), SMALL))


def test_what_a_worker_refuses_is_said_as_decode_says_it():
    with DecoderPool(1) as workers:
        for raw in (b"", b"nothing", png(0)[:100]):
            with pytest.raises(DataError) as here:
                decode(raw, SMALL)
            with pytest.raises(DataError) as there:
                decoded(workers, raw)
            assert there.value.what == here.value.what


@pytest.mark.usefixtures("poisonous")
def test_a_poisonous_file_costs_that_file_and_no_other():
    with DecoderPool(2, timeout=30) as workers:
        for raw, reason in [
            (b"segfault", r"the process that opened it died \(signal 11\)"),
            (b"exits!!!", r"the process that opened it ended itself \(exit code 7\)"),
            (b"gluttony", "more memory than there is"),
            (b"prints!!", "no image file of a known format"),
        ]:
            assert torch.equal(decoded(workers, png(1)), decode(png(1), SMALL))
            with pytest.raises(DataError, match=reason):
                decoded(workers, raw)
        assert torch.equal(decoded(workers, png(2)), decode(png(2), SMALL))


def shapes() -> list[bytes | np.ndarray]:
    """Small files of two sizes, grey and coloured, one that is none, a large one, pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (600, 700, 3), np.uint8)
    large = io.BytesIO()
    Image.fromarray(noise).save(large, "PNG")
    grey = io.BytesIO()
    Image.fromarray(noise[:28, :28, 0]).save(grey, "PNG")
    return [
        *(png(seed) for seed in range(5)),
        b"nothing",
        *2 * [grey.getvalue()],
        large.getvalue(),
        noise[:20, :30],
        noise[:0],
        png(5),
        b"",
    ]


@pytest.mark.parametrize("colour", ["rgb", "grey"])
@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
def test_several_files_come_out_as_each_alone(resize: str, colour: str):
    preprocessing = Preprocessing(16, resize, colour=colour, crop=0.875)
    some = shapes()
    assert max(map(len, some)) > BATCH_BYTES
    with DecoderPool(1) as workers:
        found = workers.decode(some, preprocessing)
    for raw, result in zip(some, found, strict=True):
        try:
            expected = decode(raw, preprocessing)
        except DataError as refused:
            assert reason(result) == refused.what
        else:
            assert torch.equal(there(result), expected)


class Clock:
    """It stands still until a worker hangs, and then is a quarter of an hour later."""

    def __init__(self, hangs: Path):
        self.hangs, self.now = hangs, 0.0

    def monotonic(self) -> float:
        if self.hangs.exists():
            self.hangs.unlink(missing_ok=True)
            self.now += 900.0
        return self.now


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "time", Clock(tmp_path / "hangs"))


@pytest.mark.usefixtures("poisonous", "clock")
def test_a_poisonous_file_costs_none_of_those_that_came_with_it():
    with DecoderPool(1, timeout=3) as workers:
        some = [png(0), b"segfault", png(1), b"hangs!!!", png(2)]
        first, died, second, hung, third = workers.decode(some, SMALL)
    for seed, found in enumerate((first, second, third)):
        assert torch.equal(there(found), decode(png(seed), SMALL))
    assert reason(died) == "the process that opened it died (signal 11)"
    assert reason(hung) == "could not be opened within 3 seconds"


@pytest.mark.usefixtures("poisonous", "clock")
def test_a_file_that_never_ends_is_given_up():
    with DecoderPool(1, timeout=3) as workers:
        decoded(workers, png(0))
        with pytest.raises(DataError, match="could not be opened within 3 seconds"):
            decoded(workers, b"hangs!!!")
        assert torch.equal(decoded(workers, png(1)), decode(png(1), SMALL))


def test_a_worker_killed_from_outside_costs_nothing():
    with DecoderPool(1) as workers:
        decoded(workers, png(0))
        for worker in tuple(workers.sandbox._running):
            worker.handle.kill()
        assert torch.equal(decoded(workers, png(1)), decode(png(1), SMALL))


def test_workers_that_do_not_start_are_no_fault_of_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "sitecustomize.py").write_text("import os; os._exit(1)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with DecoderPool(1) as workers, pytest.raises(ResourceError, match="does not start"):
        decoded(workers, png(0))


def test_a_users_file_named_like_a_module_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "re.py").write_text("raise SystemExit('not the one of Python')\n")
    monkeypatch.chdir(tmp_path)
    with DecoderPool(1) as workers:
        assert torch.equal(decoded(workers, png(0)), decode(png(0), SMALL))


def test_pixels_need_no_process():
    pixels = np.zeros((9, 9), np.uint8)
    with DecoderPool(1) as workers:
        (found,) = workers.read([ImageArray(pixels)], SMALL)
        assert torch.equal(there(found), decode(pixels, SMALL))
        assert not workers.sandbox._running


def test_a_file_that_is_gone_says_so(tmp_path: Path):
    (tmp_path / "here.png").write_bytes(png(0))
    with DecoderPool(1) as workers:
        some = [ImageFile(tmp_path / name) for name in ("here.png", "gone.png", "here.png")]
        first, refused, last = workers.read(some, SMALL)
    assert re.search(r"cannot be read: .*No such file", reason(refused))
    assert torch.equal(there(first), there(last))


def test_forgotten_workers_end():
    workers = DecoderPool(1)
    decoded(workers, png(0))
    (worker,) = workers.sandbox._running
    del workers
    gc.collect()
    assert worker.handle.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(worker.handle.pid, 0)


def test_an_answer_may_be_as_long_as_the_largest_image():
    assert LONGEST > 4 * MAX_PIXELS  # bytes: Pillow keeps four for each coloured pixel
