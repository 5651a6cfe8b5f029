"""Compiled networks: the same weights by the same names, and plain refusals."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from saccade.augmentation.augmentation import compose
from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, shuffled
from saccade.engine.checkpoint import load_checkpoint, save_checkpoint
from saccade.engine.loop import Position, train
from saccade.engine.optim import OPTIMIZERS, parameter_groups
from saccade.engine.schedule import constant
from saccade.engine.state import supervised
from saccade.engine.step import Stepper, compile_in_place, has_compiler
from saccade.errors import ResourceError, UsageError
from saccade.models.layers.blocks import chain
from saccade.tasks.classification import Classification

CPU = torch.device("cpu")


def network() -> nn.Sequential:
    torch.manual_seed(0)
    rows = {"conv": nn.Conv2d(1, 4, 3), "relu": nn.ReLU(), "norm": nn.BatchNorm2d(4)}
    return chain(**rows, flatten=nn.Flatten(), fc=nn.Linear(64, 3))


def stepper(model: nn.Module) -> Stepper:
    optimizer = OPTIMIZERS["adamw"](parameter_groups(model, 0.1), 0.01, 0.9)
    return Stepper(optimizer, constant(), 8)


def trained(model: nn.Module, down: Stepper, steps: range) -> dict[str, Tensor]:
    """The weights after these of eight steps over 64 images."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (64, 1, 6, 6), generator=generator).byte()
    loader = Loader(CachedImages(images), torch.arange(64) % 3, 8, shuffled(64, 0))
    task = Classification(("a", "b", "c"))
    start = Position(0, steps.start)
    events = train(supervised(model, task, down), loader, compose([]), epochs=1, start=start)
    for _, _ in zip(steps, events):
        pass
    return copy.deepcopy(model.state_dict())


def test_a_network_that_is_not_to_be_compiled_stays_as_it_is() -> None:
    model = network()
    compile_in_place(model, "off", CPU)
    assert model._compiled_call_impl is None


def test_graphs_are_refused_without_cuda() -> None:
    with pytest.raises(UsageError, match="needs a CUDA device, not cpu"):
        compile_in_place(network(), "graphs", CPU)


def test_a_missing_compiler_is_said_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ResourceError, match=r"needs a C\+\+ compiler"):
        compile_in_place(network(), "on", CPU)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # torch warns of its own ways while it compiles
@pytest.mark.skipif(not has_compiler(), reason="no C++ compiler here")
def test_a_compiled_network_learns_the_same_and_goes_on_exactly(tmp_path) -> None:
    plain = network()
    expected = trained(plain, stepper(plain), range(8))

    whole = network()
    compile_in_place(whole, "on", CPU)
    result = trained(whole, stepper(whole), range(8))
    assert list(result) == list(expected)
    torch.testing.assert_close(result, expected, rtol=1e-3, atol=1e-4)

    first = network()
    compile_in_place(first, "on", CPU)
    initial = stepper(first)
    trained(first, initial, range(3))
    save_checkpoint(tmp_path, {"model": first.state_dict(), "stepper": initial.state_dict()}, 3)
    state, _ = load_checkpoint(tmp_path)
    second = network()
    compile_in_place(second, "on", CPU)
    resumed = stepper(second)
    second.load_state_dict(state["model"])
    resumed.load_state_dict(state["stepper"])
    again = trained(second, resumed, range(3, 8))
    assert all(torch.equal(again[name], result[name]) for name in result)
