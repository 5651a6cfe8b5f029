# pyright: reportMissingImports=false
"""fastai's DataBlock without a network: what decoding, resizing and augmenting an image takes.

Called with a folder of images, one class a folder; prints images a CPU second on one thread,
medians of passes, for every size and once more augmented, as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import torch
from fastai.vision.all import (
    CategoryBlock,
    DataBlock,
    ImageBlock,
    Resize,
    ResizeMethod,
    aug_transforms,
    get_image_files,
    parent_label,
)

ROUNDS = 3
TRAINED = (224, 160, 128, 96, 64)  # pixels
AUGMENTED = (224, 32)


def rate(folder: str, size: int, changes: list) -> float:
    """Images a CPU second, from files to batches; the first pass is not counted."""
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=get_image_files,
        splitter=lambda items: (range(len(items)), []),
        get_y=parent_label,
        item_tfms=Resize(size, method=ResizeMethod.Squish),
        batch_tfms=changes,
    )
    data = block.dataloaders(folder, bs=24, num_workers=0, device="cpu")
    seconds = []
    for _ in range(ROUNDS + 1):
        start = time.process_time()
        count = sum(len(batch[0]) for batch in data.train)
        seconds.append((time.process_time() - start) / count)
    return 1 / statistics.median(seconds[1:])


def main() -> None:
    torch.set_num_threads(1)
    folder = sys.argv[1]
    plain = {size: rate(folder, size, []) for size in TRAINED}
    augmented = {size: rate(folder, size, aug_transforms(size=size)) for size in AUGMENTED}
    print(json.dumps({"decoded": plain, "augmented": augmented}))


if __name__ == "__main__":
    main()
