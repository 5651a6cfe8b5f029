"""Copies by answer: whole, never over another file, and the same however often they are made."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade import cli
from saccade.data.item import EncodedImage, ImageFile, Item
from saccade.errors import UsageError
from saccade.evaluation.copies import Copies, folder_names, safe_folder
from saccade.files import write_new
from saccade.runs.run import Run
from saccade.tasks.classification import Classification, Prediction
from saccade.tasks.multilabel import Multilabel, MultilabelPrediction
from saccade.tasks.regression import Regression


def files(folder: Path) -> dict[str, bytes]:
    """The files below a folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def answer(name: str, said: str, *, accepted: bool = True) -> Prediction:
    return Prediction(name, (said,), (0.9,), accepted)


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """Two images of one name and one content, one of that name with another, and one of bytes."""
    for number, content in enumerate((b"one", b"one", b"two")):
        folder = tmp_path / "images" / f"{number}"
        folder.mkdir(parents=True)
        (folder / "a.png").write_bytes(content)
    found = [Item(p.name, None, ImageFile(p)) for p in sorted(tmp_path.rglob("a.png"))]
    return [*found, Item("image 3", None, EncodedImage(b"\x89PNG..."))]


def copies_of(folder: Path, items: list[Item], task: object = None) -> Copies:
    copies = Copies(folder, task or Classification.plain(("cat", "dog")))  # type: ignore[arg-type]
    for number, item in enumerate(items):
        copies.take(item, answer(item.name, "cat", accepted=number != 3))
    return copies


def test_each_image_is_copied_once_with_numbers_where_names_are_equal(
    tmp_path: Path, items: list[Item]
) -> None:
    copies = copies_of(tmp_path / "out", items)
    expected = {
        "cat/a.png": b"one",
        "cat/a (2).png": b"one",
        "cat/a (3).png": b"two",
        "unknown/image 3.png": b"\x89PNG...",
    }
    assert files(tmp_path / "out") == expected
    assert copies.sentence() == f"4 copied into {tmp_path / 'out'}: 3 into cat, 1 into unknown"
    again = copies_of(tmp_path / "out", items)
    assert files(tmp_path / "out") == expected
    assert again.sentence() == f"0 copied into {tmp_path / 'out'}; 4 were there already"
    assert files(tmp_path / "images").keys() == {"0/a.png", "1/a.png", "2/a.png"}


def test_what_lies_there_is_never_overwritten(tmp_path: Path, items: list[Item]) -> None:
    place = tmp_path / "out" / "cat"
    place.mkdir(parents=True)
    (place / "a.png").write_bytes(b"somebody's")
    (place / "a (2).png").symlink_to(tmp_path / "nowhere")
    copies_of(tmp_path / "out", items[:1])
    assert (place / "a.png").read_bytes() == b"somebody's"
    assert (place / "a (3).png").read_bytes() == b"one"
    assert not (tmp_path / "nowhere").exists()
    assert not write_new(place / "a.png", b"new")


def test_several_labels_are_several_folders_and_none_is_one_too(
    tmp_path: Path, items: list[Item]
) -> None:
    copies = Copies(tmp_path / "out", Multilabel.plain(("cat", "dog")))
    both = {"classes": ("cat", "dog"), "probabilities": (0.9, 0.8)}
    copies.take(items[0], MultilabelPrediction("a", **both, labels=("cat", "dog")))
    copies.take(items[2], MultilabelPrediction("a", **both))
    assert files(tmp_path / "out") == {
        "cat/a.png": b"one",
        "dog/a.png": b"one",
        "none/a.png": b"two",
    }


def test_numbers_are_refused_with_what_works(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Copies(tmp_path / "out", Regression.plain(()))
    assert "--csv" in caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("cat", "cat"),
        ("a/b\\c:d", "a_b_c_d"),
        ("../up", "_._up"),
        ("..", "_"),
        (".hidden", "_hidden"),
        ("con", "con_"),
        ("Aux.x", "Aux.x_"),
        ("dot. ", "dot"),
        ("\n", "_"),
        ("été", "été"),
        ("x" * 500, "x" * 120),
    ],
)
def test_a_class_is_a_folder_that_every_disk_takes(name: str, folder: str) -> None:
    assert safe_folder(name) == folder


def test_two_classes_never_share_a_folder() -> None:
    names = folder_names(["unknown", "Cat", "cat", "a/b", "a:b", "unknown", "é", "e\u0301"])
    assert names == [
        "unknown",
        "Cat",
        "cat (2)",
        "a_b",
        "a_b (2)",
        "unknown (2)",
        "é",
        "e\u0301 (2)",
    ]


def images(folder: Path, count: int = 5) -> Path:
    folder.mkdir()
    for number in range(count):
        Image.fromarray(np.full((8, 8), 40 * number, np.uint8)).save(folder / f"{number}.png")
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    return folder


def test_the_command_copies_what_it_says_and_names_what_it_cannot_read(
    trained: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder, out, page = images(tmp_path / "new"), tmp_path / "out", tmp_path / "page.html"
    line = ["predict", str(trained.path), str(folder), "--copy-to", str(out), "--html", str(page)]
    assert cli.main([*line, "--json"]) == 4
    told = capsys.readouterr()
    answers = json.loads(told.out)["predictions"]
    expected = {f"{a['classes'][0]}/{Path(a['name']).name}" for a in answers}
    assert files(out).keys() == expected
    assert len(expected) == 5
    assert [record.message.split(":")[0] for record in caplog.records] == ["unreadable"]
    assert f"note: the page is {page}" in told.err
    text = page.read_text("utf-8")
    assert text.count("<figure") == 5
    assert "<script" not in text
    assert cli.main(line) == 4  # the page is its own, and can be replaced
    assert files(out).keys() == expected


def test_copies_among_the_images_themselves_are_refused(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = images(tmp_path / "new")
    for place in (folder, folder / "sorted"):
        line = ["predict", str(trained.path), str(folder), "--copy-to", str(place)]
        assert cli.main(line) == 2
        assert "would lie among the images" in capsys.readouterr().err
    assert len(files(folder)) == 6


def test_a_stopped_command_has_whole_copies_and_goes_on(
    trained: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, out, page = images(tmp_path / "new"), tmp_path / "out", tmp_path / "page.html"
    take = Copies.take

    def stop_at_the_third(self: Copies, *given: object) -> None:
        take(self, *given)  # type: ignore[arg-type]
        if self.copied.total() == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Copies, "take", stop_at_the_third)
    line = ["predict", str(trained.path), str(folder), "--copy-to", str(out), "--html", str(page)]
    assert cli.main(line) == 130
    assert len(files(out)) == 3
    assert "It ended early: stopped after" in page.read_text("utf-8")
    assert "the same line again copies the rest" in capsys.readouterr().err
    monkeypatch.undo()
    assert cli.main(line) == 4
    assert sorted(Path(name).name for name in files(out)) == [f"{n}.png" for n in range(5)]


def test_objects_of_python_are_written_as_they_were_read(trained: Run, tmp_path: Path) -> None:
    pixels = np.arange(128, dtype=np.uint8).reshape(2, 8, 8)
    page = tmp_path / "page.html"
    told = saccade.predict(trained, pixels, copy_to=tmp_path / "out", html=page)
    for number, prediction in enumerate(told):
        copy = tmp_path / "out" / prediction.best / f"image {number}.png"
        assert np.array_equal(np.array(Image.open(copy)), pixels[number])
    assert told.notes[-1] == f"the page is {page}"
