"""archive: images inside .zip and .tar, and what must not get out of them."""

from __future__ import annotations

import io
import pickle
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from saccade.data.sources import archive as module
from saccade.data.sources.archive import archive
from saccade.data.sources.folder import folder
from saccade.errors import DataError

Tree = Callable[..., Path]
PLAIN = {"cat/1.jpg": b"one" * 50, "cat/2.jpg": b"two" * 50, "dog/1.jpg": b"three" * 50}


def make(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", method) as opened:
            for name, data in files.items():
                opened.writestr(name, data)
        return path
    kind = {".tar": "w", ".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}[path.suffix]
    with tarfile.open(path, kind) as opened:  # pyright: ignore
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    return path


def reasons(path: Path) -> dict[str, str]:
    return {one.name: one.reason for one in archive(path).skipped}


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz", "tgz", "tar.bz2", "tar.xz"])
def test_an_archive_reads_as_the_folder_that_it_was_made_of(tmp_path: Path, ending: str) -> None:
    root = tmp_path / "photos"
    files = {f"train/{name}": data for name, data in PLAIN.items()}
    files |= {"test/cat/9.png": b"nine", "test/cat/notes.txt": b"", ".hidden/cat/1.jpg": b""}
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    packed, plain = archive(make(tmp_path / f"photos.{ending}", files)), folder(root)
    assert (packed.name, packed.classes, packed.splits) == ("photos", plain.classes, plain.splits)
    for split in plain.splits:
        pairs = [
            [(item.name, item.label, item.image.read()) for item in source.read(split)]
            for source in (packed, plain)
        ]
        assert pairs[0] == pairs[1]
    assert {one.name for one in packed.skipped} == {".hidden/cat/1.jpg", "test/cat/notes.txt"}


def test_an_image_travels_to_another_process_without_its_archive_being_open(
    tmp_path: Path,
) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = make(tmp_path / f"{method}.zip", PLAIN, method)
        images = [item.image for item in archive(path).read("all")]
        sent = pickle.dumps(images)
        assert [one.read() for one in pickle.loads(sent)] == list(PLAIN.values())
        assert len(sent) < 3 * 300


def test_a_zip_with_something_before_it_is_read(tmp_path: Path) -> None:
    path = make(tmp_path / "photos.zip", PLAIN)
    path.write_bytes(b"#!/bin/sh\n" * 9 + path.read_bytes())
    assert [item.image.read() for item in archive(path).read("all")] == list(PLAIN.values())


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_names_that_lead_elsewhere_are_left_out_and_said(tmp_path: Path, ending: str) -> None:
    odd = {"../cat/3.jpg": b"", "cat/../../5.jpg": b"", "C:cat/6.jpg": b""}
    found = reasons(make(tmp_path / f"photos.{ending}", PLAIN | odd))
    assert found == dict.fromkeys(odd, "a name that leads out of the archive")


def test_names_from_windows_and_of_this_folder_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for name in ("cat\\1.jpg", "dog\\1.jpg"):
            info = zipfile.ZipInfo("x")
            info.filename = name
            opened.writestr(info, b"")
    assert archive(path).classes == ("cat", "dog")
    tar = make(tmp_path / "photos.tar", {f"./{name}": data for name, data in PLAIN.items()})
    assert archive(tar).read("all")[0].name == "cat/1.jpg"


def test_a_member_without_a_name_is_left_out(tmp_path: Path) -> None:
    path = make(tmp_path / "photos.zip", PLAIN | {"x": b""})
    path.write_bytes(path.read_bytes().replace(b"x", b"\0"))  # where a name ends for zipfile
    assert reasons(path) == {"": "not an image (no suffix)"}


def test_the_last_of_several_members_of_one_name_counts(tmp_path: Path) -> None:
    path = make(tmp_path / "photos.tar", PLAIN)
    with tarfile.open(path, "a") as opened:
        member = tarfile.TarInfo("cat/1.jpg")
        member.size = 5
        opened.addfile(member, io.BytesIO(b"later"))
    assert archive(path).read("all")[0].image.read() == b"later"
    assert reasons(path) == {"cat/1.jpg": "a later member has the same name"}


def test_links_and_devices_in_a_tar_are_left_out(tmp_path: Path) -> None:
    path = make(tmp_path / "photos.tar", PLAIN)
    with tarfile.open(path, "a") as opened:
        for name, kind in (("s", tarfile.SYMTYPE), ("h", tarfile.LNKTYPE), ("f", tarfile.FIFOTYPE)):
            member = tarfile.TarInfo(f"cat/{name}.jpg")
            member.type, member.linkname = kind, "/etc/passwd"
            opened.addfile(member)
    nowhere = "a link to no file of the archive"
    assert reasons(path) == {
        "cat/s.jpg": nowhere, "cat/h.jpg": nowhere, "cat/f.jpg": "no regular file"
    }  # fmt: skip


@pytest.mark.parametrize("ending", ["tar", "tgz"])
def test_links_inside_a_tar_lead_to_its_files(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"photos.{ending}"
    links = {
        "a/0.jpg": ("../cat/1.jpg", tarfile.SYMTYPE),
        "a/1.jpg": ("cat/1.jpg", tarfile.LNKTYPE),
    }
    links |= {"a/2.jpg": ("a/2.jpg", tarfile.LNKTYPE), "a/3.jpg": ("3.jpg", tarfile.SYMTYPE)}
    with tarfile.open(path, "w:gz" if ending == "tgz" else "w") as opened:
        for name, data in PLAIN.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
        for name, (target, kind) in links.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            opened.addfile(member)
    source = archive(path)
    linked = {item.name: item.image.read() for item in source.read("all") if item.label == "a"}
    assert linked == {"a/0.jpg": b"one" * 50, "a/1.jpg": b"one" * 50}
    nowhere = "a link to no file of the archive"
    assert reasons(path) == {"a/2.jpg": nowhere, "a/3.jpg": nowhere}


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_absolute_names_are_read_without_their_root(tmp_path: Path, ending: str) -> None:
    names = {"/data/cat/1.jpg": b"one", "C:/data/dog/1.jpg": b"two", "//data/dog/2.jpg": b"three"}
    source = archive(make(tmp_path / f"photos.{ending}", names))
    assert [(item.name, item.label) for item in source.read("all")] == [
        ("data/cat/1.jpg", "cat"), ("data/dog/1.jpg", "dog"), ("data/dog/2.jpg", "dog")
    ]  # fmt: skip
    assert "absolute names are read without their root, such as '/data/cat/1.jpg'" in source.notes


def test_one_name_is_one_image_however_it_is_written(tmp_path: Path) -> None:
    files = {"cat//1.jpg": b"one", "cat/./1.jpg": b"two", "12:30/1.jpg": b"six"}
    source = archive(make(tmp_path / "photos.zip", files))
    read = {item.name: item.image.read() for item in source.read("all")}
    assert read == {"cat/1.jpg": b"two", "12:30/1.jpg": b"six"}
    assert [str(one) for one in source.skipped] == [
        "'cat/1.jpg' (a later member has the same name)"
    ]


def test_a_link_in_a_zip_is_no_image(tmp_path: Path) -> None:
    path = make(tmp_path / "photos.zip", PLAIN)
    link = zipfile.ZipInfo("dog/link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr(link, "../cat/1.jpg")
    assert reasons(path) == {"dog/link.jpg": "a link, which is not followed in a .zip"}


def flagless(path: Path, names: list[bytes], extra: bytes = b"") -> Path:
    """A zip whose names are these bytes, without the flag that says UTF-8."""
    with zipfile.ZipFile(path, "w") as opened:
        for number in range(len(names)):
            info = zipfile.ZipInfo("ABC"[number] * len(names[number]))
            info.extra = extra
            opened.writestr(info, f"image {number}")
    data = path.read_bytes()
    for number, name in enumerate(names):
        data = data.replace(b"ABC"[number : number + 1] * len(name), name)
    path.write_bytes(data)
    return path


def test_names_of_a_zip_that_are_utf_8_are_read_as_such(tmp_path: Path) -> None:
    names = [name.encode() for name in ("café/00001.png", "naïve/00002.png", "猫/00003.png")]
    source = archive(flagless(tmp_path / "menu.zip", names))
    assert source.classes == ("café", "naïve", "猫") and not source.notes
    assert [item.image.read() for item in source.read("all")] == [
        b"image 0",
        b"image 1",
        b"image 2",
    ]


def test_other_names_of_a_zip_are_read_as_cp437_and_noted(tmp_path: Path) -> None:
    names = [name.encode("cp437") for name in ("café/00001.png", "dog/00002.png")]
    source = archive(flagless(tmp_path / "menu.zip", names))
    assert source.classes == ("café", "dog")
    (note,) = source.notes
    assert note.startswith("1 names in 'menu.zip' do not say their encoding and are read as CP437")


def test_a_unicode_path_goes_before_the_name(tmp_path: Path) -> None:
    raw, name = b"ca\x82/0001.png", "кот/1.png".encode()
    body = b"\1" + zlib.crc32(raw).to_bytes(4, "little") + name
    extra = (0x7075).to_bytes(2, "little") + len(body).to_bytes(2, "little") + body
    source = archive(flagless(tmp_path / "menu.zip", [raw, b"dog/00001.png"], extra))
    assert source.classes == ("dog", "кот")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_method_of_the_standard_library_is_read(tmp_path: Path, method: int) -> None:
    path = make(tmp_path / "photos.zip", PLAIN | {"cat/3.jpg": bytes(2**20)}, method)
    assert [item.image.read() for item in archive(path).read("all")] == [
        PLAIN["cat/1.jpg"], PLAIN["cat/2.jpg"], bytes(2**20), PLAIN["dog/1.jpg"]
    ]  # fmt: skip
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        archive(path).read("all")[0].image.read()


def test_an_archive_inside_an_archive_is_said(tmp_path: Path) -> None:
    path = make(tmp_path / "photos.zip", PLAIN)
    again = make(tmp_path / "again.zip", PLAIN | {"photos.zip": path.read_bytes()})
    assert reasons(again) == {"photos.zip": "an archive inside the archive, which is not opened"}


def test_an_encrypted_zip_is_refused_and_says_so(tmp_path: Path) -> None:
    path = make(tmp_path / "photos.zip", PLAIN)
    data = bytearray(path.read_bytes())
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        data[at + 8] |= 1  # general purpose flag, bit 0 (APPNOTE 4.4.4)
    path.write_bytes(data)
    with pytest.raises(DataError, match="holds no image: 3 encrypted"):
        archive(path)


def test_a_method_that_is_not_read_is_said(tmp_path: Path) -> None:
    path = make(tmp_path / "photos.zip", PLAIN)
    data = bytearray(path.read_bytes())
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        data[at + 10] = 9  # compression method (APPNOTE 4.4.5)
    path.write_bytes(data)
    with pytest.raises(DataError, match="3 packed by method Deflate64, which is not read"):
        archive(path)


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_a_member_beyond_the_cap_is_left_out(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST", 2**20)
    path = make(tmp_path / f"photos.{ending}", PLAIN | {"cat/bomb.jpg": bytes(2**20 + 1)})
    assert reasons(path) == {"cat/bomb.jpg": "larger than 1 MiB"}


def test_a_bomb_that_lies_about_its_size_yields_no_more_than_it_claims(tmp_path: Path) -> None:
    path = make(tmp_path / "photos.zip", PLAIN | {"cat/bomb.jpg": bytes(2**22)})
    data = path.read_bytes()
    path.write_bytes(data.replace((2**22).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    bomb = next(item for item in archive(path).read("all") if "bomb" in item.name)
    with pytest.raises(DataError, match="size or checksum differ"):
        bomb.image.read()


def test_a_compressed_tar_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_UNPACKED", 100)
    with pytest.raises(DataError, match="unpacks to more than"):
        archive(make(tmp_path / "photos.tgz", PLAIN))


def test_a_damaged_image_is_an_error_and_not_an_image(tmp_path: Path) -> None:
    path = make(tmp_path / "photos.zip", PLAIN, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.find(b"oneone")] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        archive(path).read("all")[0].image.read()


def test_a_tar_cut_off_after_it_was_listed_is_an_error(tmp_path: Path) -> None:
    path = make(tmp_path / "photos.tar", PLAIN)
    last = archive(path).read("all")[-1]
    path.write_bytes(path.read_bytes()[:2600])
    with pytest.raises(DataError, match="cut off"):
        last.image.read()


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_no_mutation_of_an_archive_does_worse_than_a_data_error(
    tmp_path: Path, ending: str
) -> None:
    import random

    whole = make(tmp_path / f"whole.{ending}", PLAIN).read_bytes()
    chance, path = random.Random(0), tmp_path / f"photos.{ending}"
    refused = 0
    for _ in range(150):
        data = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.3 else whole)
        for _ in range(chance.randrange(1, 6)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            for item in archive(path).read("all"):
                item.image.read()
        except DataError:
            refused += 1
    assert refused > 10


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    for ending in ("zip", "tar", "tar.gz"):
        (tmp_path / f"x.{ending}").write_bytes(b"this is text")
        with pytest.raises(DataError, match="cannot be read as an archive"):
            archive(tmp_path / f"x.{ending}")
