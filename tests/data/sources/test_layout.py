"""layout: splits under other names, inside of classes, on lists, in folds; or both readings."""

from __future__ import annotations

import shlex
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.item import Source
from saccade.data.sources import open_images, open_source
from saccade.data.sources.split_names import fold_of, split_within
from saccade.errors import DataError

Tree = Callable[..., Path]


def paths(*folders: str, each: int = 2) -> list[str]:
    return [f"{folder}/{k}.jpg" for folder in folders for k in range(each)]


def under(split: str, *classes: str) -> list[str]:
    return paths(*(f"{split}/{label}" for label in classes))


def labels(source: Source) -> dict[str, dict[str, int]]:
    """Images of each class in each split."""
    return {s: dict(Counter(str(item.label) for item in source.read(s))) for s in source.splits}


def hinted(error: DataError) -> list[str]:
    """The words for data that a hint says to write."""
    return [word.rstrip(",;") for word in shlex.split(error.hint) if "::" in word]


CAT_DOG = {"cat": 2, "dog": 2}


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("seg_train", "seg_test"),
        ("asl_alphabet_train", "asl_alphabet_test"),
        ("train1", "test1"),
        ("Training", "Testing"),
        ("TrainImages", "TestImages"),
        ("train2017", "test-2017"),
        ("train", "my_test_images"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("train/images", "test/images"),
        ("deep/down/x-train", "deep/down/x-test"),
    ],
)
def test_folders_whose_names_hold_the_word_of_a_split_are_splits(
    tree: Tree, train: str, test: str
) -> None:
    source = open_source(tree(*under(train, "cat", "dog"), *under(test, "cat", "dog")))
    assert labels(source) == {"train": CAT_DOG, "test": CAT_DOG}


@pytest.mark.parametrize("extra", ["seg_pred/seg_pred", "seg_pred", "other/x/y"])
def test_unlabelled_images_beside_such_splits_are_left_out_and_said(tree: Tree, extra: str) -> None:
    root = tree(*under("seg_train", "a", "b"), *under("seg_test", "a", "b"), *paths(extra))
    source = open_source(root)
    assert source.splits == ("train", "test")
    assert {s.name for s in source.skipped} == set(paths(extra))
    assert "read 'seg_test' as test, 'seg_train' as train" in source.notes


@pytest.mark.parametrize(
    ("train", "test"),
    [("train", "test"), ("asl_train", "asl_test/asl_test"), ("x1train", "x1test")],
)
def test_a_test_without_labels_is_left_out_and_train_is_a_split(
    tree: Tree, train: str, test: str
) -> None:
    source = open_source(tree(*under(train, "cat", "dog"), *paths(test)))
    assert labels(source) == {"train": CAT_DOG}
    assert {s.reason for s in source.skipped} == {"in no class folder, hence without a label"}


def test_a_lone_train_beside_unlabelled_images_is_a_split_and_that_is_said(tree: Tree) -> None:
    root = tree(*under("train", "cat", "dog"), *paths("to_predict"))
    source = open_source(root)
    assert labels(source) == {"train": CAT_DOG}
    (note,) = source.notes
    (other,) = [word for word in shlex.split(note) if "::" in word]
    assert open_source(other).classes == ("to_predict", "train")


def test_a_test_folder_beside_the_folders_of_classes_is_held_out(tree: Tree) -> None:
    source = open_source(tree(*paths("cat", "dog"), *under("test", "cat", "dog")))
    assert labels(source) == {"train": CAT_DOG, "test": CAT_DOG}


@pytest.mark.parametrize(
    "files",
    [
        paths("train_station", "test_track", "harbour"),
        paths("train_station/day", "train_station/night", "test_track/wet", "test_track/dry"),
        paths("train/steam", "train/diesel", "car/small", "car/large"),
    ],
)
def test_classes_that_are_called_like_splits_stay_classes_and_that_is_said(
    tree: Tree, files: list[str]
) -> None:
    source = open_source(tree(*files))
    assert source.splits == ("all",)
    assert any(name.startswith("train") for name in source.classes)
    assert any("read as" in note for note in source.notes)


