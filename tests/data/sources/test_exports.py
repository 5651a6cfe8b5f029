"""exports: what other programs write of images and their classes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

import saccade
from saccade.data.item import Label
from saccade.data.sources import open_source
from saccade.data.sources.frames import written_frame
from saccade.errors import DataError, UsageError

Tree = Callable[..., Path]


def labels(data: Any) -> dict[str, dict[str, Label]]:
    source = open_source(data)
    return {split: {i.name: i.label for i in source.read(split)} for split in source.splits}


@pytest.fixture
def root(tree: Tree) -> Path:
    return tree("a.jpg", "b.jpg", "d.jpg")


def write(root: Path, name: str, content: object) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


ONE = {"all": {"a.jpg": "cat", "b.jpg": "dog"}}
SEVERAL = {"all": {"a.jpg": ("cat", "sun"), "b.jpg": ("dog",), "d.jpg": ()}}


def coco(categories: dict[str, list[str]]) -> dict[str, Any]:
    """Per the data format of cocodataset.org: images, annotations and categories by their ids."""
    names = sorted({name for found in categories.values() for name in found})
    return {
        "images": [{"id": 7 + n, "file_name": name} for n, name in enumerate(categories)],
        "categories": [{"id": 100 + n, "name": name} for n, name in enumerate(names)],
        "annotations": [
            {"id": k, "image_id": 7 + n, "category_id": 100 + names.index(name)}
            for n, found in enumerate(categories.values())
            for k, name in enumerate(found)
        ],
    }


def test_the_categories_of_a_coco_file_are_classes(root: Path) -> None:
    assert labels(write(root, "c.json", coco({"a.jpg": ["cat"], "b.jpg": ["dog", "dog"]}))) == ONE
    path = write(root, "c.json", coco({"a.jpg": ["cat", "sun"], "b.jpg": ["dog"], "d.jpg": []}))
    assert labels(path) == SEVERAL
    assert open_source(path).notes == ("each image has any number of classes in 'c.json'",)


ANSWER = {"type": "choices", "from_name": "c", "value": {"choices": ["dog"]}}


def task(image: str, *choices: str) -> dict[str, Any]:
    """A task of Label Studio's JSON export."""
    result = ANSWER | {"value": {"choices": [*choices]}}
    return {"id": 1, "data": {"image": image}, "annotations": [{"result": [result]}]}


@pytest.mark.parametrize(
    "address", ["/data/upload/1/0123abcd-{}", "/data/local-files/?d={}", "https://x.org/p/{}", "{}"]
)
def test_choices_of_label_studio_are_classes(root: Path, address: str) -> None:
    tasks = [task(address.format("a.jpg"), "cat"), task(address.format("b.jpg"), "dog")]
    assert labels(write(root, "ls.json", tasks)) == ONE
    tasks[0] = task(address.format("a.jpg"), "cat", "sun")
    tasks.append(task(address.format("d.jpg")))
    assert labels(write(root, "ls.json", tasks)) == SEVERAL
    short = [
        {"image": address.format(f"{n}.jpg"), "label": k} for n, k in (("a", "cat"), ("b", "dog"))
    ]
    assert labels(write(root, "min.json", short)) == ONE


def test_a_task_of_label_studio_counts_where_somebody_has_answered(root: Path) -> None:
    waiting = {"data": {"image": "d.jpg"}, "annotations": []}
    tasks = [task("https://x.org/a.jpg?token=1", "cat"), task("b.jpg", "dog"), waiting]
    assert labels(path := write(root, "ls.json", tasks)) == ONE
    assert "1 tasks have no annotation and are left out: 'd.jpg'" in open_source(path).notes
    tasks[1]["annotations"] = [*task("", "cat")["annotations"], *tasks[1]["annotations"]]
    assert labels(write(root, "ls.json", tasks)) == ONE
    assert any("the last one counts" in note for note in open_source(path).notes)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"data": None}, "task 2 of '.*' is none of Label Studio"),
        ({"annotations": [{"result": [{"type": "choices", "value": {}}]}]}, "task 2 of '.*' is no"),
        ({"data": {"image": "a.jpg"}}, "task 2 of '.*' labels 'a.jpg' anew"),
        (
            {"annotations": [{"result": [ANSWER | {"from_name": "q"}]}]},
            "holds the answers to 'c' and 'q'",
        ),
    ],
)
def test_tasks_that_say_no_single_thing_are_refused(
    root: Path, change: dict[str, Any], what: str
) -> None:
    tasks = [task("a.jpg", "cat"), task("b.jpg", "dog") | change]
    with pytest.raises(DataError, match=what):
        open_source(write(root, "ls.json", tasks))


