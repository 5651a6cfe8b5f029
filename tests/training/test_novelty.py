"""How novel an image is: fitted at the end of a training, kept in the bundle, said by predict."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

import saccade
from saccade import cli
from saccade.data.cache import decode_all
from saccade.data.item import Item
from saccade.data.sources import open_source
from saccade.data.split_table import read_split
from saccade.errors import UsageError, WeightsError
from saccade.models.backbone import backbone
from saccade.runs.run import Run
from saccade.tasks.classification import Prediction


def items(run: Run, split: str) -> list[Item]:
    return list(getattr(read_split(run.path / "split.csv", open_source("digits")), split))


def written(run: Run) -> list[float]:
    with (run.path / "predictions.csv").open(encoding="utf-8") as file:
        return [float(row["novelty"]) for row in csv.DictReader(file)]


def predictions_of(run: Run, images: list[Item], most: float | None = None) -> list[Prediction]:
    answers = run.bundle.predict_items(images, max_novelty=most)
    return [one for one in answers if isinstance(one, Prediction)]


def features(run: Run, split: str) -> np.ndarray:
    """By the rows of the network before its last layer."""
    images = decode_all(items(run, split), run.bundle.preprocessing, mode="memory").images
    with torch.inference_mode():
        rows = backbone(run.bundle.model)(images.take(torch.arange(len(images))))
    return np.asarray(normalize(rows.double().numpy()))


def test_the_novelty_of_test_images_agrees_with_scikit_learn(trained: Run) -> None:
    train = features(trained, "train")
    assert len(train) > 1000  # so that not all of them are remembered
    places = np.linspace(0, len(train) - 1, 1000).round().astype(int)
    nearest = NearestNeighbors(n_neighbors=1).fit(train[places])
    val, test = (nearest.kneighbors(features(trained, part))[0][:, 0] for part in ("val", "test"))
    expected = np.array([(val < score).sum() / (len(val) + 1) for score in test])
    result = np.array(written(trained))
    # features are kept to three digits: of near neighbours a few change places
    assert np.abs(result - expected).max() < 0.05 and np.abs(result - expected).mean() < 0.005


def test_predict_says_the_same_novelty_as_the_training(trained: Run) -> None:
    shares = [one.novelty for one in predictions_of(trained, items(trained, "test")[:40])]
    assert shares == pytest.approx(written(trained)[:40], abs=0.01)


def test_evaluate_writes_the_novelty_of_every_image(trained: Run, tmp_path: Path) -> None:
    saccade.evaluate(trained.path, out=tmp_path / "said.csv")
    with (tmp_path / "said.csv").open(encoding="utf-8") as file:
        again = [float(row["novelty"]) for row in csv.DictReader(file)]
    assert again == pytest.approx(written(trained), abs=0.01)


def test_what_is_more_novel_than_wished_is_unknown(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = predictions_of(trained, items(trained, "test"), most=0.9)
    assert [one.accepted for one in answers] == [(one.novelty or 0) <= 0.9 for one in answers]
    assert 0 < sum(not one.accepted for one in answers) < 0.25 * len(answers)
    Image.effect_noise((8, 8), 200).save(tmp_path / "noise.png")
    argv = ["predict", str(trained.path), str(tmp_path / "noise.png"), "--max-novelty", "0.9"]
    assert cli.main(argv) == 0
    lines = capsys.readouterr().out.splitlines()
    (share,) = [float(line.split()[1]) for line in lines if line.startswith("novelty ")]
    assert (lines[0] == "unknown") is (share > 0.9)
    assert cli.main([*argv, "--csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert float(row["novelty"]) == pytest.approx(share, abs=6e-4)
    assert cli.main([*argv, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["predictions"]
    assert told["novelty"] == pytest.approx(share, abs=6e-4)


def test_a_novelty_that_no_image_can_exceed_is_refused(trained: Run) -> None:
    some = items(trained, "test")[:2]
    with pytest.raises(UsageError, match=r"max_novelty is 1\.5"):
        trained.bundle.predict_items(some, max_novelty=1.5)
    with pytest.raises(UsageError, match=r"no image is more novel than 0\.9999") as caught:
        trained.bundle.predict_items(some, max_novelty=0.9999)
    assert f"{269 / 270:.4g}" in (caught.value.hint or "")  # 269 validation images
    assert all(one.accepted for one in predictions_of(trained, some, most=1.0))


def test_a_bundle_from_before_says_that_it_does_not_know(digits_run: Run) -> None:
    config = digits_run.path / "bundle" / "config.json"
    told = json.loads(config.read_text())
    told.pop("novelty")
    config.write_text(json.dumps(told))
    (digits_run.path / "bundle" / "novelty.safetensors").unlink()
    some = items(digits_run, "test")[:2]
    assert [one.novelty for one in predictions_of(digits_run, some)] == [None, None]
    with pytest.raises(UsageError, match="this bundle has no novelty score"):
        digits_run.bundle.predict_items(some, max_novelty=0.9)


def test_a_damaged_or_missing_reference_is_told(digits_run: Run, tmp_path: Path) -> None:
    file = digits_run.path / "bundle" / "novelty.safetensors"
    shutil.copytree(file.parent, tmp_path / "cut")
    (tmp_path / "cut" / file.name).write_bytes(file.read_bytes()[:-1])
    with pytest.raises(WeightsError, match=r"novelty\.safetensors is damaged"):
        saccade.open_bundle(tmp_path / "cut")
    file.unlink()
    with pytest.raises(WeightsError, match=r"novelty\.safetensors is missing"):
        saccade.open_bundle(digits_run.path)


def test_the_log_says_what_is_kept_and_how_many_test_images_lie_far(trained: Run) -> None:
    (fact,) = trained.events("novelty")
    beyond = sum(share > 0.99 for share in written(trained))
    assert (fact["images"], fact["held_out"], fact["level"]) == (1000, 269, 0.99)
    assert fact["bytes"] == 1000 * 84 * 2 + 269 * 8  # LeNet's last layer sees 84 numbers
    assert fact["message"].startswith(f"{100 * beyond / 269:.1f} % (")
    card, page = (
        (trained.path / name).read_text().replace("\u00a0", " ")
        for name in ("bundle/README.md", "report.html")
    )
    assert f"- Novelty: {fact['message']}" in card
    assert fact["message"].partition(";")[0] in page
    assert (trained.path / "bundle" / "novelty.safetensors").stat().st_size < fact["bytes"] + 400
