"""Numbers from images: proxy label, features, ridge (Jean 2016), drawn and real.

    python benchmarks/regression.py DATA OUT

DATA is a folder with `houses` and `weights`; OUT gets regression.svg.  Prints the tables of
docs/studies/regression.md; from end to end about a minute of processor time.

On the drawn set the truth is known; on the houses the four photographs of each are to tell its
price.  Everything is judged on places that were in no fit.
"""

from __future__ import annotations

import argparse
import csv
import math
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from regression_ways import SEED, Row, by_proxy, by_ridge, dealt, mean_of, out_of_folds
from saccade import api
from saccade.auto.weights import preprocessing_of
from saccade.data.cache import decode_all
from saccade.data.item import ImageFile, Item
from saccade.metrics.regression import RegressionMetric
from saccade.models.backbone import backbone
from saccade.models.create import create_model
from saccade.models.layers.blocks import normalized
from saccade.models.weights import weights_entry
from saccade.probes.features import AugmentedCopies, DecodedImages, features
from saccade.tasks.regression import RegressionPrediction

IMAGES = 4  # of a place
WEIGHTS = "googlenet_bvlc_imagenet_fp16.npz"
SIDE = 112  # pixels, the short side of the photographs
ROOMS = ("frontal", "bedroom", "kitchen", "bathroom")


def line(row: Row, groups: Tensor | None) -> str:
    """A row of a table: R2, and by how much it misses."""
    metric = RegressionMetric()
    found = metric.report(metric.rows(row.said[:, None], row.true[:, None]), groups)
    return f"| {row.name} | {found['R squared']} | {found['mean absolute error']} |"


# -- the drawn set -------------------------------------------------------------------------------

PLACES, PROXIES, MOST = 150, 1500, 9  # places, images with a proxy, houses in an image at most
CLASSES = ("few", "some", "many")


def village(chance: np.random.Generator, wealth: float) -> tuple[Image.Image, int]:
    """An image of as many houses as its wealth makes likely, and their number."""
    count = int(chance.binomial(MOST, wealth))
    pixels = chance.normal(90, 18, (32, 32))
    for cell in chance.permutation(16)[:count]:
        y, x = divmod(int(cell), 4)
        top, left = 8 * y + int(chance.integers(0, 4)), 8 * x + int(chance.integers(0, 4))
        pixels[top : top + 4, left : left + 4] = chance.uniform(150, 230)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), count


def draw_villages(folder: Path) -> tuple[Tensor, Tensor]:
    """`proxy.csv` and `places.csv` with their images; wealth and houses of each place."""
    chance = np.random.default_rng(SEED)
    with (folder / "proxy.csv").open("w") as table:
        table.write("path,label\n")
        for number in range(PROXIES):
            image, count = village(chance, chance.uniform())
            image.save(folder / f"proxy{number}.png")
            table.write(f"proxy{number}.png,{CLASSES[min(2, count // 3)]}\n")
    wealth, houses = torch.empty(PLACES), torch.zeros(PLACES)
    with (folder / "places.csv").open("w") as table:
        table.write("path,value,place\n")
        for place in range(PLACES):
            wealth[place] = chance.uniform()
            for view in range(IMAGES):
                image, count = village(chance, float(wealth[place]))
                houses[place] += count
                image.save(folder / f"place{place}_{view}.png")
                table.write(f"place{place}_{view}.png,{wealth[place]:.6f},p{place}\n")
    return wealth, houses


def looked_at(folder: Path, run: Path) -> Tensor:
    """What goes into the last layer of a run's network, of the images of places.  -> [P,4,D]"""
    written = api.features(run, folder / "places.csv", out=folder / f"{run.name}-features")
    return torch.from_numpy(np.load(written.features)).unflatten(0, (PLACES, IMAGES))


def trained(folder: Path, table: str, epochs: int) -> Path:
    settings = {"data.doctor": "off", "data.augment": ("flip",), "model.name": "lenet5"}
    out = folder / f"{Path(table).stem}-{epochs}"
    return api.train(folder / table, with_=settings, epochs=epochs, out=out).path


def direct(folder: Path, parts: Sequence[Sequence[int]]) -> Tensor:
    """The same network trained on the numbers alone, fold by fold."""
    said = torch.empty(PLACES, dtype=torch.float64)
    rows = (folder / "places.csv").read_text().splitlines()[1:]
    for k, held in enumerate(parts):
        kept = [r for r in rows if int(r.rpartition(",p")[2]) not in set(held)]
        (folder / f"fold{k}.csv").write_text("\n".join(["path,value,place", *kept]))
        run = trained(folder, f"fold{k}.csv", 30)
        names = [folder / f"place{p}_{view}.png" for p in held for view in range(IMAGES)]
        values = [
            one.value for one in api.predict(run, *names) if isinstance(one, RegressionPrediction)
        ]
        said[list(held)] = torch.tensor(values).double().view(-1, IMAGES).mean(dim=1)
    return said


