"""Which network, which layer: what is compared is then built, and chance does not choose."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score, r2_score
from torch import nn

from saccade.auto.fitted import chosen_recipe, compared_recipes
from saccade.auto.probe import (
    BackboneComparison,
    ProbeResult,
    compare,
    cross_validated_score,
)
from saccade.auto.summary import DatasetSummary
from saccade.auto.weights import local_weights
from saccade.data.sources import open_source
from saccade.metrics.intervals import wilson
from saccade.metrics.metric import MetricValue
from saccade.models.backbone import MultiLayerFeatures, backbone, layers_to_compare, rows_between
from saccade.models.create import create_model
from saccade.models.variants import Variant, apply_variant
from saccade.models.weights import cache_path, weights_entry
from saccade.probes.fit import fit_head
from saccade.probes.head import PrincipalFeatures
from saccade.probes.simple import PENALTIES
from saccade.tasks.classification import Classification
from saccade.tasks.multilabel import Multilabel
from saccade.tasks.regression import Regression


def accuracy(right: int) -> MetricValue:
    """Of 100 images."""
    return MetricValue("accuracy", right / 100, 100, wilson(right, 100), "%", method="Wilson")


LAST = ProbeResult("resnet18", "imagenet", "flatten", True, 512, accuracy(90), 1.0)
EARLIER = ProbeResult("resnet18", "imagenet", "layer3", False, 256, accuracy(92), 1.0)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_an_earlier_layer_has_to_beat_the_last_by_a_standard_error() -> None:
    """One standard error of 90 % of 100 images is 3 points."""
    assert BackboneComparison((EARLIER, LAST), ()).best == LAST
    better = replace(EARLIER, score=accuracy(94))
    assert BackboneComparison((better, LAST), ()).best == better


def test_the_choice_leaves_out_the_rows_behind_an_earlier_layer() -> None:
    found = BackboneComparison((replace(EARLIER, score=accuracy(94)), LAST), ()).choices()
    assert {name: value for name, (value, _) in found.items()} == {
        "model.name": "resnet18", "model.weights": "imagenet", "model.without": ("layer4",),
    }  # fmt: skip
    assert "model.without" not in BackboneComparison((LAST,), ()).choices()


def test_what_was_found_is_told_a_line_each_with_what_there_was_no_time_for() -> None:
    lines = BackboneComparison((EARLIER, LAST), ("vgg16",)).notes()
    assert lines[0].endswith("of a last layer on features; accuracy:")
    assert lines[1] == "  92.0 % (85.0–95.9, n = 100)  resnet18 up to layer3, 256 numbers, 1 s"
    assert lines[-1] == "not compared for lack of time: vgg16"


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("googlenet_2014", ("dropout", "inception5a", "inception4e")),
        ("resnet18", ("flatten", "layer3", "layer2")),
        ("vgg11", ("classifier.5",)),
    ],
)
def test_the_rows_to_compare_are_the_last_and_two_before(name: str, layers: tuple) -> None:
    with torch.device("meta"):
        assert layers_to_compare(create_model(name, 10)) == layers


def test_a_tap_is_what_goes_into_the_last_layer_of_the_network_cut_there() -> None:
    torch.manual_seed(0)
    whole = create_model("googlenet_2014", 4).eval()
    assert isinstance(whole, nn.Sequential)
    taps = MultiLayerFeatures(whole, ("dropout", "inception4e"))
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        last, earlier = taps(x).split(taps.feature_dims(64), dim=1)
        assert torch.allclose(last, backbone(whole)(x), atol=1e-6)
        gone = rows_between(whole, "inception4e")
        cut = apply_variant(whole, Variant(without=gone), (3, 64, 64)).eval()
        assert gone == ("maxpool4", "inception5a", "inception5b")
        assert torch.allclose(earlier, backbone(cut)(x), atol=1e-6)
    assert isinstance(cut.get_submodule("fc"), nn.Linear)


def test_numbers_are_compared_by_r_squared_with_its_own_interval() -> None:
    """Beside scikit-learn's, each image left out in turn, the best penalty of all."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(40, 1, 5, generator=generator)
    prices = 1000 + 200 * (features[:, 0, :1] + torch.randn(40, 1, generator=generator))
    x, y = features[:, 0].double().numpy(), prices[:, 0].double().numpy()
    scale, best = float(PrincipalFeatures.of(features[:, 0]).scale), -np.inf
    for penalty in PENALTIES:
        said = []
        for k in range(40):
            rest = np.arange(40) != k
            fit = Ridge(alpha=penalty * scale**2).fit(x[rest], y[rest])
            said.append(fit.predict(x[k : k + 1]).item())
        best = max(best, float(r2_score(y, said)))
    found = cross_validated_score(
        "ridge", Regression(float(y.mean()), float(y.std())), features, prices, None
    )
    assert (found.name, found.unit, found.n) == ("R2", "", 40)
    assert found.value == pytest.approx(best, abs=1e-4)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high
    places = torch.arange(40) // 4
    grouped = cross_validated_score("ridge", Regression(1000, 200), features, prices, places)
    assert grouped.interval != found.interval


