"""Every augmentation by name, and the parser of their short form in recipes."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args, get_type_hints

from saccade.augmentation.augmentation import Augmentation, RandomChoice
from saccade.augmentation.colour import (
    AutoContrast,
    Brightness,
    Contrast,
    Equalize,
    Grey,
    Hue,
    Lighting,
    Posterize,
    Saturation,
    Solarize,
)
from saccade.augmentation.crop import PadCrop, RandomResizedCrop
from saccade.augmentation.filters import Blur, Cutout, Noise, RandomErasing, Sharpen
from saccade.augmentation.geometry import (
    Elastic,
    Flip,
    Perspective,
    Rotate,
    Scale,
    Shear,
    Translate,
    VerticalFlip,
)
from saccade.augmentation.mix import CutMix, Mixup
from saccade.augmentation.own import own_augmentation
from saccade.augmentation.policies import RandAugment, TrivialAugment
from saccade.errors import RecipeError, unknown
from saccade.own import Own

# fmt: off
AUGMENTATIONS: dict[str, type] = {
    "flip":            Flip,
    "vertical_flip":   VerticalFlip,
    "translate":       Translate,
    "pad_crop":        PadCrop,
    "resized_crop":    RandomResizedCrop,
    "rotate":          Rotate,
    "scale":           Scale,
    "shear":           Shear,
    "perspective":     Perspective,
    "elastic":         Elastic,
    "brightness":      Brightness,
    "contrast":        Contrast,
    "saturation":      Saturation,
    "hue":             Hue,
    "lighting":        Lighting,
    "grey":            Grey,
    "posterize":       Posterize,
    "solarize":        Solarize,
    "autocontrast":    AutoContrast,
    "equalize":        Equalize,
    "blur":            Blur,
    "sharpen":         Sharpen,
    "noise":           Noise,
    "erase":           RandomErasing,
    "cutout":          Cutout,
    "mixup":           Mixup,
    "cutmix":          CutMix,
    "rand_augment":    RandAugment,
    "trivial_augment": TrivialAugment,
}
# fmt: on


def parse_augmentation(text: str, classes: int = 0) -> Augmentation:
    """The augmentation that `text` names: `flip`, `translate:4`, `resized_crop:scale=0.35,ratio=2`.

    The first parameter may stand without its name.  `mixup:0.2|cutmix` is either, drawn for each
    batch.  `classes`, the number of classes of the data, is passed to those that mix targets and
    are given none in `text`.
    """
    if isinstance(text, Own):
        return own_augmentation(text)
    if "|" in text:
        return RandomChoice(tuple(parse_augmentation(part, classes) for part in text.split("|")))
    name, colon, rest = text.strip().partition(":")
    if name == "none":
        raise RecipeError("'none' is no augmentation", "write data.augment= to leave all out")
    if name not in AUGMENTATIONS:
        raise unknown("augmentation", name, AUGMENTATIONS, RecipeError)
    kind = AUGMENTATIONS[name]
    hints = get_type_hints(kind)
    allowed = {field.name: hints[field.name] for field in fields(kind)}
    arguments: dict[str, object] = {}
    for position, part in enumerate(rest.split(",") if colon else ()):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            if position or not allowed:
                raise RecipeError(
                    f"'{part.strip()}' in augmentation '{text}' has no name",
                    f"write name={part.strip()}; {name} takes {', '.join(allowed) or 'nothing'}",
                )
            key, value = next(iter(allowed)), key
        if key not in allowed:
            raise unknown(f"parameter of {name}", key, allowed, RecipeError)
        if key in arguments:
            raise RecipeError(f"{key} stands twice in augmentation '{text}'", "write it once")
        arguments[key] = _value(text, key, value, allowed[key])
    if classes and "classes" in allowed:
        arguments.setdefault("classes", classes)
    return kind(**arguments)


def _value(text: str, key: str, value: str, hint: object) -> object:
    """The value as the type that the parameter is declared with."""
    cast = next((kind for kind in get_args(hint) if kind is not type(None)), hint)
    try:
        return cast(value) if callable(cast) else value
    except ValueError:
        number = "a whole number" if cast is int else "a number"
        message = f"{key} in augmentation '{text}' is '{value}'"
        raise RecipeError(message, f"write {number}") from None