def test_tasks_without_choices_are_refused_by_what_they_hold(root: Path) -> None:
    box = {"type": "rectanglelabels", "value": {"rectanglelabels": ["cat"]}}
    tasks = [{"data": {"image": "a.jpg"}, "annotations": [{"result": [box]}]}]
    with pytest.raises(DataError, match="has a choice: rectanglelabels"):
        open_source(write(root, "ls.json", tasks))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"images": [{"id": 1, "file_name": "a.jpg"}] * 2}, "the images in .* have the id 1 twice"),
        (
            {"images": [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "a.jpg"}]},
            "has several images called 'a.jpg'",
        ),
        ({"images": [{"id": 1, "file_name": None}]}, "has a name that is no text: None"),
        ({"annotations": [{"image_id": 9, "category_id": 1}]}, "is of image 9 and category 1"),
    ],
)
def test_a_coco_file_whose_numbers_lead_to_two_things_or_none_is_refused(
    root: Path, change: dict[str, Any], what: str
) -> None:
    with pytest.raises(DataError, match=what):
        open_source(write(root, "c.json", coco({"a.jpg": ["cat"], "b.jpg": ["dog"]}) | change))


def test_a_line_that_is_no_record_is_named_by_its_row(root: Path) -> None:
    for second in ('{"file": "b.jpg", label: 1}', '["b.jpg", 1]'):
        text = '{"file": "a.jpg", "label": 0}\n\n' + second
        with pytest.raises(DataError, match=r"row 3 of '.*' is no"):
            open_source(write(root, "r.jsonl", text))


def test_a_record_without_an_image_is_named_by_its_line(root: Path) -> None:
    text = '{"file": "a.jpg", "label": 0}\n\n\n{"file": "", "label": 1}'
    with pytest.raises(DataError, match=r"row 4 of '.*' names no image"):
        open_source(write(root, "r.jsonl", text))


def test_what_is_no_number_is_no_label(root: Path) -> None:
    text = '[{"file": "a.jpg", "label": "x"}, {"file": "b.jpg", "label": NaN}]'
    assert labels(write(root, "r.json", text)) == {"all": {"a.jpg": "x"}}


def test_tags_of_cvat_are_classes(root: Path) -> None:
    images = (
        '<image id="0" name="a.jpg" subset="Train"><tag label="cat"/></image>'
        '<image id="1" name="b.jpg" subset="Train"><tag label="dog"/></image>'
        '<image id="2" name="d.jpg" subset="Validation"><tag label="dog"/></image>'
    )
    path = write(root, "annotations.xml", f"<annotations><meta/>{images}</annotations>")
    assert labels(path) == {"train": ONE["all"], "val": {"d.jpg": "dog"}}
    with pytest.raises(DataError, match="is no XML"):
        open_source(write(root, "annotations.xml", "<annotations>"))


def test_an_image_that_tasks_of_cvat_label_otherwise_is_refused(root: Path) -> None:
    image = '<image name="{}"><tag label="{}"/></image>'
    one, two = image.format("a.jpg", "cat"), image.format("b.jpg", "dog")
    again = f"<annotations>{one}{two}{one}</annotations>"
    assert labels(write(root, "annotations.xml", again)) == ONE
    other = f"<annotations>{one}{two}{image.format('a.jpg', 'dog')}</annotations>"
    with pytest.raises(DataError, match=r"has several images called 'a.jpg'"):
        open_source(write(root, "annotations.xml", other))


def test_lists_of_voc_are_several_classes(tree: Tree) -> None:
    root = tree("JPEGImages/1.jpg", "JPEGImages/2.jpg", "JPEGImages/3.jpg")
    for name, marks in {"cat": (1, -1, 0), "dog": (1, 1, -1)}.items():
        rows = [f"{n} {mark:2d}\n" for n, mark in enumerate(marks, start=1)]
        write(root, f"ImageSets/Main/{name}_train.txt", "".join(rows[:2]))
        write(root, f"ImageSets/Main/{name}_val.txt", rows[2])
        write(root, f"ImageSets/Main/{name}_trainval.txt", "".join(rows))
    assert labels(root) == {
        "train": {"JPEGImages/1.jpg": ("cat", "dog"), "JPEGImages/2.jpg": ("dog",)},
        "val": {"JPEGImages/3.jpg": ()},
    }
    assert "1 labels are marked as difficult and are read as not there" in open_source(root).notes


def test_an_image_on_two_lists_of_voc_is_refused(tree: Tree) -> None:
    root = tree("JPEGImages/1.jpg", "JPEGImages/2.jpg")
    write(root, "ImageSets/Main/cat_train.txt", "1 1\n2 -1\n")
    write(root, "ImageSets/Main/dog_val.txt", "2 1\n")
    with pytest.raises(
        DataError, match=r"'JPEGImages/2' is on the lists of train and val"
    ) as error:
        open_source(root)
    assert "take it off 'dog_val.txt' or the other" in error.value.hint


def test_metadata_of_hugging_face_are_read(tree: Tree) -> None:
    root = tree("train/a.jpg", "train/b.jpg", "test/d.jpg")
    for split, names in (("train", "ab"), ("test", "d")):
        rows = [
            {"file_name": f"{n}.jpg", "label": "cat" if n == "a" else "dog", "text": "d\u2028"}
            for n in names
        ]
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write(root, f"{split}/metadata.jsonl", lines)
    expected = {
        "train": {"train/a.jpg": "cat", "train/b.jpg": "dog"},
        "test": {"test/d.jpg": "dog"},
    }
    assert labels(root) == expected
    assert open_source(f"{root}::text").classes == ("d",)


