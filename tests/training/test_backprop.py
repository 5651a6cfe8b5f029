"""The first step of a training, traced: its gradients are those that the training takes."""

from __future__ import annotations

import pytest
import torch

from saccade.api import backprop
from saccade.engine.loop import Step, train
from saccade.errors import RecipeError
from saccade.training.inputs import training_inputs
from saccade.training.prepare import prepare

FLAGS = {
    "model.name": "cifar_vgg8",  # with dropout
    "data.per_class": 10,
    "data.held_out_per_class": 5,
    "data.doctor": "off",
    "data.augment": ("translate:2",),
    "train.seed": 3,
    "train.batch_size": 16,
    "train.precision": "float32",
}


def test_the_gradients_are_those_of_the_first_step() -> None:
    """The loss too: same batch, same augmentation, same dropout."""
    trace = backprop(with_=FLAGS)
    inputs = training_inputs(None, None, FLAGS)
    setup = prepare(inputs.settings.recipe, inputs.division, lambda *_: None)
    step = next(train(setup.state, setup.loader, setup.augment, epochs=1, seed=3))
    assert isinstance(step, Step)
    assert trace.loss == step.losses["loss"].item()
    for name, parameter in setup.model.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(trace[name].error, parameter.grad)


def test_an_error_signal_hardly_comes_through_ten_layers_of_sigmoids() -> None:
    """At most a quarter a layer times the weights: Xavier's keep a signal as large as it is."""

    def share(activation: str, init: str) -> float:
        deep = {"model.name": "mlp_10x64", "model.activation": activation, "model.init": init}
        trace = backprop(with_=FLAGS | deep)
        first, last = (trace[row].error.square().mean().sqrt() for row in ("fc1", "fc10"))
        return float(first / last)

    assert share("sigmoid", "xavier") < 0.25**9 * 2
    assert 0.1 < share("relu", "he") < 10


def test_what_is_fitted_without_gradients_is_refused() -> None:
    with pytest.raises(RecipeError, match="hog is fitted without gradients"):
        backprop(model="hog", with_={"data.per_class": 2, "data.held_out_per_class": 2})
