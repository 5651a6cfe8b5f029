"""The table of docs/networks.md: what every network costs, and whose twin it is.

    python benchmarks/networks.py

Counted on the meta device, so that no weights are made.  A twin is a public network of the same
weights' names and shapes in the same order: torchvision's of the same name, else timm's.
"""

from __future__ import annotations

from typing import Any

import timm
import torch
import torchvision
from torch import nn

from saccade.explain.anatomy import anatomy
from saccade.models.catalogue import NETWORKS


def shapes(network: nn.Module) -> list[tuple[str, torch.Size]]:
    return [(name, value.shape) for name, value in network.state_dict().items()]


def twin(name: str, network: nn.Module) -> str:
    """The library that has this network, none where nobody has."""
    without_sides: dict[str, Any] = {"aux_logits": False, "init_weights": False}
    settings = without_sides if name == "googlenet" else {}
    for library, known, make in (
        ("torchvision", torchvision.models.list_models(), torchvision.models.get_model),
        ("timm", timm.list_models(), timm.create_model),
    ):
        if name in known and shapes(make(name, **settings)) == shapes(network):
            return library
    return ""


def main() -> None:
    print("| network | paper | input | parameters | multiply-adds | public twin |")
    print("|---|---|---|---:|---:|---|")
    before = None
    for name, row in NETWORKS.items():
        with torch.device("meta"):
            network = row.make()
            total = anatomy(network, row.input, name=name).total
            public = twin(name, network)
        paper, before = "" if row.paper == before else row.paper, row.paper
        size = "x".join(map(str, row.input))
        counts = f"{total.weights:,} | {total.multiply_adds:,}"
        print(f"| {name} | {paper} | {size} | {counts} | {public} |")


if __name__ == "__main__":
    main()
