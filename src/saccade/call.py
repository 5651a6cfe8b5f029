"""Call: the call of a verb in Python; one that it does not take is answered by what was meant."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from saccade.errors import UsageError
from saccade.own import each, is_own

P = ParamSpec("P")
R = TypeVar("R")
SHORT = "short"  # the parameter of a verb that stands for the settings with a short name
RENAMED = {
    "features_only": "it is a recipe: recipe='features'",
    "plan": "it is a verb: saccade.plan(...)",
}
SILENCE = (
    "quiet",
    "silent",
    "v",
    "verbose",
    "verbosity",
    "progress",
    "progress_bar",
    "no_progress",
)
SILENT = "for all verbs, what is said while they work ends with: "
SILENT += 'import logging; logging.getLogger("saccade").setLevel("WARNING")'
OWN = {  # theirs for a part of a person's own: its setting
    "loss": "train.loss", "criterion": "train.loss", "loss_fn": "train.loss",
    "loss_func": "train.loss", "metric": "train.metric", "metrics": "train.metric",
}  # fmt: skip


def verb(function: Callable[P, R]) -> Callable[P, R]:
    """The verb; a call with other arguments than it takes raises `UsageError`."""
    signature = inspect.signature(function)

    @wraps(function)
    def called(*arguments: P.args, **named: P.kwargs) -> R:
        refuse_unknown_keywords(function.__name__, signature.parameters, named)
        try:
            signature.bind(*arguments, **named)
        except TypeError as error:
            raise _misplaced(function.__name__, signature.parameters, str(error)) from None
        return function(*arguments, **named)

    return called


def refuse_unknown_keywords(
    name: str, parameters: Mapping[str, inspect.Parameter], given: Mapping[str, Any]
) -> None:
    """Raise `UsageError` for a keyword that the verb does not take."""
    known = {k for k, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    if given.keys() <= known:
        return
    if SHORT in parameters:
        from saccade.recipes.short import short_names  # here: not every verb needs them

        known |= short_names().keys()
    for keyword, value in given.items():
        if keyword not in known:
            what = f"saccade.{name} takes no '{keyword}'"
            raise UsageError(what, _hint(name, parameters, known, keyword, value))


def _hint(
    verb: str,
    parameters: Mapping[str, inspect.Parameter],
    known: set[str],
    keyword: str,
    value: object,
) -> str:
    """What a keyword that a verb does not take is here."""
    from saccade.recipes.foreign import OPTIONS, PYTHON_ANSWERS, remark

    name = keyword.lower()
    option = OPTIONS.get(name, "").strip("-").replace("-", "_")
    takes = ", ".join(sorted(known - {"short"})) or "no argument"
    if name in SILENCE:
        return SILENT
    if keyword in parameters:
        return f"it stands without a name: {_written(verb, parameters)}"
    if keyword in RENAMED and SHORT in parameters:
        return RENAMED[keyword]
    if verb == "compare" and name == "data":
        return "runs are compared on images that all were tested on; saccade.evaluate takes others"
    if verb == "resume" and name == "with_":
        return _on_resuming(value)
    if option in known and (option != "size" or verb == "show"):
        return f"write it as: {option}={_shown(value, keyword)}"
    if hint := _setting_hint(verb, SHORT in parameters, known, keyword, value):
        told = remark(keyword, str(value)) if verb != "resume" else ""
        return f"{told}; {hint}" if told else hint
    if SHORT in parameters and (told := remark(keyword, str(value))):
        return told
    if SHORT in parameters and name in PYTHON_ANSWERS:
        return PYTHON_ANSWERS[name]
    if near := difflib.get_close_matches(name, known, n=3, cutoff=0.6):
        return f"did you mean {' or '.join(near)}?"
    settings = ", and settings by their full names in with_" if SHORT in parameters else ""
    return f"it takes {takes}{settings}"


def _setting_hint(
    verb: str, takes_settings: bool, known: set[str], keyword: str, value: object
) -> str:
    """How a keyword that is a setting, here or elsewhere, is written; "" for one that is none."""
    from saccade.recipes.foreign import ANSWERS, setting_for, value_for
    from saccade.recipes.recipe import all_settings
    from saccade.recipes.short import settings_called

    name, told, meant = "", _shown(value, keyword), str(value)
    full = [] if keyword in ANSWERS else settings_called(keyword)
    if is_own(value) and keyword in OWN:
        name = OWN[keyword]
    elif here := setting_for(keyword, str(value)):
        name, meant = here.name, here.value
    elif len(full) == 1:
        name, meant = full[0], value_for(full[0], str(value))
    if not name:
        return f"did you mean {' or '.join(full)}?" if full and takes_settings else ""
    if meant != str(value):
        told = meant if meant.isdecimal() else repr(meant)
    flag = all_settings()[name].flag
    if flag in known:
        told = "'imagenet'" if told == "'auto'" and not takes_settings else told
        return f"write it as: {flag}={told}"
    if takes_settings:
        return f"write it as: with_={{'{name}': {told}}}"
    if verb == "resume":
        return _on_resuming({name: value})
    return f"{name} is a setting of a training: saccade.train(with_={{'{name}': {told}}})"


def _on_resuming(settings: object) -> str:
    """What to write in place of settings for a run that is resumed."""
    if isinstance(settings, Mapping) and settings.keys() == {"train.epochs"}:
        return f"write it as: epochs={settings['train.epochs']!r}"
    if isinstance(settings, Mapping) and settings and all(map(is_own, settings.values())):
        return "open the run with its parts: saccade.resume(saccade.Run.open(RUN, with_={...}))"
    return (
        "a run that goes on keeps its settings, but for epochs; to train anew with others: "
        "saccade.train(DATA, recipe='RUN/recipe.toml', with_={...})"
    )


def _misplaced(name: str, parameters: Mapping[str, inspect.Parameter], error: str) -> UsageError:
    """The error for arguments that are too many, too few, or given twice."""
    if "too many positional" in error and "data" in parameters:
        what = f"saccade.{name} takes its data in one, and what else it takes by name"
        return UsageError(what, f"images with labels are a pair: saccade.{name}((images, labels))")
    return UsageError(f"saccade.{name}: {error}", f"write {_written(name, parameters)}")


def _written(name: str, parameters: Mapping[str, inspect.Parameter]) -> str:
    """The call of a verb with the arguments that stand without a name."""
    places = [p for p in parameters.values() if p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD)]
    shown = (f"*{p.name}" if p.kind is p.VAR_POSITIONAL else p.name for p in places)
    return f"saccade.{name}({', '.join(shown)})"


def _shown(value: object, keyword: str) -> str:
    """A value as it is written in Python; an object that has no name by that of the keyword."""
    if getattr(value, "__name__", "").isidentifier():
        return value.__name__  # type: ignore[attr-defined]
    return keyword if any(map(is_own, each(value))) else repr(value)
