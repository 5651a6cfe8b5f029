"""Facts 32 to 37: training.  What larger tests hold is named in docs/lectures.md."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

from saccade.augmentation.catalogue import parse_augmentation
from saccade.auto.summary import channel_statistics
from saccade.data.batch import Batch
from saccade.data.cache import CachedImages
from saccade.data.loader import balanced, shuffled
from saccade.engine.distributed.torch_world import shard_of
from saccade.engine.freezing import unfreeze_from
from saccade.engine.optim import make_optimizer, parameter_groups
from saccade.explain.backprop import backpropagation
from saccade.models.create import create_model
from saccade.models.layers.blocks import chain, normalized
from saccade.models.layers.initialise import INITIALISATIONS
from saccade.probes.simple import ridge
from saccade.runs.run import Run
from saccade.tasks.classification import Classification

TASK = Classification(("a", "b", "c"))


def digit_images() -> tuple[Tensor, Tensor]:
    """The handwritten digits of scikit-learn as [N,1,8,8], 0 to 240, and their classes [N]."""
    pixels, classes = load_digits(return_X_y=True)
    return torch.tensor(pixels * 15).byte().view(-1, 1, 8, 8), torch.tensor(classes)


def flat(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


def small_problem(count: int) -> tuple[nn.Module, Batch]:
    """A small network in float64, and images for it."""
    torch.manual_seed(0)
    network = chain(flatten=nn.Flatten(), fc1=nn.Linear(4, 5), phi=nn.Tanh(), fc2=nn.Linear(5, 3))
    images = torch.rand(count, 1, 2, 2, dtype=torch.float64)
    return network.double(), Batch(images, torch.arange(count) % 3, torch.arange(count))


def gradient(network: nn.Module, batch: Batch) -> Tensor:
    """The gradient of the task's loss by all weights, in one row."""
    loss = TASK.losses(network, batch)["loss"]
    return flat(torch.autograd.grad(loss, [*network.parameters()]))


def test_f32_normalised_images_have_mean_0_and_deviation_1_in_every_channel() -> None:
    torch.manual_seed(0)
    images = (torch.rand(50, 3, 8, 8) * torch.tensor([50, 100, 255]).view(3, 1, 1)).byte()
    x = normalized(chain(end=nn.Identity()), *channel_statistics(CachedImages(images)))(images)
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), atol=2e-3, rtol=0)
    torch.testing.assert_close(x.std((0, 2, 3), correction=0), torch.ones(3), atol=2e-3, rtol=0)


def test_f32_a_pass_shows_every_image_once_or_every_class_as_often() -> None:
    targets = torch.tensor([0] * 90 + [1] * 10)
    assert sorted(shuffled(100, seed=0)(0)) == list(range(100))
    shown = targets[torch.as_tensor(balanced(targets, 0)(0))]
    assert shown.bincount().tolist() == [50, 50]


@pytest.mark.parametrize(("init", "halvings"), [("he", 0), ("xavier", 15)])
def test_f32_through_30_relu_layers_an_error_signal_keeps_its_size_from_hes_weights_alone(
    init: str, halvings: int
) -> None:
    """Xavier's variance is half of what a ReLU needs: 2^-(30/2).  He 2015, Section 2.2."""
    generator = torch.Generator().manual_seed(0)
    sizes = []
    for _ in range(8):
        network = INITIALISATIONS[init](create_model("mlp_30x64", 10), generator).double()
        images = torch.rand(16, 1, 28, 28, generator=generator, dtype=torch.float64)
        trace = backpropagation(lambda x: network(x).square().sum(), network, x=images)  # noqa: B023
        first, last = (trace[row].error.square().mean() for row in ("fc1", "phi30"))
        sizes.append((first / last).log2().item() / 2)
    assert sum(sizes) / 8 == pytest.approx(-halvings, abs=2)


def test_f33_the_noise_of_a_batchs_gradient_has_a_variance_of_1_over_its_size() -> None:
    """Exactly, over all batches drawn with replacement; without, times 1 - (B - 1) / (N - 1)."""
    network, whole = small_problem(5)
    alone = torch.stack([gradient(network, whole[torch.tensor([n])]) for n in range(5)])
    mean = alone.mean(0)
    torch.testing.assert_close(mean, gradient(network, whole))  # no bias
    variance = (alone - mean).square().sum(1).mean().item()

    def noise(batches: Iterable[tuple[int, ...]]) -> float:
        squares = [(alone[list(batch)].mean(0) - mean).square().sum() for batch in batches]
        return torch.stack(squares).mean().item()

    for size in (1, 2, 3, 5):
        expected = variance / size
        assert noise(itertools.product(range(5), repeat=size)) == pytest.approx(expected, rel=1e-9)
        without = expected * (1 - (size - 1) / 4)
        found = noise(itertools.combinations(range(5), size))
        assert found == pytest.approx(without, rel=1e-9, abs=1e-20)


