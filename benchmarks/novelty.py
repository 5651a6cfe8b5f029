"""How many strangers novelty tells, beside the confidence of the network.

    python benchmarks/novelty.py DATA OUT [--only digits]

DATA is a folder with `mnist`, `cifar10_jpeg`, `intel_scenes`, `hymenoptera`, `imagenet_samples` and
`weights`; images and runs are written into OUT.  Strangers are none of a network's classes: for
LeNet, which learns the digits 0 to 7, digits 8 and 9, printed letters and small photographs; for
GoogLeNet with a last layer for six kinds of scenes, ants and bees, and photographs of objects.
ROC AUC is the chance that a stranger scores above a test image; 0.5 is a coin.
"""

from __future__ import annotations

import argparse
import string
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

import saccade
from saccade.data.item import EncodedImage, ImageArray, Item
from saccade.data.sources import open_source
from saccade.data.split_table import read_split
from saccade.metrics.intervals import wilson
from saccade.metrics.measure import with_intervals
from saccade.metrics.metric import Quantity
from saccade.metrics.ranking import area, roc_auc
from saccade.metrics.sample import Sample
from saccade.runs.bundle import Bundle
from saccade.runs.run import Run
from saccade.tasks.classification import Prediction
from saccade.words import proportion

LEARNED = "01234567"
EACH = 700  # digits of a class to learn from
MOST = 600  # images of a kind
LIMIT = 0.99
FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral")
LETTERS = sorted(set(string.ascii_letters) - set("IloOSZz"))  # those that look like digits
GOOGLENET = "weights/googlenet_bvlc_imagenet_fp16.npz"


def letters() -> list[Item]:
    """Printed white on black, as large as the digits."""
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    items = []
    for font in FONTS:
        for size in (20, 24, 28):
            kind = ImageFont.truetype(str(fonts / f"{font}.ttf"), size)
            for letter in LETTERS:
                image = Image.new("L", (28, 28))
                ImageDraw.Draw(image).text((14, 14), letter, 255, kind, anchor="mm")
                items.append(Item(f"{font}-{size}-{letter}", None, ImageArray(np.array(image))))
    return items


def photographs(data: Path) -> list[Item]:
    packed = np.load(data / "cifar10_jpeg" / "cifar10_test_jpeg.npz")
    files, ends = packed["jpeg_bytes"], packed["offsets"]
    places = range(0, len(ends) - 1, (len(ends) - 1) // MOST)
    return [
        Item(str(k), None, EncodedImage(files[ends[k] : ends[k + 1]].tobytes())) for k in places
    ]


def write_digits(data: Path, folder: Path) -> None:
    """A folder for each of the digits to be learned: the first of each class."""
    source = open_source(data / "mnist")
    for split, each in (("train", EACH), ("test", EACH // 5)):
        counts = dict.fromkeys(LEARNED, 0)
        for item in source.read(split):
            label = str(item.label)
            if counts.get(label, each) < each:
                place = folder / split / label
                place.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.asarray(item.image.read())).save(place / f"{counts[label]}.png")
                counts[label] += 1


def digits(data: Path, out: Path) -> tuple[Run, dict[str, list[Item]]]:
    write_digits(data, out / "digits")
    run = saccade.train(out / "digits", model="lenet5", epochs=8, out=out / "lenet5")
    test = open_source(data / "mnist").read("test")
    others = [item for item in test if str(item.label) not in LEARNED]
    return run, {
        "digits 8 and 9": others,
        "printed letters": letters(),
        "small photographs": photographs(data),
    }


def scenes(data: Path, out: Path) -> tuple[Run, dict[str, list[Item]]]:
    run = saccade.train(
        data / "intel_scenes",
        model="googlenet_2014",
        weights=data / GOOGLENET,
        recipe="features",
        out=out / "googlenet",
    )
    objects = open_source(data / "imagenet_samples")
    return run, {
        "ants and bees": list(open_source(data / "hymenoptera").read("val")),
        "objects": [item for split in objects.splits for item in objects.read(split)],
    }


def said(bundle: Bundle, items: Sequence[Item]) -> Tensor:
    """How novel, and how unsure the network is.  [N] images -> [2,N]"""
    some = items[:: max(1, len(items) // MOST)][:MOST]
    answers = [one for one in bundle.predict_items(some) if isinstance(one, Prediction)]
    return torch.tensor([[one.novelty, 1 - one.probabilities[0]] for one in answers]).T


def measure(run: Run, strangers: dict[str, list[Item]]) -> None:
    """Print a row a kind of strangers, and the false alarms."""
    items = read_split(run.path / "split.csv", open_source(run.started["data"])).test
    known = said(run.bundle, items)
    beyond, n = int((known[0] > LIMIT).sum()), known.shape[1]
    print(f"| {run.path.name} | its test images |  |  | {share(beyond, n)} |", flush=True)
    for name, found in strangers.items():
        strange = said(run.bundle, found)
        kind = torch.arange(n + strange.shape[1]) >= n
        scores = torch.cat([known, strange], dim=1)
        wanted = [
            Quantity(what, *area(roc_auc, one[:, None], kind[:, None]))
            for what, one in zip(("novelty", "unsure"), scores, strict=True)
        ]
        areas = with_intervals(wanted, Sample(len(kind)))
        caught = share(int((strange[0] > LIMIT).sum()), strange.shape[1])
        cells = " | ".join(map(str, areas))
        print(f"| {run.path.name} | {name} | {cells} | {caught} |", flush=True)


def share(hits: int, n: int) -> str:
    return proportion(hits / n, wilson(hits, n), n)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="", choices=["", "digits", "scenes"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = [f"| network | images | ROC AUC, novelty | ROC AUC, 1 - confidence | beyond {LIMIT} |"]
    print("\n".join([*rows, "|---|---|---|---|---|"]))
    for name, make in {"digits": digits, "scenes": scenes}.items():
        if arguments.only in ("", name):
            measure(*make(arguments.data, arguments.out))


if __name__ == "__main__":
    main()
