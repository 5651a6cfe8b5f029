"""manifest: tables as people have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.item import Count, Label
from saccade.data.sources import open_source
from saccade.data.sources.listing import Listing
from saccade.data.sources.table import manifest
from saccade.errors import DataError, UsageError

Tree = Callable[..., Path]


@pytest.fixture
def table(tree: Tree) -> Callable[[str | bytes], Path]:
    """Writes a table beside four images."""
    root = tree("a.jpg", "b.jpg", "sub/c.PNG", "d.jpg")

    def write(content: str | bytes, name: str = "photos.csv") -> Path:
        data = content.encode() if isinstance(content, str) else content
        (root / name).write_bytes(data)
        return root / name

    return write


Table = Callable[..., Path]


def labels(source: Listing, split: str = "all") -> dict[str, Label]:
    return {item.name: item.label for item in source.read(split)}


def test_a_table_names_images_and_their_classes(table: Table) -> None:
    source = manifest(table("path,label\na.jpg,cat\nb.jpg,dog\nsub/c.PNG,cat\n"))
    assert labels(source) == {"a.jpg": "cat", "b.jpg": "dog", "sub/c.PNG": "cat"}
    assert source.classes == ("cat", "dog")
    assert source.name == "photos"
    assert source.read("all")[2].image.read() == b"sub/c.PNG"


@pytest.mark.parametrize(
    "content",
    [
        "path;label\na.jpg;cat, tame\nb.jpg;dog\n",
        "label\tFile\ncat, tame\ta.jpg\ndog\tb.jpg\n",
        '\ufefffilename,Class\r\na.jpg,"cat, tame"\r\nb.jpg,dog\r\n',
        '"image","category","extra, column"\n"./a.jpg","cat, tame",1\n".\\b.jpg"," dog ",2\n\n',
        "a.jpg;cat, tame\nb.jpg;dog\n",
        "path;label\na.jpg;cat, tame\nb.jpg;dog\n".encode("utf-16"),
    ],
    ids=["semicolon", "tab", "excel", "quoted", "no header", "utf-16"],
)
def test_delimiters_headers_and_encodings_are_understood(
    table: Table, content: str | bytes
) -> None:
    assert labels(manifest(table(content))) == {"a.jpg": "cat, tame", "b.jpg": "dog"}


def test_splits_and_groups_are_columns(table: Table) -> None:
    content = "path,label,split,group\na.jpg,x,Train,1\nb.jpg,y,train,1\nd.jpg,x,validation,\n"
    source = manifest(table(content))
    assert source.splits == ("train", "val")
    assert [item.group for item in source.read("train")] == ["1", "1"]
    assert source.read("val")[0].group is None


def test_an_empty_column_of_splits_leaves_the_set_undivided(table: Table) -> None:
    source = manifest(table("path,label,split\na.jpg,cat,\nb.jpg,dog,\n"))
    assert source.splits == ("all",)


def test_splits_for_some_rows_alone_are_refused(table: Table) -> None:
    with pytest.raises(DataError, match=r"1 images of .* have no split, such as 'b.jpg'"):
        manifest(table("path,label,split\na.jpg,cat,train\nb.jpg,dog,\nd.jpg,dog,train\n"))


def test_a_column_of_tags_holds_several_labels(table: Table) -> None:
    source = manifest(table("path,tags\na.jpg,sea|sun\nb.jpg,sun; sea;sun\nd.jpg,\n"))
    assert labels(source) == {"a.jpg": ("sea", "sun"), "b.jpg": ("sun", "sea"), "d.jpg": ()}
    assert source.classes == ("sea", "sun")


def test_several_labels_in_a_column_for_one_are_read_as_one_class_and_said(table: Table) -> None:
    source = manifest(table("path,label\na.jpg,sea|sun\nb.jpg,sea\n"))
    assert source.classes == ("sea", "sea|sun")
    assert source.notes == ("'sea|sun' is read as one class; call the column labels for several",)


def test_whole_numbers_called_label_are_classes_and_called_value_are_numbers(table: Table) -> None:
    assert manifest(table("path,label\na.jpg,10\nb.jpg,2\n")).classes == ("2", "10")
    source = manifest(table("path,value\na.jpg,10\nb.jpg,-2.5e1\n"))
    assert labels(source) == {"a.jpg": 10.0, "b.jpg": -25.0}
    assert source.classes == ()


def test_any_column_can_be_the_number_when_the_caller_says_so(table: Table) -> None:
    path = table("path;label;Price\na.jpg;x;1,5\nb.jpg;y;20\n")
    assert labels(manifest(path, label="price", kind="number")) == {"a.jpg": 1.5, "b.jpg": 20.0}
    source = open_source(f"{path}::price=number")
    assert [item.label for item in source.read("all")] == [1.5, 20.0]
    assert open_source(f"{path}::price").classes == ("1,5", "20")


def test_images_that_are_not_there_are_counted_and_named(table: Table) -> None:
    source = manifest(table("path,label\na.jpg,x\nb.jpg,y\nno1.jpg,x\nno2.jpg,y\n"))
    assert source.notes == ("2 images of the table are not there: 'no1.jpg', 'no2.jpg'",)
    assert [(one.name, one.reason) for one in source.skipped] == [
        ("no1.jpg", "not there"), ("no2.jpg", "not there")
    ]  # fmt: skip


def test_rows_without_use_are_skipped_with_the_reason(table: Table) -> None:
    content = "path,label\na.jpg,x\nb.jpg,y\na.jpg,x\nd.jpg,\nphotos.csv,x\n"
    assert {one.name: one.reason for one in manifest(table(content)).skipped} == {
        "a.jpg": "named more than once",
        "d.jpg": "without a label",
        "photos.csv": "not an image (.csv)",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("path,label\n", "names nothing to learn from"),
        ("path,colour\na.jpg,x\n", "has no column label: its columns are path, colour"),
        ("label,colour\na,x\n", "has no column path"),
        ("path,label\n,x\n", "row 2 of .* names no image"),
        ("path,label\na.jpg,x\na.jpg,y\n", "row 3 of .* labels 'a.jpg' anew"),
        ("path,label\nno.jpg,x\n", "none of the 1 images .* such as 'no.jpg'"),
        ("path,value\na.jpg,1\nb.jpg,many\n", "row 3 of .* has 'many' for a number"),
        ("path,value\na.jpg,1\nb.jpg,nan\n", "row 3 of .* has 'nan' for a number"),
        (b"path,label\na.jpg,caf\xe9\n", "row 2 of .* is not UTF-8"),
        ('path,label\na.jpg,"x\n', "row 2 of .* cannot be read: "),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_a_hint(
    table: Table, content: str | bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        manifest(table(content))


def test_an_unknown_column_or_kind_is_refused_with_the_nearest(table: Table) -> None:
    path = table("path,label,price\na.jpg,x,1\nb.jpg,y,2\n")
    with pytest.raises(DataError, match="did you mean price"):
        manifest(path, label="prise")
    with pytest.raises(UsageError, match="did you mean number"):
        manifest(path, kind="numbers")


def test_house_prices_are_numbers_by_house(shared_data: Path, tmp_path: Path) -> None:
    images = shared_data / "houses" / "images"
    rows = [
        f"{images / (house + '_frontal.jpg')},{price},{house}"
        for house, *_, price in (
            line.split(",") for line in (images.parent / "houses.csv").read_text().split()[1:]
        )
    ]
    (tmp_path / "houses.csv").write_text("\n".join(["path,target,group", *rows]))
    source = manifest(tmp_path / "houses.csv")
    assert len(source.read("all")) == 402 and source.notes == ()
    assert source.read("all")[0].label == 869500.0


def test_a_column_called_count_holds_whole_numbers_from_0_on(table: Table) -> None:
    source = manifest(table("path,count\na.jpg,3\nb.jpg,0\nsub/c.PNG,2.0\n"))
    assert labels(source) == {"a.jpg": Count(3), "b.jpg": Count(0), "sub/c.PNG": Count(2)}
    assert all(type(label) is Count for label in labels(source).values())
    assert source.classes == ()
    for cell in ("-1", "1.5", "many"):
        with pytest.raises(DataError, match=f"row 2 .* has '{cell}' for a"):
            manifest(table(f"path,count\na.jpg,{cell}\n"))


def test_any_column_is_a_count_where_the_caller_says_so(table: Table) -> None:
    source = manifest(table("path,birds\na.jpg,7\n"), label="birds", kind="count")
    assert labels(source) == {"a.jpg": Count(7)}
