"""Reference of settings: what each does and takes; docs/settings.md is made from it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby
from typing import TYPE_CHECKING, Any

from saccade.command import as_text
from saccade.frame import data_frame
from saccade.recipes.recipe import Recipe, all_settings, unknown_setting
from saccade.recipes.setting import Setting
from saccade.words import LineFeeds, html_table

if TYPE_CHECKING:
    from pandas import DataFrame

HEAD = ("setting", "default", "takes", "unit", "flag", "sentence")


@dataclass(frozen=True, repr=False)
class SettingsReference:
    """A list of settings, as text, table, CSV, Markdown or plain data."""

    entries: tuple[Setting, ...]

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {"settings": [entry.to_dict() for entry in self.entries]}

    def rows(self) -> list[tuple[str, ...]]:
        """A row a setting, as the columns of HEAD."""
        return [
            (s.name, as_text(s.default), s.takes, s.unit, s.option, s.sentence)
            for s in self.entries
        ]

    def to_csv(self) -> str:
        """The rows as comma-separated values, without the last line's end."""
        out = io.StringIO()
        csv.writer(LineFeeds(out)).writerows([HEAD, *self.rows()])
        return out.getvalue().rstrip("\n")

    def to_frame(self) -> DataFrame:
        """A row per setting, as of `to_csv`, each default as its type."""
        rows = [(s.name, s.default, *row[2:]) for s, row in zip(self.entries, self.rows())]
        return data_frame(rows, HEAD)

    def to_markdown(self) -> str:
        """The rows as tables, one for each table of a recipe."""
        return "\n".join(self._markdown_lines())

    def _markdown_lines(self) -> Iterator[str]:
        for table, entries in groupby(self.entries, key=lambda entry: entry.table):
            yield from (f"## {table}", "", getattr(Recipe(), table).__doc__, "")
            yield from ("| setting | default | takes | what it does |", "|---|---|---|---|")
            yield from map(_markdown_row, entries)
            yield ""

    def __str__(self) -> str:
        return "\n".join(line for entry in self.entries for line in _lines(entry))

    def __repr__(self) -> str:
        return f"SettingsReference({', '.join(entry.name for entry in self.entries)})"

    def _repr_html_(self) -> str:
        return html_table(HEAD, self.rows())


def list_settings(pattern: str) -> SettingsReference:
    """The settings like `pattern`: optim.lr, lr, epochs, optim, or optim.*.

    Raises `RecipeError` with the nearest names where there is none.
    """
    entries = tuple(
        s
        for s in all_settings().values()
        if any(fnmatchcase(name, pattern) for name in (s.name, s.field, s.table, s.flag) if name)
    )
    if not entries:
        raise unknown_setting(pattern)
    return SettingsReference(entries)


def _markdown_row(setting: Setting) -> str:
    names = f"`{setting.name}`" + (f", `{setting.option}`" if setting.option else "")
    takes = f"{setting.takes} ({setting.unit})" if setting.unit else setting.takes
    default = f"`{as_text(setting.default)}`" if setting.default != () else ""
    cells = (names, default, takes, setting.sentence)
    return f"| {' | '.join(cells)} |"


def _lines(setting: Setting) -> Iterator[str]:
    unit = f" ({setting.unit})" if setting.unit else ""
    option = f", or {setting.option}" if setting.option else ""
    yield f"{setting.name}={as_text(setting.default)}{option}"
    yield f"    {setting.sentence}"
    yield f"    Takes {setting.takes}{unit}."
