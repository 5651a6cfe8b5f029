"""The word for data: what it names, and after `::` what a path cannot tell.

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

READING = ("split_column", "group_column", "val_folder", "test_folder")
TOLD = re.compile(rf"(?:^|::)({'|'.join(READING)})=((?:(?!::).)+)$", re.DOTALL)
PLAIN = re.compile(r"\w[\w .-]*")  # a column's name that is no pattern


@dataclass(frozen=True)
class DataWord:
    """What a person typed for data, in its parts."""

    text: str  # a path or a name
    detail: str = ""  # a pattern, or a column with its kind
    told: Mapping[str, str] = field(default_factory=dict)  # of READING

    @classmethod
    def of(cls, data: str | Path) -> DataWord:
        """The parts of `data`; the longest beginning that is on the disk is the path."""
        typed, told = str(data), {}
        if _exists(typed):
            return cls(typed)
        while match := TOLD.search(typed):
            told[match[1]] = match[2]
            typed = typed[: match.start()]
        if typed.endswith("::"):  # a name for sure
            return cls(typed, "", told)
        at = len(typed)
        while at > 0 and not _exists(typed[:at]):
            at = typed.rfind("::", 0, at)
        if at <= 0:
            at = typed.find("::") if "::" in typed else len(typed)
        return cls(typed[:at], typed[at + 2 :], told)

    @property
    def path(self) -> Path:
        """The path that `text` is, as the disk has it."""
        written = Path(self.text)
        return written if written.exists() else Path(name_of_text(self.text))

    @property
    def is_table(self) -> bool:
        """Whether the path is a file that is read as a table."""
        return self.path.suffix.lower() in TABLES and self.path.is_file()

    @property
    def held_out(self) -> dict[str, str]:
        """The folders that are held out, with the split of each."""
        folders = {"val": self.told.get("val_folder"), "test": self.told.get("test_folder")}
        return {folder: split for split, folder in folders.items() if folder}

    def told_as(self, other: str | None) -> str:
        """The word with what follows the path in `other`, where nothing follows it here."""
        if other is None or self.detail or self.told:
            return str(self)
        word = DataWord.of(other)
        return str(replace(self, detail=word.detail, told=word.told))

    def refuse(self, *names: str) -> None:
        """Raise `UsageError` where something of `names` is told of data that has no use for it."""
        for name in names:
            if name in self.told:
                of = "a table" if name.endswith("column") else "a folder or an archive"
                raise UsageError(
                    f"{name}={self.told[name]} does nothing: '{self.text}' is not {of}",
                    f"leave out {name}",
                )

    def __str__(self) -> str:
        parts = [self.text, *filter(None, [self.detail])]
        return "::".join([*parts, *(f"{name}={value}" for name, value in self.told.items())])


def data_as_told(data: str | Path | None, settings: Mapping[str, object]) -> str | Path | None:
    """The word for data with what the settings, by their full names, tell of how to read it."""
    told = {name: str(settings.get(f"data.{name}") or "") for name in READING}
    told = {name: value for name, value in told.items() if value not in ("", "auto")}
    word = DataWord.of(data or "digits")
    group = str(settings.get("data.group") or "")
    if PLAIN.fullmatch(group) and word.is_table and table_at(word.path).column(group) is not None:
        told["group_column"] = group
    return str(replace(word, told={**word.told, **told})) if told else data


def _exists(text: str) -> bool:
    try:
        return Path(text).exists() or Path(name_of_text(text)).exists()
    except (OSError, ValueError):  # a name that no disk can hold
        return False
