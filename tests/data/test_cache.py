"""The image cache: images decoded once, in memory, on disk, or whenever they are taken."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.data import cache
from saccade.data.cache import CachedTargets, decode_all, needed_bytes
from saccade.data.decode import Preprocessing, decode
from saccade.data.item import ImageArray, ImageFile, Item, Skipped
from saccade.data.loader import Loader, shuffled
from saccade.data.store import cache_key, digests, format_bytes, free_disk, free_memory
from saccade.data.targets import Images, Masks
from saccade.errors import DataError, RecipeError, ResourceError

SMALL = Preprocessing(8)
N = 40
BROKEN = (3, 17, 39)


def image(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 10, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def items(tmp_path: Path) -> Sequence[Item]:
    """Forty images, three of them broken."""
    folder = tmp_path / "source"
    folder.mkdir()
    made = []
    for k in range(N):
        path = folder / f"{k:02}.png"
        path.write_bytes(image(k)[: 60 if k in BROKEN else None])
        made.append(Item(path.name, "a", ImageFile(path)))
    return made


@pytest.mark.parametrize("mode", ["auto", "memory", "disk", "off"])
def test_every_mode_gives_the_same_images_and_the_same_failures(
    mode: str, items: Sequence[Item], tmp_path: Path
):
    result = decode_all(items, SMALL, mode=mode, folder=tmp_path / "cache")
    assert result.indices == tuple(k for k in range(N) if k not in BROKEN)
    assert [skipped.name for skipped in result.failed] == ["03.png", "17.png", "39.png"]
    assert all("PNG" in skipped.reason for skipped in result.failed)
    assert len(result.images) == N - 3
    assert result.images.shape == (3, 8, 8)
    index = torch.tensor([30, 0, 5, 5])
    expected = torch.stack([decode(image(result.indices[k]), SMALL) for k in index.tolist()])
    taken = result.images.take(index)
    assert taken.dtype == torch.uint8
    assert torch.equal(taken, expected)


def test_progress_counts_every_item_once(items: Sequence[Item], tmp_path: Path):
    for mode in ("memory", "disk"):
        seen: list[tuple[int, ...]] = []

        def progress(*at: int, seen: list[tuple[int, ...]] = seen) -> None:
            seen.append(at)

        decode_all(items, SMALL, mode=mode, folder=tmp_path / "c", progress=progress)
        assert seen[:N] == [(k + 1, N) for k in range(N)]


def test_arrays_are_images_too(tmp_path: Path):
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    floats: Any = pixels.astype(np.float32)
    items = [Item("a", None, ImageArray(pixels)), Item("b", None, ImageArray(floats))]
    for mode in ("memory", "disk", "off"):
        result = decode_all(items, Preprocessing(8, colour="grey"), mode=mode, folder=tmp_path)
        assert result.indices == (0,)
        assert np.array_equal(result.images.take(torch.tensor([0]))[0, 0].numpy(), pixels)


def test_no_image_at_all_is_no_accident(tmp_path: Path):
    for mode in ("memory", "disk", "off"):
        result = decode_all([], SMALL, mode=mode, folder=tmp_path)
        assert len(result.images) == 0
        assert result.indices == result.failed == ()


def test_what_is_on_disk_is_used_again_and_not_decoded(
    items: Sequence[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = decode_all(items, SMALL, mode="disk", folder=tmp_path / "c")
    monkeypatch.setattr(cache.DecoderPool, "decode_files", None)  # what decodes is not to be called
    moved = [Item("other/" + item.name, "b", item.image) for item in items]
    again = decode_all(moved, SMALL, mode="disk", folder=tmp_path / "c")
    everything = torch.arange(N - 3)
    assert torch.equal(first.images.take(everything), again.images.take(everything))
    assert again.failed[0].name == "other/03.png"
    normalized = Preprocessing(8, mean=(0, 0, 0), std=(1, 1, 1))  # says nothing about the bytes
    assert len(decode_all(items, normalized, mode="disk", folder=tmp_path / "c").images) == N - 3


def test_other_contents_or_settings_are_other_images(items: Sequence[Item], tmp_path: Path):
    def key(items: Sequence[Item], preprocessing: Preprocessing) -> str:
        return cache_key(digests(items, tmp_path / "memory"), preprocessing)

    keys = {key(items, SMALL)}
    for other in (
        Preprocessing(9),
        Preprocessing(8, resize="pad"),
        Preprocessing(8, resize="crop", crop=0.9),
        Preprocessing(8, interpolation="bicubic"),
        Preprocessing(8, colour="grey"),
    ):
        keys.add(key(items, other))
    keys.add(key(items[::-1], SMALL))
    keys.add(key(items[:-1], SMALL))
    (tmp_path / "source" / "05.png").write_bytes(image(1000))
    keys.add(key(items, SMALL))
    (tmp_path / "source" / "05.png").unlink()
    keys.add(key(items, SMALL))
    assert len(keys) == 10


def test_the_file_on_disk_is_one_that_numpy_opens(items: Sequence[Item], tmp_path: Path):
    result = decode_all(items, SMALL, mode="disk", folder=tmp_path)
    (file,) = tmp_path.glob("images/*/pixels.npy")
    array = np.load(file, mmap_mode="r", allow_pickle=False)
    assert array.shape == (N - 3, 3, 8, 8)
    assert np.array_equal(array, result.images.take(torch.arange(N - 3)).numpy())
    assert file.stat().st_size == 128 + needed_bytes(N - 3, SMALL)


@pytest.mark.parametrize("damage", ["flip", "truncate", "grow", "about", "gone", "json"])
def test_a_damaged_cache_is_written_anew(damage: str, items: Sequence[Item], tmp_path: Path):
    def everything() -> torch.Tensor:
        return decode_all(items, SMALL, mode="disk", folder=tmp_path).images.take(
            torch.arange(N - 3)
        )

    expected = everything()
    (file,) = tmp_path.glob("images/*/pixels.npy")
    about = file.with_name("about.json")
    content = bytearray(file.read_bytes())
    if damage == "flip":
        content[1000] ^= 1
        file.write_bytes(content)
    elif damage == "truncate":
        file.write_bytes(content[:-1])
    elif damage == "grow":
        file.write_bytes(content + b"\0")
    elif damage == "about":
        about.unlink()
    elif damage == "gone":
        file.unlink()
    else:
        about.write_text(json.dumps({"failed": 3}))
    assert torch.equal(everything(), expected)
    assert file.read_bytes()[1000] == expected.numpy().tobytes()[1000 - 128]


def test_two_that_build_at_once_both_get_the_images(items: Sequence[Item], tmp_path: Path):
    with ThreadPoolExecutor(2) as threads:
        results = list(
            threads.map(lambda _: decode_all(items, SMALL, mode="disk", folder=tmp_path), range(2))
        )
    everything = torch.arange(N - 3)
    assert torch.equal(*(result.images.take(everything) for result in results))
    assert len(list((tmp_path / "images").iterdir())) == 1


def test_an_interrupted_build_leaves_nothing(items: Sequence[Item], tmp_path: Path):
    def interrupt(done: int, total: int) -> None:
        if done == total // 2:
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            decode_all(items, SMALL, mode="disk", folder=tmp_path, progress=interrupt)
        assert list((tmp_path / "images").iterdir()) == []
    assert len(decode_all(items, SMALL, mode="disk", folder=tmp_path).images) == N - 3


KILLED = """
import sys, time
from pathlib import Path
from saccade.data.cache import decode_all
from saccade.data.decode import Preprocessing
from saccade.data.item import ImageFile, Item

