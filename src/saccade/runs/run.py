"""Run: the folder of a training.

`recipe.toml` settings and their origins · `classes.txt` · `split.csv` the split of each image ·
`images.csv` the digest of each image · `log.jsonl` events · `checkpoint/` to resume from ·
`predictions.csv` of the test images · `bundle/` weights to use · `report.html`.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saccade.command import Command, as_text, python_call
from saccade.data.classes import lines_of
from saccade.data.item import Skipped
from saccade.errors import RecipeError, ResourceError, UsageError
from saccade.files import as_utf8, read_utf8
from saccade.frame import data_frame
from saccade.models.table import shown_name
from saccade.own import as_own, own_parts
from saccade.recipes.recipe import Recipe, known_setting
from saccade.recipes.renamed import current, note_on
from saccade.recipes.toml import settings_in
from saccade.runs.bundle import Bundle
from saccade.runs.naming import MADE, RUNS, folder_name, named_run, near_runs
from saccade.runs.renamed import current_fact
from saccade.runs.results import SUMMARY_METRICS, Evaluation
from saccade.tasks.answers import Predictions
from saccade.tasks.own import OwnParts
from saccade.words import aligned, defined, html_table

if TYPE_CHECKING:
    from pandas import DataFrame


class History(list[dict[str, Any]]):
    """What was measured in each epoch, a dict each; of a repeated epoch the last."""

    def to_frame(self) -> DataFrame:
        """A row per epoch: losses, validation score, learning rate, seconds."""
        columns = list(dict.fromkeys(name for row in self for name in row if name != "event"))
        return data_frame([[row.get(name) for name in columns] for row in self], columns)

    def __repr__(self) -> str:
        last = f", loss {self[-1]['loss']:.4g} at last" if self else ""
        return f"History({len(self)} {'epoch' if len(self) == 1 else 'epochs'}{last})"


@dataclass(frozen=True, repr=False)
class Run:
    """A training on disk: its settings, log, evaluations and network."""

    path: Path
    own: Mapping[str, Any] = field(default_factory=dict, compare=False)  # parts, by their setting

    @classmethod
    def open(cls, path: str | Path, *, with_: Mapping[str, Any] | None = None) -> Run:
        """The run in the folder `path`; raises `UsageError` where there is none.

        `with_` has the parts of a person's own that it was trained with: {"model.name": MyNet()}.
        """
        folder = named_run(path) or Path(path)
        if not folder.is_dir():
            raise UsageError(f"there is no run '{folder}'", f"{near_runs(folder)}{MADE}")
        if not (folder / "recipe.toml").is_file():
            listed = f"{Command.of('runs', folder)} lists those below this folder"
            raise UsageError(f"'{folder}' is no run: recipe.toml is missing", f"{MADE}; {listed}")
        run = cls(folder)
        return cls(folder, checked_parts(run.recipe, with_)) if with_ else run

    @classmethod
    def create(cls, out: Path | None, name: str, *, given: bool = False) -> Run:
        """A new, empty folder: `out`, or the next free number of `runs/name`.

        A name that a person has `given` has no number while it is free.
        """
        if out is not None:
            if out.exists():
                raise UsageError(f"the folder '{out}' exists", "take another --out, or remove it")
            candidates = iter([out])
        else:
            plain = folder_name(name)
            numbered = (RUNS / f"{plain}-{number}" for number in range(1 + given, 100_000))
            candidates = chain([RUNS / plain] if given else [], numbered)
        for folder in candidates:
            try:
                folder.parent.mkdir(parents=True, exist_ok=True)
                folder.mkdir()
            except FileExistsError:
                continue
            except OSError as error:
                raise ResourceError(
                    f"cannot make the folder '{folder}': {error.strerror}",
                    "name another one with --out",
                ) from error
            return cls(folder)
        raise ResourceError("no free folder below 'runs'", "name one with --out")

    def log(self, event: str, **facts: Any) -> None:
        """Append an event to log.jsonl, after ending a line that was cut short."""
        line = json.dumps(defined({"event": event, **facts}), ensure_ascii=False) + "\n"
        with (self.path / "log.jsonl").open("ab+") as file:
            if file.tell() and file.seek(-1, os.SEEK_END) and file.read(1) != b"\n":
                line = f"\n{line}"
            file.write(as_utf8(line))

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind in log.jsonl; a line cut short by a crash is skipped."""
        return [fact for fact in self._facts() if fact["event"] == kind]

    @cached_property
    def started(self) -> dict[str, Any]:
        """The event of the start: data, command, notes, environment."""
        facts = self.events("started")
        if not facts:
            raise UsageError(
                f"the run '{self.path}' was stopped before its first step",
                "remove it and train again",
            )
        return facts[0]

    def _facts(self) -> Iterator[dict[str, Any]]:
        log = self.path / "log.jsonl"
        lines = read_utf8(log).split("\n") if log.exists() else []
        for line in lines:
            try:
                yield current_fact(json.loads(line))
            except ValueError:
                continue

    @property
    def commands(self) -> list[str]:
        """The command that began it, and those that gave it more epochs since."""
        more = (self.again(epochs=fact["train.epochs"]) for fact in self.events("extended"))
        return [self.started["command"], *more]

    def again(self, *, epochs: int | None = None) -> str:
        """The line that goes on with it: a command, or Python where parts are a person's own."""
        own = self.own
        if (self.path / "recipe.toml").is_file():  # not on every machine that trains with others
            own = own_parts(self.recipe.settings())
        if not own:
            return str(Command.of("resume", self.path, epochs=epochs))
        opened = python_call("Run.open", self.path, with_=own)
        more = "" if epochs is None else f", epochs={epochs}"
        return f"saccade.resume({opened}{more})"

    @property
    def data(self) -> str | None:
        """Where its images lie: where they lay, or where they were moved to since."""
        return next((fact["data"] for fact in self.events("moved")[::-1]), self.started["data"])

    @property
    def finished(self) -> bool:
        """Whether the training has ended, and was not extended since."""
        ends = [f["event"] for f in self._facts() if f["event"] in ("finished", "extended")]
        return ends[-1:] == ["finished"]

    @property
    def origins(self) -> dict[str, str]:
        """Where each setting came from, by its full name."""
        origins = dict(self.started["origins"])
        for fact in self.events("extended"):
            origins |= fact["origins"]
        return current(origins)

    @cached_property
    def recipe(self) -> Recipe:
        """Its settings; old names of earlier versions are read as the current ones, with a note."""
        from saccade.progress import say  # here, since most readers of a run have nothing to say

        stated = settings_in(self.path / "recipe.toml")
        for note in note_on(stated):
            say(f"{self.path}: {note}")
        return Recipe().with_(current(stated) | dict(self.own))

    @cached_property
    def bundle(self) -> Bundle:
        """The network with all it needs; raises `UsageError` while the training is unfinished."""
        if not (self.path / "bundle").is_dir():
            if self.finished:
                more = self.again(epochs=len(self.history) + 1)
                what = f"the run '{self.path}' has lost its folder bundle"
                raise UsageError(what, f"one more epoch writes it anew: {more}")
            raise UsageError(f"the run '{self.path}' is unfinished", f"go on with: {self.again()}")
        bundle = Bundle.load(self.path / "bundle", self.own.get("model.name"))
        if (metric := self.own.get("train.metric")) is None:
            return bundle
        measured = replace(bundle, task=bundle.task.with_own(OwnParts(metric=metric)))
        object.__setattr__(measured, "folder", bundle.folder)
        return measured

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in order."""
        return tuple(lines_of(self.path / "classes.txt"))

    @property
    def history(self) -> History:
        """One dict per epoch: losses, validation score, seconds; of a repeated epoch the last."""
        rows = {
            fact["epoch"]: {k: math.nan if v is None else v for k, v in fact.items()}
            for fact in self.events("epoch")
        }
        return History(rows.values())

    @cached_property
    def test(self) -> Evaluation:
        """The result on the test split."""
        return self._evaluation("test")

    @property
    def val(self) -> Evaluation:
        """The result on the validation split, after the last epoch."""
        return self._evaluation("val")

    @property
    def notes(self) -> list[str]:
        """What was said at the start, and whenever it was resumed."""
        return [note for f in (self.started, *self.events("resumed")) for note in f["notes"]]

    @property
    def unreadable(self) -> tuple[Skipped, ...]:
        """Images that could not be read and took no part."""
        return tuple(Skipped(f["name"], f["reason"]) for f in self.events("unreadable"))

    def predict(
        self,
        *images: object,
        top: int = 5,
        min_confidence: float | None = None,
        max_novelty: float | None = None,
    ) -> Predictions:
        """The task's answers to image files, to all images in folders, or to images of Python.

        `top` is how many classes each names, where the answers are classes.
        """
        limits = {"min_confidence": min_confidence, "max_novelty": max_novelty}
        return self.bundle.predict(*images, top=top, **limits)

    def to_dict(self) -> dict[str, Any]:
        """What `saccade train --json` prints."""
        finished = self.events("finished")[-1]
        return {
            "run": str(self.path),
            "model": shown_name(self.recipe.model.name),
            "task": self.test.task,
            "classes": list(self.classes),
            "epochs": len(self.history),
            "seconds": finished["seconds"],
            "val": self.val.to_dict(),
            "test": self.test.to_dict(),
            "notes": self.notes,
            "unreadable": [{"name": s.name, "reason": s.reason} for s in self.unreadable],
        }

    def rows(self) -> list[tuple[str, str]]:
        """Names and values in words."""
        return [
            *((f"test {name}", value) for name, value in self.test.rows(SUMMARY_METRICS)),
            ("run", str(self.path)),
            ("report", str(self.path / "report.html")),
        ]

    def __str__(self) -> str:
        return aligned(self.rows())

    def __repr__(self) -> str:
        if not self.finished:
            return f"Run({self.path}, unfinished)"
        leading = self.test.primary
        return f"Run({self.path}: {shown_name(self.recipe.model.name)}, {leading.name} {leading})"

    def _repr_html_(self) -> str:
        return html_table(("run", str(self.path)), self.rows())

    def _evaluation(self, split: str) -> Evaluation:
        facts = [fact for fact in self.events("evaluation") if fact["split"] == split]
        if not facts:
            raise UsageError(
                f"the run '{self.path}' has no result for {split} yet",
                f"go on with: {self.again()}",
            )
        return Evaluation.read(facts[-1], self.unreadable)


def open_bundle(path: str | Path, *, with_: Mapping[str, Any] | None = None) -> Bundle:
    """The bundle in a folder, or that of the run in it.

    `with_` has the network of a person's own that it was trained with: {"model.name": MyNet()}.
    """
    folder = named_run(path) or Path(path)
    if (folder / "config.json").is_file():
        network = (with_ or {}).get("model.name")
        return Bundle.load(folder, None if network is None else as_own(network))
    return Run.open(folder, with_=with_).bundle


def checked_parts(recipe: Recipe, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Parts of a person's own, as the settings of a recipe name them.

    Raises `RecipeError` for a part that the recipe does not have, or has under another name.
    """
    stated = recipe.settings()
    read = {name: known_setting(name).read(part) for name, part in parts.items()}
    for name, part in read.items():
        if stated[name] != part:
            was, given = as_text(stated[name]), as_text(part)
            hint = "give the part that it was trained with, under the same name"
            raise RecipeError(f"{name} of the run is {was}; what was given is {given}", hint)
    return read
