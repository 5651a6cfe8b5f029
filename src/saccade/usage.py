"""Command lines that a verb does not take: what is wrong in one, and the line that was meant."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from saccade import api
from saccade.call import SHORT
from saccade.command import Command, as_text, renamed
from saccade.errors import SaccadeError, UsageError
from saccade.recipes.foreign import (
    ANSWERS,
    NOT_BY_NUMBER,
    OPTIONS,
    PLACES,
    SWITCHES,
    VERBS,
    Equivalent,
    is_off,
    is_size,
    may_be_value,
    plain_name,
    remark,
    setting_for,
    value_for,
)
from saccade.recipes.recipe import all_settings
from saccade.recipes.short import settings_called, short_names

OPTION_NAMES = {"own_data": "data"}  # by the parameter, where it differs
FLAGS = ("json", "csv", "quiet", "help", "version")  # of every verb; they take no value
LETTERS = ("-q", "-h")
PLACE_OPTIONS = ("--out", "--html", "--svg", "--cleaned", "--data", "--recipe")


@cache
def options_of(verb: str) -> Mapping[str, bool]:
    """The options of a verb, as --out, and whether each takes a value."""
    found = {f"--{name}": False for name in FLAGS} | dict.fromkeys(LETTERS, False)
    for name, parameter in inspect.signature(function_of(verb)).parameters.items():
        if name == SHORT:
            found |= {setting.option: True for setting in short_names().values()}
        elif parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            option = OPTION_NAMES.get(name, name).strip("_").replace("_", "-")
            found[f"--{option}"] = not isinstance(parameter.default, bool)
    return found


def function_of(verb: str) -> Callable[..., Any]:
    """The function of a verb as it is typed; raises `UsageError` for one that there is not."""
    name = verb.replace("-", "_")
    if name in api.__all__:
        return getattr(api, name)
    verbs = [known.replace("_", "-") for known in api.__all__]
    near = difflib.get_close_matches(verb, verbs, n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "saccade --help lists what there is"
    raise UsageError(f"there is no verb '{verb}'", hint)


@dataclass(frozen=True)
class Word:
    """A word of a command line, with the value behind it where it is an option that has one."""

    name: str  # --lr; for what is no option, empty
    value: str | None
    tokens: tuple[str, ...]  # as typed


def words(verb: str, tokens: Sequence[str]) -> Iterator[Word]:
    """The words behind a verb; an option that is not known takes a value where one follows it."""
    rest = list(tokens)
    while rest:
        token = rest.pop(0)
        if token == "--":
            yield from (Word("", None, (word,)) for word in ("--", *rest))
            return
        name, equals, value = token.partition("=")
        if not token.startswith("-") or token == "-" or _is_number(token):
            yield Word("", None, (token,))
        elif equals:
            yield Word(name, value, (token,))
        elif rest and _is_value(rest[0]) and _takes(verb, name, rest[0]):
            values = [rest.pop(0)]
            while is_size(name) and rest and rest[0].isdecimal():  # --img-size 224 224
                values.append(rest.pop(0))
            yield Word(name, " ".join(values), (token, *values))
        else:
            yield Word(name, None, (token,))


def _takes(verb: str, name: str, value: str) -> bool:
    """Whether a word is the value of the option before it; of a foreign one where it can be."""
    known = options_of(verb)
    if _as_known(name) in known:
        return known[_as_known(name)]
    if not may_be_value(name, value):
        return False
    meant = _equivalent(verb, name, value)
    if meant is None or not meant.name:
        return True
    if meant.name.startswith("--"):
        numeric = "int" in str(_annotation(verb, meant.name))
        return known[meant.name] and (not numeric or _is_number(value))
    try:
        all_settings()[meant.name].read(meant.value)
    except SaccadeError:
        return False
    return True


def _annotation(verb: str, option: str) -> Any:
    own = option.lstrip("-").replace("-", "_")
    return function_of(verb).__annotations__.get(own, "")


def refuse_unknown_options(tokens: Sequence[str]) -> None:
    """Raise `UsageError` for a verb or an option that there is not, with the line that was meant.

    A setting without hyphens, as in lr=0.1, is none of the verb's images or data.
    """
    if not tokens or tokens[0].startswith("-"):
        return
    verb, *rest = tokens
    if command := renamed(tokens):
        what = f"this is called otherwise now: {Command(tuple(tokens))}"
        raise UsageError(what, f"type: {command}")
    if verb in VERBS:
        raise UsageError(f"there is no verb '{verb}'", f"type: {Command((VERBS[verb], *rest))}")
    known = options_of(verb)
    for word in words(verb, rest):
        if word.name and _as_known(word.name) not in known:
            what = f"saccade {verb} has no option '{word.name}'"
            raise UsageError(what, _hint(verb, word, rest))
        if word.value == "" and _as_known(word.name) in PLACE_OPTIONS:
            raise UsageError(f"{word.name} is empty", "name a place behind it, or leave it out")
        if word.tokens == ("",):
            raise UsageError(
                "a word of the command line is empty", "see what a variable in it holds"
            )
        if _undashed(verb, word):
            what = f"'{word.tokens[0]}' is no option, and nothing is there that is called so"
            raise UsageError(what, _hint(verb, word, rest))


def _hint(verb: str, word: Word, rest: Sequence[str]) -> str:
    """The whole line with this word and others like it as they are called here, or what is near."""
    name = word.name or word.tokens[0].partition("=")[0]
    about = f"saccade {verb} --help lists what it takes"
    typed = word.value if word.name else word.tokens[0].partition("=")[2]
    if meant := _equivalent(verb, name, typed or ""):
        if meant.name.startswith("--") and not options_of(verb)[meant.name]:
            typed = ""
        if typed is None and plain_name(name) not in SWITCHES and not meant.value:
            return f"{_with_value(meant)}; {about}"
        if answer := _of_number(meant):
            return answer
        return _line_told(verb, rest)
    if _left_out(verb, name, typed or ""):
        return _line_told(verb, rest)
    if answer := ANSWERS.get(plain_name(name)):
        return answer
    setting = setting_of(name) or getattr(setting_for(name), "name", "")
    if setting and verb == "settings":
        return f"saccade settings {setting}"
    if setting and "--with" not in options_of(verb):
        return f"{setting} is a setting of a training; {about}"
    near = difflib.get_close_matches(name, options_of(verb), n=2, cutoff=0.7)
    if nearest := [*near, *_settings_near(verb, name)]:
        return f"did you mean {' or '.join(nearest)}? {about}"
    return about


def _line_told(verb: str, rest: Sequence[str]) -> str:
    """The line as it is called here, behind what is otherwise here of its foreign words."""
    told, known = dict[str, None](), options_of(verb)
    settings = () if verb == "show" else ("--size",)
    for word in words(verb, rest):
        name = word.name or _undashed(verb, word)
        value = (word.value if word.name else word.tokens[0].partition("=")[2]) or ""
        own = OPTIONS.get(plain_name(name), "") in known.keys() - settings
        if name and not own and not (word.name and _as_known(name) in known):
            told[remark(name, value)] = None
    line = equivalent_line(verb, rest)
    return f"{'; '.join(filter(None, told)) or 'type'}: {line}"


def _left_out(verb: str, name: str, value: str) -> bool:
    """Whether a foreign word is a switch that is off, for which nothing is written here."""
    off = plain_name(name) in SWITCHES and is_off(value)
    return off and "--with" in options_of(verb) and _equivalent(verb, name, value) is None


def equivalent_line(verb: str, rest: Sequence[str]) -> Command:
    """The command line with every foreign name as it is called here."""
    line, lists = [verb], dict[str, int]()  # where a setting of several names stands in the line
    for word in words(verb, rest):
        name = word.name or _undashed(verb, word)
        value = word.value if word.name else word.tokens[0].partition("=")[2]
        if not name or (_as_known(name) in options_of(verb) and word.name):
            line += word.tokens
        elif (meant := _equivalent(verb, name, value or "")) and meant.name in lists:
            at = lists[meant.name]
            between = " " if meant.value and not line[at].endswith("=") else ""
            line[at] += f"{between}{meant.value}"
        elif meant:
            line += _typed(meant)
            if meant.name in all_settings() and all_settings()[meant.name].default == ():
                lists[meant.name] = len(line) - 1
        elif not _left_out(verb, name, value or ""):
            line += word.tokens
    if verb == "train" and "--folds" in line and "--fold" not in line:
        line[0] = "cross-validate"  # a training tests on one fold
    return Command(tuple(line))


def _of_number(meant: Equivalent) -> str:
    """What is to be given in place of a number that means nothing here; else empty."""
    settings = short_names().values()
    setting = next((s.name for s in settings if s.option == meant.name), meant.name)
    return NOT_BY_NUMBER.get(setting, "") if meant.value.isdecimal() else ""


def _equivalent(verb: str, name: str, value: str) -> Equivalent | None:
    """What a name that the verb does not take stands for: an option of it, or a setting."""
    known, plain = options_of(verb), plain_name(name)
    if plain in PLACES and f"--{plain}" not in known and _takes_places(verb):
        return Equivalent("", value)
    option = OPTIONS.get(plain, "")
    if option in known:
        if option == "--size" and verb == "show" and len(lengths := value.split()) > 1:
            return Equivalent(option, "x".join(["3", *lengths][-3:]))  # which need not be square
        if option == "--size":
            value = value_for("data.size", value)
        return Equivalent(option, value)
    own = f"--{plain.replace('_', '-')}"
    if own in known:
        return Equivalent(own, value)
    setting = setting_of(name)
    meant = Equivalent(setting, value_for(setting, value)) if setting else setting_for(name, value)
    if meant and (option := all_settings()[meant.name].option) in known:
        return Equivalent(option, meant.value)
    return meant if "--with" in known else None


def setting_of(name: str) -> str:
    """The setting that an option such as --lr is the last name of; empty for none or several."""
    found = settings_called(plain_name(name))
    return found[0] if len(found) == 1 else ""


def _takes_places(verb: str) -> bool:
    """Whether a verb takes images or data without a name before them."""
    return bool({"data", "images"} & inspect.signature(function_of(verb)).parameters.keys())


def _typed(meant: Equivalent) -> tuple[str, ...]:
    """An option, a setting or a place as words of a command line."""
    if not meant.name:
        return (meant.value,)
    if meant.name.startswith("--"):
        return (meant.name, meant.value) if meant.value else (meant.name,)
    setting = all_settings()[meant.name]
    if setting.option:
        return setting.option, meant.value
    return "--with", f"{meant.name}={meant.value}"


def _with_value(meant: Equivalent) -> str:
    """How an option or a setting is given a value, with the one that it has by itself."""
    if meant.name not in all_settings():
        return f"{meant.name} takes a value"
    default = as_text(all_settings()[meant.name].default)
    return f"write {' '.join(_typed(meant._replace(value=default)))}, or another value"


def _undashed(verb: str, word: Word) -> str:
    """The name of a setting or an option that is written as lr=0.1; empty for all else."""
    name, equals, _ = word.tokens[0].partition("=")
    if word.name or not equals or not name.replace(".", "").isidentifier():
        return ""
    if Path(word.tokens[0]).exists() or _equivalent(verb, name, "") is None:
        return ""
    return name


def _settings_near(verb: str, name: str) -> list[str]:
    if "--with" not in options_of(verb):
        return []
    fields = {s.field: s.name for s in all_settings().values() if not s.option}
    near = difflib.get_close_matches(plain_name(name), fields, n=1, cutoff=0.7)
    return [f"--with {fields[field]}=VALUE" for field in near]


def _as_known(name: str) -> str:
    """An option as it is listed: hyphens for underscores."""
    return name.replace("_", "-")


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _is_value(token: str) -> bool:
    return not token.startswith("-") or token == "-" or _is_number(token)
