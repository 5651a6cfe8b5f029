"""without: what is left, what it weighs, what it says when the rest cannot be joined."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from saccade.errors import UsageError
from saccade.models.catalogue import NETWORKS
from saccade.models.create import input_shape
from saccade.models.layers.blocks import chain
from saccade.models.layers.surgery import find_layers, remove_layers, rows
from saccade.models.networks.small import mlp
from saccade.words import layer_names


def empty(name: str) -> nn.Sequential:
    with torch.device("meta"):
        return NETWORKS[name].make()


def names(network: nn.Sequential) -> list[str]:
    return [path for path, _ in rows(network)]


def test_a_layer_takes_its_activation_and_dropout_along():
    left = names(remove_layers(empty("alexnet_2012"), ["fc7"], input_shape=(3, 227, 227)))
    gone = set(names(empty("alexnet_2012"))) - set(left)
    assert gone == {"fc7", "relu7", "drop7"}


def test_dropout_stays_before_each_layer_that_is_left():
    """In the public AlexNet dropout stands before its layer; without fc7 one is left before fc8."""
    left = remove_layers(empty("alexnet"), ["fc7"])
    kinds = [type(row).__name__ for path, row in rows(left) if path.startswith("classifier")]
    assert kinds == ["Dropout", "Linear", "ReLU", "Dropout", "Linear"]


@pytest.mark.parametrize("name", ["alexnet", "alexnet_2012", "zfnet"])
def test_numbers_count_the_layers_with_weights_as_the_paper_does(name):
    network = empty(name)
    layers = [path for path, row in rows(network) if isinstance(row, nn.Conv2d | nn.Linear)]
    expected = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]
    assert [find_layers(network, number) for number in expected] == [[path] for path in layers]


def test_what_still_fits_is_shared_and_keeps_its_name():
    network = mlp(4, (8, 8, 6), input_shape=(1, 4, 4))
    left = remove_layers(network, ["fc2"], input_shape=(1, 4, 4))
    assert set(left.state_dict()) == {
        f"{row}.{kind}" for row in ("fc1", "fc3", "output") for kind in ("weight", "bias")
    }
    assert all(left.get_submodule(row) is network.get_submodule(row) for row in names(left))
    x = torch.randn(2, 1, 4, 4)
    h = network.get_submodule("fc1")(x.flatten(1)).relu()
    expected = network.get_submodule("output")(network.get_submodule("fc3")(h).relu())
    torch.testing.assert_close(left(x), expected)


def test_a_layer_with_another_input_is_made_anew_and_the_whole_can_be_trained():
    torch.manual_seed(0)
    left = remove_layers(NETWORKS["lenet5"].make(), ["c3", "f6"], input_shape=(1, 32, 32))
    f5 = left.get_submodule("f5")
    assert isinstance(f5, nn.Linear)
    assert f5.in_features == 6 * 7 * 7
    x, targets = torch.randn(16, 1, 32, 32), torch.arange(16) % 10
    descent = torch.optim.Adam(left.parameters(), lr=0.01)
    losses = []
    for _ in range(30):
        descent.zero_grad()
        loss = F.cross_entropy(left(x), targets)
        loss.backward()
        descent.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_a_group_can_go_whole():
    network = chain(
        a=nn.Conv2d(3, 4, 3, padding=1),
        b=chain(conv=nn.Conv2d(4, 8, 3, padding=1), bn=nn.BatchNorm2d(8), relu=nn.ReLU()),
        c=nn.Conv2d(8, 5, 1, groups=1, bias=False),
    )
    left = remove_layers(network, ["b"], input_shape=(3, 6, 6))
    assert names(left) == ["a", "c"]
    c = left.get_submodule("c")
    assert isinstance(c, nn.Conv2d)
    assert (c.in_channels, c.out_channels, c.bias) == (4, 5, None)


def test_looking_moves_no_statistics_and_no_weights():
    network = chain(conv=nn.Conv2d(3, 4, 1), bn=nn.BatchNorm2d(4), last=nn.Conv2d(4, 2, 1))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    remove_layers(network, ["bn"], input_shape=(3, 5, 5))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_it_stays_on_the_device_that_the_network_is_on():
    left = remove_layers(empty("vgg16"), ["fc14", "fc15"])
    assert all(p.is_meta for p in left.parameters())
    assert left(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, 1000)


def test_names_stand_with_commas_or_blanks_between_them():
    for given in ("a b", "a,b", "a, b", ["a b"], ["a", "b"], ["a,", "b"]):
        assert layer_names(given) == ("a", "b")
    assert layer_names(()) == ()


def test_all_rows_of_a_kind_go_where_no_layer_is_called_so():
    shape = (3, 227, 227)
    for kind in ("Dropout", "dropout"):
        left = remove_layers(empty("alexnet_2012"), [kind], input_shape=shape)
        assert set(names(empty("alexnet_2012"))) - set(names(left)) == {"drop6", "drop7"}
    named = chain(relu=nn.ReLU(), more=nn.ReLU(), fc=nn.Linear(4, 4))
    assert names(remove_layers(named, ["relu"], input_shape=(1, 4, 4))) == ["more", "fc"]


@pytest.mark.parametrize(
    ("name", "layers", "words"),
    [
        ("resnet18", ["ReLU"], "16 of the layers of kind ReLU are inside of blocks"),
        ("alexnet", ["fc9"], "no layer of this network is called 'fc9'\nhint: did you mean fc"),
        ("alexnet", ["fc8"], "without fc8 the network gives 4096 numbers instead of 1000"),
        ("lenet5_1998", ["c1"], "layer 'c3' cannot take 1 x 16 x 16"),
        ("lenet5", ["flatten"], "gives 16 x 5 x 10 numbers instead of 10"),
    ],
)
def test_what_cannot_be_is_said(name, layers, words):
    with pytest.raises(UsageError) as caught:
        remove_layers(empty(name), layers, input_shape=input_shape(name))
    assert words in str(caught.value)


def test_an_image_of_another_size_is_refused_rather_than_fitted():
    with pytest.raises(UsageError, match="layer 'fc6' cannot take 6400"):
        remove_layers(empty("alexnet_2012"), ["fc7"], input_shape=(3, 224, 224))


def test_an_unknown_layer_is_answered_with_rows_and_groups_of_the_table() -> None:
    with pytest.raises(UsageError) as caught:
        find_layers(empty("lenet5"), "xyz")
    shown = caught.value.hint.removeprefix("known are ").partition(" and ")[0].split(", ")
    assert shown == sorted(names(empty("lenet5")))[:8]
    with pytest.raises(UsageError, match=r"did you mean .*\blayer1, "):
        find_layers(empty("resnet18"), "layer11")
