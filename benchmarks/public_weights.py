"""Public weights on real images: python benchmarks/public_weights.py DATA [--images N]

DATA is a folder with weights/, imagenet_samples/, labels/, cifar10_lossless/, cifar10_jpeg/ and
mnist/; what is absent is left out.  Prints the table of docs/weights.md.
"""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from saccade.data.decode import Preprocessing, decode
from saccade.models.create import create_model
from saccade.models.layers.blocks import normalized
from saccade.models.weights import weights_entry

Images = tuple[Tensor, Tensor]  # uint8 [N,C,H,W], classes [N]
BATCH = 50  # images


def photographs(data: Path) -> Images:
    """Every photograph of imagenet_samples, its middle 224 pixels."""
    lines = (data / "labels/imagenet_synset_words.txt").read_text().splitlines()
    synsets = [line.split()[0] for line in lines]
    preprocessing = Preprocessing(224, resize="crop", crop=224 / 256)
    files = sorted((data / "imagenet_samples").glob("*.JPEG"))
    pixels = torch.stack([decode(file.read_bytes(), preprocessing) for file in files])
    return pixels, torch.tensor([synsets.index(file.name.split("_")[0]) for file in files])


def cifar_lossless(data: Path) -> Images:
    """The first 4,000 training images of CIFAR-10 as they were published."""
    with np.load(data / "cifar10_lossless/train_first4000.npz") as arrays:
        pixels = torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2)
        return pixels, torch.from_numpy(arrays["labels"]).long()


def cifar_jpeg(data: Path) -> Images:
    """CIFAR-10's test images as JPEG of quality about 75."""
    with np.load(data / "cifar10_jpeg/cifar10_test_jpeg.npz") as arrays:
        content, offsets = arrays["jpeg_bytes"].tobytes(), arrays["offsets"]
        labels = torch.from_numpy(arrays["labels"]).long()
    parts = (content[a:b] for a, b in pairwise(offsets))
    return torch.stack([decode(part, Preprocessing(32)) for part in parts]), labels


def digits(data: Path) -> Images:
    """MNIST's test images."""
    with gzip.open(data / "mnist/t10k-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8)[16:].reshape(-1, 1, 28, 28).copy()
    with gzip.open(data / "mnist/t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8)[8:].astype(np.int64)
    return torch.from_numpy(pixels), torch.from_numpy(labels)


class Run(NamedTuple):
    """A network, its public weights, and images to try it on."""

    network: str
    tag: str
    file: str
    images: str


IMAGES: dict[str, Callable[[Path], Images]] = {
    "photographs": photographs,
    "CIFAR-10, lossless": cifar_lossless,
    "CIFAR-10, JPEG": cifar_jpeg,
    "MNIST": digits,
}

CIFAR = ("CIFAR-10, lossless", "CIFAR-10, JPEG")
DEPTHS = {"20": "12fca82f", "32": "d509ac18", "44": "014dd654", "56": "4bfd9763"}
RESNETS = {f"cifar_resnet{n}": f"cifar10_resnet{n}-{digest}.th" for n, digest in DEPTHS.items()}
RUNS = (
    Run("googlenet_2014", "imagenet", "googlenet_bvlc_imagenet_fp16.npz", "photographs"),
    *(Run(name, "cifar10", file, which) for name, file in RESNETS.items() for which in CIFAR),
    *(
        Run("densenet_fast_40_12", "cifar10", "densenet_fast_40_12_cifar10.npz", which)
        for which in CIFAR
    ),
    Run("lenet_caffe", "mnist", "lenet_caffe_mnist.npz", "MNIST"),
)


@torch.inference_mode()
def ranks(model: torch.nn.Module, images: Images) -> Iterator[int]:
    """For each image, how many classes are held more likely than the right one."""
    for pixels, truth in zip(images[0].split(BATCH), images[1].split(BATCH)):
        logits = model(pixels)
        yield from (logits > logits.gather(1, truth[:, None])).sum(dim=1).tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, help="of each set, evenly spread; all by default")
    arguments = parser.parse_args()
    print("| network | images | top-1 % | top-5 % | published % |\n|---|---|---|---|---|")
    for run in RUNS:
        path = arguments.data / "weights" / run.file
        if not path.is_file():
            continue
        pixels, labels = IMAGES[run.images](arguments.data)
        step = max(1, len(labels) // (arguments.images or len(labels)))
        facts = weights_entry(run.network, run.tag)
        classes = 1000 if run.tag == "imagenet" else 10
        network = create_model(run.network, classes, weights=path)
        model = normalized(network, facts.mean, facts.std).eval()
        found = np.array([*ranks(model, (pixels[::step], labels[::step]))])
        top1, top5 = 100 * (found < 1).mean(), 100 * (found < 5).mean()
        shown = f"{len(found):,} of {run.images}"
        published = " / ".join(str(share) for share in (facts.top1, facts.top5) if share) or "-"
        print(f"| {run.network} | {shown} | {top1:.2f} | {top5:.2f} | {published} |", flush=True)


if __name__ == "__main__":
    main()