@pytest.mark.parametrize(
    "files",
    [
        under("setA", "forest", "sea") + under("setB", "forest", "sea"),
        under("train", "forest", "sea") + under("other", "forest", "sea"),
        under("a/a", "forest", "sea") + under("b", "forest", "sea"),
        under("x_train", "forest", "sea") + under("y", "forest", "sea"),
    ],
)
def test_folders_of_the_same_names_in_several_are_refused_with_both_readings(
    tree: Tree, files: list[str]
) -> None:
    with pytest.raises(DataError, match="hold folders of the same names: forest, sea") as caught:
        open_source(tree(*files))
    first, second = hinted(caught.value)
    assert "forest" not in open_source(first).classes
    assert open_source(second).classes == ("forest", "sea")
    held_out = caught.value.hint.split("--test-folder ")[1]
    source = open_source(f"{tree()}::test_folder={held_out}")
    assert labels(source)["test"] == {"forest": 2, "sea": 2} == labels(source)["train"]


def test_two_folders_for_one_split_can_be_taken_together_by_the_hint(tree: Tree) -> None:
    files = [*under("train1", "a", "b"), *under("train2", "a", "b"), *under("test1", "a", "b")]
    with pytest.raises(DataError, match="several folders for train") as caught:
        open_source(tree(*files))
    (together,) = hinted(caught.value)
    assert labels(open_source(together)) == {"train": {"a": 4, "b": 4}, "test": {"a": 2, "b": 2}}


def test_a_train_with_a_class_that_lies_beside_it_too_is_refused(tree: Tree) -> None:
    with pytest.raises(DataError, match="'train/cat' and 'cat' in"):
        open_source(tree(*under("train", "cat", "dog"), *paths("cat")))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("Training", "held-out"),
        ("cat_train", "cat_test"),
        ("sub/train", "sub/val"),
    ],
)
def test_splits_inside_of_each_class_are_splits(tree: Tree, train: str, test: str) -> None:
    folders = [f"{label}/{part}" for label in ("cat", "dog") for part in (train, test)]
    source = open_source(tree(*paths(*folders)))
    assert source.classes == ("cat", "dog")
    assert labels(source)["train"] == CAT_DOG
    assert len(source.splits) == 2 and source.notes


def test_images_beside_a_test_folder_inside_of_each_class_are_trained_on(tree: Tree) -> None:
    source = open_source(tree(*paths("cat", "dog", "cat/test", "dog/test")))
    assert labels(source) == {"train": CAT_DOG, "test": CAT_DOG}


def test_images_beside_the_splits_of_their_class_are_left_out_and_said(tree: Tree) -> None:
    root = tree(*paths("cat/train", "cat/test", "dog/train", "dog/test"), "cat/stray.jpg")
    (skipped,) = open_source(root).skipped
    assert skipped.reason == "in none of the folders test, train of its class"


def test_a_split_between_two_folders_that_may_be_classes_is_refused(tree: Tree) -> None:
    sites = [f"{site}/{split}" for site in ("north", "south") for split in ("train", "test")]
    with pytest.raises(DataError, match="a class may stand before or behind it") as caught:
        open_source(tree(*(file for site in sites for file in under(site, "cat", "dog"))))
    above, below = hinted(caught.value)
    assert open_source(above).classes == ("north", "south")
    assert labels(open_source(below)) == {
        "train": {"cat": 4, "dog": 4},
        "test": {"cat": 4, "dog": 4},
    }


@pytest.mark.parametrize("names", [("fold1", "fold2", "fold3"), ("Fold_1", "Fold_2", "Fold_10")])
def test_folders_of_folds_are_folds(tree: Tree, names: tuple[str, ...]) -> None:
    source = open_source(tree(*(file for name in names for file in under(name, "cat", "dog"))))
    assert source.classes == ("cat", "dog")
    assert source.splits == tuple(f"fold {name.lstrip('foldF_')}" for name in names)


def test_folds_inside_of_each_class_are_folds(tree: Tree) -> None:
    folders = [f"{label}/fold{k}" for label in ("cat", "dog") for k in (1, 2)]
    assert labels(open_source(tree(*paths(*folders)))) == {"fold 1": CAT_DOG, "fold 2": CAT_DOG}


