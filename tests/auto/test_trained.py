"""A trained network by whatever a person has of it, in every verb that takes one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm.data
from PIL import Image
from sklearn.datasets import load_digits
from torchvision.models import ResNet18_Weights

import saccade
from saccade.auto.trained import open_trained, recognised
from saccade.errors import UsageError, WeightsError
from saccade.models.class_names import class_names
from saccade.models.weights import cache_path, weights_entry
from saccade.runs.bundle import Bundle
from saccade.runs.run import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Run:
    """A run of one epoch on 60 digits."""
    out = tmp_path_factory.mktemp("trained") / "run"
    return saccade.train(
        pictures, model="mlp", epochs=1, size=28, with_={"data.doctor": "off"}, out=out
    )


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty images of three digits."""
    folder = tmp_path_factory.mktemp("pictures")
    digits: Any = load_digits(n_class=3)
    for number in range(60):
        label = digits.target[number]
        (folder / f"{label}").mkdir(exist_ok=True)
        pixels = (digits.images[number] * 15.9).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{label}" / f"{number:02d}.png")
    return folder


@pytest.fixture(scope="module")
def alone(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle as a colleague has it: a folder without its run."""
    return shutil.copytree(run.path / "bundle", tmp_path_factory.mktemp("colleague") / "bundle")


def in_memory(run: Run) -> Bundle:
    bundle = run.bundle
    parts = (bundle.architecture, bundle.task, bundle.preprocessing, bundle.model)
    return Bundle(*parts, novelty=bundle.novelty)


def forms(run: Run, alone: Path) -> dict[str, Any]:
    """Everything that stands for the same network."""
    return {
        "the folder of the run": run.path,
        "its name": str(run.path),
        "the run": run,
        "its bundle": run.path / "bundle",
        "its bundle, read": run.bundle,
        "a bundle alone": alone,
        "its weights": alone / "model.safetensors",
        "a bundle alone, read": saccade.open_bundle(alone),
        "a bundle in memory": in_memory(run),
    }


def test_every_form_of_a_network_is_measured_and_predicts_alike(
    run: Run, alone: Path, pictures: Path
) -> None:
    for form, given in forms(run, alone).items():
        assert str(saccade.evaluate(given, pictures).metrics) == str(
            saccade.evaluate(run, pictures).metrics
        ), form
        assert saccade.predict(given, pictures / "1") == run.predict(pictures / "1"), form
        shown: list[Any] = [saccade.show(given), saccade.show(run)]
        assert shown[0].total == shown[1].total, form


def test_every_form_of_a_network_gives_the_same_features(
    run: Run, alone: Path, pictures: Path, tmp_path: Path
) -> None:
    for number, (form, given) in enumerate(forms(run, alone).items()):
        written = saccade.features(given, pictures, out=tmp_path / f"{number}")
        first = np.load(tmp_path / "0" / "features.npy")
        assert np.array_equal(np.load(written.features), first), form


def test_the_bundle_inside_its_run_is_the_run(run: Run, alone: Path) -> None:
    assert recognised(run.path / "bundle") == run
    assert open_trained(run.bundle).run == run
    assert open_trained(alone).run is None
    assert saccade.evaluate(run.path / "bundle").n == run.test.n


@pytest.mark.parametrize("form", ["a bundle alone", "a bundle alone, read", "a bundle in memory"])
def test_what_a_bundle_alone_cannot_do_says_what_it_can(run: Run, alone: Path, form: str) -> None:
    given = forms(run, alone)[form]
    name = "BUNDLE" if form == "a bundle in memory" else str(alone)
    for verb in (saccade.report, lambda one: saccade.compare(one, run)):
        with pytest.raises(UsageError, match="without the run that made it") as caught:
            verb(given)
        assert f"saccade evaluate {name} DATA --out FOLDER" in caught.value.hint
    with pytest.raises(UsageError, match="has no images of its own") as caught:
        saccade.evaluate(given)
    assert caught.value.hint.endswith(f"saccade evaluate {name} DATA")


def test_a_bundle_alone_has_a_report_on_the_images_of_a_colleague(
    alone: Path, pictures: Path, tmp_path: Path
) -> None:
    result = saccade.evaluate(alone, pictures, out=tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "which images the network was trained on only its run knows" in result.notes
    assert f"saccade evaluate {alone} {pictures}" in page
    assert "On the run's own test images" not in page
    assert len((tmp_path / "out" / "predictions.csv").read_text().splitlines()) == 61


def test_the_card_tells_a_colleague_what_works(
    run: Run, alone: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = (run.path / "bundle" / "README.md").read_text()
    assert "saccade evaluate bundle FOLDER" in card
    assert 'saccade.open_bundle("bundle").predict("image.jpg")' in card
    monkeypatch.chdir(alone.parent)
    assert saccade.evaluate("bundle", pictures).n == 60
    assert len(saccade.open_bundle("bundle").predict(pictures / "1")) == 19


def test_the_threshold_of_a_bundle_alone_is_chosen_on_the_split_val_of_the_data(
    alone: Path, pictures: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="has no split val"):
        saccade.tune_threshold(alone, pictures, coverage=0.5)
    for number, file in enumerate(sorted(pictures.glob("*/*.png"))):
        place = tmp_path / ("val" if number % 2 else "test") / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    bundle = shutil.copytree(alone, tmp_path / "copy")
    result = saccade.tune_threshold(bundle, tmp_path, coverage=0.5, save=True)
    assert result.selected is not None and result.n == 30
    assert result.selected.on_validation.n == 30
    assert Bundle.load(bundle).min_confidence == result.selected.on_validation.value


def test_a_training_begins_from_a_run_a_bundle_or_a_path(
    run: Run, alone: Path, pictures: Path, tmp_path: Path
) -> None:
    given = forms(run, alone)
    notes = set()
    for number, form in enumerate(("the run", "its bundle, read", "a bundle alone, read")):
        plan = saccade.plan(pictures, weights=given[form], size=28)
        assert plan.model == "mlp", number
        notes.add(plan.parameters)
    assert len(notes) == 1
    with pytest.raises(UsageError, match="this bundle lies in no folder"):
        saccade.plan(pictures, with_={"model.weights": in_memory(run)}, size=28)
    with pytest.raises(UsageError, match="weights cannot be of the type int"):
        saccade.plan(pictures, with_={"model.weights": 3})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of downloaded weights, without a network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("SACCADE_OFFLINE", "1")
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_a_network_with_weights_at_hand_names_its_classes(home: Path, shared_data: Path) -> None:
    file = cache_path(weights_entry("cifar_resnet20", "cifar10"))
    shutil.copy(shared_data / "weights/cifar10_resnet20-12fca82f.th", home / file.name)
    data = np.load(shared_data / "cifar10_lossless/train_first4000.npz")
    images, labels = (data[name][:200] for name in data.files[:2])
    names = np.array(class_names("cifar10"))[labels.astype(int).ravel()]
    assert saccade.evaluate("cifar_resnet20", (images, names)).accuracy > 0.98
    assert saccade.predict("cifar_resnet20", images[0])[0].best == names[0]


def test_names_without_weights_are_told_from_names_of_nothing(home: Path, pictures: Path) -> None:
    with pytest.raises(UsageError, match="no public weights of mlp are known"):
        saccade.evaluate("mlp", pictures)
    with pytest.raises(UsageError, match="no model is called 'resnet5'"):
        saccade.evaluate("resnet5", pictures)
    with pytest.raises(UsageError, match="there is no run, bundle or network 'runs/mine'"):
        saccade.predict("runs/mine", pictures)
    with pytest.raises(UsageError, match=r"network 'x{120}\.\.\.'"):
        saccade.evaluate("x" * 5000, pictures)
    for given in (3, None, pictures.parent.iterdir()):
        with pytest.raises(UsageError, match="a trained network cannot be of the type"):
            saccade.evaluate(given, pictures)  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match="has weights of its own, and none of resnet18"):
        saccade.plan(pictures, model="resnet18", weights="resnet34")


def test_the_names_of_imagenets_classes_are_torchvisions() -> None:
    assert list(class_names("imagenet_v2")) == ResNet18_Weights.DEFAULT.meta["categories"]
    info: Any = timm.data
    described = info.ImageNetInfo().index_to_description(281)
    assert class_names("imagenet")[281] == "tabby" and "tabby" in described
    assert len(set(class_names("imagenet"))) == 1000
    assert class_names("of nobody") == ()
