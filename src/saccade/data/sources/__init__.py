"""Where pictures come from: a file a kind of source, and `open_source` that tells them apart."""

from __future__ import annotations

from saccade.data.sources.opening import located, open_source

__all__ = ["located", "open_source"]
