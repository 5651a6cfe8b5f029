"""Several processes against one: the same batches, pixels, gradients, weights and numbers."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from saccade.augmentation.augmentation import Augmentation, compose
from saccade.augmentation.catalogue import parse_augmentation
from saccade.data.batch import Batch
from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, sequential, shuffled
from saccade.data.targets import Boxes, Captions, Masks, joined
from saccade.engine.distributed.torch_world import TorchWorld, init_world, shard_of
from saccade.engine.distributed.world import SINGLE_PROCESS, World, batch_norm_statistics
from saccade.engine.evaluate import evaluate
from saccade.engine.loop import Step, step_generator, train
from saccade.engine.optim import OPTIMIZERS, parameter_groups
from saccade.engine.schedule import cosine
from saccade.engine.state import NetworkState, TrainState, supervised
from saccade.engine.step import Stepper
from saccade.metrics.measure import scores
from saccade.models.layers.blocks import Normalize, chain
from saccade.tasks.classification import Classification

N, BATCH = 50, 16  # the last batch of an epoch has 2 images: of four processes three have none
TASK = Classification(("dark", "bright"))


class Sides(nn.Module):
    """Two classifiers, as GoogLeNet has three.  [N,1,8,8] -> ([N,2], [N,2])"""

    def __init__(self) -> None:
        super().__init__()
        self.end, self.side = nn.Linear(64, 2), nn.Linear(64, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.flatten(1) / 255
        return self.end(x), self.side(x)


class Seen(Augmentation):
    """Augments as another one does, and takes a digest of every pixel and target."""

    def __init__(self, other: Augmentation):
        self.other = other
        self.digest = hashlib.sha256()

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        batch = self.other(batch, generator)
        self.digest.update(batch.images.numpy().tobytes() + batch.targets.numpy().tobytes())
        return batch


def make_images(n: int) -> tuple[CachedImages, Tensor]:
    """Noise in which the left half is bright for class 1."""
    targets = torch.arange(n) % 2
    images = torch.randint(0, 128, (n, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    images[targets == 1, :, :, :4] += 100
    return CachedImages(images.to(torch.uint8)), targets


def network(norm: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    rows = dict(
        normalize=Normalize((0.4,), (0.3,)),
        conv=nn.Conv2d(1, 4, 3),
        norm=nn.BatchNorm2d(4) if norm else nn.Identity(),
    )
    return chain(**rows, relu=nn.ReLU(), flatten=nn.Flatten(), fc=nn.Linear(144, 2))


def trained(model: nn.Module, world: World, micro_batch: int = 0) -> tuple[list[float], str]:
    """Train for two epochs; the loss of every step, and a digest of all that augmentation made."""
    images, targets = make_images(N)
    loader = Loader(images, targets, BATCH, shuffled(N, seed=1))
    optimizer = OPTIMIZERS["sgd"](parameter_groups(model, 0.01), 0.02, 0.9)
    total = 2 * len(loader)
    stepper = Stepper(optimizer, cosine(), total, clip=1.0, micro_batch=micro_batch, world=world)
    seen = Seen(
        compose(
            [
                parse_augmentation("flip"),
                parse_augmentation("translate:1"),
                parse_augmentation("mixup", 2),
                parse_augmentation("noise"),
            ]
        )
    )
    events = train(supervised(model, TASK, stepper), loader, seen, epochs=2, seed=7)
    losses = [float(e.losses["loss"]) for e in events if isinstance(e, Step)]
    return losses, seen.digest.hexdigest()


def pull(own: float, networks: Mapping[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
    """Two networks of which one raises what the other one lowers."""
    one, other = (model(batch.images.float()) for model in networks.values())
    return {"loss": own * (one.sigmoid() * other.sigmoid()).mean()}


def adversaries(world: World, micro_batch: int = 0) -> dict[str, Tensor]:
    """The weights of two networks with an optimizer each, after two epochs against each other."""
    images, targets = make_images(N)
    loader = Loader(images, targets, BATCH, shuffled(N, seed=1))

    def state(own: float) -> NetworkState:
        model = network()
        optimizer = OPTIMIZERS["adam"](parameter_groups(model, 0.0), 0.002, 0.5)
        stepper = Stepper(optimizer, cosine(), 8, micro_batch=micro_batch, world=world)
        return NetworkState(model, stepper, partial(pull, own))

    both = TrainState({"low": state(1.0), "high": state(-1.0)}, name="low")
    list(train(both, loader, compose([]), epochs=2, seed=7))
    return {
        f"{name}.{key}": weight
        for name, own in both.networks.items()
        for key, weight in own.model.state_dict().items()
    }


@dataclass(frozen=True)
class Found:
    """Rows of boxes, any number an image, and of masks."""

    boxes: Boxes
    masks: Masks
    large: Tensor  # [N] bool
    losses: Tensor  # [N] float64

    def __len__(self) -> int:
        return len(self.losses)

    def __getitem__(self, places: Tensor) -> Found:
        return Found(*(column[places] for column in vars(self).values()))

    @classmethod
    def joined(cls, parts: Sequence[Found]) -> Found:
        return cls(*(joined(columns) for columns in zip(*(vars(p).values() for p in parts))))


class Finding:
    """What `evaluate` needs of a task whose answers are boxes and their masks; its own metric."""

    def metric(self) -> Finding:
        return self

    def predict(self, model: nn.Module, images: Tensor) -> Boxes:
        """As many boxes as the first pixel says, 0 to 3, each with the bright part of its image."""
        counts = images[:, 0, 0, 0].long() % 4
        image = torch.arange(len(images)).repeat_interleave(counts)
        boxes = images[image, 0, 1, :4].float() + model(images)[image].mean(1, keepdim=True)
        classes = torch.arange(len(image)) % 2
        return Boxes(boxes, classes, counts, (images[image, 0] > 100).byte())

    def rows(self, predictions: Boxes, targets: Tensor) -> Found:
        """All of them and what is left and right.  Boxes, [N]"""
        seen = torch.zeros(len(predictions), 8, 8, dtype=torch.uint8)
        assert predictions.masks is not None
        seen = seen.index_add(0, predictions.image, predictions.masks)
        large = predictions.counts > 1
        return Found(predictions, Masks(seen), large, (predictions.counts - targets).double())


def boxes_found(n: int, world: World) -> dict[str, Tensor]:
    """The rows of an evaluation of `n` images, as tensors by name."""
    held, targets = make_images(n)
    loader = Loader(held, targets, 6, sequential(n))
    rows = evaluate(network(), Finding(), loader, world).rows  # type: ignore[arg-type]
    assert isinstance(rows, Found)
    parts = {**vars(rows.boxes), "seen": rows.masks.classes, "large": rows.large}
    return {**parts, "losses": rows.losses}


def captions_of(rank: int) -> Captions:
    """As many as the number of the process, each a word longer than that number."""
    return Captions(torch.full((rank, rank + 1), rank + 1), torch.tensor([rank, 0]))


def findings(world: World) -> dict[str, Any]:
    """Everything that must not depend on the number of processes, and what each has of its own."""
    actual: dict[str, Any] = {}
    for name, model, micro in (
        ("plain", network(), 0),
        ("micro", network(), 3),
        ("sides", Sides(), 0),
        ("norm", network(norm=True), 0),
    ):
        losses, digest = trained(model, world, micro)
        own = [t.clone() for t in batch_norm_statistics([model])]
        rows = world.gather_batch_norm([model])
        world.sync_batch_norm([model])
        actual[name] = dict(losses=losses, digest=digest, weights=model.state_dict(), own=own)
        actual[name] |= dict(
            gathered=rows, settled=[t.clone() for t in batch_norm_statistics([model])]
        )
        world.scatter_batch_norm([model], rows)
        actual[name]["scattered"] = batch_norm_statistics([model])
    actual["adversaries"] = adversaries(world)
    actual["adversaries in parts"] = adversaries(world, micro_batch=3)
    held, targets = make_images(21)
    result = evaluate(network(), TASK, Loader(held, targets, 6, sequential(21)), world)
    actual["scores"] = scores(TASK.metric(), result.rows)
    actual["predictions"] = result.rows.predictions
    actual["boxes"] = {n: boxes_found(n, world) for n in (1, 2, 21)}
    captions = world.all_gather(captions_of(world.rank))
    actual["captions"] = [captions.tokens, captions.counts]
    one = Boxes(torch.zeros(world.rank, 4), torch.zeros(world.rank), torch.tensor([world.rank]))
    boxes = world.all_gather(one)
    actual["without masks"] = [boxes.masks, boxes.boxes, boxes.counts]
    actual["highest"] = world.max_over_processes(10 * world.rank)
    actual["leaders"] = world.broadcast_number(0.1 + world.rank)
    words = bytes(range(256)) * 999 if world.rank == 0 else b""
    actual["told"] = hashlib.sha256(world.broadcast_bytes(words)).hexdigest()
    actual["empty"] = len(world.broadcast_bytes())
    step_generator(7, 0, 0, torch.device("cpu"), world.rank)
    actual["dropout"] = torch.rand(4)
    return actual


def free_port() -> int:
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        return any_socket.getsockname()[1]


def run_together(size: int, folder: Path) -> list[dict[str, Any]]:
    """`findings` of each process of a world of `size`."""
    shared = {
        "TORCHELASTIC_RUN_ID": "test",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size),
        "GROUP_RANK": "0",
        "OMP_NUM_THREADS": "1",
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", __file__, str(folder)],
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]
    data = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * size, "\n".join(data)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(size)]


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    with init_world() as world:
        order = folder / "order"
        with world.local_main_first():
            earlier = order.exists()
            order.touch()
        result = findings(world) | {"rank": world.rank, "earlier": earlier}
        torch.save(result, folder / f"{world.rank}.pt")


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    return findings(SINGLE_PROCESS)


@pytest.fixture(scope="module", params=[2, 4])
def together(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    return run_together(request.param, tmp_path_factory.mktemp("world"))


def test_every_process_sees_the_same_pixels_as_one_alone(together: list, alone: dict) -> None:
    for result in together:
        for name in ("plain", "micro", "sides", "norm"):
            assert result[name]["digest"] == alone[name]["digest"]


@pytest.mark.parametrize("name", ["plain", "micro", "sides"])
def test_weights_and_losses_are_those_of_one_process(
    name: str, together: list, alone: dict
) -> None:
    for result in together:
        torch.testing.assert_close(
            result[name]["weights"], alone[name]["weights"], atol=1e-5, rtol=0
        )
        torch.testing.assert_close(result[name]["losses"], alone[name]["losses"], atol=1e-5, rtol=0)
        for key, weight in result[name]["weights"].items():
            assert torch.equal(weight, together[0][name]["weights"][key]), "processes differ"


@pytest.mark.parametrize("name", ["adversaries", "adversaries in parts"])
def test_two_networks_with_two_optimizers_end_as_in_one_process(
    name: str, together: list, alone: dict
) -> None:
    assert not torch.equal(alone[name]["low.fc.weight"], alone[name]["high.fc.weight"])
    for result in together:
        torch.testing.assert_close(result[name], alone[name], atol=1e-5, rtol=0)
        for key, weight in result[name].items():
            assert torch.equal(weight, together[0][name][key]), "processes differ"


def test_micro_batches_change_nothing(together: list) -> None:
    plain, micro = (together[0][name]["weights"] for name in ("plain", "micro"))
    torch.testing.assert_close(plain, micro, atol=1e-5, rtol=0)


def test_statistics_are_settled_to_the_mean_of_all_processes(together: list) -> None:
    owns = [torch.cat(result["norm"]["own"]).double() for result in together]
    assert not torch.equal(owns[0], owns[1]), "each has seen its own images"
    mean = sum(owns[1:], owns[0]) / len(owns)
    for result in together:
        synchronised = torch.cat(result["norm"]["settled"])
        torch.testing.assert_close(synchronised, mean.float(), atol=1e-7, rtol=1e-6)
        assert torch.equal(synchronised, torch.cat(together[0]["norm"]["settled"]))


def test_statistics_are_taken_up_as_each_process_had_them(together: list) -> None:
    for result in together:
        assert torch.equal(torch.cat(result["norm"]["scattered"]), torch.cat(result["norm"]["own"]))


def test_one_process_takes_up_the_mean_of_the_statistics_of_several(together: list) -> None:
    model = network(norm=True)
    SINGLE_PROCESS.scatter_batch_norm([model], together[0]["norm"]["gathered"])
    torch.testing.assert_close(batch_norm_statistics([model]), together[0]["norm"]["settled"])


def test_evaluation_of_21_images_counts_each_once_and_in_order(together: list, alone: dict) -> None:
    images, _ = make_images(21)
    with torch.inference_mode():
        whole = TASK.predict(network().eval(), images.rows.float())
    for result in together:
        assert result["predictions"].shape == (21, 2)
        torch.testing.assert_close(result["predictions"], whole)
        assert result["scores"] == pytest.approx(alone["scores"])


@pytest.mark.parametrize("n", [1, 2, 21])
def test_boxes_of_every_image_are_gathered_in_order_with_their_masks(
    n: int, together: list, alone: dict
) -> None:
    """Of one image all processes but the first have none; of 21 the last batch has 3."""
    held, targets = make_images(n)
    counts = held.rows[:, 0, 0, 0].long() % 4
    image = torch.arange(n).repeat_interleave(counts)
    bright = (held.rows[:, 0] > 100).byte()
    for found in (alone, *together):
        rows = found["boxes"][n]
        assert torch.equal(rows["counts"], counts)
        assert torch.equal(rows["losses"], (counts - targets).double())
        assert torch.equal(rows["large"], counts > 1)
        assert torch.equal(rows["masks"], bright[image])
        assert torch.equal(rows["seen"], bright * counts.byte().view(-1, 1, 1))
        assert rows["boxes"].shape == (len(image), 4)
        torch.testing.assert_close(rows["boxes"], alone["boxes"][n]["boxes"])
    assert n < 21 or len(set(counts.tolist())) == 4


def test_captions_of_other_lengths_and_boxes_without_masks_are_gathered(together: list) -> None:
    size = len(together)
    rows = [[rank + 1] * (rank + 1) for rank in range(size) for _ in range(rank)]
    for found in together:
        tokens, counts = found["captions"]
        assert tokens.tolist() == [row + [0] * (size - len(row)) for row in rows]
        assert counts.tolist() == [count for rank in range(size) for count in (rank, 0)]
        masks, boxes, counts = found["without masks"]
        assert masks is None and boxes.shape == (len(rows), 4)
        assert counts.tolist() == list(range(size))


def test_processes_agree_and_hear_their_leader(together: list) -> None:
    size, message = len(together), bytes(range(256)) * 999
    assert [result["highest"] for result in together] == [10 * (size - 1)] * size
    assert [result["leaders"] for result in together] == [0.1] * size
    assert {result["told"] for result in together} == {hashlib.sha256(message).hexdigest()}
    assert {result["empty"] for result in together} == {0}
    assert [result["earlier"] for result in together] == [False] + [True] * (size - 1)


def test_dropout_of_the_first_process_is_that_of_one_alone(together: list, alone: dict) -> None:
    assert torch.equal(together[0]["dropout"], alone["dropout"])
    assert not torch.equal(together[1]["dropout"], alone["dropout"])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("length", [0, 1, 2, 3, 5, 21, 64])
def test_parts_cover_a_batch_once_and_none_is_a_single_image(length: int, size: int) -> None:
    parts = [shard_of(length, rank, size) for rank in range(size)]
    assert [k for part in parts for k in range(length)[part]] == list(range(length))
    lengths = {part.stop - part.start for part in parts} - {0}
    assert max(lengths, default=0) - min(lengths, default=0) <= 1
    assert length < 2 or 1 not in lengths


if __name__ == "__main__":
    main(Path(sys.argv[1]))


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_a_process_gets_the_boxes_of_its_own_images(
    rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "GROUP_RANK": "0",
        "LOCAL_RANK": str(rank),
        "LOCAL_WORLD_SIZE": "3",
    }.items():
        monkeypatch.setenv(name, value)
    counts = torch.tensor([2, 0, 1, 4, 0, 3, 1])
    image = torch.arange(7).repeat_interleave(counts)
    batch = Batch(
        torch.zeros(7, 1, 2, 2), Boxes(torch.zeros(11, 4), image, counts), torch.arange(7)
    )
    actual, _ = TorchWorld(None, rank, 3).shard(batch)  # type: ignore[arg-type]
    assert actual.index.tolist() == [[0, 1], [2, 3], [4, 5, 6]][rank]
    assert torch.equal(actual.index[actual.targets.image], actual.targets.classes)
