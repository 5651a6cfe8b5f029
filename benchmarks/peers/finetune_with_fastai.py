# pyright: reportMissingImports=false
"""fastai's fine_tune of a network of ours, from the same weights, in a given processor time.

Called with JSON: the folder, the network, its weights, a seed, and how many seconds all may take;
prints 1 for each test image that is right and 0 for the others, in the order of their names, as
JSON.  Head, augmentation and learning rates are fastai's own, as many epochs as fit.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch
from fastai.vision.all import (
    CategoryBlock,
    CrossEntropyLossFlat,
    DataBlock,
    ImageBlock,
    Learner,
    Normalize,
    Resize,
    aug_transforms,
    create_head,
    params,
)
from torch import nn

from saccade.models.backbone import backbone
from saccade.models.create import create_model
from saccade.models.weights import weights_entry

BATCH, TRIAL = 32, 3  # images; steps that are timed
HEAD_EPOCH = 0.5  # of the time of an epoch of all layers
REST = 1.3  # seconds of a step with what is around it: reading, measuring, the test images


def main() -> None:
    torch.set_num_threads(1)
    asked = json.loads(sys.argv[1])
    torch.manual_seed(asked["seed"])
    folder = Path(asked["folder"])
    train, test = (sorted(folder.glob(f"{split}/*/*"), key=str) for split in ("train", "test"))
    classes = sorted({file.parent.name for file in train})
    facts = weights_entry(asked["network"], "imagenet")
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock(vocab=classes)),
        get_items=lambda _: train,
        get_y=lambda file: file.parent.name,
        splitter=lambda items: (range(len(items)), []),
        item_tfms=Resize(256),
        batch_tfms=[
            *aug_transforms(size=224),
            Normalize.from_stats(facts.mean, facts.std, cuda=False),
        ],
    )
    data = block.dataloaders("", bs=BATCH, num_workers=0, device="cpu")
    body = backbone(create_model(asked["network"], 1000, weights=asked["weights"]))
    width = body(torch.zeros(1, 3, 224, 224)).shape[1]
    model = nn.Sequential(body, create_head(width, len(classes), pool=False))
    epochs = epochs_in(asked["seconds"], model, data, len(train))
    learner = Learner(
        data, model, CrossEntropyLossFlat(), splitter=lambda m: [params(m[0]), params(m[1])]
    )
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(epochs)
        said = learner.get_preds(dl=data.test_dl(test))[0].argmax(1).tolist()
    right = zip(said, test, strict=True)
    print(json.dumps("".join(str(int(classes[k] == file.parent.name)) for k, file in right)))


def epochs_in(seconds: float, model: nn.Module, data: object, images: int) -> int:
    """How many epochs of all layers fit beside one of the head, by some steps that are timed."""
    x, y = (part.as_subclass(torch.Tensor) for part in data.one_batch())  # type: ignore[attr-defined]
    began = time.process_time()
    for _ in range(TRIAL):
        nn.functional.cross_entropy(model(x), y).backward()
    model.zero_grad()
    epoch = REST * (time.process_time() - began) / TRIAL * images / BATCH
    return max(1, round((seconds - time.process_time()) / epoch - HEAD_EPOCH))


if __name__ == "__main__":
    main()
