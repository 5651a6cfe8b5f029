# pyright: reportMissingImports=false
"""fastai's vision learner: DataBlock over folders, Learner, fit."""

from __future__ import annotations

import torch
from architectures import network
from clock import DECAY, RATE, Clock, Job
from fastai.vision.all import (
    Callback,
    CategoryBlock,
    CrossEntropyLossFlat,
    DataBlock,
    GrandparentSplitter,
    ImageBlock,
    Learner,
    Normalize,
    PILImage,
    PILImageBW,
    Resize,
    ResizeMethod,
    accuracy,
    get_image_files,
    parent_label,
)


class Timing(Callback):
    """Tells the clock of every training step."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def before_train(self) -> None:
        self.clock.epoch()

    def after_batch(self) -> None:
        if self.learn.training:
            self.clock.step(len(self.learn.yb[0]))


def main() -> None:
    job, clock = Job.asked(), Clock()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    centre = [0.5] * job.channels
    block = DataBlock(
        blocks=(ImageBlock(PILImageBW if job.channels == 1 else PILImage), CategoryBlock),
        get_items=lambda folder: get_image_files(folder, folders=["train", "test"]),
        splitter=GrandparentSplitter("train", "test"),
        get_y=parent_label,
        item_tfms=Resize(job.size, method=ResizeMethod.Squish),
        batch_tfms=Normalize.from_stats(centre, centre, cuda=False),
    )
    data = block.dataloaders(job.folder, bs=job.batch, num_workers=0, device="cpu")
    model = network(job.network)
    learner = Learner(data, model, loss_func=CrossEntropyLossFlat(), metrics=accuracy)
    with learner.no_bar(), learner.no_logging():
        learner.fit(job.epochs, lr=RATE, wd=DECAY, cbs=Timing(clock))
    clock.report([float(row[-1]) for row in learner.recorder.values])


if __name__ == "__main__":
    main()
