"""Public pretrained weights, and loading them into a network."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

from saccade.download import Digest, Notify, fetch, silent
from saccade.errors import UsageError, WeightsError, unknown
from saccade.models.convert import State, read_state, rename_keys
from saccade.words import shortened


@dataclass(frozen=True)
class PublicWeights:
    """One entry of weights.toml: weights that others have published."""

    network: str  # of the catalogue
    tag: str
    url: str  # empty when no address has it in a format that is read here
    sha256: str  # or its first 8 digits, as published
    licence: str
    keys: str  # the library whose names the file uses
    size: int  # pixels, height and width
    resize: int  # pixels, short side before the centre crop
    interpolation: str
    mean: tuple[float, ...]  # per channel, of values 0 to 1
    std: tuple[float, ...]
    top1: float | None = None  # per cent, as published
    top5: float | None = None  # per cent, as published
    megabytes: float | None = None

    @property
    def crop(self) -> float:
        """The centre crop as a share of the short side (timm's crop_pct)."""
        return self.size / self.resize


@dataclass(frozen=True)
class LoadReport:
    """Which of a file's tensors were loaded."""

    file: Path
    loaded: int  # tensors
    unexpected_keys: tuple[str, ...]  # in the file, not in the network
    missing_keys: tuple[str, ...]  # not in the file, or for other classes: initialised anew

    def __str__(self) -> str:
        parts = [f"{self.file.name}: {self.loaded} tensors"]
        if self.missing_keys:
            parts.append(f"{', '.join(self.missing_keys)} start anew: other classes in the file")
        if self.unexpected_keys:
            parts.append(f"{len(self.unexpected_keys)} of auxiliary classifiers left out")
        return "; ".join(parts)


@cache
def public_weights() -> dict[tuple[str, str], PublicWeights]:
    """All entries of weights.toml by network and tag."""
    text = (files("saccade.models") / "weights.toml").read_text("utf-8")
    entries = {}
    for publisher in tomllib.loads(text).values():
        folder = publisher.pop("folder")
        for row in publisher.pop("files"):
            entry = {**publisher, **row}
            name = entry.pop("file", "")
            entry["url"] = folder + name if name else ""
            entry["mean"], entry["std"] = tuple(entry["mean"]), tuple(entry["std"])
            entries[entry["network"], entry["tag"]] = PublicWeights(**entry)
    return entries


def weights_entry(network: str, tag: str) -> PublicWeights:
    """The entry `tag` of a network; raises `UsageError` naming the tags there are."""
    tags = [t for n, t in public_weights() if n == network]
    if tag in tags:
        return public_weights()[network, tag]
    if not tags:
        raise UsageError(
            f"no public weights of {network} are known", "give the path of a file of weights"
        )
    raise unknown(f"weights of {network}", tag, tags)


def weights_file(network: str, weights: str | Path, *, notify: Notify = silent) -> Path:
    """A path as it is; for a tag such as "imagenet", the file fetched and checked."""
    path = Path(weights)
    if path.suffix or path.exists():
        return path
    entry = weights_entry(network, str(weights))
    file = cache_path(entry)
    if not file.is_file() and (installed := installed_file(entry)):
        return _undamaged(installed)
    if not entry.url:
        if file.is_file():
            return file
        raise WeightsError(
            f"no address has the weights '{entry.tag}' of {network} in a format that is read here",
            f"give the path of an .npz file with {entry.keys}'s names of the layers, "
            f"or put it at {file}",
        )
    digest = Digest("sha256", entry.sha256)
    return fetch(file, [entry.url], digest, damaged=WeightsError, notify=notify)


def cache_path(entry: PublicWeights) -> Path:
    """The path of an entry's file in TORCH_HOME, the folder shared with torchvision and timm.

    The file has its published name; one without an address is NETWORK-TAG.npz.
    """
    name = entry.url.rpartition("/")[2] or f"{entry.network}-{entry.tag}.npz"
    return Path(torch.hub.get_dir()) / "checkpoints" / name


WHEEL = "saccade_weights"  # the package of the wheel saccade-weights


def installed_file(entry: PublicWeights) -> Path | None:
    """The file of an entry in an installed wheel saccade-weights, if it has one; imports nothing.

    It is NETWORK-TAG.safetensors, its SHA-256 in a file beside it.
    """
    spec = find_spec(WHEEL)
    for folder in (spec and spec.submodule_search_locations) or ():
        file = Path(folder) / f"{entry.network}-{entry.tag}.safetensors"
        if file.is_file():
            return file
    return None


def file_at_hand(entry: PublicWeights) -> Path | None:
    """An entry's file on this machine: in TORCH_HOME, else in an installed wheel, else None."""
    file = cache_path(entry)
    return file if file.is_file() else installed_file(entry)


def _undamaged(file: Path) -> Path:
    """A file of the wheel, compared with its digest; raises `WeightsError` where they differ."""
    beside = file.with_suffix(".sha256")
    digest = beside.read_text("ascii").strip() if beside.is_file() else ""
    if not digest or Digest("sha256", digest).mismatch(file):
        raise WeightsError(
            f"'{file}' is not what the wheel brought: its SHA-256 differs",
            "install the wheel saccade-weights again",
        )
    return file


def load_weights(network: nn.Module, path: Path | str) -> LoadReport:
    """Put a file's tensors into the network, by name; raises `WeightsError` unless all fit.

    Two things may differ: a classifier for another number of classes is initialised anew, and
    auxiliary classifiers that the network does not have are left out.  The report tells which.
    """
    return load_state(network, read_state(Path(path)), Path(path))


def load_state(network: nn.Module, state: State, path: Path) -> LoadReport:
    """Put a state dict, read from `path`, into the network, as `load_weights` does a file."""
    own = network.state_dict()
    state = rename_keys(state, own.keys())
    unexpected = tuple(n for n in state if n not in own and n.startswith(AUXILIARY_PREFIXES))
    missing = tuple(n for n in state if _for_other_classes(n, state, own, classifiers(network)))
    matching = {n: v for n, v in state.items() if n not in {*unexpected, *missing}}
    _check(path, matching, {n: v for n, v in own.items() if n not in missing})
    network.load_state_dict(matching, strict=False)
    return LoadReport(path, len(matching), unexpected, missing)


AUXILIARY_PREFIXES = ("aux1.", "aux2.")


def classifiers(network: nn.Module) -> tuple[str, ...]:
    """The names of the last layer with weights, and of the last in each auxiliary classifier."""
    weighted = [n for n, m in network.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    main = [name for name in weighted if not name.startswith(AUXILIARY_PREFIXES)]
    auxiliary = [
        [name for name in weighted if name.startswith(prefix)] for prefix in AUXILIARY_PREFIXES
    ]
    return tuple(group[-1] for group in (main, *auxiliary) if group)


def _for_other_classes(name: str, state: State, own: State, heads: Sequence[str]) -> bool:
    return (
        name.rpartition(".")[0] in heads
        and name in own
        and state[name].shape != own[name].shape
        and state[name].shape[1:] == own[name].shape[1:]
    )


def _check(path: Path, state: State, own: State) -> None:
    missing = [n for n in own if n not in state and not n.endswith("num_batches_tracked")]
    unexpected = [n for n in state if n not in own]
    misshapen = [n for n in state if n in own and state[n].shape != own[n].shape]
    not_finite = [n for n, value in state.items() if not torch.isfinite(value).all()]
    kinds = (
        ("missing", missing),
        ("not of this network", unexpected),
        ("of another shape", [f"{n} {_shapes(state[n], own[n])}" for n in misshapen]),
        ("not finite", not_finite),
    )
    problems = [
        f"{len(names)} {problem} ({shortened(names, 3)})" for problem, names in kinds if names
    ]
    if problems:
        raise WeightsError(
            f"'{path}' does not fit the network: of {len(own)} tensors, {'; '.join(problems)}",
            "it belongs to another network, or to another version of this one",
        )


def _shapes(theirs: torch.Tensor, ours: torch.Tensor) -> str:
    sizes = ("x".join(map(str, tensor.shape)) or "a number" for tensor in (theirs, ours))
    return " instead of ".join(sizes)