def test_metadata_without_labels_leave_these_to_the_folders(tree: Tree) -> None:
    root = tree("cat/a.jpg", "dog/b.jpg")
    write(root, "metadata.csv", "file_name,text\ncat/a.jpg,x\ndog/b.jpg,y\n")
    assert labels(root) == {"all": {"cat/a.jpg": "cat", "dog/b.jpg": "dog"}}
    assert "no column label but file_name, text" in open_source(root).notes[-1]


def test_metadata_with_classes_of_true_and_false_are_labels(tree: Tree) -> None:
    root = tree("x/a.jpg", "x/b.jpg", "y/d.jpg")
    write(root, "metadata.csv", "file_name,cat,dog\nx/a.jpg,True,False\nx/b.jpg,False,True\n")
    assert labels(root) == {"all": {"x/a.jpg": "cat", "x/b.jpg": "dog"}}


def test_the_column_of_images_in_metadata_of_splits_may_be_any(tree: Tree) -> None:
    root = tree("train/a.jpg", "train/b.jpg", "test/d.jpg")
    write(root, "train/metadata.csv", "label,image_path\ncat,a.jpg\ndog,b.jpg\n")
    write(root, "test/metadata.csv", "label,image_path\ndog,d.jpg\n")
    expected = {
        "train": {"train/a.jpg": "cat", "train/b.jpg": "dog"},
        "test": {"test/d.jpg": "dog"},
    }
    assert labels(root) == expected


def test_classes_of_roboflow_are_read(tree: Tree) -> None:
    root = tree("train/a.jpg", "train/b.jpg", "valid/d.jpg")
    write(root, "train/_classes.csv", "filename, cat, dog\na.jpg, 1, 0\nb.jpg, 0, 1\n")
    write(root, "valid/_classes.csv", "filename, cat, dog\nd.jpg, 0, 1\n")
    expected = {
        "train": {"train/a.jpg": "cat", "train/b.jpg": "dog"},
        "val": {"valid/d.jpg": "dog"},
    }
    assert labels(root) == expected


def test_a_frame_of_pandas_is_a_table(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    frame = pandas.DataFrame({"path": ["a.jpg", "b.jpg", "d.jpg"], "label": ["cat", "dog", None]})
    assert labels(frame) == ONE
    tags = pandas.DataFrame(
        {"path": ["a.jpg", "b.jpg", "d.jpg"], "tags": [["cat", "sun"], ["dog"], []]}
    )
    assert labels(tags) == SEVERAL
    prices = pandas.DataFrame({"path": ["a.jpg", "b.jpg"], "value": [1.5, 2]}, index=[7, 9])
    assert labels(prices) == {"all": {"a.jpg": 1.5, "b.jpg": 2.0}}
    hot = pandas.DataFrame({"path": ["a.jpg", "b.jpg"], "cat": [True, False], "dog": [False, True]})
    assert labels(hot) == ONE
    arrays = [numpy.array(["cat", "sun"]), numpy.array(["dog"]), numpy.array([])]
    tags["tags"] = arrays
    assert labels(tags) == SEVERAL
    twice = pandas.DataFrame([["a.jpg", "cat", "sun"]], columns=["path", "label", "label"])
    with pytest.raises(DataError, match="has 2 columns called 'label'"):
        open_source(twice)  # type: ignore[arg-type]


def test_a_frame_is_written_down_to_be_found_again(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(root)
    frame = pandas.DataFrame({"path": ["a.jpg", "b.jpg", "d.jpg"], "label": ["cat", "dog", None]})
    file = written_frame(frame)
    assert written_frame(frame.copy()) == file != written_frame(frame[:2])
    monkeypatch.chdir(tmp_path / "cache")
    assert labels(file) == {"all": {str(root / "a.jpg"): "cat", str(root / "b.jpg"): "dog"}}
    with pytest.raises(DataError, match="the frame has no column path"):
        written_frame(pandas.DataFrame({"x": [1]}))
    with pytest.raises(UsageError, match="data cannot be an int"):
        saccade.train(3)


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "[1]", '[{"data": {}, "annotations": []}]'])
def test_json_of_another_kind_is_refused(root: Path, content: str) -> None:
    with pytest.raises(DataError):
        open_source(write(root, "x.json", content))


def test_images_of_a_folder_that_its_tables_do_not_name_are_told(root: Path) -> None:
    write(root, "metadata.csv", "file_name,label\na.jpg,cat\nb.jpg,dog\n")
    source = open_source(root)
    assert labels(root) == ONE
    assert source.notes == (f"1 images in '{root}' are in no row of its tables, such as 'd.jpg'",)
    assert [str(one) for one in source.skipped] == ["'d.jpg' (in no row of its tables)"]


def test_names_of_uploads_in_a_table_lead_to_the_files(root: Path) -> None:
    rows = [f"/data/upload/7/0a1b2c3d-{n}.jpg,{k}" for n, k in (("a", "cat"), ("b", "dog"))]
    assert labels(write(root, "ls.csv", "\n".join(["image,label", *rows]))) == ONE
