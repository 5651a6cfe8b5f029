"""Images that are named one by one or by folder: all are found, or named with a reason."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from saccade.data.image_files import find_images, has_more_images
from saccade.data.sources.folder import folder
from saccade.errors import DataError

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "new"
    images = ["ok.png", "photo.jfif", "scan.JPE", "sub/deep.avif"]
    hidden = [".trash/x.png", "__MACOSX/y.png", ".ipynb_checkpoints/ok.png", "@eaDir/z.jpg"]
    for name in [*images, *hidden, "notes.txt"]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    (root / "without").write_bytes(PNG)
    return root


def test_a_folder_gives_all_its_images_and_names_what_it_leaves_out(photos: Path) -> None:
    found = find_images([photos])
    names = ["ok.png", "photo.jfif", "scan.JPE", "sub/deep.avif", "without"]
    assert [item.name for item in found.items] == [str(photos / name) for name in names]
    hidden = (".ipynb_checkpoints", ".trash", "@eaDir", "__MACOSX")
    reasons = dict.fromkeys(hidden, "hidden") | {"notes.txt": "not an image (.txt)"}
    assert {s.name: s.reason for s in found.left_out} == {
        str(photos / name): reason for name, reason in reasons.items()
    }


def test_links_are_followed_as_in_training_and_every_file_counts_once(photos: Path) -> None:
    elsewhere = photos.parent / "elsewhere"
    (elsewhere / "inner").mkdir(parents=True)
    (elsewhere / "inner" / "far.png").write_bytes(b"")
    (photos / "linked").symlink_to(elsewhere, target_is_directory=True)
    (photos / "loop").symlink_to(photos, target_is_directory=True)
    (photos / "gone.png").symlink_to(photos / "nothing")
    found = find_images([photos])
    assert str(photos / "linked/inner/far.png") in [item.name for item in found.items]
    assert len(found.items) == 6
    reasons = {s.name: s.reason for s in found.left_out}
    assert reasons[str(photos / "gone.png")] == "a link to nothing"
    assert reasons[str(photos / "loop")].endswith("which is read already")


def test_what_is_named_is_taken_whatever_it_is_called(photos: Path) -> None:
    named = [photos / "photo.jfif", photos / ".trash" / "x.png", photos / "without"]
    assert [item.name for item in find_images(named).items] == list(map(str, named))


def test_training_and_prediction_take_the_same_files(photos: Path) -> None:
    root = photos.parent / "set"
    (root / "b").mkdir(parents=True)
    photos.rename(root / "a")
    (root / "b" / "1.jpg").write_bytes(b"")
    trained = [str(root / item.name) for item in folder(root).read("all")]
    assert trained == [item.name for item in find_images([root]).items]


@pytest.mark.skipif(sys.platform != "linux", reason="file names there are always text")
def test_a_name_that_is_no_text_is_left_out_and_named(photos: Path) -> None:
    os.close(os.open(os.fsencode(photos) + b"/\xff.jpg", os.O_CREAT | os.O_WRONLY))
    reasons = {s.name: s.reason for s in find_images([photos]).left_out}
    assert "a name that is no valid text" in reasons.values()


def test_a_folder_without_images_says_what_it_holds_instead(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"")
    with pytest.raises(DataError, match=r"holds no image: 1 not an image \(.pdf\)"):
        find_images([tmp_path])


def test_a_text_that_is_no_path_is_not_repeated_whole() -> None:
    with pytest.raises(DataError, match=r"there is no image 'x{120}\.\.\.'"):
        find_images(["x" * 5000])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_images_behind_the_first_of_standard_input_are_told(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    Image.new("RGB", (9, 7)).save(out, kind)
    one = out.getvalue()
    assert not has_more_images(one) and not has_more_images(one + b"\n")
    assert has_more_images(one + one)
    stdin = io.TextIOWrapper(io.BytesIO(one + one))
    monkeypatch.setattr("sys.stdin", stdin)
    (item,), (more,) = find_images(["-"])
    assert item.name == more.name == "-"
    assert more.reason == "more images follow, and one is read from standard input"
