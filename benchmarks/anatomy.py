"""The anatomy of 30 networks of torchvision and timm beside two other counts, and its speed.

    python benchmarks/anatomy.py

Multiply-adds are compared with half of what PyTorch's `FlopCounterMode` counts, weights with the
sizes of the module's parameters.  Then the time of `show` for every network of the catalogue, in
seconds of processor time, imports done.
"""

from __future__ import annotations

import time

import timm
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from saccade.explain.anatomy import anatomy
from saccade.models.catalogue import NETWORKS
from saccade.report.drawing import svg
from saccade.report.show import show

# fmt: off
TORCHVISION = (
    "alexnet", "vgg11", "vgg16_bn", "googlenet", "inception_v3", "resnet18", "resnet50",
    "wide_resnet50_2", "resnext50_32x4d", "densenet121", "squeezenet1_1", "mobilenet_v2",
    "mobilenet_v3_large", "shufflenet_v2_x1_0", "mnasnet1_0", "efficientnet_b0",
    "efficientnet_v2_s", "regnet_y_400mf", "convnext_tiny", "swin_t", "swin_v2_t", "vit_b_16",
)
TIMM = (
    "legacy_seresnet50", "inception_resnet_v2", "dpn68", "hrnet_w18_small", "res2net50_14w_8s",
    "skresnet18", "ecaresnet26t", "ghostnet_100", "mixer_s32_224", "deit_tiny_patch16_224",
    "coat_lite_tiny", "nfnet_l0", "botnet26t_256", "regnetz_b16", "poolformer_s12",
)
# fmt: on
READS_VALUES = ("regnet_y_400mf",)  # while it is built, so it cannot be built without memory


def foreign(name: str) -> nn.Module:
    with torch.device("cpu" if name in READS_VALUES else "meta"):
        if name in TIMM:
            return timm.create_model(name)
        settings = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        return torchvision.models.get_model(name, **settings)


def compare(name: str, module: nn.Module) -> bool:
    """Print one network's counts; whether they are equal."""
    pixels = 299 if "inception" in name else 256 if name == "botnet26t_256" else 224
    image = torch.empty(1, 3, pixels, pixels, device="meta")
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module.to("meta").eval()(image)
    start = time.process_time()
    table = anatomy(module, (3, pixels, pixels), name=name)
    seconds = time.process_time() - start
    weights = sum(parameter.numel() for parameter in module.parameters())
    cost = table.total.multiply_adds
    same = 2 * cost == counter.get_total_flops() and table.total.weights + table.unused == weights
    print(f"{name:28} {weights:>12,} {cost:>15,} {seconds:6.2f} s  {'equal' if same else 'OTHER'}")
    return same


def main() -> None:
    results = [compare(name, foreign(name)) for name in (*TORCHVISION, *TIMM)]
    print(f"{sum(results)} of {len(results)} equal")
    seconds = {}
    for name in NETWORKS:
        start = time.process_time()
        svg(show(name))
        seconds[name] = time.process_time() - start
    slowest = sorted(seconds, key=lambda name: -seconds[name])[:5]
    print(f"show and drawing of {len(seconds)} networks: {sum(seconds.values()):.1f} s; slowest:")
    for name in slowest:
        print(f"  {name:28} {seconds[name]:.2f} s")


if __name__ == "__main__":
    main()
