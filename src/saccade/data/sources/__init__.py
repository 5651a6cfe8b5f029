"""Where images come from: a file a kind of source, and `open_source` that tells them apart."""

from __future__ import annotations

from saccade.data.sources.opening import absolute_location, open_images, open_source

__all__ = ["absolute_location", "open_images", "open_source"]
