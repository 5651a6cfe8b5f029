"""The columns of a table that tell its splits, by their names and by what is in them.

A column counts when its cells are splits, whatever it is called (fastai's `is_valid` of True and
False too), or when it is called by a word for folds.  A column that is called by a word for splits
and tells none is refused rather than passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from saccade.data.sources.cells import COLUMNS
from saccade.data.sources.split_names import fold_of, split_of, split_within
from saccade.errors import DataError, unknown

SPLIT_NAMES = COLUMNS["split"]  # that tell a split, or nothing is right
FOLD_NAMES = ("fold", "folds", "kfold", "k_fold", "cv_fold", "fold_id", "test_fold", "cv")
ALWAYS_TRAIN = ("-1", "-1.0")  # of no fold, as scikit-learn's PredefinedSplit has it
KAGGLE = {"publictest": "val", "privatetest": "test", "public": "val", "private": "test"}  # FER2013
YES = ("true", "1", "1.0", "yes", "y", "t", "wahr", "vrai", "verdadero", "vero", "verdadeiro")
NO = ("false", "0", "0.0", "no", "n", "f", "", "falsch", "faux", "falso")  # Excel's too
AUTO, NONE = "auto", "none"
MOST_FOLDS = 100
SHOWN = 3  # values of a column in a note


class ColumnSplits(NamedTuple):
    """The split of each row, empty where none is told; the columns that tell it, and notes."""

    splits: Sequence[str]
    columns: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()


def splits_from_columns(
    header: Sequence[str],
    numbered: Sequence[tuple[int, Sequence[str]]],
    taken: Iterable[int],
    where: str,
    chosen: str = AUTO,
    classes: Iterable[int] = (),
) -> ColumnSplits:
    """The splits that the numbered rows of a table tell; `taken` are columns of other meaning.

    `chosen` is the column to use, `auto`, or `none` for a table whose splits do not count;
    `classes` are columns of 0 and 1 that may be a class each.  Raises `DataError` where columns
    disagree, the one to use tells no splits, or one called `train` may be a class as well.
    """
    lines, rows = [line for line, _ in numbered], [row for _, row in numbered]
    nothing = ColumnSplits([""] * len(rows))
    free = [i for i in range(len(header)) if i not in set(taken)]
    if chosen == NONE or not rows:
        return nothing
    cells = {i: [row[i].strip() if i < len(row) else "" for row in rows] for i in free}
    columns = _Columns(header, cells, lines, where)
    if chosen != AUTO:
        return columns.chosen(chosen)
    told = {i: splits for i in free if (splits := _read(header[i], cells[i]))}
    flags = {i: split for i in free if i not in told and (split := _flag(header[i], cells[i]))}
    if flags and not told and (flags := columns.no_classes(flags, classes)):
        return columns.marked(flags)
    for i in free:
        if header[i].casefold() in SPLIT_NAMES and i not in told and any(cells[i]):
            raise columns.no_splits(i)
        if header[i].casefold().startswith("is_") and i not in told and _marks(header[i]):
            columns.refuse_unmarked(i)
    if told:
        return columns.agreed(told)
    folds = [i for i in free if columns.is_folds(i)]
    if folds and (splits := _folds(cells[folds[0]])):
        columns.refuse_foldless(folds[0], splits)
        return ColumnSplits(splits, frozenset(folds[:1]), _outside_note(header[folds[0]], splits))
    return nothing


def unused_note(
    header: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]], used: Iterable[int]
) -> tuple[str, ...]:
    """One sentence that names the columns which are not `used`, with a few of their values."""
    shown = []
    for i in sorted(set(range(len(header))) - set(used)):
        values = list(dict.fromkeys(row[i].strip() for _, row in rows[:1000] if i < len(row)))
        if not any(values):
            continue
        more = ", ..." if len(values) > SHOWN else ""
        shown.append(f"{header[i] or f'number {i + 1}'} ({', '.join(values[:SHOWN])}{more})")
    return (f"columns not used: {', '.join(shown)}",) if shown else ()


class _Columns(NamedTuple):
    """The columns of a table that are free to tell splits: their cells, a list each."""

    header: Sequence[str]
    cells: Mapping[int, Sequence[str]]
    lines: Sequence[int]  # of each row in the file
    where: str

    def chosen(self, name: str) -> ColumnSplits:
        """The splits of the column that a person chose."""
        found = [i for i in self.cells if self.header[i].casefold() == name.casefold()]
        if not found and name.casefold() in map(str.casefold, self.header):
            what = f"the column {name} of {self.where} holds images, labels or groups"
            raise DataError(what, "say which one tells the splits, or --split-column none")
        if not found:
            names = [self.header[i] for i in self.cells]
            raise unknown(f"column of {self.where}", name, names, DataError)
        i, cells = found[0], self.cells[found[0]]
        if split := _flag(self.header[i], cells):
            return self.marked({i: split})
        if splits := _read("split", cells) or _folds(cells):
            self.refuse_foldless(i, splits)
            return ColumnSplits(splits, frozenset((i,)), _outside_note(self.header[i], splits))
        raise self.no_splits(i)

    def marked(self, flags: Mapping[int, str]) -> ColumnSplits:
        """The splits that columns of yes and no mark; all others are of the one that is missing."""
        marked = flags.values()
        rest = "train" if "train" not in marked else "val" if "test" in marked else "test"
        splits = []
        for line, cells in zip(self.lines, zip(*(self.cells[i] for i in flags)), strict=True):
            of = {split for split, cell in zip(marked, cells) if cell.casefold() in YES}
            if len(of) > 1:
                names = " and ".join(self.header[i] for i in flags)
                what = f"row {line} of {self.where} is of several splits by {names}"
                raise DataError(what, "mark each image for one split")
            splits.append(of.pop() if of else rest)
        listed = ", ".join(f"column {self.header[i]} marks {split}" for i, split in flags.items())
        return ColumnSplits(splits, frozenset(flags), (f"{listed}; the others are {rest}",))

    def no_classes(self, flags: Mapping[int, str], classes: Iterable[int]) -> dict[int, str]:
        """The `flags` without those that are classes: `train` beside `car` and `bus`.

        They are where each row marks one of all columns, and splits where it marks one of the
        others; raises `DataError` where neither is so.
        """
        bare = [i for i in flags if i in set(classes) and split_of(self.header[i])]
        others = [i for i in classes if i not in flags and not self.is_folds(i)]
        if not bare or not others or self._mark_one(others):
            return dict(flags)
        if not self._mark_one([*others, *bare]):
            first, listed = self.header[bare[0]], ", ".join(self.header[i] for i in others)
            raise DataError(
                f"the column {first} of {self.where} may mark a split, or a class as {listed} do",
                f"--split-column {first} where it marks a split, --split-column none for a class",
            )
        return {i: split for i, split in flags.items() if i not in bare}

    def _mark_one(self, columns: Sequence[int]) -> bool:
        rows = zip(*(self.cells[i] for i in columns))
        return all(sum(cell.casefold() in YES for cell in row) == 1 for row in rows)

    def is_folds(self, column: int) -> bool:
        """Whether a column is called by a word for folds."""
        return self.header[column].casefold().replace(" ", "_") in FOLD_NAMES

    def agreed(self, told: Mapping[int, Sequence[str]]) -> ColumnSplits:
        """The splits of the columns that tell them: all the same, or one is called `split`."""
        names = [name.casefold() for name in self.header]
        first, *others = sorted(told, key=lambda i: (names[i] != "split", i))
        for i in others:
            pairs = enumerate(zip(told[first], told[i], strict=True))
            row = next((k for k, (one, other) in pairs if one != other), None)
            if row is not None and names[first] != "split":
                raise DataError(
                    f"columns {self.header[first]} and {self.header[i]} of {self.where} tell other "
                    f"splits: row {self.lines[row]} has '{self.cells[first][row]}' and "
                    f"'{self.cells[i][row]}'",
                    f"say which one counts: --split-column {self.header[first]}",
                )
        notes: tuple[str, ...] = ()
        values = list(dict.fromkeys(filter(None, self.cells[first])))
        if names[first] not in SPLIT_NAMES or not all(split_of(v) or fold_of(v) for v in values):
            read = ", ".join(f"'{value}' as {_split(value)}" for value in values)
            notes = (f"column {self.header[first]} tells the splits: {read}",)
        same = [i for i in others if told[i] == told[first]]
        return ColumnSplits(told[first], frozenset((first, *same)), notes)

    def no_splits(self, column: int) -> DataError:
        """The error for a column that is called like splits, or was chosen, and tells none."""
        cells = self.cells[column]
        row = next((k for k, cell in enumerate(cells) if cell and _split(cell) is None), 0)
        hint = "a split is train, val or test"
        if self.header[column].casefold() in SPLIT_NAMES:
            hint += "; where the column tells of something else: --split-column none"
        name = self.header[column]
        what = f"row {self.lines[row]} of {self.where} has the split '{cells[row]}' in {name}"
        return DataError(what, hint)

    def refuse_unmarked(self, column: int) -> None:
        """Raise `DataError` for a column called is_train and the like with other words in it."""
        for line, cell in zip(self.lines, self.cells[column], strict=True):
            if cell.casefold() not in (*YES, *NO):
                name = self.header[column]
                what = f"row {line} of {self.where} has '{cell}' in {name}"
                hint = "write yes or no; where the column tells of something else: "
                raise DataError(what, f"{hint}--split-column none")

    def refuse_foldless(self, column: int, splits: Sequence[str]) -> None:
        """Raise `DataError` for a row without a fold where others have one."""
        if "" in splits and any(split.startswith("fold") for split in splits):
            name, line = self.header[column], self.lines[splits.index("")]
            raise DataError(
                f"row {line} of {self.where} has no fold in {name}",
                "write test for an image of none; where the column tells of something else: "
                "--split-column none",
            )


def _outside_note(name: str, splits: Sequence[str]) -> tuple[str, ...]:
    """A sentence where images of a column of folds are in none of them."""
    found = set(splits)
    if not any(split.startswith("fold") for split in found):
        return ()
    outside = sorted(found & {"train", "test"})
    return tuple(f"images of no fold by column {name} are {split} in each" for split in outside)


def _read(name: str, cells: Sequence[str]) -> list[str]:
    """The split of each cell where all are splits, two of them or more or the name says so."""
    values = [value for value in dict.fromkeys(cells) if value]
    if not 0 < len(values) <= MOST_FOLDS:
        return []
    meaning = {value: _split(value) for value in values}
    if None in meaning.values():
        return []
    kinds = set(meaning.values())
    if len(kinds) < 2 and name.casefold() not in (*SPLIT_NAMES, "dataset", "usage"):
        return []
    return [meaning.get(cell) or "" for cell in cells]


def _split(cell: str) -> str | None:
    return split_of(cell) or KAGGLE.get(cell.casefold()) or fold_of(cell) or split_within(cell)


def _flag(name: str, cells: Iterable[str]) -> str | None:
    """The split whose images a column of yes and no marks: `is_valid`, `test`; else nothing."""
    split = _marks(name)
    kinds = {cell.casefold() for cell in cells}
    return split if split and kinds <= {*YES, *NO} and kinds & {*YES} else None


def _marks(name: str) -> str | None:
    """The split that a column called like it marks."""
    plain = name.casefold().removeprefix("is_").removeprefix("is ").removeprefix("in_")
    return split_of(plain) or split_of(name.casefold().removeprefix("is"))


def _folds(cells: Sequence[str]) -> list[str]:
    """The fold of each cell, or the split; nothing where there is one fold, or hardly two rows of
    each."""
    values = {cell for cell in cells if cell}
    if not 2 <= len(values) <= min(MOST_FOLDS, len(cells) // 2):
        return []
    names = {value: _fold_named(value) for value in values} | {"": ""}
    return [names[cell] for cell in cells]


def _fold_named(cell: str) -> str:
    if cell in ALWAYS_TRAIN:
        return "train"
    return split_of(cell) or fold_of(cell) or f"fold {cell.removesuffix('.0')}"
