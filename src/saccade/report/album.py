"""Album: small pictures of a set for a page, as long as there is room in the file."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from saccade.data.formats import Opening, opened
from saccade.data.source import Item
from saccade.errors import DataError
from saccade.report.page import Html, element, join, picture

SIDE = 128  # pixels of the long side of a small picture


class Album:
    """Small pictures by name; `room` is how many bytes of them the page takes."""

    def __init__(self, items: Sequence[Item], room: int):
        self.items = {item.name: item for item in items}
        self.room = room

    def show(self, name: str, remark: str = "") -> Html | None:
        """The picture with its path and a remark; None where it cannot be read or room is out."""
        encoded = self._small(name)
        if encoded is None:
            return None
        caption = [element("span", name, class_="path")]
        if remark:
            caption += [Html("<br>"), remark]
        return picture(encoded, remark or "a picture of the set", join(caption))

    def _small(self, name: str) -> bytes | None:
        item = self.items.get(name)
        if item is None or self.room <= 0:
            return None
        try:
            raw = item.picture.read()
            if isinstance(raw, bytes):
                raw = opened(raw, Opening(grey=False, least=SIDE, longer=True))
        except (DataError, OSError):
            return None
        image = Image.fromarray(raw.squeeze(2) if raw.shape[2:] == (1,) else raw[..., :3])
        image.thumbnail((SIDE, SIDE))
        file = io.BytesIO()
        image.save(file, "JPEG", quality=72, optimize=True)
        self.room -= len(file.getvalue())
        return file.getvalue()
