# pyright: reportMissingImports=false, reportPrivateImportUsage=false, reportArgumentType=false
"""The loop of timm's train.py, of its parts: dataset, loader, optimizer; no augmentation."""

from __future__ import annotations

import timm
import torch
from architectures import CLASSES, network, small
from clock import DECAY, RATE, Clock, Job
from timm.data import create_dataset, create_loader
from timm.optim import create_optimizer_v2
from timm.utils import AverageMeter, accuracy
from torch import nn


def made(name: str) -> nn.Module:
    if name in ("lenet5", "airbench_narrow"):
        return network(name)
    if name == "resnet18_small":
        return small(timm.create_model("resnet18", num_classes=CLASSES))
    return timm.create_model(name, num_classes=CLASSES)


def loader(job: Job, split: str):
    return create_loader(
        create_dataset(
            "", str(job.folder), split, input_img_mode="L" if job.channels == 1 else "RGB"
        ),
        input_size=(job.channels, job.size, job.size),
        batch_size=job.batch,
        is_training=split == "train",
        no_aug=True,
        mean=(0.5,) * job.channels,
        std=(0.5,) * job.channels,
        crop_pct=1.0,
        num_workers=0,
        use_prefetcher=False,
        persistent_workers=False,
        device=torch.device("cpu"),
    )


def main() -> None:
    job = Job.asked()
    clock = Clock(job.target)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    train, test = loader(job, "train"), loader(job, "test")
    model = made(job.network)
    criterion = nn.CrossEntropyLoss()
    optimizer = create_optimizer_v2(model, opt="adamw", lr=RATE, weight_decay=DECAY)
    for _ in range(job.epochs):
        model.train()
        losses = AverageMeter()
        clock.epoch()
        for images, targets in train:
            loss = criterion(model(images), targets)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.update(loss.item(), images.size(0))
            clock.step(len(images))
        model.eval()
        top1 = AverageMeter()
        with torch.no_grad():
            for images, targets in test:
                top1.update(accuracy(model(images), targets)[0].item(), images.size(0))
        clock.measured(top1.avg / 100)
    clock.report()


if __name__ == "__main__":
    main()
