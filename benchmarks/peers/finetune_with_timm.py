# pyright: reportMissingImports=false, reportPrivateImportUsage=false
"""Fine-tuning with timm's parts: its network, transforms, optimizer and schedule.

Called as finetune_with_fastai.py is.  AdamW with layer decay, warmed up, cosine; cuts, mirrors and
colours, and label smoothing; as many epochs as fit into the time.  Its RandAugment asks Pillow 13
for images of 0 bits and ends there.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import timm
import torch
from PIL import Image
from safetensors.torch import load_file
from timm.data import create_transform, resolve_model_data_config
from timm.loss import LabelSmoothingCrossEntropy
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from torch import nn
from torch.utils.data import DataLoader, Dataset

NAMES = {"efficientnet_lite0": "tf_efficientnet_lite0"}
BATCH, TRIAL = 32, 3  # images; steps that are timed
REST = 1.3  # seconds of a step with what is around it


class Files(Dataset):
    """Files with the classes of their folders."""

    def __init__(self, files: list[Path], classes: list[str], transform: object) -> None:
        self.files, self.classes, self.transform = files, classes, transform

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, k: int) -> tuple[torch.Tensor, int]:
        with Image.open(self.files[k]) as image:
            x = self.transform(image.convert("RGB"))  # type: ignore[operator]
        return x, self.classes.index(self.files[k].parent.name)


def main() -> None:
    torch.set_num_threads(1)
    asked = json.loads(sys.argv[1])
    torch.manual_seed(asked["seed"])
    folder = Path(asked["folder"])
    train, test = (sorted(folder.glob(f"{split}/*/*"), key=str) for split in ("train", "test"))
    classes = sorted({file.parent.name for file in train})
    model: Any = timm.create_model(NAMES[asked["network"]], num_classes=1000)
    model.load_state_dict({k: v.float() for k, v in load_file(asked["weights"]).items()})
    model.reset_classifier(len(classes))
    facts = resolve_model_data_config(model)
    changed = create_transform(**facts, is_training=True, scale=(0.35, 1.0))
    plain = create_transform(**facts, is_training=False)
    loader = DataLoader(Files(train, classes, changed), BATCH, shuffle=True, drop_last=True)
    criterion = LabelSmoothingCrossEntropy(0.1)
    epochs = epochs_in(asked["seconds"], model, loader, criterion)
    optimizer = create_optimizer_v2(model, "adamw", lr=5e-4, weight_decay=0.05, layer_decay=0.75)
    schedule: Any
    schedule, epochs = create_scheduler_v2(
        optimizer, "cosine", num_epochs=epochs, warmup_epochs=max(1, epochs // 10), warmup_lr=1e-6
    )
    for epoch in range(epochs):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
        schedule.step(epoch + 1)
    model.eval()
    with torch.inference_mode():
        batches = DataLoader(Files(test, classes, plain), BATCH)
        right = torch.cat([model(x).argmax(1) == y for x, y in batches])
    print(json.dumps("".join(str(int(one)) for one in right)))


def epochs_in(seconds: float, model: nn.Module, loader: DataLoader, criterion: nn.Module) -> int:
    """How many epochs fit, by some steps that are timed."""
    x, y = next(iter(loader))
    began = time.process_time()
    for _ in range(TRIAL):
        criterion(model(x), y).backward()
    model.zero_grad()
    epoch = REST * (time.process_time() - began) / TRIAL * len(loader)
    return max(2, round((seconds - time.process_time()) / epoch))


if __name__ == "__main__":
    main()
