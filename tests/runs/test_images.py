"""images.csv: what the images of a run held, and what is said where they changed or were moved."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.data.doctor.doctor import examine
from saccade.data.sources import open_source
from saccade.data.split_table import write_split
from saccade.data.splits import split_data
from saccade.errors import DataError
from saccade.runs.images import (
    change_note,
    move,
    read_images,
    source_of,
    split_of,
    training_overlap,
    write_images,
)
from saccade.runs.run import Run


def photo(seed: int) -> Image.Image:
    """A blurred pattern, of 64 x 64 pixels, that no other seed has."""
    coarse = np.random.default_rng(seed).integers(0, 255, (12, 12, 3)).astype(np.uint8)
    fine = np.random.default_rng(seed + 500).integers(-40, 40, (64, 64, 1))
    large = np.asarray(Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC))
    return Image.fromarray((large.astype(int) + fine).clip(0, 255).astype(np.uint8))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run folder as it is before the first step, of two classes of ten photographs."""
    for k in range(20):
        file = tmp_path / "photos" / "ab"[k % 2] / f"{k:02d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        photo(k).save(file)
    source = open_source(tmp_path / "photos")
    (tmp_path / "run").mkdir()
    run, division = Run(tmp_path / "run"), split_data(source)
    case = examine(source).case
    names = [item.name for item in case.items]
    write_split(run.path / "split.csv", division)
    (run.path / "classes.txt").write_text("a\nb\n")
    write_images(run.path, division.items, dict(zip(names, case.table, strict=True)))
    run.log("started", data=str(tmp_path / "photos"))
    return run


def overlap(run: Run, folder: Path) -> tuple[int, int]:
    return training_overlap(run, list(open_source(folder).read("all")), None)


def copied(run: Run, folder: Path, quality: int = 0) -> Path:
    """All images of the run under other names, saved again as JPEG where a quality is given."""
    place = run.path.parent / "photos"
    for k, file in enumerate(sorted(place.rglob("*.png"))):
        other = folder / file.parent.name / f"IMG_{k}.{'jpg' if quality else 'png'}"
        other.parent.mkdir(parents=True, exist_ok=True)
        if quality:
            Image.open(file).save(other, quality=quality)
        else:
            shutil.copyfile(file, other)
    return folder


def test_digests_are_written_with_and_without_the_doctor(run: Run) -> None:
    with_doctor = read_images(run.path)
    assert len(with_doctor) == 20 and all(row["structure"] > 0 for row in with_doctor.values())
    write_images(run.path, split_of(run).items, {})
    without = read_images(run.path)
    assert {n: row["digest"] for n, row in without.items()} == {
        n: row["digest"] for n, row in with_doctor.items()
    }


def test_training_images_are_known_under_other_names_and_from_another_place(
    run: Run, tmp_path: Path
) -> None:
    n = len(split_of(run).train)
    others = copied(run, tmp_path / "others")
    assert overlap(run, tmp_path / "photos") == overlap(run, others) == (n, 0)
    photo(99).save(tmp_path / "photos" / "a" / "new.png")
    assert overlap(run, tmp_path / "photos") == (n, 0)
    shutil.rmtree(tmp_path / "photos")
    assert overlap(run, others) == (n, 0)


def test_saved_again_they_are_near_copies_even_when_the_first_are_gone(
    run: Run, tmp_path: Path
) -> None:
    n = len(split_of(run).train)
    again = copied(run, tmp_path / "again", quality=90)
    assert overlap(run, again) == (0, n)
    shutil.rmtree(tmp_path / "photos")
    same, near = overlap(run, again)
    assert same == 0 and n * 2 // 3 <= near <= n  # by hashes alone some are missed


def test_other_images_are_no_copies(run: Run, tmp_path: Path) -> None:
    for k in range(10):
        file = tmp_path / "others" / "ab"[k % 2] / f"{k}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        photo(1000 + k).save(file)
    assert overlap(run, tmp_path / "others") == (0, 0)


def test_a_moved_source_is_told_where_it_is_and_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"the run .* was trained on it") as caught:
        source_of(run)
    assert "evaluate" in caught.value.hint and "--data" in caught.value.hint
    move(run, tmp_path / "elsewhere")
    assert run.data == str(tmp_path / "elsewhere")
    assert len(split_of(run).items) == 20


def test_a_place_with_other_contents_is_refused(run: Run, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tmp_path / "photos", tmp_path / "other"))
    photo(77).save(other / "a" / "00.png")
    with pytest.raises(DataError, match=r"1 images of .* hold something else .*: 'a/00.png'"):
        move(run, other)
    (other / "a" / "00.png").unlink()
    with pytest.raises(DataError, match=r"names 1 images that 'other' lacks: 'a/00\.png'"):
        move(run, other)
    assert run.data == str(tmp_path / "photos")


def test_replaced_images_are_noted(run: Run, tmp_path: Path) -> None:
    assert change_note(run, split_of(run).items) == []
    photo(77).save(tmp_path / "photos" / "b" / "01.png")
    assert change_note(run, split_of(run).items) == [
        "1 images hold something else since the run began: 'b/01.png'"
    ]


def test_a_class_that_the_run_does_not_know_is_refused(run: Run, tmp_path: Path) -> None:
    """The rows of the last layer would stand for other classes."""
    table = tmp_path / "t.csv"
    rows = [f"photos/{i.name},{i.label}" for i in split_of(run).items]
    table.write_text("\n".join(["path,label", *rows]))
    write_split(run.path / "split.csv", split_data(open_source(table)))
    run.log("moved", data=str(table))
    assert len(split_of(run).items) == 20
    table.write_text("\n".join(["path,label", *rows]).replace(",b", ",zebra"))
    with pytest.raises(DataError, match=r"'t' holds 'zebra' \(10\), which is no known class"):
        split_of(run)


def test_a_run_of_an_earlier_version_has_no_digests(run: Run) -> None:
    (run.path / "images.csv").unlink()
    assert read_images(run.path) == {}
    assert change_note(run, split_of(run).items) == []
