"""webdataset: shards written here by the naming convention."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from saccade.data.sources import open_source
from saccade.data.sources.webdataset import expand, webdataset
from saccade.errors import DataError


def shard(path: Path, files: Mapping[str, bytes | str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as opened:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    return path


def sample(key: str, label: str) -> dict[str, bytes | str]:
    return {f"{key}.jpg": f"image {key}", f"{key}.cls": label}


def test_an_image_and_its_label_share_a_key(tmp_path: Path) -> None:
    rows = sample("1", "cat\n") | sample("sub/2.v1", "dog") | sample("sub/3", "dog")
    path = shard(tmp_path / "set-0.tar", rows)
    source = open_source(path)
    assert [(item.name, item.label) for item in source.read("all")] == [
        ("set-0.tar/1.jpg", "cat"), ("set-0.tar/sub/3.jpg", "dog")
    ]  # fmt: skip
    # the key of 2.v1 ends at its first dot: .v1.jpg is an image, .v1.cls no label
    assert [one.name for one in source.skipped] == ["set-0.tar/sub/2"]


def test_labels_come_from_json_too_and_names_from_classes_txt(tmp_path: Path) -> None:
    rows = {"1.png": b"one", "1.json": json.dumps({"label": 1}), **sample("2", "0")}
    shard(tmp_path / "set-0.tar", rows)
    (tmp_path / "classes.txt").write_text("zebra\nant\n")
    source = open_source(tmp_path)
    assert source.classes == ("zebra", "ant")
    assert [item.label for item in source.read("all")] == ["ant", "zebra"]
    assert source.read("all")[0].image.read() == b"one"


def test_shards_are_told_by_braces_stars_and_folders(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("val", 1)):
        for at in range(count):
            rows = sample("1", "a") | sample("2", "b")
            shard(tmp_path / "s" / f"set-{split}-{at:03d}.tar", rows)
    whole = open_source(tmp_path / "s")
    assert {split: len(whole.read(split)) for split in whole.splits} == {"train": 6, "val": 2}
    assert len(open_source(f"{tmp_path}/s/set-train-{{000..002}}.tar").read("train")) == 6
    assert len(open_source(f"{tmp_path}/s/*-val-*.tar").read("val")) == 2
    with pytest.raises(DataError, match=r"1 of 4 shards are not there, such as '.*003.tar'"):
        expand(f"{tmp_path}/s/set-train-{{000..003}}.tar")
    with pytest.raises(DataError, match="there is no shard"):
        open_source(f"{tmp_path}/s/nothing-*.tar")


def test_shards_with_and_without_a_split_are_refused_together(tmp_path: Path) -> None:
    rows = sample("1", "a") | sample("2", "b")
    paths = [shard(tmp_path / name, rows) for name in ("train-0.tar", "more-0.tar")]
    with pytest.raises(DataError, match=r"more-0.tar' is of no split"):
        webdataset(paths)


def test_samples_without_image_or_label_are_left_out_and_said(tmp_path: Path) -> None:
    rows = sample("1", "a") | sample("2", "b")
    rows |= {"3.cls": "a", "4.jpg": b"", "5.jpg": b"", "5.png": b"", "5.cls": "a", ".hidden": b""}
    source = webdataset([shard(tmp_path / "s.tar", rows)])
    assert {one.name: one.reason for one in source.skipped} == {
        "s.tar/3": "without an image",
        "s.tar/4": "without a label",
        "s.tar/5": "several images in one sample",
        ".hidden": "hidden",
    }


def test_a_number_beyond_the_list_of_classes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("zebra\nant\n")
    with pytest.raises(DataError, match=r"'1' in .* has the class 2"):
        webdataset([shard(tmp_path / "s.tar", sample("1", "2"))])


def test_broken_json_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'1.json' in .* is no JSON"):
        webdataset([shard(tmp_path / "s.tar", {"1.jpg": b"", "1.json": "{"})])


def test_a_shard_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no sample"):
        webdataset([shard(tmp_path / "s.tar", {"1.cls": "a"})])


@pytest.mark.parametrize(
    ("label", "message"),
    [({"name": "cat"}, 'no text or number: {"name": "cat"}'), (0.5, "0.5"), (True, "true")],
)
def test_a_label_that_is_no_text_or_number_is_refused(
    tmp_path: Path, label: object, message: str
) -> None:
    rows = {"1.png": b"", "1.json": json.dumps({"label": label})}
    with pytest.raises(DataError, match=r"label of '1' in .*" + re.escape(message)):
        webdataset([shard(tmp_path / "s.tar", rows)])


def test_a_label_of_null_is_none(tmp_path: Path) -> None:
    rows = sample("1", "a") | sample("2", "b") | {"3.png": b"", "3.json": '{"label": null}'}
    source = webdataset([shard(tmp_path / "s.tar", rows)])
    assert source.classes == ("a", "b")
    assert [str(one) for one in source.skipped] == ["'s.tar/3' (without a label)"]


def test_a_list_of_labels_is_several_classes(tmp_path: Path) -> None:
    labels = {"1": ["a", "b"], "2": ["b", "b"], "3": []}
    rows = {f"{key}.png": b"" for key in labels}
    rows |= {f"{key}.json": json.dumps({"label": label}) for key, label in labels.items()}
    source = webdataset([shard(tmp_path / "s.tar", rows)])
    assert [item.label for item in source.read("all")] == [("a", "b"), ("b",), ()]
    rows |= sample("4", "a")
    with pytest.raises(DataError, match=r"lists of labels and single ones: 's.tar/3.png' a list"):
        webdataset([shard(tmp_path / "s.tar", rows)])


def test_a_label_in_another_encoding_is_refused(tmp_path: Path) -> None:
    rows = {"1.png": b"", "1.cls": "café".encode("latin-1")}
    with pytest.raises(DataError, match=r"label of '1' in .* is not UTF-8"):
        webdataset([shard(tmp_path / "s.tar", rows)])


def test_a_key_that_comes_twice_is_refused(tmp_path: Path) -> None:
    path = shard(tmp_path / "s.tar", sample("1", "a") | sample("2", "b"))
    with tarfile.open(path, "a") as opened:
        opened.addfile(tarfile.TarInfo("1.jpg"))
    with pytest.raises(DataError, match=r"'1.jpg' is twice in .*s.tar"):
        webdataset([path])


def test_a_shard_of_samples_without_labels_says_so(tmp_path: Path) -> None:
    path = shard(tmp_path / "s-0.tar", {"1.jpg": b"", "1.json": '{"class": "cat"}'})
    with pytest.raises(DataError, match="no sample to learn from: 1 without a label"):
        open_source(path)


def test_an_empty_shard_among_others_is_said(tmp_path: Path) -> None:
    shard(tmp_path / "s-0.tar", {})
    shard(tmp_path / "s-1.tar", sample("1", "\ufeffcat\r\n"))
    source = open_source(tmp_path)
    assert source.classes == ("cat",)
    assert [str(one) for one in source.skipped] == ["'s-0.tar' (a shard without a sample)"]


def test_a_label_of_bytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it holds a zero byte"):
        open_source(shard(tmp_path / "s-0.tar", sample("1", "\0\0\0\1")))