def test_names_of_splits_and_folds_are_known_by_their_words() -> None:
    words = ["seg_train", "train1", "TestSet2", "x-validation", "a train b", "mnist_tst"]
    assert list(map(split_within, words)) == ["train", "train", "test", "val", "train", "test"]
    assert not any(
        map(split_within, ["trainer", "contest", "strain", "latest", "train_test_split"])
    )
    assert list(map(fold_of, ["fold1", "kfold-2", "Fold_A", "cv3"])) == [
        "fold 1", "fold 2", "fold a", "fold 3"
    ]  # fmt: skip
    assert not any(map(fold_of, ["folder", "folded", "unfold1x", "billfold", "folds", "CV_folds"]))


def test_folders_that_are_held_out_can_be_named(tree: Tree) -> None:
    root = tree(*under("north", "a", "b"), *under("south", "a", "b"), *under("west", "a", "b"))
    source = open_source(f"{root}::val_folder=south::test_folder=west")
    assert labels(source) == {split: {"a": 2, "b": 2} for split in ("train", "val", "test")}
    with pytest.raises(DataError, match=r"no folder of images in .* is called 'soth'") as caught:
        open_source(f"{root}::val_folder=soth")
    assert "south" in caught.value.hint


def test_a_named_folder_beside_the_classes_is_held_out(tree: Tree) -> None:
    root = tree(*paths("a", "b"), *under("quiz", "a", "b"))
    assert labels(open_source(f"{root}::test_folder=quiz")) == {
        "train": {"a": 2, "b": 2}, "test": {"a": 2, "b": 2}
    }  # fmt: skip


def test_an_archive_is_read_by_the_same_rules(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as file:
        for name in [*under("seg_train", "a", "b"), *under("seg_test", "a", "b"), "cover.png"]:
            file.writestr(f"all/{name}", name)
    source = open_source(tmp_path / "photos.zip")
    assert labels(source) == {"train": {"a": 2, "b": 2}, "test": {"a": 2, "b": 2}}
    pattern = open_source(f"{tmp_path / 'photos.zip'}::(?P<split>seg_[a-z]+)/(?P<label>[ab])/")
    assert labels(pattern) == labels(source)


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"train.txt": "cat/0\ndog/0", "test.txt": "cat/1\ndog/1"}, {"train": 1, "test": 1}),
        ({"meta/train.txt": "cat/0.jpg\ndog/0.jpg", "meta/test.csv": "cat/1.jpg,x\ndog/1.jpg,y"},
         {"train": 1, "test": 1}),
        ({"testing_list.txt": "./cat/1.jpg\n"}, {"train": 3, "test": 1}),
        ({"val.csv": "file;label\nphotos/cat/1.jpg;cat\nphotos\\dog\\1.jpg;dog\n"},
         {"train": 2, "val": 2}),
    ],
)  # fmt: skip
def test_lists_of_names_beside_the_images_are_their_splits(
    tree: Tree, lists: dict[str, str], expected: dict[str, int]
) -> None:
    root = tree(*(f"photos/{name}" for name in paths("cat", "dog")), *lists)
    for name, text in lists.items():
        (root / name).write_text(text)
    source = open_source(root)
    counts = {split: len(source.read(split)) for split in source.splits}
    if len(lists) == 2:
        expected = {split: 2 * count for split, count in expected.items()}
    assert counts == expected
    assert any(note.startswith("splits are read from lists: ") for note in source.notes)


def test_an_image_on_the_lists_of_two_splits_is_refused(tree: Tree) -> None:
    root = tree(*paths("cat", "dog"))
    (root / "train.txt").write_text("cat/0.jpg\ndog/1.jpg\n")
    (root / "test.txt").write_text("cat/0.jpg\n")
    with pytest.raises(DataError, match=r"'cat/0.jpg' is on the lists of test and train"):
        open_source(root)


def test_a_file_that_may_tell_the_splits_and_is_not_read_is_named(tree: Tree) -> None:
    root = tree(*paths("cat", "dog"), "train_test_split.txt")
    (note,) = open_source(root).notes
    assert note.startswith("'train_test_split.txt' lies beside the images and is not read")


def test_one_image_beside_the_wrapping_changes_nothing(tree: Tree) -> None:
    files = paths("all/pets/cat", "all/pets/dog")
    source = open_source(tree(*files, "cover.png", "all/cover.png", "all/pets/cover.png"))
    assert labels(source) == {"all": CAT_DOG}
    assert {s.name for s in source.skipped} == {"cover.png", "all/cover.png", "all/pets/cover.png"}


