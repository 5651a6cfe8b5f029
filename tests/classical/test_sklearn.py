"""ClassicalClassifier: scikit-learn's contract, and images in both forms."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from saccade.classical.sklearn import ClassicalClassifier


@parametrize_with_checks([ClassicalClassifier()])
def test_it_keeps_to_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


def stripes(channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy stripes across or along images of 24 x 20 pixels."""
    generator, labels = np.random.default_rng(0), np.array(["across", "along"] * 12)
    wave = 100 * np.sin(np.arange(24) / 2)
    images = generator.normal(120, 20, (24, 24, 20, channels))
    images[labels == "across"] += wave[:, None, None]
    images[labels == "along"] += wave[None, :20, None]
    return images.clip(0, 255).astype(np.uint8), labels


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("model", ["fisher", "bag_of_words", "hog"])
def test_images_are_told_apart_in_either_form(model: str, channels: int):
    images, labels = stripes(channels)
    classifier = ClassicalClassifier(model).fit(images[:16], labels[:16])
    assert classifier.predict(images[16:]).tolist() == labels[16:].tolist()
    table = images.reshape(24, -1)
    other = ClassicalClassifier(model, shape=(24, 20, channels)).fit(table[:16], labels[:16])
    expected = classifier.decision_function(images[16:])
    assert np.array_equal(other.decision_function(table[16:]), expected)


def test_what_does_not_fit_is_said():
    images, labels = stripes(3)
    with pytest.raises(ValueError, match="not of the shape"):
        ClassicalClassifier(shape=(20, 20, 3)).fit(images.reshape(24, -1), labels)
    with pytest.raises(ValueError, match="too small for hog"):
        ClassicalClassifier("hog").fit(images[:, :12], labels)
    with pytest.raises(ValueError, match="model cannot be 'surf'"):
        ClassicalClassifier("surf").fit(images, labels)
