"""The catalogue of networks by name, in order of year, listed without importing PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

Shape = tuple[int, int, int]  # channels, height, width


@dataclass(frozen=True)
class Paper:
    """Where a network was first described."""

    title: str
    authors: str
    year: int

    def __str__(self) -> str:
        return f"{self.title}, {self.authors} {self.year}"


@dataclass(frozen=True)
class Network:
    """A row of the catalogue."""

    paper: Paper
    input: Shape  # that it was designed for
    make: Callable[..., Any]  # num_classes -> network; without it, as many as in the paper


@dataclass(frozen=True)
class Lazy:
    """A module, or something in it, that is imported when it is called."""

    module: str
    name: str = ""

    def __getattr__(self, name: str) -> Lazy:
        if name.startswith("__"):
            raise AttributeError(name)
        return Lazy(self.module, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.load()(*args, **kwargs)

    def load(self) -> Callable[..., Any]:
        """Import the module and return what is called `name` there."""
        return getattr(import_module(self.module), self.name)


def published(
    title: str,
    authors: str,
    year: int,
    input: Shape,
    networks: Mapping[str, Callable[..., Any]],
) -> dict[str, Network]:
    """Catalogue rows of the networks of one paper that take images of one size."""
    paper = Paper(title, authors, year)
    return {name: Network(paper, input, make) for name, make in networks.items()}


nn = Lazy("torch.nn")
activations = Lazy("saccade.models.layers.activations")
airbench = Lazy("saccade.models.networks.airbench")
alexnet = Lazy("saccade.models.networks.alexnet")
bn_inception = Lazy("saccade.models.networks.bn_inception")
cifar_inception = Lazy("saccade.models.networks.cifar_inception")
densenet = Lazy("saccade.models.networks.densenet")
descriptors = Lazy("saccade.classical.descriptors")
encode = Lazy("saccade.classical.encode")
efficientnet_lite = Lazy("saccade.models.networks.efficientnet_lite")
googlenet = Lazy("saccade.models.networks.googlenet")
inception_resnet = Lazy("saccade.models.networks.inception_resnet")
lenet = Lazy("saccade.models.networks.lenet")
prelu_net = Lazy("saccade.models.networks.prelu_net")
resnet = Lazy("saccade.models.networks.resnet")
resnet_cifar = Lazy("saccade.models.networks.resnet_cifar")
resnext = Lazy("saccade.models.networks.resnext")
senet = Lazy("saccade.models.networks.senet")
small = Lazy("saccade.models.networks.small")
vgg = Lazy("saccade.models.networks.vgg")

DIGITS, CIFAR, IMAGENET = (1, 28, 28), (3, 32, 32), (3, 224, 224)


# fmt: off
NETWORKS: dict[str, Network] = {
    **published("Linear regression", "Legendre", 1805, DIGITS, {
        "linear_regression": small.linear,
    }),
    **published("Logistic regression", "Cox", 1958, DIGITS, {
        "logistic_regression": small.linear,
    }),
    **published("Perceptron", "Rosenblatt", 1958, DIGITS, {
        "perceptron": small.perceptron,
    }),
    **published("Multilayer perceptron", "Rumelhart et al.", 1986, DIGITS, {
        "mlp":                small.mlp,
        "mlp_identity":       partial(small.mlp, activation=nn.Identity),
        "mlp_hard_threshold": partial(small.mlp, activation=activations.HardThreshold),
        "mlp_sigmoid":        partial(small.mlp, activation=nn.Sigmoid),
        "mlp_tanh":           partial(small.mlp, activation=nn.Tanh),
        "mlp_scaled_tanh":    partial(small.mlp, activation=activations.ScaledTanh),
        "mlp_soft_relu":      partial(small.mlp, activation=activations.SoftReLU),
        "mlp_leaky_relu":     partial(small.mlp, activation=partial(nn.LeakyReLU, 0.02)),
        "mlp_prelu":          partial(small.mlp, activation=nn.PReLU),
        "mlp_10x64":          partial(small.mlp, widths=10 * (64,)),
        "mlp_30x64":          partial(small.mlp, widths=30 * (64,)),
    }),
    **published("Multilayer perceptron", "Rumelhart et al.", 1986, CIFAR, {
        "mlp_rgb": partial(small.mlp, input_shape=(3, 32, 32)),
    }),
    **published("Net-3, locally connected", "LeCun", 1989, (1, 16, 16), {
        "net3": small.net3,
    }),
    **published("LeNet", "LeCun et al.", 1998, (1, 32, 32), {
        "lenet5_1998": lenet.lenet5_1998,
        "lenet5":      lenet.lenet5,
    }),
    **published("LeNet", "LeCun et al.", 1998, CIFAR, {
        "lenet5_rgb": partial(lenet.lenet5, channels=3),
    }),
    **published("LeNet", "LeCun et al.", 1998, DIGITS, {
        "lenet_caffe": lenet.lenet_caffe,
    }),
    **published("AlexNet", "Krizhevsky et al.", 2012, (3, 227, 227), {
        "alexnet_2012":                alexnet.alexnet_2012,
        "alexnet_2012_one_tower":      partial(alexnet.alexnet_2012, groups=1),
        "alexnet_2012_no_fc7":         partial(alexnet.alexnet_2012_without, layers=("fc7",)),
        "alexnet_2012_no_fc6_fc7":     partial(alexnet.alexnet_2012_without, layers=("fc6", "fc7")),
        "alexnet_2012_no_conv3_conv4":
            partial(alexnet.alexnet_2012_without, layers=("conv3", "conv4")),
    }),
    **published("AlexNet", "Krizhevsky et al.", 2012, IMAGENET, {
        "alexnet": alexnet.alexnet,
    }),
    **published("ZFNet", "Zeiler and Fergus", 2013, IMAGENET, {
        "zfnet": alexnet.zfnet,
    }),
    **published("VGG", "Simonyan and Zisserman", 2014, IMAGENET, {
        "vgg11":    partial(vgg.vgg, depths=(1, 1, 2, 2, 2)),
        "vgg13":    partial(vgg.vgg, depths=(2, 2, 2, 2, 2)),
        "vgg16":    partial(vgg.vgg, depths=(2, 2, 3, 3, 3)),
        "vgg19":    partial(vgg.vgg, depths=(2, 2, 4, 4, 4)),
        "vgg11_bn": partial(vgg.vgg, depths=(1, 1, 2, 2, 2), unit=vgg.conv_bn),
        "vgg13_bn": partial(vgg.vgg, depths=(2, 2, 2, 2, 2), unit=vgg.conv_bn),
        "vgg16_bn": partial(vgg.vgg, depths=(2, 2, 3, 3, 3), unit=vgg.conv_bn),
        "vgg19_bn": partial(vgg.vgg, depths=(2, 2, 4, 4, 4), unit=vgg.conv_bn),
    }),
    **published("VGG at CIFAR's size", "Simonyan and Zisserman", 2014, CIFAR, {
        "cifar_vgg8":    vgg.cifar_vgg8,
        "cifar_vgg8_bn": partial(vgg.cifar_vgg8, unit=vgg.conv_bn),
    }),
    **published("GoogLeNet", "Szegedy et al.", 2014, IMAGENET, {
        "googlenet_2014": googlenet.googlenet_2014,
        "googlenet":      googlenet.googlenet,
    }),
    **published("GoogLeNet at CIFAR's size", "Szegedy et al.", 2014, CIFAR, {
        "cifar_inception":       cifar_inception.cifar_inception,
        "cifar_inception_naive": cifar_inception.cifar_inception_naive,
    }),
    **published("BN-Inception", "Ioffe and Szegedy", 2015, IMAGENET, {
        "bn_inception": bn_inception.bn_inception,
    }),
    **published("PReLU-net", "He et al.", 2015, IMAGENET, {
        "prelu_net_a": partial(prelu_net.prelu_net, (5, (256, 512, 512))),
        "prelu_net_b": partial(prelu_net.prelu_net, (6, (256, 512, 512))),
        "prelu_net_c": partial(prelu_net.prelu_net, (6, (384, 768, 896))),
    }),
    **published("ResNet", "He et al.", 2015, IMAGENET, {
        "plain18":      partial(resnet.resnet, small.plain_basic, (2, 2, 2, 2), e=1),
        "plain34":      partial(resnet.resnet, small.plain_basic, (3, 4, 6, 3), e=1),
        "plain50":      partial(resnet.resnet, small.plain_bottleneck, (3, 4, 6, 3)),
        "plain101":     partial(resnet.resnet, small.plain_bottleneck, (3, 4, 23, 3)),
        "plain152":     partial(resnet.resnet, small.plain_bottleneck, (3, 8, 36, 3)),
        "resnet18":     partial(resnet.resnet, resnet.BasicBlock, (2, 2, 2, 2), e=1),
        "resnet34":     partial(resnet.resnet, resnet.BasicBlock, (3, 4, 6, 3), e=1),
        "resnet50":     partial(resnet.resnet, resnet.bottleneck, (3, 4, 6, 3)),
        "resnet101":    partial(resnet.resnet, resnet.bottleneck, (3, 4, 23, 3)),
        "resnet152":    partial(resnet.resnet, resnet.bottleneck, (3, 8, 36, 3)),
        "resnet50_v1":  partial(resnet.resnet, resnet.bottleneck_v1, (3, 4, 6, 3)),
        "resnet101_v1": partial(resnet.resnet, resnet.bottleneck_v1, (3, 4, 23, 3)),
        "resnet152_v1": partial(resnet.resnet, resnet.bottleneck_v1, (3, 8, 36, 3)),
    }),
    **published("ResNet at CIFAR's size", "He et al.", 2015, CIFAR, {
        "resnet18_small":  partial(resnet.resnet_small_input, resnet.BasicBlock, (2, 2, 2, 2), e=1),
        "cifar_resnet20":  partial(resnet_cifar.cifar_resnet, 20),
        "cifar_resnet32":  partial(resnet_cifar.cifar_resnet, 32),
        "cifar_resnet44":  partial(resnet_cifar.cifar_resnet, 44),
        "cifar_resnet56":  partial(resnet_cifar.cifar_resnet, 56),
        "cifar_resnet110": partial(resnet_cifar.cifar_resnet, 110),
        "cifar_plain20":   partial(resnet_cifar.cifar_resnet, 20, block=small.plain_basic),
        "cifar_plain32":   partial(resnet_cifar.cifar_resnet, 32, block=small.plain_basic),
        "cifar_plain44":   partial(resnet_cifar.cifar_resnet, 44, block=small.plain_basic),
        "cifar_plain56":   partial(resnet_cifar.cifar_resnet, 56, block=small.plain_basic),
        "cifar_plain110":  partial(resnet_cifar.cifar_resnet, 110, block=small.plain_basic),
        "cifar_resnet29":  partial(resnet_cifar.cifar_bottlenecks, 29),
        "cifar_resnet164": partial(resnet_cifar.cifar_bottlenecks, 164),
        "cifar_plain29": partial(resnet_cifar.cifar_bottlenecks, 29, block=small.plain_bottleneck),
    }),
    **published("Inception-ResNet-v2", "Szegedy et al.", 2016, (3, 299, 299), {
        "inception_resnet_v2": inception_resnet.inception_resnet_v2,
    }),
    **published("DenseNet", "Huang et al.", 2016, IMAGENET, {
        "densenet121": partial(densenet.densenet, 32, (6, 12, 24, 16)),
        "densenet169": partial(densenet.densenet, 32, (6, 12, 32, 32)),
        "densenet201": partial(densenet.densenet, 32, (6, 12, 48, 32)),
        "densenet161": partial(densenet.densenet, 48, (6, 12, 36, 24)),
    }),
    **published("DenseNet at CIFAR's size", "Huang et al.", 2016, CIFAR, {
        "cifar_densenet_40_12":     partial(densenet.cifar_densenet, 40, 12),
        "cifar_densenet_100_12":    partial(densenet.cifar_densenet, 100, 12),
        "cifar_densenet_100_24":    partial(densenet.cifar_densenet, 100, 24),
        "cifar_densenet_bc_100_12": partial(densenet.cifar_densenet_bc, 100, 12),
        "cifar_densenet_bc_250_24": partial(densenet.cifar_densenet_bc, 250, 24),
        "cifar_densenet_bc_190_40": partial(densenet.cifar_densenet_bc, 190, 40),
        "densenet_fast_40_12":      densenet.densenet_fast_40_12,
    }),
    **published("ResNeXt", "Xie et al.", 2016, IMAGENET, {
        "resnext50_1x64d":  partial(resnext.resnext, (3, 4, 6, 3), groups=1, base=64),
        "resnext50_2x40d":  partial(resnext.resnext, (3, 4, 6, 3), groups=2, base=40),
        "resnext50_4x24d":  partial(resnext.resnext, (3, 4, 6, 3), groups=4, base=24),
        "resnext50_8x14d":  partial(resnext.resnext, (3, 4, 6, 3), groups=8, base=14),
        "resnext50_32x4d":  partial(resnext.resnext, (3, 4, 6, 3), groups=32, base=4),
        "resnext101_1x64d": partial(resnext.resnext, (3, 4, 23, 3), groups=1, base=64),
        "resnext101_2x40d": partial(resnext.resnext, (3, 4, 23, 3), groups=2, base=40),
        "resnext101_4x24d": partial(resnext.resnext, (3, 4, 23, 3), groups=4, base=24),
        "resnext101_8x14d": partial(resnext.resnext, (3, 4, 23, 3), groups=8, base=14),
        "resnext101_32x4d": partial(resnext.resnext, (3, 4, 23, 3), groups=32, base=4),
        "resnext101_64x4d": partial(resnext.resnext, (3, 4, 23, 3), groups=64, base=4),
        "resnext101_32x8d": partial(resnext.resnext, (3, 4, 23, 3), groups=32, base=8),
    }),
    **published("ResNeXt at CIFAR's size", "Xie et al.", 2016, CIFAR, {
        "cifar_resnext29_1x16d":  partial(resnext.cifar_resnext29, groups=1, base=16, width=16),
        "cifar_resnext29_2x10d":  partial(resnext.cifar_resnext29, groups=2, base=10, width=16),
        "cifar_resnext29_4x6d":   partial(resnext.cifar_resnext29, groups=4, base=6, width=16),
        "cifar_resnext29_32x1d":  partial(resnext.cifar_resnext29, groups=32, base=1, width=16),
        "cifar_resnext29_8x64d":  partial(resnext.cifar_resnext29, groups=8, base=64),
        "cifar_resnext29_16x64d": partial(resnext.cifar_resnext29, groups=16, base=64),
    }),
    **published("SENet", "Hu et al.", 2017, IMAGENET, {
        "se_bn_inception":    senet.se_bn_inception,
        "seresnet50":         partial(senet.se_resnet, (3, 4, 6, 3)),
        "seresnet101":        partial(senet.se_resnet, (3, 4, 23, 3)),
        "seresnet152":        partial(senet.se_resnet, (3, 8, 36, 3)),
        "seresnet50_v1":      partial(senet.se_resnet, (3, 4, 6, 3), block=senet.se_bottleneck_v1),
        "seresnet101_v1":     partial(senet.se_resnet, (3, 4, 23, 3), block=senet.se_bottleneck_v1),
        "seresnet152_v1":     partial(senet.se_resnet, (3, 8, 36, 3), block=senet.se_bottleneck_v1),
        "seresnext50_32x4d":  partial(senet.se_resnet, (3, 4, 6, 3), block=senet.se_32x4d),
        "seresnext101_32x4d": partial(senet.se_resnet, (3, 4, 23, 3), block=senet.se_32x4d),
        "sevgg16":            senet.se_vgg16,
    }),
    **published("SENet", "Hu et al.", 2017, (3, 299, 299), {
        "se_inception_resnet_v2": senet.se_inception_resnet_v2,
    }),
    **published("SENet at CIFAR's size", "Hu et al.", 2017, CIFAR, {
        "cifar_seresnet29":  partial(senet.cifar_se_resnet, 29),
        "cifar_seresnet164": partial(senet.cifar_se_resnet, 164),
    }),
    **published("EfficientNet-Lite", "Tan and Le", 2019, IMAGENET, {
        "efficientnet_lite0": efficientnet_lite.efficientnet_lite0,
    }),
    **published("airbench", "Jordan", 2024, CIFAR, {
        "airbench94":      partial(airbench.airbench, (64, 256, 256)),
        "airbench_narrow": partial(airbench.airbench, (64, 128, 256)),
    }),
}

SEVERAL_LOGITS: dict[str, Network] = {  # return a tuple: main and auxiliary logits
    **published("GoogLeNet", "Szegedy et al.", 2014, IMAGENET, {
        "googlenet_2014_aux": googlenet.googlenet_2014_aux,
        "googlenet_aux":      googlenet.googlenet_aux,
    }),
}

CLASSICAL_MODELS: dict[str, Network] = {  # fitted row by row, without gradient descent
    **published("Histograms of oriented gradients", "Dalal and Triggs", 2005, (3, 128, 128), {
        "hog": descriptors.hog,
    }),
    **published("Bags of visual words", "Lazebnik et al.", 2006, (3, 128, 128), {
        "bag_of_words": encode.bag_of_words,
    }),
    **published("Fisher vectors", "Perronnin et al.", 2010, (3, 128, 128), {
        "fisher": encode.fisher,
    }),
}
# fmt: on
