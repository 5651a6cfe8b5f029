"""speed, speed_colour: pictures of up to 64 pixels, from scratch, in few passes."""

from __future__ import annotations

from saccade.recipe import Data, Model, Optim, Recipe, Train


def speed() -> Recipe:
    """Muon at a rate that falls straight to zero.

    MNIST comes to 99.2 to 99.4 % (three seeds, n = 10,000) with LeNet-5, in 28 seconds of one
    Zen 4 core from first to last and 1.2 GB: `saccade train mnist --recipe speed`.  From 70,000
    PNG files it takes 34, with `--epochs 2` 30 (benchmarks/time_to_accuracy.py).  The pictures are
    not examined first.
    """
    return Recipe(
        data=Data(doctor="off", augment=("translate:2",)),
        optim=Optim(name="muon", lr=0.01, schedule="linear", warmup=0.1),
        train=Train(epochs=3, batch_size=256),
    )


def speed_colour() -> Recipe:
    """The same for colour pictures of things that may be mirrored; after Jordan 2024, Section 3.

    CIFAR-10, as JPEG files of a lossy copy, comes to 87.9 % (87.3 to 88.6, n = 10,000) in 990
    seconds of one Zen 4 core from first to last, with `--model airbench94 --epochs 10` to 89.1 %
    (88.4 to 89.7) in 1,985 and, seen ten ways by `saccade evaluate RUN --views "flip shifts"`, in
    222 more to 90.4 % (89.8 to 90.9), one run each: `saccade train PICTURES --recipe
    speed_colour`.  The pictures are not examined first.
    """
    return Recipe(
        data=Data(val=0.02, doctor="off", augment=("pad_crop:2,border=reflect", "flip")),
        model=Model("airbench_narrow"),
        optim=Optim(name="muon", lr=0.01, schedule="linear", warmup=0.2),
        train=Train(epochs=8, batch_size=512, label_smoothing=0.2),
    )
