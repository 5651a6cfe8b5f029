# pyright: reportMissingImports=false
"""Keras 3's compile and fit over a PyDataset of files, on the backend of KERAS_BACKEND."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import keras
import numpy as np
from clock import DECAY, RATE, Clock, Job
from keras import layers
from PIL import Image

CLASSES = 10


class Images(keras.utils.PyDataset):
    """Batches of a folder of classes, shuffled anew for every epoch where asked."""

    def __init__(self, job: Job, split: str) -> None:
        super().__init__(workers=1)
        folders = sorted((job.folder / split).iterdir())
        files = [(path, k) for k, folder in enumerate(folders) for path in sorted(folder.iterdir())]
        self.job, self.files, self.shuffled = job, files, split == "train"
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self.files) // self.job.batch)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.order[number * self.job.batch : (number + 1) * self.job.batch]
        files = [self.files[k] for k in rows]
        return np.stack([self.decode(path) for path, _ in files]), np.array([y for _, y in files])

    def on_epoch_end(self) -> None:
        count = len(self.files)
        self.order = np.random.permutation(count) if self.shuffled else np.arange(count)  # noqa: NPY002

    def decode(self, path: Path) -> np.ndarray:
        """[H,W,C] float32, -1 to 1"""
        image = Image.open(path).convert("L" if self.job.channels == 1 else "RGB")
        image = image.resize((self.job.size, self.job.size), Image.Resampling.BILINEAR)
        pixels = np.asarray(image, np.float32) / 127.5 - 1
        return pixels[..., None] if self.job.channels == 1 else pixels


class Timing(keras.callbacks.Callback):
    """Tells the clock of every training step."""

    def __init__(self, clock: Clock, batch: int) -> None:
        super().__init__()
        self.clock, self.batch = clock, batch

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.clock.epoch()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.clock.step(self.batch)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.clock.measured(float((logs or {})["val_accuracy"]))


def convolved(x, cout: int, kernel: int, stride: int = 1):
    if stride > 1 or kernel == 7:
        x = layers.ZeroPadding2D(kernel // 2)(x)
        x = layers.Conv2D(cout, kernel, stride, use_bias=False)(x)
    else:
        x = layers.Conv2D(cout, kernel, stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def basic(x, cout: int, stride: int):
    y = layers.ReLU()(convolved(x, cout, 3, stride))
    y = convolved(y, cout, 3)
    if stride > 1 or x.shape[-1] != cout:
        x = convolved(x, cout, 1, stride)
    return layers.ReLU()(layers.add([x, y]))


def bottleneck(x, cout: int, stride: int):
    y = layers.ReLU()(convolved(x, cout, 1))
    y = layers.ReLU()(convolved(y, cout, 3, stride))
    y = convolved(y, 4 * cout, 1)
    if stride > 1 or x.shape[-1] != 4 * cout:
        x = convolved(x, 4 * cout, 1, stride)
    return layers.ReLU()(layers.add([x, y]))


def resnet(name: str, size: int) -> keras.Model:
    start = keras.Input((size, size, 3))
    if name == "resnet18_small":
        x = layers.ReLU()(convolved(start, 64, 3))
    else:
        x = layers.ReLU()(convolved(start, 64, 7, 2))
        x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
    block, depths = (bottleneck, (3, 4, 6, 3)) if name == "resnet50" else (basic, (2, 2, 2, 2))
    for stage, depth in enumerate(depths):
        for number in range(depth):
            x = block(x, 64 << stage, 2 if stage and not number else 1)
    return keras.Model(start, layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(x)))


def airbench_narrow(size: int) -> keras.Model:
    """Its rows, whitening learned like the others, with the first weights of Keras."""
    start = keras.Input((size, size, 3))
    x = layers.Activation("gelu")(layers.Conv2D(24, 2)(start))
    for cout in (64, 128, 256):
        x = layers.MaxPooling2D()(layers.Conv2D(cout, 3, padding="same", use_bias=False)(x))
        x = layers.Activation("gelu")(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
        x = layers.Activation("gelu")(convolved(x, cout, 3))
    return keras.Model(start, layers.Dense(CLASSES)(layers.GlobalMaxPooling2D()(x)))


def lenet5(size: int) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((size, size, 1)),
            layers.Conv2D(6, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(CLASSES),
        ]
    )


def main() -> None:
    job = Job.asked()
    clock = Clock(job.target)
    keras.utils.set_random_seed(0)
    if os.environ["KERAS_BACKEND"] == "torch":
        import torch

        torch.set_num_threads(1)
    by_hand = {"lenet5": lenet5, "airbench_narrow": airbench_narrow}
    make = by_hand.get(job.network, partial(resnet, job.network))
    model = make(job.size)
    model.compile(
        keras.optimizers.AdamW(RATE, weight_decay=DECAY),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(
        Images(job, "train"),
        validation_data=Images(job, "test"),
        epochs=job.epochs,
        callbacks=[Timing(clock, job.batch)],
        verbose=0,
    )
    clock.report()


if __name__ == "__main__":
    main()
