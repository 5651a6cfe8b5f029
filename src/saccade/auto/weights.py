"""Pretrained weights: where they are, their network, and their preprocessing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from saccade.command import Command
from saccade.data.decode import Preprocessing
from saccade.download import Digest, Notify, silent
from saccade.errors import NetworkError, ResourceError, UsageError, WeightsError, unknown
from saccade.models.catalogue import CLASSICAL_MODELS, NETWORKS, SEVERAL_LOGITS
from saccade.models.convert import PREFIX, State, read_state, timm_network, timm_transforms
from saccade.models.create import input_shape
from saccade.models.variants import Variant
from saccade.models.weights import (
    LoadReport,
    PublicWeights,
    cache_path,
    classifiers,
    file_at_hand,
    installed_file,
    load_state,
    public_weights,
    weights_entry,
    weights_file,
)
from saccade.runs.bundle import CROP_MODES, Bundle
from saccade.runs.naming import named_run
from saccade.runs.run import open_bundle

NAMES = NETWORKS | SEVERAL_LOGITS | CLASSICAL_MODELS
SMALL = 64  # pixels of the short side up to which images count as small
DOWNLOADED = ("resnet18", "cifar_resnet20")  # what is fetched where nothing lies here
FROM_SCRATCH = (  # what photographs without weights cost, by docs/studies/transfer.md
    "from scratch: in two sets, of 245 and 375 photographs, weights gave 26 and 27 points of "
    "accuracy"
)


@dataclass(frozen=True)
class Pretrained:
    """A pretrained network: published, of timm, in a file, or in a bundle of ours."""

    name: str  # tag, path or timm:NAME, as it was asked for
    network: str  # of the catalogue, or timm:NAME
    preprocessing: Preprocessing | None  # None: not known
    classes: tuple[str, ...] = ()  # of its last layer, where they are known
    bundle: Bundle | None = None

    @property
    def variant(self) -> Variant:
        """What was changed in the network before these weights were learned."""
        return self.bundle.variant if self.bundle else Variant()

    def load_into(
        self, network: nn.Module, classes: tuple[str, ...] | None, *, notify: Notify = silent
    ) -> LoadReport:
        """Fill the network; its last layer starts anew unless it names these `classes`, or None.

        Raises `WeightsError` for weights of another network.
        """
        heads = classifiers(network)
        own = {n: v.clone() for n, v in network.state_dict().items() if _belongs_to(n, heads)}
        state, file = self._state(notify)
        report = load_state(network, state, file)
        if classes is not None and (self.classes != classes or not classes):
            network.load_state_dict(own, strict=False)
            report = replace(
                report, missing_keys=tuple(own), loaded=report.loaded - _loaded_count(report, own)
            )
        return report

    def _state(self, notify: Notify) -> tuple[State, Path]:
        """The tensors, and their file."""
        if self.bundle is not None:
            heads = classifiers(self.bundle.model)
            state = self.bundle.model.state_dict()
            suffixes = ("weight", "bias")
            used = {
                n: v
                for n, v in state.items()
                if not _belongs_to(n, heads) or n.rpartition(".")[2] in suffixes
            }
            return used, Path(self.name)
        if self.name.startswith(PREFIX):
            model = timm_network(self.name.removeprefix(PREFIX), pretrained=True)
            return model.state_dict(), Path(self.name)
        file = weights_file(self.network, self.name, notify=notify)
        return read_state(file), file


def pretrained(weights: str, network: str = "auto") -> Pretrained:
    """What `weights` means for a network: a tag, its name, a file, a bundle, a run, or timm:NAME.

    For "auto" the network is that of the weights.  Raises `UsageError` or `WeightsError` where they
    are of another network, or of none that is known.
    """
    path = Path(weights)
    if weights.startswith(PREFIX) or network.startswith(PREFIX):
        return _from_timm(weights, network)
    if path.is_dir():
        return _from_bundle(weights, open_bundle(path), network)
    if path.name == "model.safetensors" and (path.parent / "config.json").is_file():
        return _from_bundle(weights, Bundle.load(path.parent), network)
    if path.exists() or path.suffix:
        return _from_file(path, network)
    if weights in NAMES:
        return _of_network(weights, network)
    if run := run_called(weights):
        return _from_bundle(str(run), open_bundle(run), network)
    if network == "auto":
        if weights not in {tag for _, tag in public_weights()}:
            raise unknown("run, bundle, network or tag of weights", weights, NETWORKS)
        raise UsageError(f"'{weights}' are the weights of many networks", "name one with --model")
    return Pretrained(weights, network, preprocessing_of(weights_entry(network, weights)))


def run_called(weights: str) -> Path | None:
    """The run below runs of this name, where `weights` name no network, tag or path."""
    taken = {"auto", "none", *NAMES, *(tag for _, tag in public_weights())}
    return None if weights in taken else named_run(weights)


def _of_network(name: str, network: str) -> Pretrained:
    """The weights that a network's name stands for: the best on this machine, else the first."""
    if network not in ("auto", name):
        raise WeightsError(
            f"'{name}' has weights of its own, and none of {network}",
            f"leave --model out, or give --model {name}",
        )
    entries = [entry for entry in public_weights().values() if entry.network == name]
    if not entries:
        train = Command.of("train", "DATA", model=name)
        raise UsageError(f"no public weights of {name} are known", f"train it: {train}")
    local = [entry for entry in entries if cache_path(entry).is_file()]
    best = max(local, key=lambda entry: entry.top1 or 0) if local else entries[0]
    return Pretrained(best.tag, name, preprocessing_of(best))


