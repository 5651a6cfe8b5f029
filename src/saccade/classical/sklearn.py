"""The classical recipes as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from saccade.classical.descriptors import BLOCK, CELL, hog
from saccade.classical.encode import bag_of_words, fisher
from saccade.classical.fit import fit
from saccade.data.cache import CachedImages
from saccade.models.layers.blocks import normalized

Shape = tuple[int, int, int]  # height, width, channels
NUM_COMPONENTS = {"fisher": 32, "bag_of_words": 200}  # Gaussians or words, but no more than images


class ClassicalClassifier(ClassifierMixin, BaseEstimator):
    """Image descriptors, their encoding, and a linear support vector machine.

    Images are an array [N,H,W,C] with 1 or 3 channels, or [N,H*W*C] where `shape` says which.
    A table without a shape is taken for images of a single line of grey pixels.  All have one
    size; no image is resized.

    Parameters
    ----------
    model
        fisher, bag_of_words or hog.
    shape
        Height, width and channels of images that come as rows of a table.
    random_state
        Seed of all random draws.
    """

    def __init__(
        self, model: str = "fisher", *, shape: Shape | None = None, random_state: int = 0
    ) -> None:
        self.model = model
        self.shape = shape
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> ClassicalClassifier:
        """Fit the rows of the network, one after the other, to images X and labels y [N]."""
        table, shape = _table(X, self.shape)
        checked: Any = validate_data(self, table, y, dtype=np.float32)
        rows, labels = checked
        check_classification_targets(labels)
        self.classes_, targets = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("to tell classes apart takes two of them, not 1 class")
        self.shape_ = _checked_shape(shape, rows.shape[1])
        pixels = self._pixels(rows)
        mean, std = pixels.mean((0, 2, 3)) / 255, pixels.std((0, 2, 3)) / 255
        self.network_ = normalized(
            self._network(len(pixels)),
            tuple(mean.tolist()),
            tuple(std.clip(np.finfo(np.float32).eps).tolist()),
        )
        indices = torch.from_numpy(targets.astype(np.int64))
        images = CachedImages(torch.from_numpy(pixels))
        self.notes_ = fit(self.network_, images, indices, self.random_state, lambda *_: None)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """The signed distance to each class's hyperplane; of two classes, to the second's.

        [N] for two classes, else [N,K].  Each image is a batch of its own, so that its scores do
        not depend on the others.
        """
        check_is_fitted(self)
        table, _ = _table(X, self.shape)
        pixels = self._pixels(validate_data(self, table, reset=False, dtype=np.float32))
        with torch.inference_mode():
            outputs = torch.cat([self.network_(torch.from_numpy(image[None])) for image in pixels])
        scores = outputs.numpy()
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> NDArray:
        """The class of each image.  -> [N]"""
        scores = self.decision_function(X)
        best = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[best]

    def _pixels(self, rows: Any) -> NDArray[np.float32]:
        """Rows of a table as images of three channels.  [N,H*W*C] -> [N,3,H,W]"""
        images = np.array(rows).reshape(-1, *self.shape_).transpose(0, 3, 1, 2)
        shape = (len(images), 3, *images.shape[2:])
        return np.ascontiguousarray(np.broadcast_to(images, shape))

    def _network(self, images: int) -> nn.Module:
        classes, (height, width, _) = len(self.classes_), self.shape_
        if self.model == "fisher":
            return fisher(classes, gaussians=min(NUM_COMPONENTS["fisher"], images))
        if self.model == "bag_of_words":
            return bag_of_words(classes, num_words=min(NUM_COMPONENTS["bag_of_words"], images))
        if self.model != "hog":
            raise ValueError(f"model cannot be '{self.model}'; there are hog, bag_of_words, fisher")
        if min(height, width) < CELL * BLOCK:
            smallest = f"{CELL * BLOCK}x{CELL * BLOCK}"
            raise ValueError(
                f"images of {height}x{width} are too small for hog: {smallest} at least"
            )
        return hog(classes, input_shape=(3, height, width))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _table(X: Any, shape: Shape | None) -> tuple[Any, Shape | None]:
    """Images as rows of a table [N,H*W*C], and their shape where it is known."""
    if getattr(X, "ndim", 2) == 4:
        return X.reshape(len(X), -1), X.shape[1:]
    return X, shape


def _checked_shape(shape: Shape | None, values: int) -> Shape:
    """The shape of rows with so many values; raises `ValueError` where they do not fit."""
    shape = shape or (1, values, 1)
    if len(shape) != 3 or shape[2] not in (1, 3) or np.prod(shape) != values:
        raise ValueError(
            f"images of {values} numbers are not of the shape {shape}: "
            "height, width, and 1 or 3 channels"
        )
    return shape
