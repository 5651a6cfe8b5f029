"""AlexNet.  Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural
networks", Figure 2.

`alexnet_2012` is the paper's; `alexnet_2012_without` leaves layers out, as Zeiler 2013, Table 3.
Departures: 227 x 227 images, which its sizes need (the paper says 224); the towers' feature maps
are concatenated, so at their border the normalisation sees both.
`alexnet` is the one column of the public weights: Krizhevsky 2014, "One weird trick for
parallelizing convolutional neural networks", without normalisation.

ZFNet.  Zeiler and Fergus 2013, "Visualizing and understanding convolutional networks", Figure 3:
AlexNet with a first layer of 7 x 7 and stride 2, chosen by visualising AlexNet's features.
Departure: the figure's "contrast norm." across maps is local response normalisation.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from saccade.models.layers.blocks import chain
from saccade.models.layers.historic import LocalResponseNorm
from saccade.models.layers.surgery import remove_layers


# fmt: off
def alexnet_2012(num_classes: int = 1000, groups: int = 2) -> nn.Sequential:
    """AlexNet in two towers, or in one with `groups=1`.  [N,3,227,227] -> [N,num_classes]"""
    return initialise(chain(
        conv1=nn.Conv2d(3, 96, 11, stride=4), relu1=nn.ReLU(),                      #   96 x 55 x 55
        norm1=LocalResponseNorm(), pool1=nn.MaxPool2d(3, stride=2),                 #   96 x 27 x 27
        conv2=nn.Conv2d(96, 256, 5, padding=2, groups=groups), relu2=nn.ReLU(),     #  256 x 27 x 27
        norm2=LocalResponseNorm(), pool2=nn.MaxPool2d(3, stride=2),                 #  256 x 13 x 13
        conv3=nn.Conv2d(256, 384, 3, padding=1), relu3=nn.ReLU(),                   #  384 x 13 x 13
        conv4=nn.Conv2d(384, 384, 3, padding=1, groups=groups), relu4=nn.ReLU(),    #  384 x 13 x 13
        conv5=nn.Conv2d(384, 256, 3, padding=1, groups=groups), relu5=nn.ReLU(),    #  256 x 13 x 13
        pool5=nn.MaxPool2d(3, stride=2),                                            #  256 x  6 x  6
        flatten=nn.Flatten(),
        fc6=nn.Linear(256 * 6 * 6, 4096), relu6=nn.ReLU(), drop6=nn.Dropout(),      # 4096
        fc7=nn.Linear(4096, 4096), relu7=nn.ReLU(), drop7=nn.Dropout(),             # 4096
        fc8=nn.Linear(4096, num_classes),
    ))


def alexnet(num_classes: int = 1000) -> nn.Sequential:
    """AlexNet in one column, as the public weights have it.  [N,3,224,224] -> [N,num_classes]"""
    return chain(
        features=nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(),    #   64 x 55 x 55
            nn.MaxPool2d(3, stride=2),                               #   64 x 27 x 27
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(),             #  192 x 27 x 27
            nn.MaxPool2d(3, stride=2),                               #  192 x 13 x 13
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),            #  384 x 13 x 13
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),            #  256 x 13 x 13
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),            #  256 x 13 x 13
            nn.MaxPool2d(3, stride=2),                               #  256 x  6 x  6
        ),
        avgpool=nn.AdaptiveAvgPool2d(6),                             #  256 x  6 x  6
        flatten=nn.Flatten(),
        classifier=nn.Sequential(
            nn.Dropout(), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(),   # 4096
            nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(),          # 4096
            nn.Linear(4096, num_classes),
        ),
    )
# fmt: on


def alexnet_2012_without(num_classes: int = 1000, *, layers: Sequence[str]) -> nn.Sequential:
    """AlexNet without these layers.  [N,3,227,227] -> [N,num_classes]"""
    return initialise(remove_layers(alexnet_2012(num_classes), layers, input_shape=(3, 227, 227)))


def initialise(network: nn.Sequential) -> nn.Sequential:
    """The paper's, section 5: weights from N(0, 0.01^2), biases 0, or 1 before most ReLUs."""
    ones = {"conv2", "conv4", "conv5", "fc6", "fc7"}
    for name, row in network.named_children():
        if isinstance(row, nn.Conv2d | nn.Linear):
            assert row.bias is not None
            nn.init.normal_(row.weight, std=0.01)
            nn.init.constant_(row.bias, float(name in ones))
    return network


def zfnet(num_classes: int = 1000) -> nn.Sequential:
    """ZFNet.  [N,3,224,224] -> [N,num_classes]"""
    # fmt: off
    return chain(
        conv1=nn.Conv2d(3, 96, 7, stride=2, padding=1), relu1=nn.ReLU(),          #   96 x 110 x 110
        pool1=nn.MaxPool2d(3, stride=2, padding=1), norm1=LocalResponseNorm(),    #   96 x  55 x  55
        conv2=nn.Conv2d(96, 256, 5, stride=2), relu2=nn.ReLU(),                   #  256 x  26 x  26
        pool2=nn.MaxPool2d(3, stride=2, padding=1), norm2=LocalResponseNorm(),    #  256 x  13 x  13
        conv3=nn.Conv2d(256, 384, 3, padding=1), relu3=nn.ReLU(),                 #  384 x  13 x  13
        conv4=nn.Conv2d(384, 384, 3, padding=1), relu4=nn.ReLU(),                 #  384 x  13 x  13
        conv5=nn.Conv2d(384, 256, 3, padding=1), relu5=nn.ReLU(),                 #  256 x  13 x  13
        pool5=nn.MaxPool2d(3, stride=2),                                          #  256 x   6 x   6
        flatten=nn.Flatten(),
        fc6=nn.Linear(256 * 6 * 6, 4096), relu6=nn.ReLU(), drop6=nn.Dropout(),    # 4096
        fc7=nn.Linear(4096, 4096), relu7=nn.ReLU(), drop7=nn.Dropout(),           # 4096
        fc8=nn.Linear(4096, num_classes),
    )
    # fmt: on