def test_what_cannot_be_told_has_an_r_squared_below_nothing() -> None:
    """No share has: with Wilson's interval there would have been none."""
    generator = torch.Generator().manual_seed(1)
    features, numbers = (torch.randn(30, 1, 4, generator=generator) for _ in range(2))
    found = cross_validated_score("ridge", Regression(), features, numbers[:, 0, :1], None)
    assert found.value < 0
    assert found.interval is not None
    assert found.interval.low < found.value


def test_several_labels_are_compared_by_mean_average_precision() -> None:
    generator = torch.Generator().manual_seed(2)
    features = torch.randn(60, 1, 6, generator=generator)
    noise = torch.randn(60, 3, generator=generator)
    labels = (features[:, 0, :3] + noise > 0.3).float()
    task = Multilabel(("a", "b", "c"))
    said = fit_head("logistic", task, features, labels).held_out_predictions
    assert said is not None
    found = cross_validated_score("logistic", task, features, labels, None)
    assert (found.name, found.unit) == ("mean average precision", "%")
    assert found.value == pytest.approx(average_precision_score(labels, said), abs=1e-6)


def test_all_networks_at_hand_are_tried_on_the_same_images(
    home: Path, shared_data: Path, photos: Path
) -> None:
    for name, file in (("cifar_resnet20", "20-12fca82f"), ("cifar_resnet32", "32-d509ac18")):
        place = cache_path(weights_entry(name, "cifar10"))
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shared_data / f"weights/cifar10_resnet{file}.th", place)
    items = open_source(photos).read("all")
    task = Classification(("blue", "green", "red"))
    found = compare(
        local_weights(40), (), items[::2], task, seconds=600, progress=lambda done, total: None
    )
    tried = {(t.network, t.layer) for t in found.results}
    layers = ("flatten", "layer2", "layer1")
    assert tried == {(n, x) for n in ("cifar_resnet20", "cifar_resnet32") for x in layers}
    assert {(t.score.name, t.score.n) for t in found.results} == {("accuracy", 24)}
    assert found.best.score.value == 1
    assert found.best.last
    short = compare(
        local_weights(40), (), items[::2], task, seconds=0, progress=lambda done, total: None
    )
    assert short.skipped == ("cifar_resnet32",)


FISHER = ProbeResult("fisher", "none", "", True, 32_768, accuracy(93), 20.0)


def test_a_classical_model_wins_where_it_is_better_and_is_then_fitted() -> None:
    found = BackboneComparison((FISHER, LAST), ())
    assert found.best == FISHER
    values = {name: value for name, (value, _) in found.choices().items()}
    assert values == {"model.name": "fisher", "model.weights": "none"}
    assert found.notes()[1].endswith("fisher, fitted, 32,768 numbers, 20 s")
    flags = {"model.name": "auto", "train.minutes": 5.0, "data.val": 0.2}
    assert chosen_recipe(None, flags, "fisher") == (
        "classical", {"model.name": "fisher", "data.val": 0.2}
    )  # fmt: skip
    assert chosen_recipe(None, flags, "resnet18") == (None, flags)


def test_what_was_not_estimated_is_said_to_be_so() -> None:
    lines = BackboneComparison((FISHER,), (), untried="resnet18").notes()
    assert lines[-1].strip().startswith("not estimated: resnet18 from scratch")
    assert "--model resnet18" in lines[-1]


PHOTOGRAPHS = DatasetSummary(short_side=200, grey=False, count=300, per_class=50)


@pytest.mark.parametrize(
    ("recipe", "flags", "summary", "classical"),
    [
        (None, {"train.minutes": 5.0, "data.val": 0.2}, PHOTOGRAPHS, True),
        ("photos", {}, PHOTOGRAPHS, False),
        (None, {"train.epochs": 3}, PHOTOGRAPHS, False),
        (None, {"model.weights": "auto"}, PHOTOGRAPHS, False),
        (None, {}, replace(PHOTOGRAPHS, short_side=28), False),
        (None, {}, replace(PHOTOGRAPHS, count=30_000), False),
        (None, {}, replace(PHOTOGRAPHS, task=Regression), False),
    ],
)
def test_classical_models_are_compared_for_few_photographs_unless_training_is_asked_for(
    recipe: str | None, flags: dict, summary: DatasetSummary, classical: bool
) -> None:
    compared = compared_recipes(recipe, {"model.name": "auto", **flags}, summary)
    assert compared == (("fisher", "hog") if classical else ())


def test_classical_models_are_tried_without_any_weights(home: Path, photos: Path) -> None:
    items = open_source(photos).read("all")
    task = Classification(("blue", "green", "red"))
    found = compare((), ("hog",), items[::2], task, seconds=600, progress=lambda done, total: None)
    (result,) = found.results
    assert (result.network, result.tag, result.last, result.score.n) == ("hog", "none", True, 24)
    assert result.dim == 15 * 15 * 36  # blocks of 16 x 16 cells, 36 numbers each
