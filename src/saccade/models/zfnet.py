"""ZFNet.  Zeiler and Fergus 2013, "Visualizing and understanding convolutional networks", Figure 3.

AlexNet with a first layer of 7 x 7 and stride 2, chosen by looking at what AlexNet's had learned.
Departure: the figure's "contrast norm." across maps is local response normalisation.
"""

from __future__ import annotations

from torch import nn

from saccade.layers.chain import chain
from saccade.layers.local_response_norm import LocalResponseNorm


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