def preprocessing_of(entry: PublicWeights) -> Preprocessing:
    """How images are prepared for published weights."""
    return Preprocessing(
        size=entry.size,
        resize="crop",
        crop=entry.crop,
        interpolation=entry.interpolation,
        colour="grey" if len(entry.mean) == 1 else "rgb",
        mean=entry.mean,
        std=entry.std,
    )


def local_weights(short_side: int, network: str = "auto") -> list[PublicWeights]:
    """The public weights on this machine, for images of such a size, best first.

    Best is the highest published accuracy, of those that take images of about this size.
    """
    entries = [entry for entry in _fitting(short_side, network) if file_at_hand(entry)]
    return sorted(entries, key=lambda entry: (-(entry.top1 or 0), entry.network, entry.tag))


def local_or_fetched_weights(
    short_side: int, network: str = "auto", *, notify: Notify = silent
) -> list[PublicWeights]:
    """The `local_weights`; without any, those of a small network or of `network`, downloaded.

    Empty where that cannot be done: `notify` has why, and the command that fetches them by hand,
    with a path of this machine, which is for a terminal and no report.
    """
    if entries := local_weights(short_side, network):
        return entries
    networks = DOWNLOADED if network == "auto" else (network,)
    available = [e for e in _fitting(short_side, network) if e.url and e.network in networks]
    for entry in available[:1]:
        try:
            weights_file(entry.network, entry.tag, notify=notify)
        except (NetworkError, ResourceError) as error:
            place = shlex.quote(str(cache_path(entry)))
            by_hand = f"curl --create-dirs -Lo {place} {entry.url}"
            notify(f"{error.what}; to begin from these weights: {by_hand}")
            return []
    return available[:1]


def _fitting(short_side: int, network: str) -> Iterator[PublicWeights]:
    """The entries for networks with one output, made for images of such a size."""
    small = short_side <= SMALL
    for entry in public_weights().values():
        right_size = entry.size <= 64 if small else entry.size > 64
        supported = input_shape(entry.network)[0] == 3 and not entry.network.endswith("_aux")
        if right_size and supported and network in ("auto", entry.network):
            yield entry


def _from_bundle(weights: str, bundle: Bundle, network: str) -> Pretrained:
    if network not in ("auto", bundle.architecture):
        raise WeightsError(
            f"'{weights}' holds weights of {bundle.architecture}, not of {network}",
            f"leave --model out, or give --model {bundle.architecture}",
        )
    return Pretrained(
        weights, bundle.architecture, bundle.preprocessing, bundle.classes, bundle=bundle
    )


def _from_file(path: Path, network: str) -> Pretrained:
    if not path.is_file():
        raise WeightsError(
            f"there is no file of weights at '{path}'", "give a file that is there, or a bundle"
        )
    entry = _published(path, network)
    if network == "auto" and entry is None:
        raise UsageError(
            f"whose weights '{path.name}' holds is not known", "name the network with --model"
        )
    name = entry.network if entry else network
    return Pretrained(str(path), name, preprocessing_of(entry) if entry else None)


def _published(path: Path, network: str) -> PublicWeights | None:
    """The entry that a file is: by its name, its digest, or as the only one of its network."""
    entries = [e for e in public_weights().values() if network in ("auto", e.network)]
    for entry in entries:
        names = {file.name for file in (cache_path(entry), installed_file(entry)) if file}
        matches = path.name in names and not entry.network.endswith("_aux")
        if matches or (entry.sha256 and not Digest("sha256", entry.sha256).mismatch(path)):
            return entry
    return entries[0] if len(entries) == 1 else None


def _from_timm(weights: str, network: str) -> Pretrained:
    """timm's weights, for timm's network or for ours of the same names."""
    if not weights.startswith(PREFIX):
        if weights != "imagenet":
            path = Path(weights)
            if path.is_file():
                return Pretrained(weights, network, _timm_preprocessing(network))
            raise UsageError(
                f"'{weights}' are no weights of {network}", "write imagenet, or the path of a file"
            )
        weights = network
    name = weights if network == "auto" else network
    return Pretrained(weights, name, _timm_preprocessing(weights))


def _timm_preprocessing(name: str) -> Preprocessing:
    config = timm_transforms(name.removeprefix(PREFIX))
    resize_of = {crop_mode: resize for resize, crop_mode in CROP_MODES.items()}
    return Preprocessing(
        size=config["input_size"][1],
        resize=resize_of[config.get("crop_mode", "center")],
        crop=config["crop_pct"],
        interpolation=config["interpolation"],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )


def _belongs_to(name: str, layers: tuple[str, ...]) -> bool:
    return name.rpartition(".")[0] in layers


def _loaded_count(report: LoadReport, own: State) -> int:
    """How many of the last layers' tensors had been loaded, and are now replaced."""
    return len(set(own) - set(report.missing_keys))
