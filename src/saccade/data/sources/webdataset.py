"""WebDataset: shards in .tar files, where `key.jpg` and `key.cls` are one sample.

The key is all up to the first dot of the file's name, as the webdataset library has it.  The label
is the text of `.cls`, else "label" in `.json`; a `classes.txt` beside the shards names its numbers.
A shard called `...train...`, `...val...` or `...test...` belongs to that split.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from saccade.data.classes import class_name, natural_sort_key, read_classes
from saccade.data.image_files import SUFFIXES, ScanResult
from saccade.data.item import Item, Label, LazyImage
from saccade.data.sources.archive import tar_members
from saccade.data.sources.listing import Listing, assemble
from saccade.data.sources.split_names import split_of
from saccade.errors import DataError
from saccade.words import shortened

BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")


def webdataset(shards: Sequence[Path]) -> Listing:
    """The samples of all shards, in the shards' natural order and the order inside them."""
    if not shards:
        raise DataError("there is no shard", "name .tar files, as in 'shards/train-{000..009}.tar'")
    ordered = sorted(shards, key=lambda shard: natural_sort_key(str(shard)))
    classes = ()
    if (class_file := ordered[0].parent / "classes.txt").is_file():
        classes = read_classes(class_file)
    scan = ScanResult()
    rows: list[tuple[str, Item]] = []
    for shard in ordered:
        split, skipped = _split(shard), len(scan.skipped)
        items = list(_samples(shard, classes, scan))
        if not items and len(scan.skipped) == skipped:
            scan.skip(shard.name, "a shard without a sample")
        rows += [(split, item) for item in items]
    where = shortened([f"'{shard}'" for shard in ordered], 1)
    if not rows:
        reasons = Counter(entry.reason for entry in scan.skipped)
        listed = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(4))
        raise DataError(
            f"{where} holds no sample to learn from: {listed}, such as '{scan.skipped[0].name}'",
            "a sample is KEY.jpg with KEY.cls, or KEY.json with a label; no dot is in KEY",
        )
    kinds = {isinstance(item.label, tuple): item for _, item in rows}
    if len(kinds) > 1:
        raise DataError(
            f"{where} has lists of labels and single ones: '{kinds[True].name}' a list, "
            f"'{kinds[False].name}' none",
            "write all of them as lists, or none",
        )
    splits = {_split(shard): shard for shard in ordered}
    if "all" in splits and len(splits) > 1:
        raise DataError(
            f"'{splits['all']}' is of no split, and other shards are",
            "put train, val or test into the names of all",
        )
    name = BRACES.sub("", ordered[0].name.partition(".")[0]).rstrip("-_0123456789")
    return assemble(rows, name or "shards", where, scan.skipped, classes=classes)


def expand(pattern: str) -> list[Path]:
    """The shards that `dir/train-{000..009}.tar`, `dir/*.tar` or one path names.

    Braces and stars count in the name of the file alone: a folder may be called by them.
    """
    path = Path(pattern)
    if path.exists():
        return [path]
    if braces := BRACES.search(path.name):
        first, last = braces[1], braces[2]
        start, end = path.name[: braces.start()], path.name[braces.end() :]
        shards = [
            path.with_name(f"{start}{str(n).zfill(len(first))}{end}")
            for n in range(int(first), int(last) + 1)
        ]
        missing = [shard for shard in shards if not shard.is_file()]
        if missing:
            raise DataError(
                f"{len(missing)} of {len(shards)} shards are not there, such as '{missing[0]}'",
                "check the numbers in braces",
            )
        return shards
    if "*" not in path.name or not path.parent.is_dir():
        return [path]
    starred = re.compile(".*".join(map(re.escape, path.name.split("*"))), re.DOTALL)
    return sorted(shard for shard in path.parent.iterdir() if starred.fullmatch(shard.name))


def holds_samples(path: Path) -> bool:
    """Whether a .tar looks like a shard: a `.cls`, or a `.json` outside of folders, comes early."""
    for name, _, _ in islice(tar_members(path), 16):
        name = name.removeprefix("./")
        if name.endswith(".cls") or (name.endswith(".json") and "/" not in name):
            return True
    return False


def _samples(shard: Path, classes: Sequence[str], scan: ScanResult) -> Iterator[Item]:
    """The items of one shard; what has no image or no label goes into `scan.skipped`."""
    samples: dict[str, dict[str, tuple[str, LazyImage]]] = {}
    for name, reason, image in tar_members(shard):
        folder, slash, file = name.removeprefix("./").rpartition("/")
        stem, dot, ending = file.partition(".")
        if reason or image is None or not stem:
            scan.skip(name, reason or "hidden")
            continue
        members = samples.setdefault(folder + slash + stem, {})
        if (ending := (dot + ending).lower()) in members:
            raise DataError(f"'{name}' is twice in '{shard}'", "give each sample a key of its own")
        members[ending] = (name, image)
    for key, members in samples.items():
        images = [ending for ending in members if Path("x" + ending).suffix in SUFFIXES]
        label = _label(members, classes, shard, key)
        sample = f"{shard.name}/{key}"
        if len(images) != 1:
            scan.skip(sample, "several images in one sample" if images else "without an image")
        elif label is None or label == "":
            scan.skip(sample, "without a label")
        else:
            yield Item(f"{sample}{images[0]}", label, members[images[0]][1])


def _label(
    members: dict[str, tuple[str, LazyImage]], classes: Sequence[str], shard: Path, key: str
) -> Label:
    """The class of one sample by name, or several where JSON lists them."""
    where = f"'{key}' in '{shard}'"
    value: object = None
    if ".cls" in members:
        try:
            value = bytes(members[".cls"][1].read()).decode("utf-8-sig").strip()
        except UnicodeDecodeError as error:
            raise DataError(f"the label of {where} is not UTF-8", "make the shard anew") from error
    elif ".json" in members:
        try:
            fields = json.loads(bytes(members[".json"][1].read()))
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"'{key}.json' in '{shard}' is no JSON: {error}", "make the shard anew"
            ) from error
        value = fields.get("label") if isinstance(fields, dict) else None
    if isinstance(value, list):
        names = [_class(label, classes, where) for label in value]
        return tuple(dict.fromkeys(names))
    return None if value is None else _class(value, classes, where)


def _class(value: object, classes: Sequence[str], where: str) -> str:
    """The class that a text or a whole number names."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        shown = json.dumps(value, ensure_ascii=False)[:80]
        hint = "a label is a text, a whole number, or a list of these for several classes"
        raise DataError(f"the label of {where} is no text or number: {shown}", hint)
    text = str(value)
    if classes and text.isascii() and text.isdigit():
        if int(text) >= len(classes):
            raise DataError(f"{where} has the class {text}", f"classes.txt names {len(classes)}")
        return classes[int(text)]
    return class_name(text)


def _split(shard: Path) -> str:
    """The split that a part of the shard's name stands for."""
    words = re.split(r"[-_.]", shard.name)
    return next((split for word in words if (split := split_of(word))), "all")
