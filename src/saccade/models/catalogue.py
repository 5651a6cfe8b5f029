"""Every network by name, in order of year."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from saccade.models.layers.activations import HardThreshold, ScaledTanh, SoftReLU
from saccade.models.networks.airbench import airbench
from saccade.models.networks.alexnet import alexnet, alexnet_2012, alexnet_2012_without, zfnet
from saccade.models.networks.bn_inception import bn_inception
from saccade.models.networks.cifar_inception import cifar_inception, cifar_inception_naive
from saccade.models.networks.densenet import (
    cifar_densenet,
    cifar_densenet_bc,
    densenet,
    densenet_fast_40_12,
)
from saccade.models.networks.googlenet import (
    googlenet,
    googlenet_2014,
    googlenet_2014_aux,
    googlenet_aux,
)
from saccade.models.networks.inception_resnet import inception_resnet_v2
from saccade.models.networks.lenet import lenet5, lenet5_1998, lenet_caffe
from saccade.models.networks.prelu_net import MODEL_A, MODEL_B, MODEL_C, prelu_net
from saccade.models.networks.resnet import Basic, bottleneck, bottleneck_v1, resnet, small_resnet
from saccade.models.networks.resnet_cifar import cifar_bottlenecks, cifar_resnet
from saccade.models.networks.resnext import cifar_resnext29, resnext
from saccade.models.networks.senet import (
    cifar_se_resnet,
    se_32x4d,
    se_bn_inception,
    se_bottleneck_v1,
    se_inception_resnet_v2,
    se_resnet,
    se_vgg16,
)
from saccade.models.networks.small import (
    linear,
    mlp,
    net3,
    perceptron,
    plain_basic,
    plain_bottleneck,
)
from saccade.models.networks.vgg import A, B, D, E, cifar_vgg8, conv_norm, vgg

# fmt: off
NETWORKS: dict[str, Callable[..., nn.Sequential]] = {
    "linear_regression":      linear,                                           # 1805
    "logistic_regression":    linear,                                           # 1958
    "perceptron":             perceptron,                                       # 1958
    "mlp":                    mlp,                                              # 1986, with ReLU
    "mlp_rgb":                partial(mlp, input_shape=(3, 32, 32)),            # 1986
    "mlp_identity":           partial(mlp, activation=nn.Identity),             # 1986
    "mlp_hard_threshold":     partial(mlp, activation=HardThreshold),           # 1986
    "mlp_sigmoid":            partial(mlp, activation=nn.Sigmoid),              # 1986
    "mlp_tanh":               partial(mlp, activation=nn.Tanh),                 # 1986
    "mlp_scaled_tanh":        partial(mlp, activation=ScaledTanh),              # 1986
    "mlp_soft_relu":          partial(mlp, activation=SoftReLU),                # 1986
    "mlp_leaky_relu":         partial(mlp, activation=partial(nn.LeakyReLU, 0.02)),
    "mlp_prelu":              partial(mlp, activation=nn.PReLU),                # 1986
    "net3":                   net3,                                             # 1989
    "lenet5_1998":            lenet5_1998,                                      # 1998
    "lenet5":                 lenet5,                                           # 1998
    "lenet5_rgb":             partial(lenet5, channels=3),                      # 1998
    "lenet_caffe":            lenet_caffe,                                      # 1998, Caffe's
    "alexnet_2012":           alexnet_2012,                                     # 2012
    "alexnet_2012_one_tower": partial(alexnet_2012, groups=1),                  # 2012
    "alexnet_2012_no_fc7":         partial(alexnet_2012_without, layers=("fc7",)),  # 2012
    "alexnet_2012_no_fc6_fc7":     partial(alexnet_2012_without, layers=("fc6", "fc7")),  # 2012
    "alexnet_2012_no_conv3_conv4": partial(alexnet_2012_without, layers=("conv3", "conv4")),  # 2012
    "alexnet":                alexnet,                                          # 2012, one column
    "zfnet":                  zfnet,                                            # 2013
    "vgg11":                  partial(vgg, depths=A),                           # 2014
    "vgg13":                  partial(vgg, depths=B),                           # 2014
    "vgg16":                  partial(vgg, depths=D),                           # 2014
    "vgg19":                  partial(vgg, depths=E),                           # 2014
    "vgg11_bn":               partial(vgg, depths=A, unit=conv_norm),           # 2014
    "vgg13_bn":               partial(vgg, depths=B, unit=conv_norm),           # 2014
    "vgg16_bn":               partial(vgg, depths=D, unit=conv_norm),           # 2014
    "vgg19_bn":               partial(vgg, depths=E, unit=conv_norm),           # 2014
    "cifar_vgg8":             cifar_vgg8,                                       # 2014
    "cifar_vgg8_bn":          partial(cifar_vgg8, unit=conv_norm),              # 2014
    "googlenet_2014":         googlenet_2014,           # 2014
    "googlenet":              googlenet,                # 2014, with batch normalisation
    "cifar_inception":        cifar_inception,          # 2014
    "cifar_inception_naive":  cifar_inception_naive,    # 2014
    "bn_inception":           bn_inception,             # 2015
    "prelu_net_a":            partial(prelu_net, MODEL_A),                              # 2015
    "prelu_net_b":            partial(prelu_net, MODEL_B),                              # 2015
    "prelu_net_c":            partial(prelu_net, MODEL_C),                              # 2015
    "plain18":                partial(resnet, plain_basic, (2, 2, 2, 2), e=1),          # 2015
    "plain34":                partial(resnet, plain_basic, (3, 4, 6, 3), e=1),          # 2015
    "plain50":                partial(resnet, plain_bottleneck, (3, 4, 6, 3)),          # 2015
    "plain101":               partial(resnet, plain_bottleneck, (3, 4, 23, 3)),         # 2015
    "plain152":               partial(resnet, plain_bottleneck, (3, 8, 36, 3)),         # 2015
    "resnet18":               partial(resnet, Basic, (2, 2, 2, 2), e=1),                # 2015
    "resnet18_small":         partial(small_resnet, Basic, (2, 2, 2, 2), e=1),          # 2015
    "resnet34":               partial(resnet, Basic, (3, 4, 6, 3), e=1),                # 2015
    "resnet50":               partial(resnet, bottleneck, (3, 4, 6, 3)),                # 2015
    "resnet101":              partial(resnet, bottleneck, (3, 4, 23, 3)),               # 2015
    "resnet152":              partial(resnet, bottleneck, (3, 8, 36, 3)),               # 2015
    "resnet50_v1":            partial(resnet, bottleneck_v1, (3, 4, 6, 3)),             # 2015
    "resnet101_v1":           partial(resnet, bottleneck_v1, (3, 4, 23, 3)),            # 2015
    "resnet152_v1":           partial(resnet, bottleneck_v1, (3, 8, 36, 3)),            # 2015
    "cifar_resnet20":         partial(cifar_resnet, 20),                                # 2015
    "cifar_resnet32":         partial(cifar_resnet, 32),                                # 2015
    "cifar_resnet44":         partial(cifar_resnet, 44),                                # 2015
    "cifar_resnet56":         partial(cifar_resnet, 56),                                # 2015
    "cifar_resnet110":        partial(cifar_resnet, 110),                               # 2015
    "cifar_plain20":          partial(cifar_resnet, 20, block=plain_basic),             # 2015
    "cifar_plain32":          partial(cifar_resnet, 32, block=plain_basic),             # 2015
    "cifar_plain44":          partial(cifar_resnet, 44, block=plain_basic),             # 2015
    "cifar_plain56":          partial(cifar_resnet, 56, block=plain_basic),             # 2015
    "cifar_plain110":         partial(cifar_resnet, 110, block=plain_basic),            # 2015
    "cifar_resnet29":         partial(cifar_bottlenecks, 29),                           # 2015
    "cifar_resnet164":        partial(cifar_bottlenecks, 164),                          # 2015
    "cifar_plain29":          partial(cifar_bottlenecks, 29, block=plain_bottleneck),   # 2015
    "inception_resnet_v2":    inception_resnet_v2,      # 2016
    "densenet121":            partial(densenet, 32, (6, 12, 24, 16)),                   # 2016
    "densenet169":            partial(densenet, 32, (6, 12, 32, 32)),                   # 2016
    "densenet201":            partial(densenet, 32, (6, 12, 48, 32)),                   # 2016
    "densenet161":            partial(densenet, 48, (6, 12, 36, 24)),                   # 2016
    "cifar_densenet_40_12":   partial(cifar_densenet, 40, 12),                          # 2016
    "cifar_densenet_100_12":  partial(cifar_densenet, 100, 12),                         # 2016
    "cifar_densenet_100_24":  partial(cifar_densenet, 100, 24),                         # 2016
    "cifar_densenet_bc_100_12": partial(cifar_densenet_bc, 100, 12),                    # 2016
    "cifar_densenet_bc_250_24": partial(cifar_densenet_bc, 250, 24),                    # 2016
    "cifar_densenet_bc_190_40": partial(cifar_densenet_bc, 190, 40),                    # 2016
    "densenet_fast_40_12":    densenet_fast_40_12,                                      # 2016
    "resnext50_1x64d":        partial(resnext, (3, 4, 6, 3), groups=1, base=64),          # 2016
    "resnext50_2x40d":        partial(resnext, (3, 4, 6, 3), groups=2, base=40),          # 2016
    "resnext50_4x24d":        partial(resnext, (3, 4, 6, 3), groups=4, base=24),          # 2016
    "resnext50_8x14d":        partial(resnext, (3, 4, 6, 3), groups=8, base=14),          # 2016
    "resnext50_32x4d":        partial(resnext, (3, 4, 6, 3), groups=32, base=4),          # 2016
    "resnext101_1x64d":       partial(resnext, (3, 4, 23, 3), groups=1, base=64),         # 2016
    "resnext101_2x40d":       partial(resnext, (3, 4, 23, 3), groups=2, base=40),         # 2016
    "resnext101_4x24d":       partial(resnext, (3, 4, 23, 3), groups=4, base=24),         # 2016
    "resnext101_8x14d":       partial(resnext, (3, 4, 23, 3), groups=8, base=14),         # 2016
    "resnext101_32x4d":       partial(resnext, (3, 4, 23, 3), groups=32, base=4),         # 2016
    "resnext101_64x4d":       partial(resnext, (3, 4, 23, 3), groups=64, base=4),         # 2016
    "resnext101_32x8d":       partial(resnext, (3, 4, 23, 3), groups=32, base=8),         # 2016
    "cifar_resnext29_1x16d":  partial(cifar_resnext29, groups=1, base=16, width=16),      # 2016
    "cifar_resnext29_2x10d":  partial(cifar_resnext29, groups=2, base=10, width=16),      # 2016
    "cifar_resnext29_4x6d":   partial(cifar_resnext29, groups=4, base=6, width=16),       # 2016
    "cifar_resnext29_32x1d":  partial(cifar_resnext29, groups=32, base=1, width=16),      # 2016
    "cifar_resnext29_8x64d":  partial(cifar_resnext29, groups=8, base=64),                # 2016
    "cifar_resnext29_16x64d": partial(cifar_resnext29, groups=16, base=64),               # 2016
    "se_bn_inception":        se_bn_inception,          # 2017
    "se_inception_resnet_v2": se_inception_resnet_v2,   # 2017
    "seresnet50":             partial(se_resnet, (3, 4, 6, 3)),                           # 2017
    "seresnet101":            partial(se_resnet, (3, 4, 23, 3)),                          # 2017
    "seresnet152":            partial(se_resnet, (3, 8, 36, 3)),                          # 2017
    "seresnet50_v1":          partial(se_resnet, (3, 4, 6, 3), block=se_bottleneck_v1),   # 2017
    "seresnet101_v1":         partial(se_resnet, (3, 4, 23, 3), block=se_bottleneck_v1),  # 2017
    "seresnet152_v1":         partial(se_resnet, (3, 8, 36, 3), block=se_bottleneck_v1),  # 2017
    "seresnext50_32x4d":      partial(se_resnet, (3, 4, 6, 3), block=se_32x4d),           # 2017
    "seresnext101_32x4d":     partial(se_resnet, (3, 4, 23, 3), block=se_32x4d),          # 2017
    "sevgg16":                se_vgg16,                 # 2017
    "cifar_seresnet29":       partial(cifar_se_resnet, 29),                               # 2017
    "cifar_seresnet164":      partial(cifar_se_resnet, 164),                              # 2017
    "airbench94":             partial(airbench, (64, 256, 256)),                          # 2024
    "airbench_narrow":        partial(airbench, (64, 128, 256)),                          # 2024
}
SEVERAL_LOGITS: dict[str, Callable[..., nn.Module]] = {  # answer with a tuple
    "googlenet_2014_aux":     googlenet_2014_aux,       # 2014
    "googlenet_aux":          googlenet_aux,            # 2014, with batch normalisation
}
INPUTS: dict[str, tuple[int, int, int]] = {  # C, H, W; 3 x 224 x 224 where not listed
    "linear_regression":      (1, 28, 28),
    "logistic_regression":    (1, 28, 28),
    "perceptron":             (1, 28, 28),
    "mlp":                    (1, 28, 28),
    "mlp_rgb":                (3, 32, 32),
    "mlp_identity":           (1, 28, 28),
    "mlp_hard_threshold":     (1, 28, 28),
    "mlp_sigmoid":            (1, 28, 28),
    "mlp_tanh":               (1, 28, 28),
    "mlp_scaled_tanh":        (1, 28, 28),
    "mlp_soft_relu":          (1, 28, 28),
    "mlp_leaky_relu":         (1, 28, 28),
    "mlp_prelu":              (1, 28, 28),
    "net3":                   (1, 16, 16),
    "lenet5_1998":            (1, 32, 32),
    "lenet5":                 (1, 32, 32),
    "lenet5_rgb":             (3, 32, 32),
    "alexnet_2012":           (3, 227, 227),
    "alexnet_2012_one_tower": (3, 227, 227),
    "alexnet_2012_no_fc7":         (3, 227, 227),
    "alexnet_2012_no_fc6_fc7":     (3, 227, 227),
    "alexnet_2012_no_conv3_conv4": (3, 227, 227),
    "lenet_caffe":            (1, 28, 28),
    "cifar_vgg8":            (3, 32, 32),
    "cifar_vgg8_bn":         (3, 32, 32),
    "cifar_inception":       (3, 32, 32),
    "cifar_inception_naive": (3, 32, 32),
    "resnet18_small":         (3, 32, 32),
    "airbench94":             (3, 32, 32),
    "airbench_narrow":        (3, 32, 32),
    "cifar_resnet20":         (3, 32, 32),
    "cifar_resnet32":         (3, 32, 32),
    "cifar_resnet44":         (3, 32, 32),
    "cifar_resnet56":         (3, 32, 32),
    "cifar_resnet110":        (3, 32, 32),
    "cifar_plain20":          (3, 32, 32),
    "cifar_plain32":          (3, 32, 32),
    "cifar_plain44":          (3, 32, 32),
    "cifar_plain56":          (3, 32, 32),
    "cifar_plain110":         (3, 32, 32),
    "cifar_densenet_40_12":   (3, 32, 32),
    "cifar_densenet_100_12":  (3, 32, 32),
    "cifar_densenet_100_24":  (3, 32, 32),
    "cifar_densenet_bc_100_12": (3, 32, 32),
    "cifar_densenet_bc_250_24": (3, 32, 32),
    "cifar_densenet_bc_190_40": (3, 32, 32),
    "densenet_fast_40_12":    (3, 32, 32),
    "cifar_resnet29":         (3, 32, 32),
    "cifar_resnet164":        (3, 32, 32),
    "cifar_plain29":          (3, 32, 32),
    "cifar_resnext29_1x16d":  (3, 32, 32),
    "cifar_resnext29_2x10d":  (3, 32, 32),
    "cifar_resnext29_4x6d":   (3, 32, 32),
    "cifar_resnext29_32x1d":  (3, 32, 32),
    "cifar_resnext29_8x64d":  (3, 32, 32),
    "cifar_resnext29_16x64d": (3, 32, 32),
    "cifar_seresnet29":       (3, 32, 32),
    "cifar_seresnet164":      (3, 32, 32),
    "inception_resnet_v2":    (3, 299, 299),
    "se_inception_resnet_v2": (3, 299, 299),
}
# fmt: on
