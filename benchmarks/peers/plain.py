"""The plain PyTorch loop of its tutorials: ImageFolder, DataLoader, float32."""

from __future__ import annotations

import torch
import torchvision
from architectures import network
from clock import DECAY, RATE, Clock, Job
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms


def folder_of(job: Job, split: str) -> torchvision.datasets.ImageFolder:
    grey = [transforms.Grayscale()] if job.channels == 1 else []
    centre = [0.5] * job.channels
    return torchvision.datasets.ImageFolder(
        str(job.folder / split),
        transforms.Compose(
            [
                *grey,
                transforms.Resize((job.size, job.size)),
                transforms.ToTensor(),
                transforms.Normalize(centre, centre),
            ]
        ),
    )


def main() -> None:
    job = Job.asked()
    clock = Clock(job.target)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    train = DataLoader(folder_of(job, "train"), batch_size=job.batch, shuffle=True)
    test = DataLoader(folder_of(job, "test"), batch_size=job.batch)
    model = network(job.network)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    for _ in range(job.epochs):
        model.train()
        clock.epoch()
        for images, targets in train:
            optimizer.zero_grad()
            loss = criterion(model(images), targets)
            loss.backward()
            optimizer.step()
            clock.step(len(images))
        model.eval()
        with torch.no_grad():
            right = sum((model(x).argmax(1) == y).sum().item() for x, y in test)
        clock.measured(right / len(test.dataset))  # type: ignore[arg-type]
    clock.report()


if __name__ == "__main__":
    main()
