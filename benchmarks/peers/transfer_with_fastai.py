# pyright: reportMissingImports=false
"""fastai's fine_tune of a network of ours, from the same weights and the same drawn images.

Called with a JSON file of what to learn from, what to say of, and the network; prints one class a
image, as JSON.  The head, the changes to images and the rates are fastai's own.
"""

from __future__ import annotations

import json
import sys
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

from saccade.models.create import create_model

EPOCHS = 10  # of all rows, after one of the head alone


def main() -> None:
    torch.set_num_threads(1)
    asked = json.loads(Path(sys.argv[1]).read_text())
    torch.manual_seed(asked["seed"])
    labels = asked["learn"]
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock(vocab=asked["classes"])),
        get_items=lambda _: list(labels),
        get_y=labels.get,
        splitter=lambda items: (range(len(items)), []),
        item_tfms=Resize(256),
        batch_tfms=[
            *aug_transforms(size=224),
            Normalize.from_stats(asked["mean"], asked["std"], cuda=False),
        ],
    )
    data = block.dataloaders("", bs=16, num_workers=0, device="cpu")
    body = create_model(asked["network"], 1000, weights=asked["weights"])
    body.set_submodule("fc", nn.Identity())
    model = nn.Sequential(body, create_head(1024, len(asked["classes"]), pool=False))
    learner = Learner(
        data, model, CrossEntropyLossFlat(), splitter=lambda m: [params(m[0]), params(m[1])]
    )
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(EPOCHS)
        held = data.test_dl(asked["held"])
        said = learner.get_preds(dl=held)[0].argmax(1)
    print(json.dumps(said.tolist()))


if __name__ == "__main__":
    main()
