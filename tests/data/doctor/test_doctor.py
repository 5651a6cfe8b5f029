"""Every trap is laid once in a small set of images, and found: how often, where, how severe."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from saccade.data.decode import Preprocessing
from saccade.data.doctor.doctor import Diagnosis, examine
from saccade.data.item import EncodedImage, Item
from saccade.data.sources.folder import folder
from saccade.data.sources.listing import Listing
from saccade.data.sources.table import manifest


def photograph(seed: int, width: int = 96, height: int = 80) -> Image.Image:
    """Something with coarse and fine structure, unlike every other seed's."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 7, 3)).astype(np.uint8))
    fine = Image.fromarray(rng.integers(0, 256, (height // 2, width // 2, 3)).astype(np.uint8))
    whole = coarse.resize((width, height), Image.Resampling.BICUBIC)
    return Image.blend(whole, fine.resize((width, height), Image.Resampling.BICUBIC), 0.35)


def lay_traps(root: Path) -> None:
    for number, place in enumerate(("train/cat", "train/dog", "val/cat", "val/dog")):
        (root / place).mkdir(parents=True)
        for n in range(12):
            photograph(100 * number + n).save(root / place / f"p{n}.png")
    cat, dog = root / "train/cat", root / "train/dog"
    (root / "train/fox").mkdir()
    photograph(900).save(root / "train/fox/only.png")
    (cat / "empty.jpg").write_bytes(b"")
    (cat / "half.png").write_bytes((cat / "p0.png").read_bytes()[:900])
    photograph(901).save(cat / "really.jpg", "PNG")
    (root / "val/cat/copy.png").write_bytes((cat / "p1.png").read_bytes())
    Image.open(cat / "p2.png").save(root / "val/cat/again.jpg", quality=85)
    (dog / "cat.png").write_bytes((cat / "p3.png").read_bytes())
    ImageEnhance.Brightness(Image.open(cat / "p4.png")).enhance(1.1).save(cat / "brighter.png")
    (cat / "P5.png").write_bytes((cat / "p6.png").read_bytes())
    photograph(902).save(cat / unicodedata.normalize("NFC", "é.png"))
    photograph(903).save(cat / unicodedata.normalize("NFD", "é.png"))
    photograph(904, 300, 100).save(cat / "long.png")
    exif = Image.Exif()
    exif[0x0112] = 3
    photograph(905).save(cat / "turned.jpg", exif=exif.tobytes())
    photograph(906).convert("CMYK").save(cat / "print.jpg")
    photograph(907).convert("RGBA").save(cat / "glass.png")
    photograph(908).save(cat / "moves.gif", save_all=True, append_images=[photograph(909)])
    photograph(910).convert("L").save(cat / "grey.png")
    deep = np.random.default_rng(0).integers(0, 65536, (80, 96)).astype(np.uint16)
    Image.fromarray(deep).save(cat / "deep.png")
    photograph(911).filter(ImageFilter.GaussianBlur(4)).save(cat / "blurred.png")
    ImageEnhance.Brightness(photograph(912)).enhance(0.15).save(cat / "dark.png")
    Image.new("RGB", (96, 80), (90, 90, 200)).save(cat / "flat.png")
    white = np.kron(np.random.default_rng(1).integers(205, 256, (10, 12, 3)), np.ones((8, 8, 1)))
    Image.fromarray(white.astype(np.uint8)).save(cat / "white.png")
    (root / "train/.hidden").mkdir()
    (root / "notes.txt").write_text("about these images")
    (cat / "loop").symlink_to(root)


@pytest.fixture(scope="module")
def diagnosis(tmp_path_factory) -> Diagnosis:
    root = tmp_path_factory.mktemp("set")
    lay_traps(root)
    return examine(folder(root), preprocessing=Preprocessing(size=64, resize="crop"))


IN_CAT = "train/cat/"


@pytest.mark.parametrize(
    ("kind", "severity", "items"),
    [
        ("unreadable", "error", {IN_CAT + "half.png"}),
        ("empty_file", "error", {IN_CAT + "empty.jpg"}),
        (
            "leakage",
            "error",
            {IN_CAT + "p1.png", "val/cat/copy.png", IN_CAT + "p2.png", "val/cat/again.jpg"},
        ),
        ("different_labels", "error", {IN_CAT + "p3.png", "train/dog/cat.png"}),
        (
            "duplicates",
            "warning",
            {IN_CAT + "p1.png", "val/cat/copy.png", IN_CAT + "p3.png", "train/dog/cat.png"}
            | {IN_CAT + "P5.png", IN_CAT + "p6.png"},
        ),
        (
            "near_duplicates",
            "warning",
            {IN_CAT + "p2.png", "val/cat/again.jpg", IN_CAT + "p4.png", IN_CAT + "brighter.png"},
        ),
        ("class_missing", "warning", {"val/fox"}),
        ("class_tiny", "warning", {"fox"}),
        ("imbalance", "warning", {"cat", "fox"}),
        ("wrong_suffix", "warning", {IN_CAT + "really.jpg"}),
        ("linked_twice", "warning", {IN_CAT + "loop"}),
        ("long_shape", "warning", {IN_CAT + "long.png"}),
        ("flat", "warning", {IN_CAT + "flat.png"}),
        ("blurred", "note", {IN_CAT + "blurred.png"}),
        ("dark", "note", {IN_CAT + "dark.png"}),
        ("bright", "note", {IN_CAT + "white.png"}),
        ("rotated", "note", {IN_CAT + "turned.jpg"}),
        ("deep", "note", {IN_CAT + "deep.png"}),
        ("cmyk", "note", {IN_CAT + "print.jpg"}),
        ("alpha", "note", {IN_CAT + "glass.png"}),
        ("animated", "note", {IN_CAT + "moves.gif"}),
        ("grey_mix", "note", {IN_CAT + "grey.png", IN_CAT + "deep.png"}),
        ("hidden", "note", {"train/.hidden"}),
        ("skipped", "note", {"notes.txt"}),
    ],
)
def test_the_trap_is_found_by_path(diagnosis, kind, severity, items):
    finding = diagnosis.finding(kind)
    assert finding is not None
    assert (finding.severity, set(finding.items)) == (severity, items)
    assert finding.message.endswith(".")


def test_names_that_collide_are_found_by_case_and_by_accent(diagnosis):
    finding = diagnosis.finding("name_collision")
    assert {len(names) for names in finding.groups} == {2}
    assert (IN_CAT + "P5.png", IN_CAT + "p5.png") in finding.groups
    accents = [names for names in finding.groups if names[0].isascii() is False]
    assert unicodedata.normalize("NFC", accents[0][0]) == unicodedata.normalize(
        "NFC", accents[0][1]
    )


def test_decoded_and_listed_are_what_was_found(diagnosis):
    assert (
        diagnosis.count == 48 + 1 + 18 + 3
    )  # the plain ones, the fox, those laid in train/cat, the copies elsewhere
    assert diagnosis.readable == diagnosis.count - 2


def test_the_worst_stands_first_and_everything_is_said_in_words(diagnosis):
    order = [finding.severity for finding in diagnosis.findings]
    assert order == sorted(order, key=["error", "warning", "note"].index)
    words = str(diagnosis)
    assert "70 images of 3 classes, 68 readable; 4 errors" in words
    assert words.count("\n") == len(diagnosis.findings)
    assert "<table>" in diagnosis._repr_html_()


def test_everything_is_there_as_plain_data(diagnosis):
    told = json.loads(json.dumps(diagnosis.to_dict()))
    assert told["numbers"]["images"] == 70
    assert sum(told["numbers"]["aspect"]["counts"]) == 68
    assert sum(told["numbers"]["width"]["counts"]) == 68
    assert told["numbers"]["labels"]["val"] == {"cat": 14, "dog": 12, "fox": 0}
    half = next(f for f in told["findings"] if f["kind"] == "unreadable")
    assert half["remarks"][IN_CAT + "half.png"]


def test_there_is_a_row_for_every_image(diagnosis):
    rows = {str(row["path"]): row for row in diagnosis.rows()}
    assert len(rows) == 70
    assert rows["val/cat/again.jpg"]["copy_of"] == IN_CAT + "p2.png"
    assert rows[IN_CAT + "empty.jpg"]["reason"] == "an empty file"
    assert "wrong_suffix" in str(rows[IN_CAT + "really.jpg"]["findings"]).split()


def test_the_cleaned_list_leaves_out_what_is_wrong_and_says_why(diagnosis):
    rows, left_out = diagnosis.cleaned()
    broken = diagnosis.finding("unreadable").remarks[IN_CAT + "half.png"]
    assert {one.name: one.reason.split(":")[0] for one in left_out} == {
        IN_CAT + "half.png": broken.split(":")[0],
        IN_CAT + "empty.jpg": "an empty file",
        IN_CAT + "p1.png": "an exact copy of val/cat/copy.png",
        IN_CAT + "p2.png": "a near copy of the held-out val/cat/again.jpg",
        IN_CAT + "p3.png": "the same content is there under several labels",
        "train/dog/cat.png": "the same content is there under several labels",
        IN_CAT + "p6.png": f"an exact copy of {IN_CAT}P5.png",
    }  # fmt: skip
    assert len(rows) + len(left_out) == diagnosis.count
    groups = {row["path"]: row["group"] for row in rows}
    assert groups[IN_CAT + "p4.png"] == groups[IN_CAT + "brighter.png"] != ""
    assert groups["train/dog/p0.png"] == ""


def test_a_cleaned_set_is_found_clean(tmp_path):
    root = tmp_path / "set"
    lay_traps(root)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*.*")}
    rows, _ = examine(folder(root)).cleaned(tmp_path)
    with (tmp_path / "cleaned.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    again = examine(manifest(tmp_path / "cleaned.csv"))
    assert again.count == len(rows)
    for kind in ("unreadable", "empty_file", "leakage", "different_labels", "duplicates"):
        assert again.finding(kind) is None
    assert before == {path: path.stat().st_mtime_ns for path in root.rglob("*.*")}


def test_a_set_without_traps_has_no_findings():
    def encoded(seed: int) -> EncodedImage:
        file = io.BytesIO()
        photograph(seed).save(file, "PNG")
        return EncodedImage(file.getvalue())

    items = tuple(Item(f"{n}.png", "ab"[n % 2], encoded(n)) for n in range(24))
    diagnosis = examine(Listing("fine", ("a", "b"), {"all": items}))
    assert diagnosis.findings == ()
    assert str(diagnosis) == "fine: 24 images of 2 classes, 24 readable; nothing found"
    assert diagnosis.clusters() == ()


def test_hymenoptera_has_its_stray_placeholder_and_no_copies(shared_data):
    diagnosis = examine(folder(shared_data / "hymenoptera"))
    stray = diagnosis.finding("rare_format")
    assert stray and stray.items == ("train/ants/imageNotFound.gif",)
    assert diagnosis.finding("duplicates") is diagnosis.finding("near_duplicates") is None
    assert diagnosis.readable == 244 + 153 + 1
