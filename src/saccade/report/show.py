"""The anatomy, the drawing and the receptive fields of a network of the catalogue or any module.

The figure of an effective receptive field (Luo 2016) has the box of the theoretical one.
"""

from __future__ import annotations

import base64
import copy
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import nn
from torch.nn.parameter import UninitializedBuffer, is_lazy

from saccade.errors import UsageError
from saccade.explain.anatomy import Anatomy, anatomy, field_text
from saccade.explain.field import ReceptiveField
from saccade.explain.receptive_field import EffectiveReceptiveField, effective_receptive_field
from saccade.explain.rows import Row
from saccade.models.catalogue import NETWORKS, SEVERAL_LOGITS
from saccade.models.create import check_size, create_model, input_shape
from saccade.models.layers.surgery import remove_layers
from saccade.recipes.allowed import Range
from saccade.recipes.data import WIDEST
from saccade.recipes.setting import argument
from saccade.report.drawing import svg
from saccade.words import layer_names

# Magma, thinned to five colours, dark to light.  van der Walt and Smith 2015.
MAGMA = np.array([(0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191)])
MOST_IMAGES = 65_536  # of a batch whose costs are shown
MIN_SIZE = 512  # pixels of the drawn image's longer side, at least


@dataclass(frozen=True)
class ReceptiveFieldFigure:
    """The receptive field of a layer: its theoretical box, and its effective weights [H,W]."""

    name: str
    layer: str
    field: ReceptiveField
    effective: EffectiveReceptiveField

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Top, left, bottom, right of what the measured unit can see; beyond the image too."""
        if not self.field.local:
            height, width = self.effective.weights.shape
            return 0, 0, height, width
        return self.field.box(*self.effective.position)

    def image(self) -> Image.Image:
        """Gradient as colour, the square root of its size, and the box as a line."""
        weights = self.effective.weights.sqrt().numpy()
        positions = weights * (len(MAGMA) - 1)
        low = np.minimum(positions.astype(int), len(MAGMA) - 2)
        fraction = (positions - low)[..., None]
        pixels = (MAGMA[low] * (1 - fraction) + MAGMA[low + 1] * fraction).astype(np.uint8)
        scale = max(1, -(-MIN_SIZE // max(weights.shape)))
        return Image.fromarray(pixels).resize(
            (weights.shape[1] * scale, weights.shape[0] * scale), Image.Resampling.NEAREST
        )

    def png(self) -> bytes:
        """The image with its box, as far as it lies within the image."""
        image = self.image()
        scale = image.width // self.effective.weights.shape[1]
        top, left, bottom, right = (edge * scale for edge in self.box)
        ImageDraw.Draw(image).rectangle((left, top, right - 1, bottom - 1), outline=(90, 200, 255))
        return png_bytes(image)

    def svg(self) -> str:
        """The image with its box, which may reach beyond it, and the sizes of both."""
        height, width = self.effective.weights.shape
        top, left, bottom, right = self.box
        margin = max(0, -top, -left, bottom - height, right - width) + 0.06 * max(height, width)
        span = max(height, width) + 2 * margin
        line, small = span / 300, span / 34
        data = base64.b64encode(png_bytes(self.image())).decode()
        texts = (
            escape(f"{self.name}  ·  {self.layer}"),
            f"theory {field_text(self.field)} px  ·  95 % of the gradient in "
            f"{self.effective.size():.0f} x {self.effective.size():.0f} px  ·  "
            f"mean of {self.effective.inputs} inputs",
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="700" '
            f'viewBox="{-margin:.1f} {-margin - 3 * small:.1f} {span:.1f} {span * 700 / 640:.1f}">'
            f"<style>text {{ font-family: system-ui, sans-serif; fill: #22242a }} "
            f".paper {{ fill: #fdfcfa }} .box {{ fill: none; stroke: #2c8fd0 }} "
            f"@media (prefers-color-scheme: dark) {{ text {{ fill: #e6e4df }} "
            f".paper {{ fill: #17181b }} }}</style>"
            f'<rect class="paper" x="{-margin:.1f}" y="{-margin - 3 * small:.1f}" '
            f'width="{span:.1f}" height="{span * 1.1:.1f}"/>'
            f'<text x="0" y="{-margin - 1.2 * small:.1f}" font-size="{small * 1.25:.1f}">{texts[0]}'
            f'</text><text x="0" y="{-margin + 0.1 * small:.1f}" font-size="{small * 0.8:.1f}">'
            f"{texts[1]}</text>"
            f'<image href="data:image/png;base64,{data}" width="{width}" height="{height}" '
            f'style="image-rendering: pixelated"/>'
            f'<rect class="box" x="{left}" y="{top}" width="{right - left}" '
            f'height="{bottom - top}" stroke-width="{line:.2f}"/></svg>\n'
        )

    def save(self, path: str | Path) -> Path:
        """Write the image in the format that the name ends in: .png or .svg."""
        path = Path(path)
        if path.suffix.lower() not in (".png", ".svg"):
            what = f"a receptive field is not drawn as '{path.suffix}'"
            raise UsageError(what, "use .png or .svg")
        path.write_bytes(self.png() if path.suffix.lower() == ".png" else self.svg().encode())
        return path


def png_bytes(image: Image.Image) -> bytes:
    """The image as a PNG file."""
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def receptive_field_figure(
    network: nn.Module, anatomy: Anatomy, layer: str, *, inputs: int = 16, seed: int = 0
) -> ReceptiveFieldFigure:
    """The field of a layer's middle unit, the mean over `inputs` random images [N,C,H,W]."""
    row: Row = anatomy.row(layer)
    if row.field is None:
        raise UsageError(f"'{layer}' does not see the image", "name a layer behind the input")
    if inputs < 1:
        raise UsageError(f"a mean over {inputs} inputs", "one input or more")
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(inputs, *anatomy.input_size, generator=generator)
    effective = effective_receptive_field(network, layer, images, generator=generator)
    return ReceptiveFieldFigure(anatomy.name, layer, row.field, effective)


