"""What a recipe may write."""

from __future__ import annotations

import pytest

from saccade.augmentation.augmentation import Augmentation
from saccade.augmentation.catalogue import parse_augmentation
from saccade.augmentation.crop import PadCrop, RandomResizedCrop
from saccade.augmentation.geometry import Flip, Rotate, Translate
from saccade.augmentation.mix import Mixup
from saccade.errors import RecipeError


@pytest.mark.parametrize(
    ("text", "augmentation"),
    [
        ("flip", Flip()),
        ("translate:4", Translate(4)),
        ("rotate:10", Rotate(10)),
        (" rotate: 7.5, border = zeros ", Rotate(7.5, "zeros")),
        ("pad_crop:2,border=reflect", PadCrop(2, "reflect")),
        ("resized_crop:scale=0.35", RandomResizedCrop(0.35)),
        ("resized_crop:0.5,size=32,ratio=2", RandomResizedCrop(0.5, 2, 32)),
        ("mixup:0.2", Mixup(0.2, classes=7)),
        ("mixup:0.2,classes=3", Mixup(0.2, classes=3)),
    ],
)
def test_a_text_is_an_augmentation(text: str, augmentation: Augmentation):
    assert parse_augmentation(text, classes=7) == augmentation


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("rotat:10", "'rotat'", "did you mean rotate"),
        ("rotate:degree=3", "'degree'", "did you mean degrees"),
        ("rotate:ten", "'ten'", "write a number"),
        ("pad_crop:2.5", "'2.5'", "write a whole number"),
        ("rotate:10,zeros", "'zeros'", "write name=zeros"),
        ("rotate:200", "degrees of augmentation Rotate is 200", "between 0 and 180"),
        ("rotate:nan", "is nan", "between 0 and 180"),
        ("rotate:border=mirror", "'mirror'", "edge, zeros, reflect"),
        ("rotate:", "degrees", "write a number"),
        ("rotate:5,degrees=6", "degrees", "once"),
    ],
)
def test_what_cannot_be_read_says_what_could(text: str, what: str, hint: str):
    with pytest.raises(RecipeError) as error:
        parse_augmentation(text)
    assert what in error.value.what
    assert hint in error.value.hint