def momentum(g: list[float], w: float, lr: float) -> float:
    v = 0.0
    for slope in g:
        v = 0.9 * v + slope
        w -= lr * v
    return w


def nesterov(g: list[float], w: float, lr: float) -> float:
    v = 0.0
    for slope in g:
        v = 0.9 * v + slope
        w -= lr * (slope + 0.9 * v)
    return w


def adagrad(g: list[float], w: float, lr: float) -> float:
    total = 0.0
    for slope in g:
        total += slope**2
        w -= lr * slope / (math.sqrt(total) + 1e-10)
    return w


def adadelta(g: list[float], w: float, lr: float) -> float:
    squares = steps = 0.0
    for slope in g:
        squares = 0.9 * squares + 0.1 * slope**2
        step = math.sqrt(steps + 1e-6) / math.sqrt(squares + 1e-6) * slope
        steps = 0.9 * steps + 0.1 * step**2
        w -= lr * step
    return w


def rmsprop(g: list[float], w: float, lr: float) -> float:
    squares = 0.0
    for slope in g:
        squares = 0.99 * squares + 0.01 * slope**2
        w -= lr * slope / (math.sqrt(squares) + 1e-8)
    return w


def adam(g: list[float], w: float, lr: float) -> float:
    m = v = 0.0
    for t, slope in enumerate(g, 1):
        m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
        w -= lr * m / (1 - 0.9**t) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


Rule = Callable[[list[float], float, float], float]


@pytest.mark.parametrize(
    ("name", "beta", "rule"),
    [
        ("sgd", 0.0, lambda g, w, lr: w - lr * sum(g)),
        ("sgd", 0.9, momentum),
        ("nesterov", 0.9, nesterov),
        ("adagrad", 0.0, adagrad),
        ("adadelta", 0.9, adadelta),
        ("rmsprop", 0.0, rmsprop),
        ("adam", 0.9, adam),
    ],
)
def test_f33_each_optimizer_moves_a_weight_by_its_papers_rule(
    name: str, beta: float, rule: Rule
) -> None:
    network = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(network.weight, 2.0)
    optimizer = make_optimizer(name, parameter_groups(network, 0.0), 0.1, beta)
    slopes = [1.0, -0.5, 3.0, 0.25]
    for slope in slopes:
        network.weight.grad = torch.tensor([[slope]], dtype=torch.float64)
        optimizer.step()
    assert network.weight.item() == pytest.approx(rule(slopes, 2.0, 0.1), rel=1e-9)


MASKS = [torch.tensor(mask).double() for mask in itertools.product((0, 1), repeat=6)]


@pytest.mark.parametrize("p", [0.5, 0.2])
def test_f34_dropout_averages_over_all_its_masks(p: float) -> None:
    """Of a linear layer exactly, and of the softmax behind it as a geometric mean.

    Hinton 2012, "Improving neural networks by preventing co-adaptation"; Goodfellow 2016, 7.12.
    """
    torch.manual_seed(0)
    network = chain(dropout=nn.Dropout(p), fc=nn.Linear(6, 3)).double()
    x = torch.randn(6).double()
    kept = [x * mask / (1 - p) for mask in MASKS]  # what dropout hands on in training
    chances = torch.tensor([(1 - p) ** m.sum().item() * p ** (6 - m.sum().item()) for m in MASKS])
    logits = torch.stack([network.get_submodule("fc")(each) for each in kept])
    with torch.no_grad():
        network.eval()
        torch.testing.assert_close(chances.double() @ logits, network(x))
        geometric = (chances.double() @ logits.log_softmax(1)).exp()
        torch.testing.assert_close(geometric / geometric.sum(), network(x).softmax(0))
        arithmetic = chances.double() @ logits.softmax(1)
        assert (arithmetic - network(x).softmax(0)).abs().max() > 1e-3  # not of probabilities
        network.train()
        drawn = {tuple(network.get_submodule("dropout")(x).tolist()) for _ in range(100)}
        assert drawn <= {tuple((0.0 + each).tolist()) for each in kept}


