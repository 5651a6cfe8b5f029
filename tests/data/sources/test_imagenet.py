"""imagenet: synsets in folders, in file names, and in Kaggle's table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.sources import open_source
from saccade.data.sources.imagenet import imagenet, synset_names
from saccade.errors import DataError

Tree = Callable[..., Path]
WORDS = "n01440764 tench, Tinca tinca\nn02012849 crane\nn03126707 crane\nn01443537 goldfish\n"


def test_synset_folders_are_classes_by_their_first_name(tree: Tree) -> None:
    root = tree(
        "train/n01443537/a.JPEG", "train/n01440764/a.JPEG", "val/n01440764/v.JPEG", "notes.txt"
    )
    (root / "synset_words.txt").write_text(WORDS)
    source = open_source(root)
    assert source.classes == ("tench", "goldfish")  # in the order of the synsets, as in ILSVRC
    assert [(item.name, item.label) for item in source.read("train")] == [
        ("train/n01440764/a.JPEG", "tench"), ("train/n01443537/a.JPEG", "goldfish")
    ]  # fmt: skip
    assert source.splits == ("train", "val")


def test_synsets_of_one_name_carry_their_synset(tree: Tree) -> None:
    root = tree("n02012849/a.JPEG", "n03126707/a.JPEG", "n01440764/a.JPEG")
    (root / "synset_words.txt").write_text(WORDS)
    assert open_source(root).classes == ("tench", "crane (n02012849)", "crane (n03126707)")


def test_without_a_table_the_synsets_are_the_names_and_that_is_said(tree: Tree) -> None:
    source = open_source(tree("n01440764/a.JPEG", "n01443537/a.JPEG"))
    assert source.classes == ("n01440764", "n01443537")
    assert "has no synset_words.txt with names" in source.notes[0]


def test_a_flat_val_takes_its_synsets_from_kaggles_table(tree: Tree) -> None:
    root = tree(
        "Data/CLS-LOC/train/n01440764/a.JPEG", "Data/CLS-LOC/train/n01443537/a.JPEG",
        "Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG", "Data/CLS-LOC/val/unknown.JPEG",
    )  # fmt: skip
    (root / "LOC_val_solution.csv").write_text(
        "ImageId,PredictionString\nILSVRC2012_val_00000001,n01443537 10 20 30 40 \n"
    )
    (root / "LOC_synset_mapping.txt").write_text(WORDS)
    source = imagenet(root)
    assert [item.label for item in source.read("val")] == ["goldfish"]
    assert ("Data/CLS-LOC/val/unknown.JPEG", "no synset in its path") in [
        (one.name, one.reason) for one in source.skipped
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ImageId,PredictionString\nv,n01443537 \xe9\n", "row 2 of .* is not UTF-8"),
        (b'ImageId,PredictionString\nv,"n01443537\n', "row 2 of .* cannot be read"),
        (b"id,label\nv,n01443537\n", "has no columns ImageId and PredictionString: id, label"),
    ],
)
def test_a_damaged_table_of_kaggles_is_refused(tree: Tree, content: bytes, message: str) -> None:
    root = tree("train/n01440764/a.JPEG", "train/n01443537/a.JPEG", "val/v.JPEG")
    (root / "LOC_val_solution.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        open_source(root)


def test_a_damaged_table_of_synsets_is_refused(tree: Tree) -> None:
    root = tree("n01440764/a.JPEG", "n01443537/a.JPEG")
    (root / "synset_words.txt").write_bytes(b"n01440764 t\xe9nch\n")
    with pytest.raises(DataError, match=r"row 1 of .*synset_words.txt' is not UTF-8"):
        open_source(root)


def test_images_without_synsets_are_refused(tree: Tree) -> None:
    with pytest.raises(DataError, match="holds no image with a synset"):
        imagenet(tree("a/1.jpg", "b/2.jpg"))


def test_the_thousand_names_are_a_thousand_classes(shared_data: Path, tmp_path: Path) -> None:
    text = (shared_data / "labels" / "imagenet_synset_words.txt").read_text()
    (tmp_path / "synset_words.txt").write_text(text)
    names = synset_names(tmp_path, [line.split()[0] for line in text.splitlines()])
    assert len(set(names.values())) == 1000
    assert names["n01440764"] == "tench" and names["n02012849"] == "crane (n02012849)"


def test_sample_photographs_are_told_by_their_names(shared_data: Path) -> None:
    source = open_source(shared_data / "imagenet_samples")
    assert len(source.classes) == len(source.read("all")) == 500
    item = next(item for item in source.read("all") if "great_white_shark" in item.name)
    assert item.label == "n01484850"
