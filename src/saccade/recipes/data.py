"""Data settings: the split, the preprocessing, the sampling and the augmentations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from saccade.data.window import is_choice
from saccade.errors import RecipeError
from saccade.recipes.allowed import COUNT, Range, ZeroOr
from saccade.recipes.setting import Auto, read_values, setting

MOST_FOLDS = 1_000
WIDEST = 8_192  # pixels; an image of three such channels in float32 takes 805 MB


@dataclass(frozen=True)
class Data:
    """Which images are held out, and how an image becomes the network's input."""

    val: float = setting(
        0.15,
        "Share of the images held out to watch the training, where the data is not divided.",
        unit="share",
        allowed=Range(0, 1, closed="neither"),
    )
    test: float = setting(
        0.15,
        "Share of the images held out to measure the result, once.",
        unit="share",
        allowed=Range(0, 1, closed="neither"),
    )
    split_column: str = setting(
        "auto",
        "The column of a table that tells its splits or folds; none: no column does.",
        flag="split_column",
    )
    val_folder: str = setting(
        "", "Folder of the images that watch the training; others are train.", flag="val_folder"
    )
    test_folder: str = setting(
        "",
        "Folder of the images that measure the result; others are train.",
        flag="test_folder",
    )
    folds: int = setting(
        0,
        "Parts for cross-validation, each of which is test once; 0: none, or those of the data.",
        unit="folds",
        allowed=ZeroOr(Range(3, MOST_FOLDS)),
        flag="folds",
    )
    fold: str = setting(
        "", "The fold to test on, 1 to data.folds, or a name of the data's own.", flag="fold"
    )
    size: int | Auto = setting(
        "auto",
        "Height and width of the network's input.",
        unit="pixels",
        allowed=Range(1, WIDEST),
        flag="size",
    )
    resize: Literal["squash", "crop", "pad", "auto"] = setting(
        "auto",
        "How an image becomes a square: squash changes its shape, crop cuts the middle out, pad "
        "adds a border.",
    )
    crop_pct: float | Auto = setting(
        "auto",
        "With resize=crop: the input's size over the short side before the cut, as in timm.",
        unit="share",
        allowed=Range(0, 1, closed="right"),
    )
    interpolation: Literal["bilinear", "bicubic", "auto"] = setting(
        "auto", "How pixels are read between pixels when an image is resized."
    )
    colour: Literal["rgb", "grey", "auto"] = setting(
        "auto", "The channels of the network's input: three, or one of brightness."
    )
    window: str = setting(
        "auto",
        "Black and white of images of more than 8 bits: minmax or percentiles LOW HIGH of the "
        "training images, type for the range of the number type, or two numbers such as 0 4095.",
    )
    cache: Literal["auto", "off", "memory", "disk"] = setting(
        "auto", "Where decoded images are kept from epoch to epoch; off decodes them anew."
    )
    doctor: Literal["on", "off", "auto"] = setting(
        "auto", "Whether the images are examined first, and copies kept in one split."
    )
    per_class: int = setting(
        0, "At most so many images of each class to train on; 0: all.", unit="images", allowed=COUNT
    )
    held_out_per_class: int = setting(
        0,
        "At most so many images of each class in validation and in test; 0: all.",
        unit="images",
        allowed=COUNT,
    )
    train_share: float = setting(
        1.0,
        "Share of the training images to train on.",
        unit="share",
        allowed=Range(0, 1, closed="right"),
    )
    group: str = setting(
        "source",
        "What stays in one split: source, folder, a column of the table, or a regular expression "
        "on names.",
    )
    sampling: Literal["shuffled", "balanced"] = setting(
        "shuffled", "The order of an epoch; balanced draws every class equally often."
    )
    augment: Auto | tuple[str, ...] = setting(
        (),
        'Augmentations of a batch, in this order, such as "flip translate:4".',
        own="among them functions of images [N,C,H,W], 0 to 1",
    )
    progressive_resizing: float = setting(
        1.0,
        "Progressive resizing: share of the side at which training begins, rising in four stages.",
        unit="share",
        allowed=Range(0, 1, closed="right"),
    )
    augmented_copies: int = setting(
        0,
        "Augmented copies of each image beside it, for a head that is fitted to features.",
        unit="copies",
        allowed=COUNT,
    )

    def __post_init__(self) -> None:
        read_values(self)
        _refuse_all_held_out(self)
        _refuse_no_window(self)
        _refuse_other_fold(self)


def _refuse_other_fold(data: Data) -> None:
    if data.folds and data.fold and data.fold not in map(str, range(1, data.folds + 1)):
        hint = f"there are 1 to {data.folds}"
        raise RecipeError(f"data.fold cannot be '{data.fold}' of {data.folds} folds", hint)


def _refuse_all_held_out(data: Data) -> None:
    if (share := data.val + data.test) >= 1:
        hint = "together they are under 1: the rest is trained on"
        raise RecipeError(f"data.val + data.test cannot be '{share:g}'", hint)


def _refuse_no_window(data: Data) -> None:
    if data.window != "auto" and not is_choice(data.window):
        hint = "write auto, minmax, type, 'percentiles 0.5 99.5', or two numbers such as '0 4095'"
        raise RecipeError(f"data.window cannot be '{data.window}'", hint)