__all__ = ["receptive_field", "show", "svg"]


def show(
    model: str | nn.Module,
    *,
    input_size: Sequence[int] | None = None,
    size: int | None = None,
    batch_size: int = 1,
    expand: bool = False,
    without: Sequence[str] = (),
) -> Anatomy:
    """The table of a network of the catalogue, or of any module, for images of one size.

    `input_size` is channels, height, width; `size` alone the height and width.  `without` names
    layers to leave out, and the anatomy then says what that saves.
    """
    argument("--batch-size", batch_size, int, Range(1, MOST_IMAGES))
    for side in (*(input_size or ())[1:], *([] if size is None else [size])):
        argument("--size", side, int, Range(1, WIDEST))
    network, name, shape = resolve_network(model, input_size, size)
    full = anatomy_of(network, name, shape, batch_size, expand)
    if not (names := layer_names(without)):
        return full
    if not isinstance(network, nn.Sequential):
        raise UsageError(f"{name} is no chain of layers", "layers can be left out of chains alone")
    with torch.device("meta"):
        remaining = remove_layers(network, names, input_shape=shape)
    reduced = anatomy(remaining, shape, batch_size=batch_size, expand=expand, name=name)
    return replace(reduced, without=names, savings=full.total - reduced.total)


def resolve_network(
    model: str | nn.Module, input_size: Sequence[int] | None, size: int | None
) -> tuple[nn.Module, str, tuple[int, int, int]]:
    """The network without weights of its own, its name, and the size of its images."""
    if isinstance(model, nn.Module):
        network, name, shape = model, type(model).__name__, (3, 224, 224)
    else:
        shape = input_shape(model)
        with torch.device("meta"):
            network, name = as_published(model), model
    if input_size is not None:
        if len(input_size) != 3:
            raise UsageError(
                f"input size {'x'.join(map(str, input_size))}", "give channels, height and width"
            )
        channels, height, width = input_size
        shape = (channels, height, width)
    if size is not None:
        shape = (shape[0], size, size)
    if min(shape) < 1:
        raise UsageError(f"input {'x'.join(map(str, shape))} holds no image", "1 or more pixels")
    if any(map(is_lazy, network.parameters())):
        network = with_known_sizes(network, shape)
    return network, name, shape


def with_known_sizes(network: nn.Module, shape: tuple[int, int, int]) -> nn.Module:
    """A copy of a network with lazy layers, whose sizes are those that an image of `shape` asks."""
    lazy = {id(b): UninitializedBuffer() for b in network.buffers() if is_lazy(b)}
    known = copy.deepcopy(network, lazy).eval()  # which cannot copy these
    try:
        with torch.no_grad():
            known(torch.zeros(1, *shape))
    except (RuntimeError, TypeError, ValueError) as error:
        what = f"{type(network).__name__} has layers whose sizes are not known yet, and cannot take"
        message = str(error).partition("\n")[0]
        raise UsageError(
            f"{what} {'x'.join(map(str, shape))}: {message}",
            "give the size of its images, as in size='1x28x28'",
        ) from error
    return known


def as_published(name: str) -> nn.Module:
    """The network with the classes of its paper: 10 for LeNet, 1000 where nothing else is said."""
    networks = NETWORKS | SEVERAL_LOGITS
    return networks[name].make() if name in networks else create_model(name)


def anatomy_of(
    network: nn.Module, name: str, shape: tuple[int, int, int], batch_size: int, expand: bool
) -> Anatomy:
    """The anatomy; a size that does not fit is explained with the sizes that do."""
    try:
        return anatomy(network, shape, batch_size=batch_size, expand=expand, name=name)
    except UsageError:
        if isinstance(name, str) and shape[0] == catalogue_channels(name):
            check_size(name, *shape[1:])
        raise


def catalogue_channels(name: str) -> int | None:
    """The channels of a network of the catalogue; None for any other."""
    try:
        return input_shape(name)[0]
    except UsageError:
        return None


def receptive_field(
    model: str | nn.Module,
    layer: str,
    *,
    input_size: Sequence[int] | None = None,
    size: int | None = None,
    weights: str | None = None,
    inputs: int = 16,
) -> ReceptiveFieldFigure:
    """The theoretical and the effective receptive field of a layer's middle unit.

    Without `weights` a named network is measured as it is before training.
    """
    network, name, shape = resolve_network(model, input_size, size)
    table = anatomy_of(network, name, shape, 1, False)
    if not isinstance(model, nn.Module):
        network = create_model(model, weights=weights) if weights else as_published(model)
    return receptive_field_figure(network, table, layer, inputs=inputs)
