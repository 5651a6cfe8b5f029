"""The anatomy of a network, given by name, as a run, a bundle or a module: table and drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from saccade.auto.trained import Given, name_of, recognised
from saccade.errors import UsageError
from saccade.explain.anatomy import Anatomy
from saccade.files import refuse_to_replace, write_output
from saccade.models.table import shown_name
from saccade.progress import say
from saccade.report.show import receptive_field, show, svg
from saccade.runs.run import Run


def show_network(
    model: Given | nn.Module,
    *,
    drawing: str | Path | None,
    layer: str | None,
    out: str | Path | None,
    size: int | str | Sequence[int] | None,
    **options: Any,
) -> Anatomy:
    """The table of layers; draws the network to `drawing`, the field of `layer` to `out`.

    `options` are those of `report.show.show`.
    """
    if out is not None and layer is None:
        raise UsageError(
            "--out is for the image of a receptive field",
            "name its layer: --receptive-field conv1",
        )
    refuse_to_replace(*(None if file is None else Path(file) for file in (drawing, out)))
    network, input_options = _with_input(model, size)
    anatomy = show(network, **input_options, **options)
    if not isinstance(model, nn.Module):
        anatomy = replace(anatomy, name=shown_name(name_of(model)))
    if drawing is not None:
        write_output(Path(drawing), svg(anatomy))
        say(f"the drawing is {drawing}")
    if layer is not None:
        _draw_field(network, layer, input_options, Path(out or f"{anatomy.name}-{layer}.svg"))
    return anatomy


def _with_input(
    model: Given | nn.Module, size: int | str | Sequence[int] | None
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
