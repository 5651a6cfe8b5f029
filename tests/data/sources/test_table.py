"""manifest: tables as people have them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.item import Count, Label, Source
from saccade.data.sources import open_source
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


def labels(source: Source, split: str = "all") -> dict[str, Label]:
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


@pytest.mark.parametrize(
    "content",
    [
        "sep=;\npath;label\na.jpg;cat\nb.jpg;dog\n",
        "sep=\t\r\npath\tlabel\r\na.jpg\tcat\r\nb.jpg\tdog\r\n",
        "# exported 2024, by me\n\n# twice\npath,label\na.jpg,cat\n# the end, of cats\nb.jpg,dog\n",
        "\n\n  \npath,label\na.jpg,cat\nb.jpg,dog\n",
        "# path, label\na.jpg,cat\nb.jpg,dog\n",
        "image_id,label\na.jpg,cat\nb.jpg,dog\n",
        "label,photo of it\ncat,a.jpg\ndog,b.jpg\n",
        "path,label\na,cat\nb,dog\n",
        "a,cat\nb,dog\n",
        "cat,a.jpg\ndog,b.jpg\n",
        "a.jpg cat\nb.jpg  dog\n",
        "path|label\na.jpg|cat\nb.jpg|dog\n",
        "path,label\nA.JPG,cat\nB.jpg,dog\n",
        "path,label\nphotos/a.jpg,cat\nphotos/b.jpg,dog\n",
        "path,label\nC:\\Users\\me\\photos\\a.jpg,cat\nC:\\Users\\me\\photos\\b.jpg,dog\n",
        "path,label\na.jpg,cat,\nb.jpg,dog,,\n",
        "path,label,\na.jpg,cat\nb.jpg,dog\n",
        "path,cat,dog\na.jpg,1,0\nb.jpg,0,1\n",
        "path, cat, dog\na.jpg, 1.0, 0.0\nb.jpg, 0.0, 1.0\n",
        ",image,cat,dog\n0,a.jpg,True,False\n1,b.jpg,False,True\n",
    ],
)
def test_tables_of_the_world_are_read_as_meant(table: Table, content: str) -> None:
    assert labels(manifest(table(content))) == {"a.jpg": "cat", "b.jpg": "dog"}


def test_images_in_a_folder_beside_the_table_are_found_and_said(tree: Tree) -> None:
    root = tree("train/1.jpg", "train/2.jpg", "other/3.jpg")
    (root / "t.csv").write_text("id,label\n1,cat\n2,dog\n")
    source = manifest(root / "t.csv")
    assert labels(source) == {"train/1.jpg": "cat", "train/2.jpg": "dog"}
    assert "the images that the table names lie in 'train'" in source.notes
    (root / "other/1.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"row 2 of .* several files fit '1': "):
        manifest(root / "t.csv")


def test_an_id_that_several_files_fit_is_refused_with_its_row(tree: Tree) -> None:
    root = tree("1.jpg", "1.png", "2.jpg")
    (root / "t.csv").write_text("path,label\n2,cat\n1,dog\n")
    with pytest.raises(DataError, match=r"row 3 .* several files fit '1': '1.jpg', '1.png'"):
        manifest(root / "t.csv")


def test_accents_in_another_normal_form_than_the_disks_are_read(tree: Tree) -> None:
    root = tree("cafe\u0301.jpg", "na\u00efve.jpg")
    (root / "t.csv").write_text(
        "p\u00e2th,lab\u00e9l\ncaf\u00e9.jpg,a\nnai\u0308ve.jpg,b\n", "utf-8"
    )
    source = manifest(root / "t.csv", label="labe\u0301l")
    assert labels(source) == {"cafe\u0301.jpg": "a", "na\u00efve.jpg": "b"}
    assert any("2 images have another spelling on the disk" in note for note in source.notes)


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        ("path,label\na.jpg,salt, white\n", "row 2 .* 3 cells, the header 2", "comma .* in quotes"),
        ("path;label\na.jpg;x\nb.jpg;y;z\n", "row 3 .* 3 cells", "semicolon .* in quotes"),
        ("# x\n\npath,label,split\na.jpg,x,train\nb.jpg,y\n", "row 5 .* 2 cells", "empty"),
        ("path,label,label\na.jpg,x,y\n", "2 columns called 'label'", "rename"),
        ("x,y,label\na.jpg,b.jpg,1\n", "'x' and 'y' .* name files both", "path"),
        ("path,a,b\na.jpg,1,1\nb.jpg,2,0\n", "has no column label", "say which, as in '.*::a'"),
    ],
)
def test_a_row_that_could_be_meant_otherwise_is_refused(
    table: Table, content: str, message: str, hint: str
) -> None:
    with pytest.raises(DataError) as error:
        manifest(table(content))
    assert re.search(message, error.value.what) and re.search(hint, error.value.hint)


def test_columns_of_0_and_1_are_several_classes_where_a_row_has_several(table: Table) -> None:
    path = table("path,sea,sun,rain\na.jpg,1,1,0\nb.jpg,0,0,0\nd.jpg,0,1,0\n")
    source = manifest(path)
    assert labels(source) == {"a.jpg": ("sea", "sun"), "b.jpg": (), "d.jpg": ("sun",)}
    assert source.notes == (
        "the columns sea,sun,rain are read as several classes", "no image has the class 'rain'"
    )  # fmt: skip
    assert open_source(f"{path}::sea,sun=several").classes == ("sea", "sun")
    with pytest.raises(DataError, match=r"row 2 of .* has several classes: sea, sun"):
        open_source(f"{path}::sea,sun=class")


@pytest.mark.parametrize(
    "cells",
    [
        ['"a,haze"', '"b, haze"', "a"],
        ["\"['a', 'haze']\"", "\"['b', 'haze']\"", "['a']"],
        ['"[""a"", ""haze""]"', '"[""b"",""haze""]"', '"[""a""]"'],
        ["['a' 'haze']", "['b' 'haze']", "['a']"],
        ['"{a,haze}"', '"{b,haze}"', "{a}"],
        ['"[a, haze]"', '"[b, haze]"', "[a]"],
        ['"{a,""haze""}"', '"{""b"",haze}"', '"{""a""}"'],
        ['"[\'a\', ""haze""]"', "\"('b', 'haze')\"", "\"('a',)\""],
        ["\"[np.str_('a'), np.str_('haze')]\"", "\"{'b', 'haze'}\"", "a"],
        ["a;haze", "b ; haze", "a"],
        ["a|haze", "b|haze|", "a"],
    ],
)
def test_several_labels_are_parted_as_the_column_parts_them(table: Table, cells: list[str]) -> None:
    rows = zip(("a.jpg", "b.jpg", "d.jpg"), cells, strict=True)
    source = manifest(table("path,tags\n" + "".join(f"{name},{cell}\n" for name, cell in rows)))
    assert list(labels(source).values()) == [("a", "haze"), ("b", "haze"), ("a",)]


def test_names_in_quotes_where_needed_and_numbers_in_lists_are_all_read(table: Table) -> None:
    path = table("""path;tags\na.jpg;"{cat,""polar bear"",""a,\\\\b""}"\nb.jpg;['b', 3]\n""")
    assert labels(manifest(path)) == {"a.jpg": ("cat", "polar bear", "a,\\b"), "b.jpg": ("b", "3")}
    path = table("path;tags\na.jpg;[1. 0.]\nb.jpg;{dog's,c}\n")
    assert labels(manifest(path)) == {"a.jpg": ("1.", "0."), "b.jpg": ("dog's", "c")}


@pytest.mark.parametrize(
    "cell",
    ["['a', b]", "['a' 'b', 'c']", "['a', ['b']]", "['a', None]", "{a,{b}}", "[a b]", "{a,NULL}"],
)
def test_a_list_with_a_part_that_is_no_name_is_refused_by_its_row(table: Table, cell: str) -> None:
    with pytest.raises(DataError, match=r"row 2 of .* for a class") as error:
        manifest(table(f"path;tags\na.jpg;{cell}\nb.jpg;['a']\n"))
    assert 'as in ["cat", "polar bear"]' in error.value.hint


def test_a_separator_is_of_one_character(table: Table) -> None:
    path = table("path,tags\na.jpg,cat and dog\nb.jpg,dog\n")
    with pytest.raises(UsageError, match="several:and names no separator"):
        open_source(f"{path}::tags=several:and")


def test_a_decimal_comma_is_one_in_notes_too_and_no_number_has_an_underscore(table: Table) -> None:
    assert manifest(table("path;target\na.jpg;0\nb.jpg;1\nd.jpg;1,5\n")).notes == ()
    note = manifest(table("path;label\na.jpg;0,5\nb.jpg;1\n")).notes[0]
    assert note.startswith("the numbers in 'label' are read as 2 classes")
    with pytest.raises(DataError, match="has '1_000' for a number"):
        manifest(table("path,value\na.jpg,1_000\n"))


def test_blanks_between_labels_are_asked_about_and_can_be_said(table: Table) -> None:
    path = table("path,tags\na.jpg,golden retriever\nb.jpg,pug\n")
    with pytest.raises(DataError, match=r"hold blanks .* such as 'golden retriever'"):
        manifest(path)
    assert open_source(f"{path}::tags=several:blank").classes == ("golden", "pug", "retriever")
    assert open_source(f"{path}::tags=several:bar").classes == ("golden retriever", "pug")
    path = table("path,tags\na.jpg,a/b\nb.jpg,a\n")
    assert open_source(f"{path}::tags=several:/").classes == ("a", "b")


def test_a_column_with_brackets_or_an_equals_sign_is_a_column(table: Table) -> None:
    path = table("image,price (EUR),a=b\na.jpg,1.5,x\nb.jpg,2,y\n")
    source = open_source(f"{path}::price (EUR)=number")
    assert [item.label for item in source.read("all")] == [1.5, 2.0]
    assert open_source(f"{path}::price (EUR)").classes == ("1.5", "2")
    assert open_source(f"{path}::a=b").classes == ("x", "y")
    assert open_source(f"{path}::a=b=class").classes == ("x", "y")
    assert open_source(f"{path}::PRICE (eur)=number").classes == ()


def test_what_a_column_was_taken_for_is_said_where_it_could_be_meant_otherwise(
    table: Table,
) -> None:
    path = table("path,target\na.jpg,0\nb.jpg,1\nd.jpg,1\n")
    assert manifest(path).notes == (
        f"'target' holds 0 to 1 alone and is read as numbers; for classes write "
        f"'{path}::target=class'",
    )
    assert open_source(f"{path}::target=class").classes == ("0", "1")
    path = table("path,label\na.jpg,0.25\nb.jpg,1\n")
    assert "for numbers write" in manifest(path).notes[0]
    assert open_source(f"{path}::label=number").notes == ()
    note = manifest(table("path,label\na.jpg,x\nb.jpg,NaN\n")).notes[0]
    assert note.startswith("'NaN' in 'label' is read as a class")
    with pytest.raises(DataError, match=r"row 2 .* 'cat' for a number\nhint: .*::target=class'"):
        manifest(table("path,target\na.jpg,cat\n"))


@pytest.mark.parametrize("column", ["label", "labels"])
@pytest.mark.parametrize(("cell", "mark"), [("cat/dog", "slash"), ("cat+dog", "+")])
def test_a_cell_of_what_other_cells_hold_alone_is_asked_about(
    table: Table, column: str, cell: str, mark: str
) -> None:
    path = table(f"path,{column}\na.jpg,{cell}\nb.jpg,dog\nd.jpg,cat\n")
    with pytest.raises(DataError, match="may be one class or several") as error:
        manifest(path)
    assert f"'{path}::{column}=several:{mark}' for several" in error.value.hint
    several = labels(manifest(path, label=column, kind=f"several:{mark}"))
    assert several == {"a.jpg": ("cat", "dog"), "b.jpg": ("dog",), "d.jpg": ("cat",)}
    assert labels(manifest(path, label=column, kind="class"))["a.jpg"] == cell


def test_lists_may_stand_beside_single_labels(table: Table) -> None:
    path = table('path,labels\na.jpg,"[""cat"", ""dog""]"\nb.jpg,dog\nd.jpg,set()\n')
    assert labels(manifest(path)) == {"a.jpg": ("cat", "dog"), "b.jpg": ("dog",), "d.jpg": ()}
    with pytest.raises(DataError, match="holds lists and other cells"):
        manifest(table("path,labels\na.jpg,\"['cat']\"\nb.jpg,dog;cat\n"))


def test_a_separator_that_parts_nothing_is_refused(table: Table) -> None:
    path = table("path,labels\na.jpg,cat;dog\nb.jpg,dog\n")
    with pytest.raises(UsageError, match="several:slash has no effect"):
        open_source(f"{path}::labels=several:slash")


def test_a_row_behind_a_hash_is_a_comment_where_it_names_no_image_and_is_counted(
    table: Table, tree: Tree
) -> None:
    tree("in/#0.png")
    rows = "#sun,a.jpg\n# of cats, and more\ncat,in/#0.png\n#sun,#0.png\n#,c,d\n"
    source = manifest(table(f"label,path\n{rows.replace('#sun,#0.png', 'cat,b.jpg')}"))
    assert labels(source) == {"a.jpg": "#sun", "in/#0.png": "cat", "b.jpg": "cat"}
    assert source.notes == ("2 rows behind a # are comments, such as row 3",)
    source = manifest(table("path,label\n#0.png,cat\n"))
    assert labels(source) == {"in/#0.png": "cat"}
    assert labels(manifest(table("#sun,a.jpg\ncat,b.jpg\n"))) == {"a.jpg": "#sun", "b.jpg": "cat"}


def test_an_object_of_json_is_no_class(table: Table) -> None:
    with pytest.raises(DataError, match="for a class"):
        manifest(table('path,label\na.jpg,"{""id"": 1}"\nb.jpg,dog\n'))


@pytest.mark.parametrize(
    ("cell", "hint"),
    [("16 0", "::target=several:blank'"), ("NA", "leave the cell empty"), ("low", "target=class")],
)
def test_what_is_no_number_gets_the_hint_that_fits(table: Table, cell: str, hint: str) -> None:
    with pytest.raises(DataError) as error:
        manifest(table(f"path,target\na.jpg,{cell}\nb.jpg,1\n"))
    assert hint in error.value.hint


@pytest.mark.parametrize(
    "content",
    [
        '"path" "label"\n"1" "a.jpg" "cat"\n"2" "b.jpg" "dog"\n',  # write.table of R
        '"label"\t"size"\n"a.jpg"\t"cat"\t3\n"b.jpg"\t"dog"\t4\n',
        "\ufeff\ufeffpath,label\na.jpg,cat\nb.jpg,dog\n",
    ],
    ids=["row numbers", "row names", "two marks"],
)
def test_a_header_may_lack_the_name_of_the_first_column(table: Table, content: str) -> None:
    assert labels(manifest(table(content))) == {"a.jpg": "cat", "b.jpg": "dog"}


def test_a_comma_without_quotes_in_each_row_is_no_column_of_its_own(table: Table) -> None:
    for content in ("path,label\na.jpg,cat, tame\n", "label,path\ncat,x,a.jpg\ncat,y,b.jpg\n"):
        with pytest.raises(DataError, match="has 3 cells, the header 2"):
            manifest(table(content))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32"])
def test_text_of_another_width_is_named_by_its_row(table: Table, encoding: str) -> None:
    with pytest.raises(DataError, match="holds a zero byte"):
        manifest(table("path,label\na.jpg,cat\n".encode(encoding)))


@pytest.mark.parametrize("column", ["split", "group"])
def test_an_image_of_two_splits_or_groups_is_refused_by_its_row(table: Table, column: str) -> None:
    rows = "a.jpg,cat,train\nb.jpg,dog,train\na.jpg,cat,test\n"
    with pytest.raises(DataError, match="elsewhere than a row above"):
        manifest(table(f"path,label,{column}\n{rows}"))
    same = rows.replace("test", "train")
    assert len(manifest(table(f"path,label,{column}\n{same}")).skipped) == 1


def test_a_group_that_a_program_wrote_as_missing_is_none(table: Table) -> None:
    source = manifest(table("path,label,group\na.jpg,cat,NA\nb.jpg,dog,nan\nd.jpg,cat,7\n"))
    assert [item.group for item in source.read("all")] == [None, None, "7"]


def test_two_files_of_one_name_are_told_with_the_row(tree: Tree) -> None:
    root = tree("a.jpg", "a.png", "b.jpg")
    (root / "t.csv").write_text("id,label\nb,cat\na,dog\n")
    with pytest.raises(DataError, match=r"row 3 of .* is not clear: several files fit 'a'"):
        open_source(root / "t.csv")


def test_a_table_beside_images_of_no_classes_is_named(tree: Tree) -> None:
    root = tree("train/1.jpg", "train/2.jpg", "test/3.jpg")
    (root / "train.csv").write_text("id,label\n1,cat\n2,dog\n")
    with pytest.raises(DataError) as error:
        open_source(root)
    assert f"'{root / 'train.csv'}' lies beside the images" in error.value.hint
    assert labels(open_source(root / "train.csv")) == {"train/1.jpg": "cat", "train/2.jpg": "dog"}
