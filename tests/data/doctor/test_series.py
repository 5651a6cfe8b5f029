"""Series: neighbours that look alike are told with a grouping that works, others never."""

from __future__ import annotations

import re
import shlex

import numpy as np
from PIL import Image

from saccade.data.doctor.case import Finding
from saccade.data.doctor.doctor import examine
from saccade.data.item import ImageArray, Item
from saccade.data.sources.groups import grouping_of
from saccade.data.sources.listing import Listing

FRAMES = 12


def frame(film: int, t: int) -> ImageArray:
    """Frame t of a film that fades from one picture to another, with grain of its own."""
    draw = np.random.default_rng(film)
    first, last = draw.integers(0, 256, (2, 6, 6, 3)).astype(float)
    now = (first + (last - first) * t / FRAMES).astype(np.uint8)
    whole = Image.fromarray(now).resize((64, 64), Image.Resampling.BICUBIC)
    grain = np.random.default_rng((film, t)).normal(0, 40, (64, 64, 3))
    return ImageArray((np.asarray(whole) * 0.6 + 50 + grain).clip(0, 255).astype(np.uint8))


def finding(items: list[Item], splits: tuple[str, ...] = ("all",)) -> Finding | None:
    parts = {split: items[i :: len(splits)] for i, split in enumerate(splits)}
    source = Listing("set", tuple(sorted({str(item.label) for item in items})), parts)
    return examine(source).finding("series")


def films(name: str, count: int = 12) -> list[Item]:
    """Films of two classes; `name` says what a frame is called."""
    return [
        Item(name.format(film=film, t=t, n=film * 100 + t), "ab"[film % 2], frame(film, t))
        for film in range(count)
        for t in range(FRAMES)
    ]


def group_in(found: Finding) -> str:
    words = shlex.split(found.message[found.message.index("--with") :])
    return words[1].removeprefix("data.group=")


def test_frames_of_films_are_told_with_a_group_for_each_film() -> None:
    items = films("film{film}/frame_{t:06d}.jpg")
    found = finding(items)
    assert found and found.severity == "warning" and found.count > 60
    assert group_in(found) == "folder"
    assert "look alike, as in a series" in found.message


def test_a_pattern_is_proposed_where_names_alone_tell_the_films() -> None:
    items = films("f{film}_{t:04d}.jpg")
    found = finding(items)
    assert found
    grouping = grouping_of(group_in(found), None)
    assert {item.name.split("_")[0] for item in items} == {
        str(grouping(item)).rstrip("_") for item in items
    }


def test_numbers_of_one_sequence_are_divided_into_blocks() -> None:
    items = films("IMG_{n:04d}.JPG")
    found = finding(items)
    assert found
    groups = {grouping_of(group_in(found), None)(item) for item in items}
    assert groups == {f"IMG_{film:02d}" for film in range(12)}


def test_numbered_images_that_do_not_look_alike_are_no_series() -> None:
    items = [Item(f"IMG_{n:04d}.jpg", "ab"[n % 2], frame(n, 0)) for n in range(120)]
    assert finding(items) is None


def test_images_of_a_class_that_all_look_alike_are_no_series() -> None:
    """What is alike at large says nothing of neighbours."""
    items = [Item(f"IMG_{n:04d}.jpg", "a", frame(7, n % 3)) for n in range(60)]
    items += [Item(f"b/IMG_{n:04d}.jpg", "b", frame(8, n % 3)) for n in range(60)]
    assert finding(items) is None


def test_a_set_that_came_divided_or_in_groups_is_not_warned_of() -> None:
    items = films("f{film}_{t:04d}.jpg")
    assert finding(items, ("train", "test")) is None
    grouped = [
        Item(item.name, item.label, item.image, re.split("_", item.name)[0]) for item in items
    ]
    assert finding(grouped) is None
