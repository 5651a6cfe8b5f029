"""Frozen means frozen: no gradient, not in the optimizer, no statistics moved, no dropout."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import Tensor, nn

from saccade.augmentation.augmentation import compose
from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, shuffled
from saccade.engine.freezing import freeze, keep_statistics, training_mode, unfreeze_from
from saccade.engine.loop import train
from saccade.engine.optim import OPTIMIZERS, parameter_groups
from saccade.engine.schedule import make_schedule
from saccade.engine.state import supervised
from saccade.engine.step import Stepper
from saccade.errors import RecipeError, UsageError
from saccade.models.create import create_model
from saccade.models.layers.blocks import chain, normalized
from saccade.tasks.classification import Classification


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return chain(
        conv1=nn.Conv2d(3, 4, 3), bn1=nn.BatchNorm2d(4), drop1=nn.Dropout(0.5),
        block=nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU()),
        pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),
        drop2=nn.Dropout(0.5), fc=nn.Linear(4, 2),
    )  # fmt: skip


def one_epoch(model: nn.Module) -> Stepper:
    pixels = torch.randint(0, 256, (24, 3, 12, 12), dtype=torch.uint8)
    targets = torch.arange(24) % 2
    loader = Loader(CachedImages(pixels), targets, 8, shuffled(24, 0))
    optimizer = OPTIMIZERS["adamw"](parameter_groups(model, 0.1), 0.01, 0.9)
    stepper = Stepper(optimizer, make_schedule("constant", 0.0), 3)
    state = supervised(model, Classification(("a", "b")), stepper)
    list(train(state, loader, compose([]), epochs=1))
    return stepper


@pytest.mark.parametrize(("layer", "learning"), [
    ("bn1", {"block.0", "block.1", "fc"}),
    ("block", {"fc"}),
    ("pool", {"fc"}),
    ("conv2", {"block.1", "fc"}),  # by its number
    ("features", {"fc"}),
])  # fmt: skip
def test_an_epoch_leaves_frozen_rows_as_they_were_to_the_bit(layer: str, learning: set) -> None:
    model = normalized(network(), (0.5,) * 3, (0.25,) * 3)
    freeze(model, layer)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    stepper = one_epoch(model)
    moved = {n.rpartition(".")[0] for n, v in model.state_dict().items() if not v.equal(before[n])}
    assert moved == learning
    trained = {id(p) for group in stepper.optimizer.param_groups for p in group["params"]}
    for name, weight in model.named_parameters():
        assert (id(weight) in trained) == (name.rpartition(".")[0] in learning)
        assert (weight.grad is not None) == (name.rpartition(".")[0] in learning)


def test_kept_statistics_stay_to_the_bit_while_every_weight_learns() -> None:
    model = normalized(network(), (0.5,) * 3, (0.25,) * 3)
    assert keep_statistics(model) == 2
    before = {name: value.clone() for name, value in model.state_dict().items()}
    one_epoch(model)
    after = model.state_dict()
    running = [name for name in before if "running" in name or "num_batches" in name]
    assert len(running) == 6 and all(after[name].equal(before[name]) for name in running)
    for name, _ in model.named_parameters():
        assert not after[name].equal(before[name]), name


def test_a_network_that_keeps_its_statistics_answers_one_image_as_it_does_a_batch() -> None:
    """In train mode: what the layers compute of an image is not changed by its neighbours."""
    model = network()
    keep_statistics(model)
    for row in model.modules():
        if isinstance(row, nn.Dropout):
            row.p = 0.0
    training_mode(model)
    x = torch.randn(4, 3, 12, 12)
    torch.testing.assert_close(model(x)[:1], model(x[:1]))


def test_dropout_is_off_before_the_last_frozen_row_and_on_behind_it() -> None:
    model = network()
    freeze(model, "features")
    training_mode(model)
    still = {name for name, row in model.named_children() if not row.training}
    assert still == {"conv1", "bn1", "drop1", "block"}


def test_all_is_in_train_mode_where_nothing_is_frozen() -> None:
    model = network().eval()
    training_mode(model)
    assert all(module.training for module in model.modules())


def test_training_from_a_row_freezes_all_before_it_and_nothing_else() -> None:
    model = network()
    freeze(model, "features")
    unfreeze_from(model, "block")
    learning = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert {name.split(".")[0] for name in learning} == {"block", "fc"}


def test_the_side_classifiers_learn_with_the_one_at_the_end() -> None:
    with torch.device("meta"):
        model = create_model("googlenet_2014_aux", 10)
    freeze(model, "features")
    learning = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert {name.split(".")[0] for name in learning} == {"aux1", "aux2", "fc"}


def test_a_network_that_is_no_table_freezes_in_the_order_of_its_parts() -> None:
    model = timm.create_model("resnet18", num_classes=3)
    freeze(model, "layer3")
    learning = {n.split(".")[0] for n, weight in model.named_parameters() if weight.requires_grad}
    assert learning == {"layer4", "fc"}


def mistaken(model: nn.Module, layer: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        freeze(model, layer)
    return caught.value


def test_a_layer_that_does_not_exist_is_refused_with_the_nearest() -> None:
    assert "no layer of this network is called 'blok'" in mistaken(network(), "blok").what
    assert "did you mean block" in mistaken(network(), "blok").hint


def test_freezing_everything_is_refused() -> None:
    with pytest.raises(RecipeError, match="nothing is left to learn"):
        freeze(network(), "fc")


def test_gradients_are_not_computed_for_what_is_frozen() -> None:
    model = network()
    freeze(model, "block")
    inputs: list[Tensor] = []
    x = torch.randn(2, 3, 12, 12)
    for row in model:
        x = row(x)
        inputs.append(x)
    requires_grad = [x.requires_grad for x in inputs]
    assert requires_grad == [False] * (len(inputs) - 1) + [True]