def test_f34_batch_normalisation_by_hand() -> None:
    bn = nn.BatchNorm2d(1, eps=1e-300).double()
    x = torch.tensor([1.0, 3.0, 5.0, 7.0]).double().view(4, 1, 1, 1)  # mean 4, variance 5
    y = bn(x).flatten().tolist()
    assert y == pytest.approx([-3 / 5**0.5, -1 / 5**0.5, 1 / 5**0.5, 3 / 5**0.5])
    assert bn.running_mean is not None
    assert bn.running_var is not None
    assert bn.running_mean.item() == pytest.approx(0.4)  # 0.9 * 0 + 0.1 * 4
    assert bn.running_var.item() == pytest.approx(0.9 + 0.1 * 20 / 3)  # unbiased


def test_f34_moving_digits_by_a_pixel_keeps_their_class_and_teaches_where_they_may_stand() -> None:
    """The nearest of ten images a class, or of these and eight moved copies of each."""
    images, classes = digit_images()
    move = parse_augmentation("translate:1", classes=10)
    draws = torch.Generator().manual_seed(0)

    def moved(chosen: slice) -> Batch:
        return move(
            Batch(images[chosen], classes[chosen], torch.arange(len(images))[chosen]), draws
        )

    few, others = slice(0, 100), slice(600, 1800)
    copies = [moved(few) for _ in range(8)]
    plain = Batch(images[few].float(), classes[few], torch.arange(100))
    tried = moved(others)

    def accuracy(*known: Batch) -> float:
        x = torch.cat([batch.images.float() for batch in known]).flatten(1)
        distances = torch.cdist(tried.images.float().flatten(1), x)
        nearest = torch.cat([batch.targets for batch in known])[distances.argmin(1)]
        return (nearest == tried.targets).float().mean().item()

    assert accuracy(plain, *copies) > accuracy(plain) + 0.1


def test_f34_tanh_saturates_and_relu_does_not() -> None:
    """Why a network of ReLUs may learn in fewer epochs: the slope at 5 is 1, not 0.00018."""
    slopes = [backpropagation(phi, x=5.0)["x"].error.item() for phi in (torch.relu, torch.tanh)]
    assert slopes == pytest.approx([1, 1 - math.tanh(5) ** 2], rel=1e-9)


@pytest.mark.parametrize("lowest", ["fc2", "fc1"])
def test_f35_what_is_frozen_stays_and_what_lies_above_learns(lowest: str) -> None:
    """A new classifier on fixed features; fine-tuning of all layers."""
    network, batch = small_problem(6)
    unfreeze_from(network, lowest)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    optimizer = make_optimizer("sgd", parameter_groups(network, 0.0), 0.1, 0.0)
    TASK.losses(network, batch)["loss"].backward()
    optimizer.step()
    moved = {n for n, weight in network.state_dict().items() if not weight.equal(before[n])}
    learning = ("fc2",) if lowest == "fc2" else ("fc1", "fc2")
    assert moved == {f"{row}.{kind}" for row in learning for kind in ("weight", "bias")}


def test_f36_features_learned_from_a_proxy_tell_the_number_of_a_place(trained: Run) -> None:
    """A place is four digits and its number their sum; the network learned which digit each is.

    Ridge on its 84 features, averaged over a place, explains far more than ridge on pixels.
    """
    images, digits = digit_images()
    network = nn.Sequential(*[*trained.bundle.model.children()][:-1]).eval()
    p = trained.bundle.preprocessing
    x = F.interpolate(images.float(), size=(p.size, p.size), mode="bilinear")
    with torch.inference_mode():
        learned = network(x).double()
    draws = torch.randint(0, len(digits), (400, 4), generator=torch.Generator().manual_seed(0))
    numbers = digits[draws].sum(1, keepdim=True).double()

    def r2(features: Tensor) -> float:
        places = features[draws].mean(1)
        head = ridge(places[:200, None], numbers[:200])
        with torch.no_grad():
            errors = head.row(places[200:].float()) - numbers[200:]
        return 1 - (errors.square().mean() / numbers[200:].var(correction=0)).item()

    assert r2(learned) > 0.7 > r2(images.flatten(1).double()) + 0.1


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_f37_the_gradients_of_all_processes_average_to_that_of_the_batch(count: int) -> None:
    """Each takes a part and counts by its share; with real processes: test_torch_world.py."""
    network, batch = small_problem(11)
    parts = [batch[shard_of(len(batch), rank, count)] for rank in range(count)]
    assert sum(map(len, parts)) == 11
    averaged = sum(len(part) / 11 * gradient(network, part) for part in parts)
    torch.testing.assert_close(averaged, gradient(network, batch))
