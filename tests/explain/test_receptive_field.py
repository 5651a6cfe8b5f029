"""Receptive fields: by hand, from the literature, and as the support of the gradient."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from saccade.explain.anatomy import anatomy
from saccade.explain.field import ReceptiveField
from saccade.explain.receptive_field import receptive_fields
from saccade.explain.tracing import trace
from saccade.models.catalogue import NETWORKS
from saccade.models.layers.historic import LocallyConnected


def field_of(module: nn.Module, size: tuple[int, ...] = (3, 64, 64)) -> ReceptiveField:
    forward = trace(module, size)
    assert forward.root.output is not None
    return receptive_fields(forward)[forward.root.output]


def support(module: nn.Module, size: tuple[int, ...]) -> tuple[set[int], set[int], tuple]:
    """Rows and columns with a gradient of the middle unit, all weights positive."""
    image = torch.ones(1, *size, dtype=torch.float64, requires_grad=True)
    maps = module.double().eval()(image)
    position = maps.shape[2] // 2, maps.shape[3] // 2
    (gradient,) = torch.autograd.grad(maps[0, :, position[0], position[1]].sum(), image)
    magnitude = gradient[0].abs().sum(0)
    rows, columns = magnitude.sum(1).nonzero().flatten(), magnitude.sum(0).nonzero().flatten()
    return set(rows.tolist()), set(columns.tolist()), position


def predicted(
    field: ReceptiveField, position: tuple[int, int], size: tuple[int, ...], dim: int
) -> set[int]:
    first = field.start[dim] + field.stride[dim] * position[dim]
    bits = range(field.size[dim])
    pixels = {first + bit for bit in bits if field.mask[dim] >> bit & 1}
    return pixels & set(range(size[1 + dim]))


def positive(module: nn.Module) -> nn.Module:
    """The module with memory, positive weights, and means where it took the largest."""
    for part in list(module.modules()):
        for name, child in list(part.named_children()):
            if isinstance(child, nn.MaxPool2d):
                mean = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode)
                setattr(part, name, mean)
    module.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    for name, tensor in module.state_dict().items():
        if name.endswith("running_var"):
            tensor.fill_(1)
        elif name.endswith(("running_mean", "bias", "num_batches_tracked")):
            tensor.zero_()
        else:
            tensor.uniform_(0.5, 1, generator=generator).div_(max(1, tensor[0].numel()))
    return module


def crop(name: str, last: str) -> nn.Module:
    """The rows of a network up to one of them, without memory; "a.b" for a row of a group."""
    with torch.device("meta"):
        network = NETWORKS[name].make()
    outer, _, inner = last.partition(".")
    group = network.get_submodule(outer)
    rows = dict(network.named_children())
    if inner:
        assert isinstance(group, nn.Sequential)
        inside = [row for row, _ in group.named_children()]
        rows[outer] = group[: inside.index(inner) + 1]
    return nn.Sequential(*(rows[row] for row in list(rows)[: list(rows).index(outer) + 1]))


# fmt: off
CROPS = {  # row, input in pixels: the field of the middle unit fits
    "lenet5":              ("s4", 32),
    "alexnet":             ("features", 259),
    "alexnet_2012":        ("conv3", 195),
    "zfnet":               ("conv3", 224),
    "vgg11_bn":            ("features.14", 96),
    "vgg16":               ("features.16", 80),
    "googlenet_2014":      ("inception3b", 128),
    "googlenet":           ("inception4a", 160),
    "bn_inception":        ("inception3c", 176),
    "inception_resnet_v2": ("mixed_5b", 107),
    "resnet18":            ("layer2", 144),
    "resnet50":            ("layer2", 128),
    "resnet50_v1":         ("layer2", 144),
    "resnext50_32x4d":     ("layer1", 80),
    "densenet121":         ("features.denseblock1", 112),
    "cifar_resnet20":      ("layer2", 80),
}
# fmt: on


@pytest.mark.parametrize("name", CROPS)
def test_the_gradient_reaches_just_the_pixels_of_the_field(name: str) -> None:
    row, pixels = CROPS[name]
    module = crop(name, row)
    size = (1 if name == "lenet5" else 3, pixels, pixels)
    field = field_of(module, size)
    rows, columns, position = support(positive(module), size)
    assert field.exact
    assert rows == predicted(field, position, size, 0)
    assert columns == predicted(field, position, size, 1)
    assert len(rows) == field.size[0]  # none of it is cut off by the edge


def test_squeeze_excite_opens_a_gate_and_leaves_the_local_field() -> None:
    module = crop("seresnet50", "layer1")
    field = field_of(module, (3, 96, 96))
    assert (field.size, field.stride, field.everywhere, field.exact) == (
        (35, 35),
        (4, 4),
        True,
        True,
    )
    rows, columns, _ = support(positive(module), (3, 96, 96))
    assert len(rows) == len(columns) == 96  # through the gate every pixel counts


def test_holes_of_dilation_stay_holes() -> None:
    module = nn.Sequential(nn.Conv2d(1, 1, 3, stride=2), nn.Conv2d(1, 1, 3, dilation=4))
    field = field_of(module, (1, 64, 64))
    # windows of 3 from places 0, 8 and 16: the pixels 0 1 2, 8 9 10, 16 17 18
    assert field.size == (19, 19)
    assert field.holes
    assert field.mask[0] == 0b1110000011100000111
    rows, _, position = support(positive(module.to("meta")), (1, 64, 64))
    assert rows == predicted(field, position, (1, 64, 64), 0)


def test_branches_of_other_dilations_are_united() -> None:
    class Atrous(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.near = nn.Conv2d(1, 1, (3, 1), padding=(1, 0))
            self.far = nn.Conv2d(1, 1, 3, dilation=5, padding=5)

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([self.near(x), self.far(x)], 1)

    module = Atrous()
    field = field_of(module, (1, 32, 32))
    assert field.mask == (0b10001110001, 0b10000100001)
    rows, columns, position = support(positive(module.to("meta")), (1, 32, 32))
    assert rows == predicted(field, position, (1, 32, 32), 0)
    assert columns == predicted(field, position, (1, 32, 32), 1)


def test_both_edges_follow_uneven_padding() -> None:
    field = field_of(nn.Sequential(nn.ZeroPad2d((3, 0, 1, 0)), nn.Conv2d(3, 1, 4)))
    assert field.start == (-1, -3)  # top 1, left 3
    assert field.box(2, 0) == (1, -3, 5, 1)
    assert field.centre == (0.5, -1.5)


def test_places_keep_their_field_through_channels_last_and_tokens() -> None:
    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches, self.mlp = nn.Conv2d(3, 8, 4, stride=4), nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            y = self.mlp(self.patches(x).permute(0, 2, 3, 1))
            tokens = y.flatten(1, 2).transpose(1, 2)
            return tokens.unflatten(2, y.shape[1:3])

    field = field_of(Turned())
    assert (field.size, field.stride, field.everywhere, field.exact) == (
        (4, 4),
        (4, 4),
        False,
        True,
    )


def test_attention_is_a_gate() -> None:
    class Attending(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 8, 4, stride=4)

        def forward(self, x: Tensor) -> Tensor:
            tokens = self.patches(x).flatten(2).transpose(1, 2)
            return tokens + (tokens @ tokens.transpose(1, 2)).softmax(-1) @ tokens

    field = field_of(Attending())
    assert (field.size, field.stride, field.everywhere) == ((4, 4), (4, 4), True)


def test_group_normalisation_is_a_gate_and_batch_normalisation_none() -> None:
    conv = nn.Conv2d(3, 4, 3)
    assert field_of(nn.Sequential(conv, nn.GroupNorm(2, 4))).everywhere
    assert not field_of(nn.Sequential(conv, nn.BatchNorm2d(4))).everywhere


def test_a_place_of_a_locally_connected_layer_sees_its_window() -> None:
    field = field_of(LocallyConnected(3, 2, 5, size=64, stride=2))
    assert (field.size, field.stride, field.exact) == ((5, 5), (2, 2), True)


def test_upsampling_gives_a_box_that_holds_the_field() -> None:
    module = nn.Sequential(nn.Conv2d(1, 1, 4, stride=4), nn.ConvTranspose2d(1, 1, 4, 2, 1))
    field = field_of(module, (1, 64, 64))
    assert not field.exact
    assert field.stride == (2, 2)
    rows, columns, position = support(positive(module.to("meta")), (1, 64, 64))
    assert rows <= predicted(field, position, (1, 64, 64), 0)
    assert columns <= predicted(field, position, (1, 64, 64), 1)


# Araujo 2019, "Computing receptive fields of convolutional neural networks", Table 1
# (AlexNet, VGG-16, ResNet v1, BN-Inception, Inception-ResNet-v2); the others by their formula.
# fmt: off
PUBLISHED = {
    "alexnet": 195, "vgg16": 212, "vgg19": 268, "googlenet_2014": 715, "bn_inception": 699,
    "inception_resnet_v2": 3039,
    "resnet18": 435, "resnet34": 899, "resnet50": 427, "resnet50_v1": 483, "resnet101_v1": 1027,
    "densenet121": 2071,
    "resnext50_32x4d": 427, "seresnet50_v1": 483,
}
# fmt: on


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_field_of_a_network_is_the_published_one(name: str) -> None:
    pixels = 299 if name == "inception_resnet_v2" else 224
    with torch.device("meta"):
        network = NETWORKS[name].make()
    fields = receptive_fields(trace(network, (3, pixels, pixels))).values()
    largest = max((field for field in fields if field.local), key=lambda field: field.size)
    assert largest.size == (PUBLISHED[name], PUBLISHED[name])
    assert largest.stride == (32, 32)
    assert largest.exact
    assert largest.everywhere == name.startswith("se")


def test_a_window_over_everything_leaves_no_place() -> None:
    with torch.device("meta"):
        table = anatomy(torchvision.models.mobilenet_v3_small(), (3, 224, 224))
    assert table.rows[-1].field is not None
    assert not table.rows[-1].field.local
