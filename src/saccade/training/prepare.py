"""Preparation of a training: decoded images, network, optimizer and augmentation in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from torch import Tensor, nn

from saccade.augmentation.augmentation import Augmentation, compose
from saccade.augmentation.catalogue import parse_augmentation
from saccade.augmentation.crop import ProgressiveResizing
from saccade.data.cache import ImageStore, decode_all
from saccade.data.decode import Preprocessing
from saccade.data.item import Item, Skipped
from saccade.data.loader import Loader, Order, balanced, evenly_spaced, sequential, shuffled
from saccade.data.splits import DataSplit, refuse_unread
from saccade.device import device
from saccade.engine.distributed.world import SINGLE_PROCESS, World, batch_norm_statistics
from saccade.engine.ema import EMA
from saccade.engine.freezing import Unfreezing, freeze_all_but, trainable_per_stage
from saccade.engine.loop import Position
from saccade.engine.optim import Lookahead, make_optimizer, parameter_groups
from saccade.engine.schedule import ReduceOnPlateau, make_schedule
from saccade.engine.state import TrainState, supervised
from saccade.engine.step import Stepper, compile_in_place
from saccade.engine.stopping import EarlyStopping
from saccade.errors import RecipeError
from saccade.own import Own
from saccade.probes.features import DecodedImages
from saccade.recipes.recipe import Recipe
from saccade.recipes.settings import preprocessing_of
from saccade.tasks.catalogue import refuse_without, task_for
from saccade.tasks.own import OwnParts
from saccade.tasks.task import Capability, Task
from saccade.training.initial import initial_model

HELD_OUT_BATCH = 256  # images evaluated at a time
PLACEHOLDER_LR = 1.0  # the learning rate until the range test has found it
ORDERS: dict[str, Callable[[Tensor, int], Order]] = {
    "shuffled": lambda targets, seed: shuffled(len(targets), seed),
    "balanced": balanced,
}


class Progress(Protocol):
    """A progress callback, called with the numbers of finished and of all images."""

    def __call__(self, done: int, total: int, /) -> None: ...


@dataclass(frozen=True)
class Split:
    """One decoded split: the items that could be read, with their images and targets [N,...]."""

    items: tuple[Item, ...]
    images: ImageStore
    targets: Tensor

    def sequential(self) -> Loader:
        """Every image once, for evaluation."""
        return Loader(self.images, self.targets, HELD_OUT_BATCH, sequential(len(self.items)))

    def evenly_spaced(self, count: int) -> Loader:
        """At most `count` images, evenly spread over the split, for evaluation."""
        order = evenly_spaced(len(self.items), count)
        return Loader(self.images, self.targets, HELD_OUT_BATCH, order)


@dataclass(frozen=True)
class TrainingSetup:
    """Images, task, loader, augmentation, and the state of the training."""

    recipe: Recipe
    task: Task
    preprocessing: Preprocessing
    splits: Mapping[str, Split]
    unreadable: tuple[Skipped, ...]
    loader: Loader
    augment: Augmentation
    state: TrainState
    early_stopping: EarlyStopping  # by validation
    notes: tuple[str, ...] = ()  # where the first weights come from
    world: World = SINGLE_PROCESS  # the processes that train together

    @property
    def model(self) -> nn.Module:
        """The network that is trained and saved, with its current weights."""
        return self.state.main.model

    @property
    def stepper(self) -> Stepper:
        """The stepper of that network."""
        return self.state.main.stepper

    @property
    def eval_model(self) -> nn.Module:
        """The network to evaluate and to save: its EMA where there is one."""
        return self.state.main.eval_model

    def sync_batch_norm(self) -> None:
        """Give all processes the same batch statistics, before evaluation and saving."""
        self.world.sync_batch_norm(self.state.models)

    def state_dict(self, position: Position) -> dict[str, Any]:
        """The state of networks, early stopping and batch statistics, and the next step."""
        return {
            "networks": self.state.state_dict(),
            "record": self.early_stopping.state_dict(),
            "statistics": self.world.gather_batch_norm(self.state.models),
            "epochs": self.recipe.train.epochs,
            "epoch": position.epoch,
            "step": position.step,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> Position:
        """Go on from the state of a checkpoint; returns the position of the next step.

        Raises `WeightsError` where the checkpoint is of other networks, or of an older version.
        """
        self.state.load_state_dict(state.get("networks", {}), state["epoch"])
        self.early_stopping.load_state_dict(state["record"])
        epochs = self.recipe.train.epochs
        if state.get("epochs", epochs) != epochs:  # what ended early goes on
            self.early_stopping.reset_patience()
        if self.early_stopping.should_stop:
            self.state.stop()
        self.world.scatter_batch_norm(self.state.models, state.get("statistics"))
        return Position(state["epoch"], state["step"])


def prepare(
    recipe: Recipe, division: DataSplit, progress: Progress, world: World = SINGLE_PROCESS
) -> TrainingSetup:
    """Decode the images and build the network, its optimizer and its augmentation.

    Raises `DataError` when a class is left without a readable image.
    """
    data, settings = recipe.data, recipe.train
    claim_device(recipe, world)
    task = task_for(
        division.train, division.classes, settings.label_smoothing, settings.class_weights
    ).with_own(own_parts_of(recipe))
    augment = [parse_augmentation(text, len(task.classes)) for text in data.augment]
    if any(a.mixes for a in augment):
        refuse_without(Capability.MIXING, task, hint="leave mixup and cutmix out of data.augment")
    preprocessing = preprocessing_of(recipe)
    cache = data.cache if world.size == 1 else "disk"
    with world.local_main_first():
        splits, unreadable = _decode(division, preprocessing, cache, task, progress)
    train = splits["train"]
    order = ORDERS[data.sampling](train.targets, settings.seed)
    loader = Loader(train.images, train.targets, int(settings.batch_size), order)
    decoded = DecodedImages(train.items, train.images, preprocessing)
    initial = initial_model(recipe, task, decoded, train.targets, progress)
    compile_in_place(initial.model, settings.compile, device(settings.device))
    state = _train_state(recipe, initial.model, task, len(loader), world)
    if data.progressive_resizing < 1:
        augment.append(
            ProgressiveResizing(data.progressive_resizing, lambda: state.main.stepper.done)
        )
    return TrainingSetup(
        recipe,
        task,
        initial.preprocessing,
        splits,
        unreadable,
        loader,
        compose(augment),
        state,
        EarlyStopping(settings.patience, keep_weights=settings.checkpoint == "best"),
        initial.notes + _world_notes(world, initial.model),
        world=world,
    )


def own_parts_of(recipe: Recipe) -> OwnParts:
    """Loss and metric of a person's own, where the recipe has any."""
    loss, metric = recipe.train.loss, recipe.train.metric
    return OwnParts(*(part if isinstance(part, Own) else None for part in (loss, metric)))


