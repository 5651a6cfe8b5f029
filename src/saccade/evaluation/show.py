"""The anatomy of a network, or of two side by side: table and drawings.

A network is given by name, as a table, a run, a bundle or a module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from saccade.auto.trained import TrainedLike, name_of, recognised
from saccade.command import Command
from saccade.errors import UsageError
from saccade.explain.anatomy import Anatomy
from saccade.explain.side_by_side import SideBySide
from saccade.files import refuse_to_replace, write_output
from saccade.models.table import shown_name
from saccade.progress import say
from saccade.report.show import receptive_field, show, svg
from saccade.runs.run import Run


def show_networks(
    *models: TrainedLike | nn.Module,
    drawing: str | Path | None,
    layer: str | None,
    out: str | Path | None,
    size: int | str | Sequence[int] | None,
    **options: Any,
) -> Anatomy | SideBySide:
    """The table of one network's layers, or of two side by side; draws them to `drawing`.

    The field of one network's `layer` is drawn to `out`.  `options` are those of
    `report.show.show`.
    """
    if out is not None and layer is None:
        raise UsageError(
            "--out is for the image of a receptive field",
            "name its layer: --receptive-field conv1",
        )
    _refuse_numbers(models, layer)
    refuse_to_replace(*(None if file is None else Path(file) for file in (drawing, out)))
    anatomies = [*_anatomies(models, size, options)]
    if drawing is not None:
        write_output(Path(drawing), svg(*anatomies))
        say(f"the drawing is {drawing}")
    if layer is not None:
        network, input_options = _with_input(models[0], size)
        file = Path(out or f"{anatomies[0].name}-{layer}.svg")
        _draw_field(network, layer, input_options, file)
    return SideBySide(*anatomies) if len(anatomies) == 2 else anatomies[0]


def _refuse_numbers(models: Sequence[TrainedLike | nn.Module], layer: str | None) -> None:
    """Raise `UsageError` for no network or too many, and for the field of a layer of two."""
    if not models:
        raise UsageError("no network is named", "name one or two: saccade show resnet18 resnet50")
    if len(models) > 2:
        first, second = (_shown(model) for model in models[:2])
        what = f"{len(models)} networks are named, and two at most stand side by side"
        raise UsageError(what, f"show two of them: {Command.of('show', first, second)}")
    if layer is not None and len(models) == 2:
        what = "--receptive-field is of a layer of one network, and two are named"
        one = Command.of("show", _shown(models[0]), receptive_field=layer)
        raise UsageError(what, f"show one network: {one}")


def _shown(model: TrainedLike | nn.Module) -> str:
    return type(model).__name__ if isinstance(model, nn.Module) else name_of(model)


def _anatomies(
    models: Sequence[TrainedLike | nn.Module],
    size: int | str | Sequence[int] | None,
    options: Mapping[str, Any],
) -> Iterator[Anatomy]:
    """Each network's table; what is wrong with one of two is said of that one."""
    for model in models:
        try:
            yield _anatomy(model, size, options)
        except UsageError as error:
            if len(models) == 1 or _shown(model) in error.what:
                raise
            raise UsageError(f"{_shown(model)}: {error.what}", error.hint) from error


def _anatomy(
    model: TrainedLike | nn.Module,
    size: int | str | Sequence[int] | None,
    options: Mapping[str, Any],
) -> Anatomy:
    network, input_options = _with_input(model, size)
    anatomy = show(network, **input_options, **options)
    if isinstance(model, nn.Module):
        return anatomy
    return replace(anatomy, name=shown_name(name_of(model)))


def _with_input(
    model: TrainedLike | nn.Module, size: int | str | Sequence[int] | None
) -> tuple[str | nn.Module, dict[str, Any]]:
    """The network, and the size of its input; that of a run or a bundle is its preprocessing's."""
    options = _input_options(size)
    found = model if isinstance(model, nn.Module) else recognised(model)
    if isinstance(found, nn.Module | str):
        return found, options
    bundle = found.bundle if isinstance(found, Run) else found
    if options["input_size"] is None:
        p = bundle.preprocessing
        options["input_size"] = (p.channels, p.size, p.size)
    return bundle.model, options


def _input_options(size: int | str | Sequence[int] | None) -> dict[str, Any]:
    """A size in pixels alone, or channels, height and width, which "3x64x48" says as text."""
    if size is None or isinstance(size, int):
        return {"size": size, "input_size": None}
    text = size if isinstance(size, str) else "x".join(map(str, size))
    lengths = text.split("x")
    if not all(length.isdecimal() for length in lengths):
        raise UsageError(f"--size cannot be '{text}'", "write 224, or 3x64x48")
    pixels = [int(length) for length in lengths]
    whole = len(pixels) > 1
    return {"size": None if whole else pixels[0], "input_size": pixels if whole else None}


def _draw_field(network: str | nn.Module, layer: str, options: dict[str, Any], file: Path) -> None:
    if file.suffix.lower() not in (".png", ".svg"):
        raise UsageError(
            f"'{file}' is neither PNG nor SVG", "name a file that ends in .png or .svg"
        )
    image = receptive_field(network, layer, **options)
    write_output(file, image.png() if file.suffix.lower() == ".png" else image.svg())
    say(f"the receptive field of {layer} is drawn in {file}")
