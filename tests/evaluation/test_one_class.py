"""One class, one image, no labels, no run: fine wherever nothing must be learned."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.data.sources import open_images, open_source
from saccade.errors import DataError, UsageError
from saccade.runs.run import Run


@pytest.fixture
def sevens(tmp_path: Path) -> Path:
    """A folder with the class 7 alone."""
    items = [i for i in open_source("digits").read("all") if i.label == "7"]
    (tmp_path / "scrap" / "7").mkdir(parents=True)
    for k, item in enumerate(items[:5]):
        Image.fromarray(np.asarray(item.image.read())).save(tmp_path / f"scrap/7/{k}.png")
    return tmp_path / "scrap"


def test_one_class_is_measured_and_the_others_are_noted(trained: Run, sevens: Path) -> None:
    result = saccade.evaluate(trained.path, sevens)
    assert result.n == 5 and 0 <= result.accuracy <= 1
    assert result.notes[0].startswith("the data has no image of 9 of 10 classes: '0', '1', '2'")


def test_one_image_is_measured(trained: Run, sevens: Path) -> None:
    for file in sorted((sevens / "7").iterdir())[1:]:
        file.unlink()
    assert saccade.evaluate(trained.path, sevens).n == 1


def test_one_class_is_not_trained_on(sevens: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds one class only: '7'"):
        saccade.train(sevens, out=tmp_path / "run")


def test_images_without_labels_are_examined_and_have_features(
    trained: Run, sevens: Path, tmp_path: Path
) -> None:
    assert saccade.doctor(sevens / "7").count == 5
    written = saccade.features(trained.path, sevens / "7", out=tmp_path / "features")
    assert written.shape[0] == 5
    assert (tmp_path / "features" / "manifest.csv").read_text().splitlines()[1] == "0.png,,all"
    one = saccade.features(trained.path, sevens / "7" / "0.png", out=tmp_path / "one")
    assert one.shape[0] == 1
    with pytest.raises(DataError, match="lie in no class folders"):
        saccade.evaluate(trained.path, sevens / "7")


def test_what_is_no_image_stays_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.xyz").write_text("")
    for path in (tmp_path / "notes.xyz", tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError):
            open_images(path)


def test_a_bundle_without_its_run_is_evaluated(trained: Run, sevens: Path, tmp_path: Path) -> None:
    bundle = shutil.copytree(trained.path / "bundle", tmp_path / "bundle")
    alone, with_run = (saccade.evaluate(path, sevens) for path in (bundle, trained.path))
    assert str(alone.metrics) == str(with_run.metrics)  # of NaN too
    assert "which images the network was trained on only its run knows" in alone.notes
    with pytest.raises(UsageError, match="has no images of its own"):
        saccade.evaluate(bundle)
    saccade.evaluate(bundle, sevens, out=tmp_path / "out.csv")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 6


@pytest.mark.parametrize("top", [0, -1])
def test_how_many_classes_are_named_is_one_or_more(trained: Run, sevens: Path, top: int) -> None:
    with pytest.raises(UsageError, match=f"--top cannot be '{top}'"):
        saccade.predict(trained.path, sevens / "7" / "0.png", top=top)