def test_a_class_that_is_a_link_to_another_and_an_empty_split_are_told(tree: Tree) -> None:
    root = tree("train/cat/1.jpg", "train/dog/1.jpg", "val/cat/2.jpg", "val/dog/2.jpg")
    (root / "test").mkdir()
    (root / "train" / "wolf").symlink_to(root / "train" / "dog")
    notes = " ".join(open_source(root).notes)
    assert "no image of the split 'test' is read: left out 1, such as 'test' (an empty" in notes
    assert "no image of a class 'wolf' is read" in notes


def test_a_class_of_which_nothing_is_read_is_told_as_lost(tree: Tree) -> None:
    root = tree(*paths("cat", "dog"), "bee/1.heic", "bee/more/2.heic")
    (root / "wasp").mkdir()
    notes = " ".join(open_source(root).notes)
    assert "no image of a class 'bee' is read: left out 2, such as 'bee/1.heic'" in notes
    assert "no image of a class 'wasp' is read" in notes
    inside = tree(*(f"s/train/{name}" for name in paths("cat", "dog")), "s/train/bee/1.heic")
    assert "class 'bee'" in " ".join(open_source(inside / "s").notes)


FIRST_BYTES = {
    "jpeg": b"\xff\xd8\xff\xe0", "png": b"\x89PNG\r\n\x1a\n", "gif": b"GIF89a",
    "webp": b"RIFF\x10\0\0\0WEBPVP8 ", "avif": b"\0\0\0\x1cftypavif", "tiff": b"II*\0",
    "bmp": b"BM" + bytes(12) + b"\x28\0\0\0", "pgm": b"P5\n2 2\n255\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", FIRST_BYTES)
@pytest.mark.parametrize("name", ["1", "1.jpg_large", "1.jpg!d", "photo.2024"])
def test_what_no_suffix_tells_the_first_bytes_do(tree: Tree, kind: str, name: str) -> None:
    root = tree("a/1.jpg", "b/1.jpg", f"a/{name}", f"b/{name}.txt", "b/README")
    (root / "a" / name).write_bytes(FIRST_BYTES[kind] + bytes(30))
    source = open_source(root)
    assert f"a/{name}" in [item.name for item in source.read("all")]
    assert [s.name for s in source.skipped] == [f"b/{name}.txt", "b/README"]


@pytest.mark.parametrize("suffix", ["jfif", "jpe", "JFIF", "avif", "apng", "dib", "pnm"])
def test_rarer_suffixes_are_images_too(tree: Tree, suffix: str) -> None:
    assert open_source(tree(*paths("a", "b"), f"c/1.{suffix}")).classes == ("a", "b", "c")


@pytest.mark.parametrize(
    "name",
    ["__MACOSX", ".trash", "@eaDir", "$RECYCLE.BIN", "lost+found", "#recycle", "__pycache__"],
)
def test_rubbish_folders_are_no_classes(tree: Tree, name: str) -> None:
    assert open_source(tree(*paths("a", "b", name))).classes == ("a", "b")


@pytest.mark.parametrize(
    "names",
    [
        ("images/1.jpg", "images/2.jpg", "masks/1.png", "masks/2.png"),
        ("train/images/1.jpg", "train/masks/1.png", "val/images/2.jpg", "val/masks/2.png"),
        ("images/train/1.jpg", "images/val/2.jpg", "instances/train/1.png", "instances/val/2.png"),
        ("JPEGImages/1.jpg", "SegmentationClass/1.png", "SegmentationObject/1.png"),
        ("imgs/1.jpg", "gt/1.png"),
    ],
)
def test_parts_of_a_data_set_are_no_classes(tree: Tree, names: tuple[str, ...]) -> None:
    root = tree(*names)
    with pytest.raises(DataError, match=r"called like (?:a part|parts) of a data set"):
        open_source(root)
    assert len(open_images(root).read("all")) == len(names)


