"""Features: computed once, kept under all that they depend on, the same as the network's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from saccade.data.cache import CachedImages
from saccade.data.decode import Preprocessing
from saccade.data.item import ImageArray, Item
from saccade.errors import RecipeError, UsageError
from saccade.models.backbone import backbone, head_name
from saccade.models.create import create_model
from saccade.models.layers.blocks import chain, normalized
from saccade.probes.features import AugmentedCopies, DecodedImages, features, fingerprint


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return normalized(
        chain(
            conv=nn.Conv2d(3, 6, 3), bn=nn.BatchNorm2d(6), relu=nn.ReLU(),
            pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),
            hidden=nn.Linear(6, 5), drop=nn.Dropout(0.5), fc=nn.Linear(5, 2),
        ),
        (0.5,) * 3, (0.25,) * 3,
    ).eval()  # fmt: skip


def images(count: int = 70, seed: int = 0) -> DecodedImages:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(0, 256, (count, 3, 12, 12), dtype=torch.uint8, generator=generator)
    pixels = [row.permute(1, 2, 0).contiguous().numpy() for row in rows]
    items = [Item(str(k), "a", ImageArray(array)) for k, array in enumerate(pixels)]
    return DecodedImages(items, CachedImages(rows), Preprocessing(12))


def rows_of(decoding: DecodedImages) -> Tensor:
    return decoding.images.take(torch.arange(len(decoding.images)))


def test_features_and_the_last_layer_are_the_network() -> None:
    model, decoding = network(), images()
    x = features(backbone(model), decoding, AugmentedCopies())
    assert x.shape == (70, 1, 5)
    with torch.no_grad():
        assert torch.allclose(
            model.get_submodule("fc")(x[:, 0]), model(rows_of(decoding)), atol=1e-5
        )


def test_a_layers_features_are_its_means_over_places() -> None:
    model, decoding = network(), images()
    x = features(backbone(model, "relu"), decoding, AugmentedCopies())
    with torch.no_grad():
        maps = model[:4](rows_of(decoding))
    assert torch.allclose(x[:, 0], maps.mean(dim=(2, 3)), atol=1e-5)


def test_what_is_kept_is_used_again(own_cache: Path) -> None:
    model, decoding = network(), images()
    counts: list[int] = []
    first = features(
        backbone(model), decoding, AugmentedCopies(), lambda done, total: counts.append(done)
    )
    assert counts == [64, 70]
    again = features(
        backbone(model), decoding, AugmentedCopies(), lambda done, total: counts.append(done)
    )
    assert counts == [64, 70]
    assert torch.equal(first, again)
    (file,) = (own_cache / "features").glob("*.npy")
    file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    mended = features(
        backbone(model), decoding, AugmentedCopies(), lambda done, total: counts.append(done)
    )
    assert counts == [64, 70, 64, 70]
    assert torch.equal(mended, again.clone()) or torch.equal(mended[:-1], again[:-1])


def test_everything_that_matters_changes_the_name() -> None:
    model, decoding = network(), images()
    views = AugmentedCopies(2, ("flip",))
    names = {
        fingerprint(backbone(model), decoding, AugmentedCopies()),
        fingerprint(backbone(model, "relu"), decoding, AugmentedCopies()),
        fingerprint(backbone(model), images(seed=1), AugmentedCopies()),
        fingerprint(backbone(model), decoding, views),
        fingerprint(backbone(model), decoding, replace(views, seed=1)),
        fingerprint(
            backbone(model),
            replace(decoding, preprocessing=Preprocessing(12, "crop")),
            AugmentedCopies(),
        ),
    }
    with torch.no_grad():
        model.get_parameter("conv.weight")[0, 0, 0, 0] += 1e-3
    names.add(fingerprint(backbone(model), decoding, AugmentedCopies()))
    with torch.no_grad():
        model.get_buffer("bn.running_mean")[0] += 1e-3
    names.add(fingerprint(backbone(model), decoding, AugmentedCopies()))
    assert len(names) == 8
    same = fingerprint(backbone(model), decoding, AugmentedCopies())
    with torch.no_grad():
        model.get_parameter("fc.weight")[0, 0] += 1  # the last layer is no part of it
    assert fingerprint(backbone(model), decoding, AugmentedCopies()) == same


def test_views_are_the_image_and_then_what_augmentation_makes_of_it() -> None:
    model, decoding = network(), images()
    plain = features(backbone(model), decoding, AugmentedCopies())
    x = features(backbone(model), decoding, AugmentedCopies(3, ("brightness:0.5",)))
    assert x.shape == (70, 4, 5)
    assert torch.equal(x[:, 0], plain[:, 0])
    assert not torch.equal(x[:, 1], x[:, 2])
    again = features(backbone(model), decoding, AugmentedCopies(3, ("brightness:0.5",)))
    assert torch.equal(x, again)


@pytest.mark.parametrize("augment", [(), ("mixup:0.2",)])
def test_views_that_would_be_alike_or_of_several_images_are_refused(augment: tuple) -> None:
    with pytest.raises(RecipeError):
        AugmentedCopies(2, augment)


def test_a_layer_that_does_not_exist_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no layer of this network is called 'rellu'") as caught:
        backbone(network(), "rellu")
    assert "did you mean relu" in caught.value.hint


def test_layers_are_found_by_their_number_as_papers_count_them() -> None:
    with torch.device("meta"):
        alexnet = create_model("alexnet", 10)
        assert backbone(alexnet, "fc7")(torch.empty(1, 3, 224, 224)).shape == (1, 4096)
        assert backbone(alexnet, "conv5")(torch.empty(1, 3, 224, 224)).shape == (1, 256)
        assert backbone(alexnet)(torch.empty(1, 3, 224, 224)).shape == (1, 4096)
    assert head_name(alexnet) == "classifier.6"


@pytest.mark.parametrize(
    ("name", "width"), [("googlenet_2014", 1024), ("googlenet_2014_aux", 1024), ("vgg11", 4096),
    ("resnet18", 512), ("densenet121", 1024), ("timm:vit_tiny_patch16_224", 192)]
)  # fmt: skip
def test_what_goes_into_the_last_layer_has_its_width(name: str, width: int) -> None:
    with torch.device("meta"):
        model = create_model(name, 7).eval()
        assert backbone(model)(torch.empty(1, 3, 224, 224)).shape == (1, width)


def test_a_network_without_a_fully_connected_end_takes_no_head() -> None:
    with pytest.raises(RecipeError, match="fully connected"):
        head_name(chain(conv=nn.Conv2d(3, 4, 3)))
