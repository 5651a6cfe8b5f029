"""Trained networks as a person gives them: a run, a bundle, or a network with public weights.

The one place that tells which it is, of a path, a name, or from Python an object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from os import PathLike
from pathlib import Path

from torch import nn

from saccade.auto.weights import NAMES, Pretrained, pretrained
from saccade.command import Command
from saccade.data.decode import Preprocessing
from saccade.download import Notify, silent
from saccade.errors import SaccadeError, UsageError, unknown
from saccade.models.class_names import class_names
from saccade.models.convert import PREFIX
from saccade.models.create import create_model
from saccade.models.layers.blocks import normalized
from saccade.models.table import is_table
from saccade.models.weights import weights_entry
from saccade.runs.bundle import Bundle
from saccade.runs.naming import MADE, named_run, near_runs
from saccade.runs.run import Run
from saccade.tasks.catalogue import LABELS
from saccade.words import shortened_text

TrainedLike = str | PathLike[str] | Run | Bundle  # what a person gives for a trained network
WHAT = "give a run folder, a bundle, or a network of saccade models with public weights"  # a hint
UNNAMED = "BUNDLE"  # what a command calls a bundle that lies in no folder


@dataclass(frozen=True)
class Trained:
    """A trained network, with its run where that is known."""

    name: str  # as a command line takes it
    bundle: Bundle
    run: Run | None = None

    @property
    def title(self) -> str:
        """What to call it in a heading: the folder of the run, or the last part of the name."""
        return (self.run.path if self.run else Path(self.name)).name


def open_trained(given: TrainedLike, *, notify: Notify = silent) -> Trained:
    """The trained network that is given.

    Raises `UsageError` for what is none, `WeightsError` for a damaged one, and `ResourceError`
    where its public weights cannot be had.  `notify` gets lines on a download.
    """
    found = recognised(given)
    if isinstance(found, Run):
        return Trained(str(found.path), found.bundle, found)
    if isinstance(found, Bundle):
        return Trained(bundle_name(found), found, run_around(found.folder))
    return Trained(found, _public_bundle(found, notify))


def recognised(given: TrainedLike) -> Run | Bundle | str:
    """The run or the bundle that is given, or the name of a network; none is read needlessly.

    The folder of a bundle inside that of its run stands for the run.
    """
    if isinstance(given, Run | Bundle):
        return given
    if not isinstance(given, str | PathLike):
        raise UsageError(f"a trained network cannot be of the type {type(given).__name__}", WHAT)
    path = Path(given)
    if path.name == "model.safetensors" and path.is_file():
        path = path.parent
    if _is_dir(path):
        is_bundle = (path / "config.json").is_file()
        return (run_around(path) or Bundle.load(path)) if is_bundle else Run.open(path)
    name = str(given)
    if name in NAMES or name.startswith(PREFIX) or is_table(name):
        return name
    if run := named_run(name):
        return Run.open(run)
    raise _nothing_there(name)


def refuse_list(given: Sequence[object], verb: str) -> None:
    """Raise `UsageError` for runs in a list."""
    if any(isinstance(one, list | tuple) for one in given):
        raise UsageError("runs stand one by one, not in a list", f"write saccade.{verb}(*runs)")


def one_or_several(given: TrainedLike | Sequence[TrainedLike] | None) -> list[TrainedLike]:
    """What is given, in a list; an empty one where nothing is."""
    if given is None:
        return []
    return [*given] if isinstance(given, list | tuple) else [given]  # pyright: ignore[reportReturnType]


def measured_with(name: str) -> Command:
    """The command that measures a network on other images."""
    return Command.of("evaluate", name, "DATA", out="FOLDER")


def begun_with(name: str) -> Command:
    """The command that trains from the weights of a network."""
    return Command.of("train", "DATA", weights=name)


def run_of(
    given: TrainedLike, instead: str, command: Callable[[str], Command] = measured_with
) -> Run:
    """The run that is given.

    Raises `UsageError` for a network without one, with what to do: `command` of its name.
    """
    found = recognised(given)
    run = run_around(found.folder) if isinstance(found, Bundle) else found
    if isinstance(run, Run):
        return run
    name, kind = (bundle_name(found), "bundle") if isinstance(found, Bundle) else (found, "network")
    what = f"'{name}' is a {kind} without the run that made it: no log and no test images"
    raise UsageError(what, f"{instead}: {command(str(name))}")


def network_of(
    given: TrainedLike, weights: str | None = None, *, notify: Notify = silent
) -> tuple[nn.Module, Preprocessing]:
    """The network and its preprocessing, also where the names of its classes are not known.

    `weights` are those of a network that is given by its name: a tag, a file or a bundle.
    """
    found = recognised(given)
    if not isinstance(found, str):
        if weights is not None:
            raise UsageError(f"'{name_of(found)}' has weights of its own", "leave --weights out")
        bundle = found.bundle if isinstance(found, Run) else found
        return bundle.model, bundle.preprocessing
    return _public_network(found, _weights_of(found, weights), notify)


def name_of(given: TrainedLike) -> str:
    """What a command line calls the trained network that is given."""
    if isinstance(given, Run):
        return str(given.path)
    return bundle_name(given) if isinstance(given, Bundle) else str(given)


def bundle_name(bundle: Bundle) -> str:
    """What a command line calls a bundle."""
    return UNNAMED if bundle.folder is None else str(bundle.folder)


def weights_name(given: TrainedLike) -> str:
    """What a recipe calls the weights of the trained network that is given.

    Raises `UsageError` for a bundle that lies in no folder.
    """
    if isinstance(given, Bundle) and given.folder is None:
        what = "this bundle lies in no folder, and a recipe could not name its weights"
        raise UsageError(what, "write it into one by its method save, and give that folder")
    if not isinstance(given, str | PathLike | Run | Bundle):
        raise UsageError(f"weights cannot be of the type {type(given).__name__}", WHAT)
    return name_of(given)


def run_around(folder: Path | None) -> Run | None:
    """The run whose bundle lies in `folder`, if it lies there still."""
    if folder is None or folder.resolve().name != "bundle":
        return None
    around = folder.parent if folder.name == "bundle" else folder.resolve().parent
    return Run(around) if (around / "recipe.toml").is_file() else None


def _public_bundle(name: str, notify: Notify) -> Bundle:
    """A network with public weights as a bundle, which names its classes."""
    if is_table(name):
        what = f"'{name}' is the table of a network, which has no weights yet"
        raise UsageError(what, f"train it: {Command.of('train', 'DATA', model=name)}")
    origin = _weights_of(name, None)
    network, preprocessing = _public_network(name, origin, notify)
    classes = origin.classes or _published_classes(name, origin)
    return Bundle(name, LABELS[str].plain(classes), preprocessing, network)


def _published_classes(name: str, origin: Pretrained) -> tuple[str, ...]:
    names = () if name.startswith(PREFIX) else class_names(weights_entry(name, origin.name).tag)
    if not names:
        raise UsageError(
            f"the names of the classes that '{name}' tells apart are not known",
            f"train it on yours: {Command.of('train', 'DATA', model=name)}",
        )
    return names


def _public_network(
    name: str, origin: Pretrained, notify: Notify
) -> tuple[nn.Module, Preprocessing]:
    preprocessing = origin.preprocessing
    if preprocessing is None:
        raise UsageError(
            f"how images are prepared for '{origin.name}' is not known",
            "train with them and give the run: its bundle knows",
        )
    network = create_model(name)
    notify(str(origin.load_into(network, None, notify=notify)))
    whole = normalized(network, preprocessing.mean, preprocessing.std).eval()
    return whole, preprocessing


def _weights_of(network: str, weights: str | None) -> Pretrained:
    """The named weights, or those that the network's name stands for."""
    if network.startswith(PREFIX):
        return pretrained(weights or "imagenet", network)
    return pretrained(weights or network, network)


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that no disk can hold
        return False


def _nothing_there(name: str) -> SaccadeError:
    """The error for what is no folder and no network, with what lies beside it or sounds alike."""
    if get_close_matches(name, NAMES, n=1, cutoff=0.7):
        return unknown("model", name, NAMES)
    what = f"there is no run, bundle or network '{shortened_text(name)}'"
    return UsageError(what, f"{near_runs(name)}{MADE}, a bundle the folder bundle in it")