def drawn_set(folder: Path) -> list[Row]:
    wealth, houses = draw_villages(folder)
    parts = dealt([f"p{k}" for k in range(PLACES)], wealth, lambda item: None)
    counted = houses[:, None, None]
    untrained = looked_at(folder, trained(folder, "proxy.csv", 1))
    proxied = looked_at(folder, trained(folder, "proxy.csv", 20))
    ways = {
        "the mean of the other places": mean_of(wealth),
        "proxy for 1 epoch, features, ridge": by_ridge(untrained, wealth),
        "**proxy for 20 epochs, features, ridge**": by_ridge(proxied, wealth),
        "ridge on the true number of houses: as far as images can tell": by_ridge(counted, wealth),
    }
    rows = [Row(name, out_of_folds(parts, fit), wealth) for name, fit in ways.items()]
    rows.insert(
        2, Row("the same network on the numbers alone, 30 epochs", direct(folder, parts), wealth)
    )
    return rows


# -- the houses ----------------------------------------------------------------------------------


def houses_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "houses.csv").open(newline="") as table:
        return list(csv.DictReader(table))


def house_features(data: Path, houses: Sequence[dict[str, str]]) -> Tensor:
    """What GoogLeNet's last layer is given of each photograph.  -> [N,4,1024]"""
    entry = weights_entry("googlenet_2014", "imagenet")
    preprocessing = replace(preprocessing_of(entry), size=SIDE, crop=1.0)
    network = create_model(entry.network, weights=data / "weights" / WEIGHTS)
    whole = normalized(network, preprocessing.mean, preprocessing.std)
    whole = whole.eval().to(memory_format=torch.channels_last)
    items = [
        Item(name, None, ImageFile(str(data / "houses" / "images" / name)))
        for house in houses
        for name in (f"{house['id']}_{room}.jpg" for room in ROOMS)
    ]
    images = decode_all(items, preprocessing).images
    found = features(
        backbone(whole), DecodedImages(items, images, preprocessing), AugmentedCopies()
    )
    return found[:, 0].clone().unflatten(0, (len(houses), len(ROOMS)))


def classes_of(values: Sequence[str]) -> Tensor:
    """Names as class positions; those of fewer than five places are one class.  -> [N]"""
    counts = {v: values.count(v) for v in values}
    kept = sorted(v for v, n in counts.items() if n >= 5)
    return torch.tensor([kept.index(v) if v in kept else len(kept) for v in values])


def real_set(data: Path) -> dict[str, tuple[list[Row], Tensor | None]]:
    houses = houses_of(data / "houses")
    x = house_features(data, houses)
    y = torch.tensor([math.log(float(house["price"])) for house in houses])
    zips = [house["zipcode"] for house in houses]
    told = [
        [math.log(float(h["area"])), float(h["bedrooms"]), float(h["bathrooms"])] for h in houses
    ]
    facts = torch.tensor(told)
    facts = ((facts - facts.mean(0)) / facts.std(0))[:, None]
    ways = {
        "the mean of the other houses": mean_of(y),
        "GoogLeNet's features, ridge": by_ridge(x, y),
        "the same, four photographs side by side": by_ridge(x.flatten(1)[:, None], y),
        "proxy bedrooms, features, ridge": by_proxy(
            x, y, classes_of([h["bedrooms"] for h in houses])
        ),
        "proxy zip code, features, ridge": by_proxy(x, y, classes_of(zips)),
        "no image: area, bedrooms, bathrooms, ridge": by_ridge(facts, y),
    }
    names = [f"h{house['id']}" for house in houses]
    of_zip = dict(zip(names, zips, strict=True))
    kinds = {"houses": lambda item: None, "zip codes": lambda item: of_zip[item.name]}
    found = {}
    for kind, group in kinds.items():
        parts = dealt(names, y, group)
        rows = [Row(name, out_of_folds(parts, fit), y) for name, fit in ways.items()]
        found[kind] = rows, classes(zips) if kind == "zip codes" else None
    return found


def classes(values: Sequence[str]) -> Tensor:
    return torch.tensor([sorted(set(values)).index(v) for v in values])


def draw(drawn: Sequence[Row], real: Sequence[Row], path: Path) -> None:
    """What the chain said over what is true, a dot a place."""
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "regression", "svg.fonttype": "none"})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 5), layout="constrained")
    shown = (
        ("Drawn: wealth of a place", "", drawn[-2]),
        ("Houses: logarithm of the price", " ln $", real[1]),
    )
    for axis, (title, unit, row) in zip(axes, shown, strict=True):
        both = torch.cat([row.true.double(), row.said]).numpy()
        ends = both.min(), both.max()
        axis.plot(ends, ends, color="#7a7a7a", lw=1)
        axis.plot(row.true, row.said, "o", color="#1f6fb2", alpha=0.45, ms=4, mew=0)
        axis.set(xlabel=f"true{unit}", ylabel=f"predicted{unit}, out of fold", aspect="equal")
        axis.set_title(title, loc="left")
        axis.grid(alpha=0.25)
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        drawn = drawn_set(Path(folder))
    print("### drawn\n\n| way | R2 of places | mean absolute error of w |\n|---|---|---|")
    print("\n".join(line(row, None) for row in drawn), flush=True)
    real = real_set(asked.data)
    for kind, (rows, groups) in real.items():
        print(f"\n### folds of {kind}\n")
        print("| way | R2 of houses | mean absolute error of ln price |\n|---|---|---|")
        print("\n".join(line(row, groups) for row in rows), flush=True)
    draw(drawn, real["houses"][0], asked.out / "regression.svg")


if __name__ == "__main__":
    main()
