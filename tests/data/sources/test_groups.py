"""Groups by what a person wrote: a column, a folder, a pattern; what groups nothing is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from saccade.data.item import ImageArray, Item
from saccade.data.sources.groups import grouping_note, grouping_of, refuse_alone, refuse_idle
from saccade.errors import DataError, SaccadeError

BLANK = ImageArray(np.zeros((8, 8), np.uint8))
ITEMS = [Item(f"p/{k}.png", "ab"[k % 2], BLANK) for k in range(6)]


def names(text: str, data: Path | None = None) -> dict[str, str | None]:
    grouping = grouping_of(text, data)
    return {item.name: grouping(item) for item in ITEMS}


def table(folder: Path, column: str, cells: str) -> Path:
    rows = [f"{item.name},{item.label},{cell}" for item, cell in zip(ITEMS, cells, strict=True)]
    path = folder / "t.csv"
    path.write_text("\n".join([f"path,label,{column}", *rows]))
    return path


def test_a_column_of_the_table_is_the_group(tmp_path: Path) -> None:
    data = table(tmp_path, "patient_id", "xxyyzz")
    assert list(names("patient_id", data).values()) == list("xxyyzz")
    assert list(names("Patient_ID", data).values()) == list("xxyyzz")
    assert list(names(f"{data}::patient_id").values()) == list("xxyyzz")


def test_images_with_an_empty_cell_are_in_no_group(tmp_path: Path) -> None:
    found = names("house", table(tmp_path, "house", "xx yy "))
    assert list(found.values()) == ["x", "x", None, "y", "y", None]
    note = grouping_note("data.group=house", found)
    assert note == (
        "data.group=house makes 2 groups, such as 'x'; 2 images are in none and stand alone, such "
        "as 'p/2.png'"
    )


def test_a_column_comes_before_a_word(tmp_path: Path) -> None:
    """What exists comes first."""
    assert names("folder", table(tmp_path, "folder", "xxyyzz"))["p/0.png"] == "x"
    assert names("folder")["p/0.png"] == "p"


def test_a_column_that_is_there_twice_is_no_pattern(tmp_path: Path) -> None:
    data = tmp_path / "t.csv"
    data.write_text("path,label,House,house\np/0.png,a,x,y\n")
    with pytest.raises(DataError, match="has 2 columns called 'HOUSE'"):
        names("HOUSE", data)
    assert names("house", data)["p/0.png"] == "y"


@pytest.mark.parametrize(
    ("text", "why", "made"),
    [
        ("patinet_([0-9]+)", "tells nothing of these images", "of 'p/0.png' nothing, of 'p/1.png'"),
        ("p/", "makes one group of all images", "of 'p/0.png' 'p/', of 'p/1.png' 'p/'"),
        ("[0-9]", "makes a group of each image", "of 'p/0.png' '0', of 'p/1.png' '1'"),
    ],
)
def test_what_groups_nothing_is_refused_with_three_names(text: str, why: str, made: str) -> None:
    with pytest.raises(SaccadeError) as caught:
        refuse_idle("data.group", names(text))
        refuse_alone("data.group", names(text))
    assert caught.value.what.startswith(f"data.group {why}: it makes {made}")
    assert "'p/2.png'" in caught.value.what and "'p/3.png'" not in caught.value.what
