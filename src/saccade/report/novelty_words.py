"""novelty_words: how many pictures lie far from those trained on, and what that does not say."""

from __future__ import annotations

from torch import Tensor

from saccade.metrics.interval import wilson
from saccade.results import proportion


def novelty_words(novelty: Tensor, level: float) -> str:
    """Of pictures with these novelties [N] the share above `level`."""
    beyond, n = int((novelty > level).sum()), len(novelty)
    return (
        f"{proportion(beyond / n, wilson(beyond, n), n)} of these pictures lie farther from the "
        f"training pictures than {100 * level:.0f} % of the validation pictures, in what goes "
        "into the last layer. A picture can be none of the classes and still be near, and one of "
        "a class in a new light far; predict --max-novelty says unknown of the far ones."
    )
