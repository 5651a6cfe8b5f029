"""Networks as their training begins: heads fitted, rows frozen, and what cannot be, refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from saccade.api import train
from saccade.auto.resolve import resolve
from saccade.auto.summary import summarize
from saccade.data.sources import open_source
from saccade.data.splits import split_data
from saccade.engine.evaluate import evaluate
from saccade.errors import DataError, RecipeError, UsageError, WeightsError
from saccade.metrics.measure import scores
from saccade.models.create import create_model
from saccade.runs.bundle import Bundle
from saccade.training.prepare import TrainingSetup, prepare


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = create_model("cifar_resnet20")
    for name, value in network.state_dict().items():
        if name.endswith("running_mean"):
            value.uniform_(-0.1, 0.1)
    save_file(network.state_dict(), tmp_path / "some.safetensors")
    return tmp_path / "some.safetensors"


def prepared(
    photos: Path, weights: Path, recipe: str = "features", **changes: Any
) -> TrainingSetup:
    """Three plainly coloured classes, with settings such as model__head="nearest_mean"."""
    changes = {"data__doctor": "off", "train__threads": 1} | changes
    source = open_source(photos)
    flags = {"model.name": "cifar_resnet20", "model.weights": str(weights)}
    flags |= {name.replace("__", "."): value for name, value in changes.items()}
    settings = resolve(recipe, flags, summarize(source.read("all")))
    return prepare(settings.recipe, split_data(source), lambda done, total: None)


def right(ready: TrainingSetup) -> float:
    result = evaluate(ready.eval_model, ready.task, ready.splits["test"].sequential())
    return scores(ready.task.metric(), result.rows)["accuracy"]


@pytest.mark.parametrize("head", ["ridge", "logistic", "nearest_mean", "knn"])
def test_every_head_tells_plain_colours_apart_without_an_epoch(
    photos: Path, weights: Path, head: str
) -> None:
    ready = prepared(photos, weights, model__head=head)
    assert ready.recipe.train.epochs == 0
    assert right(ready) == 1
    assert len(ready.notes) == 2
    assert "start anew" in ready.notes[0]
    assert ready.notes[1].startswith("last layer: ")


@pytest.mark.parametrize("head", ["logistic", "knn"])
def test_a_fitted_network_is_a_bundle_like_any(
    photos: Path, weights: Path, tmp_path: Path, head: str
) -> None:
    ready = prepared(photos, weights, model__head=head)
    bundle = Bundle("cifar_resnet20", ready.task, ready.preprocessing, ready.eval_model)
    bundle.save(tmp_path / "bundle")
    items = ready.splits["test"].items
    again = Bundle.load(tmp_path / "bundle").predict_items(items, top=1)
    assert [prediction.best for prediction in again] == [item.label for item in items]


def test_fine_tuning_begins_with_the_fitted_layer_and_moves_all(
    photos: Path, weights: Path
) -> None:
    ready = prepared(photos, weights, "finetune", train__epochs=1, data__augment="flip")
    assert right(ready) == 1
    assert all(weight.requires_grad for weight in ready.model.parameters())
    shares = ready.stepper.lr_scales
    assert max(shares) == 1
    assert min(shares) == pytest.approx(0.8 ** (len(set(shares)) - 1))


def test_views_come_from_the_augmentations(photos: Path, weights: Path) -> None:
    settings = {"data__augmented_copies": 2, "data__augment": "flip brightness:0.2"}
    assert right(prepared(photos, weights, model__head="ridge", **settings)) == 1
    with pytest.raises(RecipeError, match="nothing that makes them differ"):
        prepared(photos, weights, data__augmented_copies=2)


def learning(ready: TrainingSetup) -> set[str]:
    return {n.split(".")[0] for n, w in ready.model.named_parameters() if w.requires_grad}


def test_rows_stay_or_learn_as_the_recipe_says(photos: Path, weights: Path) -> None:
    def tuned(**changes: Any) -> TrainingSetup:
        settings = {"data__augment": "flip", "model__head": "nearest_mean"} | changes
        return prepared(photos, weights, "finetune", **settings)

    ready = tuned(model__freeze="features")
    assert learning(ready) == {"linear"}
    assert learning(tuned(model__freeze="layer2")) == {"layer3", "linear"}
    assert learning(tuned(model__unfreeze="layer2")) == {"layer2", "layer3", "linear"}
    trained = [p for group in ready.stepper.optimizer.param_groups for p in group["params"]]
    assert [tuple(p.shape) for p in trained] == [(3, 64), (3,)]


def test_means_and_deviations_are_those_of_the_weights(photos: Path, weights: Path) -> None:
    ready = prepared(photos, weights, model__head="nearest_mean")
    assert ready.preprocessing.mean == (0.485, 0.456, 0.406)
    row: Tensor = ready.model.get_buffer("normalize.mean")
    assert row.flatten().tolist() == pytest.approx([255 * m for m in (0.485, 0.456, 0.406)])


def trained_without(photos: Path, folder: Path, **changes: str) -> Path:
    """A run of a network with layers left out and another activation."""
    flags = {"data.doctor": "off", "model.name": "cifar_resnet20"} | changes
    return train(photos, recipe="small", epochs=1, size=16, with_=flags, out=folder).path


def test_layers_left_out_of_a_run_stay_out_of_what_begins_from_it(
    photos: Path, tmp_path: Path
) -> None:
    changes = {"model.without": "layer3.2", "model.activation": "prelu"}
    run = trained_without(photos, tmp_path / "run", **changes)
    ready = prepared(photos, run, "finetune", train__epochs=1, data__augment="flip")
    assert ready.recipe.model.without == ("layer3.2",)
    assert ready.recipe.model.activation == "prelu"
    before, after = Bundle.load(run / "bundle").model.state_dict(), ready.model.state_dict()
    assert not any(name.startswith("layer3.2") for name in after)
    assert before.keys() == after.keys()
    assert all(before[n].equal(after[n]) for n in before if not n.startswith("linear"))
    again = prepared(photos, run, model__without="layer3.2")
    assert again.model.state_dict().keys() == before.keys()


def test_a_settings_origin_says_that_layers_are_out_as_they_were(
    photos: Path, tmp_path: Path
) -> None:
    run = trained_without(photos, tmp_path / "run", **{"model.without": "layer3.2"})
    flags = {"model.weights": str(run)}
    settings = resolve("finetune", flags, summarize(open_source(photos).read("all")))
    assert settings.origins["model.without"] == "auto: as the weights were trained"
    with pytest.raises(RecipeError) as caught:
        prepared(photos, run, model__without="layer1")
    assert "without layer3.2, which model.without=layer1 does not fit" in caught.value.what


def test_a_last_layer_is_fitted_the_same_every_time(photos: Path, weights: Path) -> None:
    first, second = (
        prepared(photos, weights, model__head="ridge").model.state_dict() for _ in range(2)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"model__name": "cifar_resnet32"}, WeightsError, "does not fit the network"),
        ({"model__head": "random"}, RecipeError, "train.epochs=0 leaves nothing to learn"),
        ({"model__head": "knn", "train__epochs": 2}, RecipeError, "no weights that epochs"),
        ({"model__freeze": "layr2", "train__epochs": 1}, UsageError, "called 'layr2'"),
        ({"model__freeze": "linear", "train__epochs": 1}, RecipeError, "nothing is left to learn"),
    ],
)
def test_what_cannot_be_is_refused(
    photos: Path, weights: Path, changes: dict, error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        prepared(photos, weights, **changes)


def test_a_head_needs_a_layer_to_take_the_place_of(photos: Path, weights: Path) -> None:
    with pytest.raises(RecipeError, match="fully connected"):
        prepared(photos, weights, model__name="lenet5_1998", model__weights="none",
                 data__colour="grey", model__head="ridge")  # fmt: skip


def test_fewer_images_than_classes_are_refused(photos: Path, weights: Path) -> None:
    for folder in photos.iterdir():
        for image in sorted(folder.glob("*.png"))[1:]:
            image.unlink()
    with pytest.raises(DataError):
        prepared(photos, weights)