items = [Item(path.name, "a", ImageFile(path)) for path in sorted(Path(sys.argv[1]).iterdir())]
def wait(done, total):
    if done == 20:
        print("half", flush=True)
        time.sleep(60)
decode_all(items, Preprocessing(8), mode="disk", folder=Path(sys.argv[2]), progress=wait)
"""


def test_a_killed_build_is_never_trusted_and_is_swept_away(items: Sequence[Item], tmp_path: Path):
    folder = tmp_path / "c"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "source"), str(folder)],
        stdout=subprocess.PIPE,
    ) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == b"half\n"
        builder.send_signal(signal.SIGKILL)
    assert len(list((folder / "images").iterdir())) == 1
    result = decode_all(items, SMALL, mode="disk", folder=folder)
    assert result.indices == tuple(k for k in range(N) if k not in BROKEN)
    (book,) = (folder / "images").iterdir()
    assert not book.name.startswith(".")


def test_a_disk_without_room_is_refused_with_both_sizes(
    items: Sequence[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cache, "free_disk", lambda folder: 5_000)
    with pytest.raises(ResourceError, match=r"40 images need 7\.7 kB in .*; 5\.0 kB are free"):
        decode_all(items, SMALL, mode="disk", folder=tmp_path)


def test_memory_without_room_is_refused_with_both_sizes(
    items: Sequence[Item], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cache, "free_memory", lambda: 5_000)
    with pytest.raises(ResourceError, match=r"40 images need 7\.7 kB of memory; 5\.0 kB are"):
        decode_all(items, SMALL, mode="memory")


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_disk_that_fills_up_meanwhile_is_an_error_of_resources(
    items: Sequence[Item], tmp_path: Path
):
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n" + KILLED.replace("== 20", "< 0")
    )
    command = [sys.executable, "-c", script, str(tmp_path / "source"), str(tmp_path / "c")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "ResourceError: the cache cannot be written to" in done.stderr
    assert list((tmp_path / "c" / "images").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error_of_resources(
    items: Sequence[Item], tmp_path: Path
):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError, match="the cache cannot be written"):
        decode_all(items, SMALL, mode="disk", folder=tmp_path / "file")


@pytest.mark.parametrize(
    ("memory", "disk", "chosen"), [(4, 0, "memory"), (3.9, 2, "disk"), (3.9, 1.9, "off")]
)
def test_auto_takes_memory_then_disk_then_nothing(
    memory: float,
    disk: float,
    chosen: str,
    items: Sequence[Item],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    needed = needed_bytes(N, SMALL)
    monkeypatch.setattr(cache, "free_memory", lambda: memory * needed)
    monkeypatch.setattr(cache, "free_disk", lambda folder: disk * needed)
    images = decode_all(items, SMALL, folder=tmp_path).images
    found = "off" if isinstance(images, cache.StreamedImages) else None
    assert (found or ("disk" if images.prefetch else "memory")) == chosen
    on_disk = sum(file.stat().st_size for file in tmp_path.glob("images/*/pixels.npy"))
    assert (on_disk > needed / 2) == (chosen == "disk")


def test_an_image_that_changes_while_in_use_is_named(items: Sequence[Item], tmp_path: Path):
    images = decode_all(items, SMALL, mode="off", folder=tmp_path / "c").images
    (tmp_path / "source" / "05.png").write_bytes(b"overwritten")
    with pytest.raises(DataError, match=r"'05\.png' could be read before and now cannot"):
        images.take(torch.tensor([4]))


def test_streamed_images_are_checked_once_and_not_in_every_run(
    items: Sequence[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = decode_all(items, SMALL, mode="off", folder=tmp_path / "c")
    monkeypatch.setattr(cache.DecoderPool, "decode_files", None)
    again = decode_all(items, SMALL, mode="off", folder=tmp_path / "c")
    assert again.indices == first.indices
    assert again.failed == first.failed


def test_an_image_that_hangs_or_kills_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal\nfrom PIL import Image\nusual = Image.open\n"
        "def opened(stream, **options):\n"
        "    if stream.getvalue() == b'poison': os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return usual(stream, **options)\n"
        "Image.open = opened\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    items = []
    for k in range(20):
        (tmp_path / f"{k}.png").write_bytes(b"poison" if k == 7 else image(k))
        items.append(Item(f"{k}.png", None, ImageFile(tmp_path / f"{k}.png")))
    result = decode_all(items, SMALL, mode="memory")
    reason = "the process that opened it died (signal 9)"
    assert result.failed == (Skipped("7.png", reason),)
    assert len(result.images) == 19


def test_a_source_that_raises_anything_costs_that_image():
    class Rotten:
        def read(self) -> bytes:
            raise EOFError("the archive ends here")

    result = decode_all(
        [Item("x", None, Rotten()), Item("y", None, ImageFile(Path("/nowhere")))], SMALL
    )
    assert "the archive ends here" in result.failed[0].reason
    assert "No such file" in result.failed[1].reason


def test_a_cache_that_does_not_exist_is_refused():
    with pytest.raises(RecipeError, match="no cache is called 'ram'"):
        decode_all([], SMALL, mode="ram")


def test_space_is_measured_where_the_folder_will_be(tmp_path: Path):
    assert free_disk(tmp_path / "not" / "yet") > 0
    assert free_memory() > 0
    sizes = {0: "0 bytes", 999: "999 bytes", 7680: "7.7 kB", 15_052_800_000: "15.1 GB"}
    assert {count: format_bytes(count) for count in sizes} == sizes


def test_memory_stays_bounded_when_one_image_is_slow(items: Sequence[Item]):
    class Slow:
        def read(self) -> bytes:
            time.sleep(1)
            return image(0)

    asked = []

    class Counted:
        def read(self) -> bytes:
            asked.append(1)
            return image(1)

    many = [Item("slow", None, Slow()), *(Item(f"{k}", None, Counted()) for k in range(2000))]
    at_first: list[int] = []
    decode_all(many, SMALL, mode="memory", progress=lambda *_: at_first.append(len(asked)))
    assert at_first[0] < 400


@pytest.mark.parametrize("mode", ["memory", "disk", "off"])
def test_masks_are_kept_beside_their_images_and_taken_with_them(mode: str, tmp_path: Path):
    """The image shows its number in every pixel; its mask has the class number + 1."""
    values = [np.full((12, 10), k, np.uint8) for k in range(8)]
    images = [Item(f"{k}", None, ImageArray(value)) for k, value in enumerate(values)]
    masks = [Item(f"{k}", None, ImageArray(value + 1)) for k, value in enumerate(values)]
    whole = decode_all(images, SMALL, mode=mode, folder=tmp_path).images
    beside = decode_all(masks, SMALL.for_masks, mode=mode, folder=tmp_path).images
    loader = Loader(whole, CachedTargets(beside, Masks.from_planes), 3, shuffled(8, seed=2))
    for batch in loader.epoch(0):
        assert batch.targets.classes.shape == (len(batch), 8, 8)
        shown = batch.images[:, 0].float()
        assert torch.equal(batch.targets.classes.float(), shown + 1)
        assert torch.equal(batch.index.float(), shown[:, 0, 0])


def test_images_as_targets_are_taken_from_a_cache_too(tmp_path: Path):
    items = [Item(f"{k}", None, ImageArray(np.full((8, 8, 3), k, np.uint8))) for k in range(4)]
    stored = CachedTargets(decode_all(items, SMALL, folder=tmp_path).images, Images)
    assert len(stored) == 4
    some = stored[torch.tensor([3, 1])]
    assert isinstance(some, Images) and some.values[:, 0, 0, 0].tolist() == [3, 1]
