"""The names of the classes that public weights tell apart, in the order of their last layer.

ImageNet's (Russakovsky 2015) are those of torchvision, `imagenet_classes.txt`, in the order of
their WordNet synsets, `imagenet_synsets.txt`; CIFAR-10's are of
Krizhevsky 2009.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
DIGITS = tuple("0123456789")


def class_names(tag: str) -> tuple[str, ...]:
    """The names for a tag of weights.toml, `imagenet_v2` say; none where they are not known."""
    if tag.partition("_")[0] == "imagenet":
        text = (files("saccade.models") / "imagenet_classes.txt").read_text("utf-8")
        return tuple(text.splitlines())
    return {"cifar10": CIFAR10, "mnist": DIGITS}.get(tag, ())


@cache
def synset_names() -> Mapping[str, str]:
    """The name of each of ImageNet's 1,000 classes by its synset, n01440764 say."""
    text = (files("saccade.models") / "imagenet_synsets.txt").read_text("utf-8")
    return dict(zip(text.split(), class_names("imagenet"), strict=True))