def test_a_table_beside_images_is_named_where_they_lie_in_no_classes(tree: Tree) -> None:
    root = tree("images/1.jpg", "images/2.jpg")
    (root / "houses.csv").write_text("path,value\nimages/1.jpg,2\nimages/2.jpg,3\n")
    with pytest.raises(DataError, match="is called like a part") as caught:
        open_source(root)
    assert f"labels may be in {root}/houses.csv" in caught.value.hint
    assert len(open_source(root / "houses.csv").read("all")) == 2


def test_splits_without_classes_are_not_classes_themselves(tree: Tree) -> None:
    root = tree("train2017/1.jpg", "train2017/2.jpg", "val2017/3.jpg")
    with pytest.raises(DataError, match="called like splits and hold no class folders") as caught:
        open_source(root)
    assert f"{root}::^([^/]+)/" in caught.value.hint
    assert open_source(f"{root}::^([^/]+)/").classes == ("train2017", "val2017")


FOLDS = [*under("fold1", "cat", "dog"), *under("fold2", "cat", "dog")]


def test_a_test_set_beside_folds_is_held_out_of_all(tree: Tree) -> None:
    source = open_source(tree(*FOLDS, *under("test", "cat", "dog")))
    assert labels(source) == {s: CAT_DOG for s in ("test", "fold 1", "fold 2")}
    assert "folds: fold1, fold2, test apart" in source.notes


def test_folds_that_are_split_anew_are_taken_one_at_a_time(tree: Tree) -> None:
    parts = [f"fold{fold}/{split}" for fold in (1, 2) for split in ("train", "val")]
    root = tree(*(name for part in parts for name in under(part, "cat", "dog")))
    with pytest.raises(DataError, match="holds splits of its own, as 'fold1'") as error:
        open_source(root)
    (one,) = hinted(error.value)
    assert labels(open_source(one)) == {"train": CAT_DOG, "val": CAT_DOG}


def test_without_a_name_for_train_the_rest_is_asked_about(tree: Tree) -> None:
    root = tree(*(n for s in ("apprentissage", "val", "test") for n in under(s, "cat", "dog")))
    with pytest.raises(DataError, match="no name says train: cat, dog"):
        open_source(root)
    read = labels(open_source(f"{root}::val_folder=val::test_folder=test"))
    assert read == {s: CAT_DOG for s in ("train", "val", "test")}


def test_a_folder_of_the_same_classes_beside_the_splits_is_noted(tree: Tree) -> None:
    root = tree(*(n for s in ("Training", "Validierung", "Test") for n in under(s, "cat", "dog")))
    source = open_source(root)
    assert labels(source) == {"train": CAT_DOG, "test": CAT_DOG}
    assert any("'Validierung' is of no split and left out" in note for note in source.notes)
    told = open_source(f"{root}::val_folder=Validierung")
    assert labels(told) == {s: CAT_DOG for s in ("train", "val", "test")}


def test_a_class_without_the_splits_of_the_others_is_told(tree: Tree) -> None:
    names = [*under("cat", "train", "val"), *under("dog", "train", "val"), *paths("bird")]
    assert (
        "no image of a class 'bird' is read: it has none of train, val"
        in open_source(tree(*names)).notes
    )


def test_lists_may_name_the_folders_of_another_machine(tree: Tree) -> None:
    root = tree(*paths("cat", "dog"))
    for split, k in (("train", 0), ("test", 1)):
        lines = "".join(f"/home/ann/set/{label}/{k}.jpg 0\n" for label in ("cat", "dog"))
        (root / f"{split}.txt").write_text(lines)
    assert labels(open_source(root)) == {s: {"cat": 1, "dog": 1} for s in ("train", "test")}


@pytest.mark.parametrize("name", ["split.csv", "folds.json", "train.txt"])
def test_a_list_that_is_not_read_is_told(tree: Tree, name: str) -> None:
    root = tree(*paths("cat", "dog"))
    with zipfile.ZipFile(root.with_suffix(".zip"), "w") as packed:
        for image in paths("cat", "dog"):
            packed.write(root / image, image)
        packed.writestr(name, "cat/0.jpg\n")
    assert any(f"'{name}' lies beside" in n for n in open_source(root.with_suffix(".zip")).notes)
    if name != "train.txt":
        (root / name).write_text("name,split\ncat/0.jpg,train\n")
        assert any(f"'{name}' lies beside" in note for note in open_source(root).notes)
