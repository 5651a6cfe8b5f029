"""show: by name or module, at any size, less some layers; and receptive fields as images."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from saccade.errors import UsageError
from saccade.report.show import receptive_field, show


def test_a_name_has_its_designed_size_and_its_papers_classes() -> None:
    table = show("lenet5_1998")
    assert table.input_size == (1, 32, 32)
    assert table.rows[-1].output == (10,)


def test_a_module_is_shown_as_it_is() -> None:
    table = show(nn.Sequential(nn.Conv2d(1, 4, 3)), input_size=(1, 9, 9))
    assert (table.name, table.rows[0].output) == ("Sequential", (4, 7, 7))


def test_layers_that_do_not_know_their_sizes_take_those_of_the_image() -> None:
    module = nn.Sequential(
        nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2)
    )
    assert show(module, input_size=(1, 9, 9)).total.weights == 4 * 9 + 4 + 8 + 2 * 4 * 49 + 2
    assert isinstance(module[3], nn.LazyLinear)  # the one that was given is not changed
    lazy = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.LazyLinear(2))
    with pytest.raises(UsageError, match="sizes are not known yet, and cannot take 3x224x224"):
        show(lazy)


def test_another_size_changes_the_maps_and_not_the_weights() -> None:
    small, large = show("resnet18", size=64), show("resnet18")
    assert small.total.weights == large.total.weights
    assert small.row("layer4.1").output == (512, 2, 2)


def test_without_says_what_is_saved() -> None:
    table = show("alexnet", without=["fc7"])
    assert table.savings is not None
    assert table.savings.weights == 4096 * 4096 + 4096
    assert table.without == ("fc7",)
    assert "without fc7: 16,781,312 fewer weights, 16,777,216 fewer multiply-adds" in str(table)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": "resnet5"}, "no model is called 'resnet5'"),
        ({"model": "alexnet", "size": 24}, "input 24x24 is too small for alexnet"),
        ({"model": "alexnet", "without": ["fc9"]}, "fc9"),
        ({"model": "alexnet", "batch_size": 0}, "--batch-size cannot be '0'"),
        ({"model": "alexnet", "size": 0}, "--size cannot be '0'"),
        ({"model": "alexnet", "input_size": (224, 224)}, "input size 224x224"),
        ({"model": "googlenet_2014_aux", "without": ["fc"]}, "is no chain of layers"),
    ],
)
def test_what_cannot_be_shown_is_refused(settings: dict, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        show(**settings)
    assert words in str(refused.value)
    assert refused.value.hint


def test_a_field_is_measured_within_its_box(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 8, 3))
    figure = receptive_field(network, "2", input_size=(3, 32, 32), inputs=2)
    top, left, bottom, right = figure.box
    assert (bottom - top, right - left) == figure.field.size == (9, 9)
    outside = figure.effective.weights.clone()
    outside[top:bottom, left:right] = 0
    assert not outside.any()
    assert figure.effective.weights[top:bottom, left:right].all()
    with Image.open(figure.save(tmp_path / "field.png")) as image:
        assert image.size == (512, 512)
    assert b"<svg" in figure.save(tmp_path / "field.svg").read_bytes()[:10]
    with pytest.raises(UsageError, match=r"not drawn as '\.gif'"):
        figure.save(tmp_path / "field.gif")


def test_an_unknown_layer_of_a_field_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no layer is called 'c9'") as unknown:
        receptive_field("lenet5", "c9")
    assert unknown.value.hint


def test_a_field_over_everything_has_the_image_as_its_box() -> None:
    figure = receptive_field("lenet5", "f6", inputs=1)
    assert figure.box == (0, 0, 32, 32)
    with Image.open(io.BytesIO(figure.png())) as image:
        assert image.width == 512


def test_fields_are_the_same_each_time() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
    one, other = (receptive_field(network, "2", input_size=(1, 12, 12), inputs=3) for _ in range(2))
    assert torch.equal(one.effective.weights, other.effective.weights)
