"""Data spec: the text that names data, and after `::` tells what a path cannot.

`photos.csv::price=number`, `photos::(?P<label>[a-z]+)_`, `mnist::folder`; then, each after a `::`
of its own, the column that tells the split and the folders that are held out, as the settings
`data.split_column`, `data.val_folder` and `data.test_folder` say them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from saccade.data.sources.exports import TABLES, table_at
from saccade.errors import UsageError
from saccade.files import name_of_text

OPTIONS = ("split_column", "group_column", "val_folder", "test_folder")
COLUMNS, FOLDERS = OPTIONS[:2], OPTIONS[2:]
OPTION = re.compile(rf"(?:^|::)({'|'.join(OPTIONS)})=((?:(?!::).)+)$", re.DOTALL)
KEPT = re.compile(r"[/\\](objects[/\\]\w{16}[/\\]images|frames[/\\]frame-\w{16})\.csv$")
PLAIN = re.compile(r"\w[\w .-]*")  # a column's name that is no pattern


@dataclass(frozen=True)
class DataSpec:
    """What a person typed for data, in its parts."""

    name: str  # a path, or the name of a data set
    selector: str = ""  # a pattern, or a column with its kind
    options: Mapping[str, str] = field(default_factory=dict)  # of OPTIONS

    @classmethod
    def of(cls, data: str | Path) -> DataSpec:
        """The parts of a spec; the longest beginning that is on the disk is the path."""
        typed, options = str(data), {}
        if _exists(typed):
            return cls(typed)
        while match := OPTION.search(typed):
            options[match[1]] = match[2]
            typed = typed[: match.start()]
        if typed.endswith("::"):  # a name for sure
            return cls(typed, "", options)
        at = len(typed)
        while at > 0 and not _exists(typed[:at]):
            at = typed.rfind("::", 0, at)
        if at <= 0:
            at = typed.find("::") if "::" in typed else len(typed)
        return cls(typed[:at], typed[at + 2 :], options)

    @property
    def path(self) -> Path:
        """The path that `name` is, as the disk has it."""
        written, as_text = Path(self.name), Path(name_of_text(self.name))
        return as_text if not is_there(written) and is_there(as_text) else written

    @property
    def is_table(self) -> bool:
        """Whether the path is a file that is read as a table."""
        return self.path.suffix.lower() in TABLES and self.path.is_file()

    @property
    def held_out(self) -> dict[str, str]:
        """The folders that are held out, with the split of each."""
        folders = {"val": self.options.get("val_folder"), "test": self.options.get("test_folder")}
        return {folder: split for split, folder in folders.items() if folder}

    def with_options_of(self, other: str | None) -> str:
        """The spec with what follows the path in `other`, where nothing follows it here."""
        if other is None or self.selector or self.options:
            return str(self)
        spec = DataSpec.of(other)
        return str(replace(self, selector=spec.selector, options=spec.options))

    def refuse_options(self, *names: str, why: str) -> None:
        """Raise `UsageError` for an option of `names`: such data have no use for it, and `why`."""
        for name in names:
            if name in self.options:
                what = f"{name}={self.options[name]} does nothing"
                raise UsageError(f"{what}: {why}", f"leave out {name}")

    def __str__(self) -> str:
        parts = [self.name, *filter(None, [self.selector])]
        return "::".join([*parts, *(f"{name}={value}" for name, value in self.options.items())])


def title_of(data: str | Path | None) -> str:
    """What to call data in a list or a heading: the last part of the path, and what follows it."""
    if data is None:
        return "digits"
    spec = DataSpec.of(data)
    if KEPT.search(spec.name):  # the cache's copy of objects
        return "data given in Python"
    return str(replace(spec, name=Path(spec.name).name or spec.name))


def spec_with_settings(
    data: str | Path | None, settings: Mapping[str, object]
) -> str | Path | None:
    """The spec for data with what the settings, by their full names, tell of how to read it."""
    options = {name: str(settings.get(f"data.{name}") or "") for name in OPTIONS}
    options = {name: value for name, value in options.items() if value not in ("", "auto")}
    spec = DataSpec.of(data or "digits")
    group = str(settings.get("data.group") or "")
    if PLAIN.fullmatch(group) and spec.is_table and table_at(spec.path).column(group) is not None:
        options["group_column"] = group
    return str(replace(spec, options={**spec.options, **options})) if options else data


def _exists(text: str) -> bool:
    return is_there(Path(text)) or is_there(Path(name_of_text(text)))


def is_there(path: Path) -> bool:
    """Whether there is something at a path; nothing is at one that no disk can hold."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