def claim_device(recipe: Recipe, world: World) -> None:
    """Claim this process's device; raise `RecipeError` for settings that several cannot share."""
    world.claim_device(device(recipe.train.device))
    if world.size == 1:
        return
    if recipe.data.cache not in ("auto", "disk"):
        raise RecipeError(
            f"data.cache={recipe.data.cache} would decode or hold every image once per process",
            "set data.cache=disk, which the processes of a machine share",
        )
    if recipe.optim.lr == "auto":
        raise RecipeError(
            "optim.lr=auto does not go with several processes: one makes the range test",
            "ask saccade lr-find, and set optim.lr to what it says",
        )
    if recipe.train.class_weights != "none":
        raise RecipeError(
            "train.class_weights do not go with several processes: the loss is normalised by the "
            "sum of class weights over the whole batch",
            "set data.sampling=balanced in their place, or train with one process",
        )


def _world_notes(world: World, model: nn.Module) -> tuple[str, ...]:
    if world.size == 1:
        return ()
    if not batch_norm_statistics([model]):
        return (f"{world.size} processes train together",)
    return (
        f"{world.size} processes train together; each normalises by its own part of a batch, and "
        "running statistics are averaged over them before measuring and saving",
    )


def _train_state(
    recipe: Recipe, model: nn.Module, task: Task, steps: int, world: World
) -> TrainState:
    """The network with optimizer, stages and EMA of a recipe, for epochs of `steps` steps."""
    optim, trainable = recipe.optim, trainable_per_stage(model, recipe.stages)
    freeze_all_but(model, trainable[0])
    groups = partial(
        parameter_groups, weight_decay=optim.weight_decay, layer_decay=optim.layer_decay
    )
    stepper = _stepper(recipe, groups(model), steps, world)
    unfreezing = Unfreezing(groups, recipe.stages, trainable, steps)
    ema = EMA(model, recipe.train.ema) if recipe.train.ema else None
    return supervised(model, task, stepper, unfreezing, ema)


def _stepper(recipe: Recipe, groups: list[dict], steps: int, world: World) -> Stepper:
    optim, total = recipe.optim, max(1, steps * recipe.train.epochs)
    lr = PLACEHOLDER_LR if optim.lr == "auto" else optim.lr
    optimizer = make_optimizer(optim.name, groups, lr, optim.momentum)
    stated = float(optim.warmup)
    warmup = stated if stated < 1 else stated / total
    if warmup >= 1:
        what = f"optim.warmup is {stated:g} steps, and the training has {total}"
        raise RecipeError(what, "write fewer, or a share such as 0.1")
    whole = world.size > 1 or recipe.train.class_weights != "none"  # not halved on its own
    return Stepper(
        Lookahead(optimizer, optim.lookahead) if optim.lookahead else optimizer,
        make_schedule(optim.schedule, warmup, 0.0 if recipe.train.minutes else 1 / total),
        total,
        precision=recipe.train.precision,
        clip=optim.clip_grad,
        minutes=recipe.train.minutes,
        micro_batch=recipe.train.micro_batch_size,
        min_micro_batch=int(recipe.train.batch_size) + 1 if whole else 1,
        plateau=ReduceOnPlateau(optim.plateau_patience)
        if optim.schedule == "plateau"
        else ReduceOnPlateau(),
        world=world,
    )


def _decode(
    division: DataSplit,
    preprocessing: Preprocessing,
    cache: str,
    task: Task,
    progress: Progress,
) -> tuple[dict[str, Split], tuple[Skipped, ...]]:
    split_items = {"train": division.train, "val": division.val, "test": division.test}
    total, done = sum(map(len, split_items.values())), 0
    readable: dict[str, tuple[Item, ...]] = {}
    images: dict[str, ImageStore] = {}
    unreadable: list[Skipped] = []
    for name, items in split_items.items():
        result = decode_all(
            items,
            preprocessing,
            mode=cache,
            progress=lambda some, _, before=done: progress(before + some, total),
        )
        done += len(items)
        unreadable += result.failed
        readable[name] = tuple(items[k] for k in result.indices)
        images[name] = result.images
    refuse_unread(readable, division.classes, unreadable)
    splits = {
        name: Split(items, images[name], task.targets(items)) for name, items in readable.items()
    }
    return splits, tuple(unreadable)
