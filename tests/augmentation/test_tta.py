"""Views: the ten of AlexNet and the rest, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F

from saccade.augmentation.tta import TTATransform, averaged, tta_transforms
from saccade.data.targets import Boxes, Images
from saccade.errors import RecipeError


def make_images(side: int = 16) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (2, 3, side, side), generator=generator).byte()


def transformed(
    images: torch.Tensor, transforms: Sequence[TTATransform]
) -> tuple[torch.Tensor, ...]:
    """What `averaged` shows to the network, one transform after the other."""
    seen: list[torch.Tensor] = []

    def predict(copies: torch.Tensor) -> torch.Tensor:
        seen.append(copies)
        return copies.mean((1, 2, 3))

    averaged(predict, images, transforms)
    return tuple(seen)


def test_no_names_are_one_view_of_the_image_itself():
    (only,) = transformed(make_images(), tta_transforms([]))
    assert torch.equal(only, make_images().float())


def test_a_flip_adds_the_mirrored_image():
    plain, mirrored = transformed(make_images(), tta_transforms(["flip"]))
    assert torch.equal(plain, make_images().float())
    assert torch.equal(mirrored, make_images().flip(3).float())


def test_crops_are_the_middle_and_the_corners_stretched():
    crops = list(transformed(make_images(), tta_transforms(["crops:0.5"])))
    cuts = [(4, 4), (0, 0), (0, 8), (8, 0), (8, 8)]  # row, column
    for crop, (row, column) in zip(crops, cuts, strict=True):
        cut = make_images()[:, :, row : row + 8, column : column + 8].float()
        expected = F.interpolate(cut, (16, 16), mode="bilinear", align_corners=False)
        inner = (slice(None), slice(None), slice(2, -2), slice(2, -2))
        torch.testing.assert_close(crop[inner], expected[inner])


def test_crops_and_flip_are_alexnets_ten():
    ten = tta_transforms(["crops", "flip"])
    assert len(set(ten)) == 10
    batches = list(transformed(make_images(), ten))
    for plain, mirrored in zip(batches[:5], batches[5:]):
        torch.testing.assert_close(mirrored, plain.flip(3))


def test_shifts_move_each_way_and_repeat_the_edge():
    still, right, left, down, up = transformed(make_images(32), tta_transforms(["shifts"]))
    images = make_images(32).float()
    assert torch.equal(still, images)
    assert torch.equal(right[..., 2:], images[..., :-2])
    assert torch.equal(right[..., 0], images[..., 0])
    assert torch.equal(left[..., :-2], images[..., 2:])
    assert torch.equal(down[:, :, 2:], images[:, :, :-2])
    assert torch.equal(up[:, :, :-2], images[:, :, 2:])


@pytest.mark.parametrize("name", ["flop", "crops:2", "crops:x", "flip:0.5"])
def test_a_view_that_does_not_exist_is_refused(name: str):
    with pytest.raises(RecipeError, match=name.split(":")[0]):
        tta_transforms([name])


def test_the_mean_of_predictions_is_over_all_transforms():
    images = make_images()
    found = averaged(lambda seen: seen.mean((2, 3)), images, tta_transforms(["shifts", "flip"]))
    expected = torch.stack(
        [seen.mean((2, 3)) for seen in transformed(images, tta_transforms(["shifts", "flip"]))]
    )
    assert torch.equal(found, expected.mean(0))


@pytest.mark.parametrize("names", [["flip"], ["shifts:0.125"], ["crops:0.75"], ["crops", "flip"]])
def test_what_is_predicted_of_each_pixel_is_moved_back_before_the_mean(names: list[str]):
    """A prediction that is the image itself: every view, moved back, shows it in its place."""
    smooth = F.interpolate(make_images(4).float(), (32, 32), mode="bicubic").clamp(0, 255)
    found = averaged(Images, smooth, tta_transforms(names)).values
    torch.testing.assert_close(found, smooth, atol=8, rtol=0)


def test_boxes_of_several_transforms_have_no_mean():
    def predict(images: torch.Tensor) -> Boxes:
        nothing = torch.zeros(0, 4)
        return Boxes(nothing, nothing[:, 0].long(), torch.zeros(len(images)).long())

    with pytest.raises(RecipeError, match="Boxes predicted of several transforms have no mean"):
        averaged(predict, make_images(), tta_transforms(["flip"]))
