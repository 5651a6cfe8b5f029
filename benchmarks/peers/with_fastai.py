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
    """Tells the clock of every training step, and of what an epoch came to."""

    order = 60  # after fastai's own recorder

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def before_train(self) -> None:
        self.clock.epoch()

    def after_batch(self) -> None:
        if self.learn.training:
            self.clock.step(len(self.learn.yb[0]))

    def after_epoch(self) -> None:
        self.clock.measured(float(self.learn.recorder.values[-1][-1]))


def main() -> None:
    job = Job.asked()
    clock = Clock(job.target)
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
    clock.report()


if __name__ == "__main__":
    main()
