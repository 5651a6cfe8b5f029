"""The command `saccade`: every verb of `api.py`, made from its signature and docstring."""

from __future__ import annotations

import errno
import inspect
import io
import json as data_format
import os
import re
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from logging import WARNING
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from cyclopts import App, CycloptsError, Parameter, Token

import saccade
from saccade import api
from saccade.call import SHORT
from saccade.device import keep_blocks
from saccade.errors import ResourceError, SaccadeError, UnwrittenError, UsageError
from saccade.progress import print_line, quieter, say, tell
from saccade.recipes.setting import READERS, Setting
from saccade.recipes.short import short_names
from saccade.usage import OPTION_NAMES, refuse_unknown_options
from saccade.words import defined, nobody_reads

MOST_LEFT_OUT = 100  # lines
TABLES = {
    "Anatomy",
    "Backpropagation",
    "Comparison",
    "CrossValidation",
    "Diagnosis",
    "Evaluation",
    "Predictions",
    "SettingsReference",
    "SideBySide",
    "StudyResult",
    "LabelIssues",
    "LearningCurve",
}  # results that `--csv` can print
LAID_OUT = {
    "Anatomy",
    "Diagnosis",
    "ListedRuns",
    "SideBySide",
}  # results that terminal.py lays out, as rows or values
POSITIONAL = {inspect.Parameter.POSITIONAL_OR_KEYWORD: inspect.Parameter.POSITIONAL_ONLY}
PYTHON_ONLY: dict[str, Any] = {
    "Module": object,
    "Data": object,
    "Run": object,
    "Bundle": object,
}  # what only Python can hand over
PYTHON_SECTIONS = re.compile(r"(?m)^(?:Returns|Raises|Examples)\n-+$")  # of a docstring
STREAMED = {"predict"}  # verbs that print a row as soon as it is there
WITH_SEVERAL = {"without"}  # options behind which several values may stand
STOPPED = {  # what is said where a training is stopped before it answers signals itself
    "train": "stopped. A run whose folder is there goes on with: saccade resume RUN\n"
    "Before that nothing is kept, and the same line begins anew.",
    "resume": "stopped. The last checkpoint is whole, and the same line goes on from there.",
}
QUIET = ("--quiet", "-q")
FULL = (errno.ENOSPC, errno.EDQUOT)
SETTINGS = "Settings"  # the heading above their options
JSON = Annotated[bool, Parameter(show_default=False, help="Print exactly one JSON object.")]
SILENCE = Annotated[
    bool,
    Parameter(
        name=QUIET, show_default=False, help="Print the result, and nothing else but what is wrong."
    ),
]
CSV = Annotated[bool, Parameter(show_default=False, help="Print comma-separated values.")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in tokens
    write_any_name()
    exit_on_signals(STOPPED.get(tokens[0], "stopped") if tokens else "stopped")
    if len(tokens) > 1 and tokens[0] in QUIET:
        tokens[:2] = tokens[1::-1]
    try:
        refuse_unknown_options(tokens)
        code = application()(tokens, print_error=False, exit_on_error=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except CycloptsError as error:
        return report_error(UsageError(str(error), usage_hint(error, tokens)), as_json)
    except SaccadeError as error:
        return report_error(error, as_json)
    except SystemExit:  # rich's, whose reader has gone in the middle of a help
        if tokens and not {"--help", "-h"} & {*tokens}:
            raise
        return 0
    except BrokenPipeError:  # whoever read our output has gone; say nothing more, at exit neither
        nobody_reads(sys.stdout)
        return 0
    except OSError as error:
        if error.errno in FULL and error.filename is None:
            nobody_reads(sys.stdout)
            what = f"standard output cannot be written: {error.strerror}"
            return report_error(ResourceError(what, "make room where it goes"), False)
        if not isinstance(error.filename, str):
            raise
        what = f"'{error.filename}' cannot be used: {error.strerror}"
        hint = "see whether it is there, and who may read it"
        return report_error(ResourceError(what, hint), as_json)


def write_any_name() -> None:
    r"""Print names that the terminal or UTF-8 cannot, as `\udcff`; into files and pipes as UTF-8.

    JSON reads such letters back as what they were.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def exit_on_signals(told: str = "stopped") -> None:
    """End at once on SIGINT and SIGTERM, in the middle of an import too; `told` is said.

    All files are written whole or not at all, so there is nothing to lose; a training, which has
    something to save, answers signals itself while it runs.
    """
    if threading.current_thread() is not threading.main_thread():
        return

    def leave(number: int, frame: object) -> None:
        clear = "\r\x1b[2K\x1b[?25h" if sys.stderr.isatty() else ""  # of a bar; its cursor back
        os.write(sys.stderr.fileno(), f"{clear}{told}\n".encode())
        os._exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)


def application() -> App:
    """The verbs of `api.py` as one command."""
    app = App(
        name="saccade",
        help="Train, measure, explain and ship networks that recognise what is in an image.",
        version=saccade.__version__,
        help_format="plaintext",
        default_parameter=Parameter(negative=""),
        result_action="return_value",
    )
    for name in api.__all__:
        app.command(command(getattr(api, name)), name=name.replace("_", "-"))
    return app


def command(verb: Callable[..., Any]) -> Callable[..., int]:
    """`verb` with its arguments as text, its result printed, and an exit code returned."""

    def run(
        *arguments: Any, json: bool = False, csv: bool = False, quiet: bool = False, **named: Any
    ) -> int:
        if json and csv:
            raise UsageError("--json does not go with --csv", "give one of them")
        with quieter(quiet):
            if verb.__name__ in STREAMED:
                return stream(*arguments, **named, as_json=json, as_csv=csv)
            return show(verb(*arguments, **named), as_json=json, as_csv=csv)

    parameters = [*verb_parameters(verb), *output_parameters(verb)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    run.__doc__, run.__name__ = unwrap_docstring(verb.__doc__ or ""), verb.__name__
    return run


def verb_parameters(verb: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    """The parameters of a verb; the settings with a short name stand where it takes such."""
    annotations = {k: v for k, v in verb.__annotations__.items() if k not in ("return", SHORT)}
    holder = types.SimpleNamespace(__annotations__=annotations)
    kinds = {name: p.kind for name, p in inspect.signature(verb).parameters.items()}
    hints = {
        k: cli_type(v, kinds[k]) for k, v in get_type_hints(holder, vars(api) | PYTHON_ONLY).items()
    }
    for name, parameter in inspect.signature(verb).parameters.items():
        if name == SHORT:
            yield from map(setting_parameter, short_names().values())
        else:
            annotation = as_parameter(hints[name], parameter.kind)
            if name in OPTION_NAMES:
                annotation = Annotated[annotation, Parameter(name=f"--{OPTION_NAMES[name]}")]
            if name in WITH_SEVERAL:
                annotation = Annotated[annotation, Parameter(consume_multiple=True)]
            kind = POSITIONAL.get(parameter.kind, parameter.kind)
            yield parameter.replace(annotation=annotation, kind=kind)


def setting_parameter(setting: Setting) -> inspect.Parameter:
    """A setting as an option; its value is text, which the recipe parses and checks."""
    option = Parameter(group=SETTINGS, show_default=False, help=setting.sentence)
    annotation = Annotated[str | None, option]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(setting.flag, keyword, default=None, annotation=annotation)


def output_parameters(verb: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    """The options that say how a result is printed."""
    returned = set(verb.__annotations__["return"].split(" | "))
    table = {"csv": CSV} if returned <= TABLES else {}
    options = {"json": JSON} | table | {"quiet": SILENCE}
    for name, annotation in options.items():
        keyword = inspect.Parameter.KEYWORD_ONLY
        yield inspect.Parameter(name, keyword, default=False, annotation=annotation)


def as_parameter(annotation: Any, kind: Any) -> Any:
    """The annotation of a parameter; of `*images` a lone hyphen, standard input, is one too."""
    if kind is inspect.Parameter.VAR_POSITIONAL:
        return Annotated[annotation, Parameter(allow_leading_hyphen=True)]
    if annotation in (int, int | None):
        return Annotated[annotation, Parameter(converter=whole_number)]
    return annotation


def whole_number(kind: Any, tokens: Sequence[Token]) -> int:
    """The number of an option; raises `UsageError` for one that is not whole."""
    try:
        return READERS[int](tokens[0].value, int)
    except (ValueError, OverflowError) as error:
        what = f"{tokens[0].keyword} cannot be '{tokens[0].value}'"
        raise UsageError(what, "it takes a whole number") from error


def unwrap_docstring(docstring: str) -> str:
    """The docstring with each description in one line, for the terminal to wrap.

    What it says of Python alone, from what is returned on, is left out.
    """
    told = PYTHON_SECTIONS.split(inspect.cleandoc(docstring), maxsplit=1)[0].rstrip()
    return re.sub(r"(?m)^    \S.*(?:\n    \S.*)+", _in_one_line, told)


def _in_one_line(lines: re.Match[str]) -> str:
    return f"    {' '.join(lines[0].split())}"


def cli_type(annotation: Any, kind: Any) -> Any:
    """The type as a command line can give it: text for a path, no mappings and no modules.

    What is one or several is an option that may be given several times; of arguments without one
    every one is one.
    """
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    options = get_args(annotation)
    if {int, str}.issubset(options):  # the verb reads the text itself
        return list[str] | None
    sequences = [o for o in options if get_origin(o) is Sequence and str in options]
    if sequences and kind is not inspect.Parameter.VAR_POSITIONAL:
        return list[str] | None
    paths = {Path, *sequences} if str in options else set()
    allowed = [o for o in options if get_origin(o) is not Mapping and o not in {object, *paths}]
    return Union[tuple(allowed)]  # noqa: UP007


def show(result: Any, *, as_json: bool, as_csv: bool) -> int:
    """Print `result` on standard output, and on standard error what took no part in it."""
    if as_json:
        print(data_format.dumps(defined(result.to_dict()), ensure_ascii=False))
    elif type(result).__name__ in LAID_OUT:
        from saccade.terminal import comma_separated, show_result

        print(comma_separated(result)) if as_csv else show_result(result)
    elif as_csv:
        print(result.to_csv())
    else:
        print_line(sys.stdout, str(result))
    return tell_what_is_missing(result)


def tell_what_is_missing(result: Any) -> int:
    """Say what took no part in a result, and give the exit code."""
    for note in result.notes if type(result).__name__ == "Predictions" else ():
        say(f"note: {note}")
    unreadable = getattr(result, "unreadable", ())
    for skipped in unreadable:
        say(f"unreadable: {skipped.name}: {skipped.reason}", WARNING)
    left_out = getattr(result, "left_out", ())
    for skipped in left_out[:MOST_LEFT_OUT]:
        say(f"left out: {skipped.name}: {skipped.reason}", WARNING)
    if more := left_out[MOST_LEFT_OUT:]:
        say(f"left out: {len(more):,} more, which --json lists", WARNING)
    return UnwrittenError.exit_code if unreadable or left_out else 0


def stream(*arguments: Any, as_json: bool, as_csv: bool, **options: Any) -> int:
    """Print predictions as they come, then say what took no part; gives the exit code."""
    from saccade.evaluation.stream import stream_predictions

    style = "json" if as_json else "csv" if as_csv else "text"
    rest, error = stream_predictions(*arguments, style=style, out=sys.stdout, **options)
    code = tell_what_is_missing(rest)
    return report_error(error, as_json=False) if error else code


def usage_hint(error: CycloptsError, tokens: Sequence[str]) -> str:
    """The hint on a command line whose words are known and that no verb takes."""
    unused = getattr(error, "unused_tokens", None) or ()
    if setting := next((token for token in unused if "=" in token), ""):
        return f"each setting has its own --with, as in --with {setting}"
    verb = next((token for token in tokens if not token.startswith("-")), "")
    return f"saccade {verb} --help lists what it takes" if verb else "saccade --help lists all"


def report_error(error: SaccadeError, as_json: bool) -> int:
    """Print what is wrong: on standard error, with `--json` as data on standard output too."""
    if as_json:
        print(data_format.dumps({"error": error.to_dict()}, ensure_ascii=False))
    tell(str(error))
    return error.exit_code


def entry() -> None:
    """The console script."""
    keep_blocks()
    sys.exit(main())


if __name__ == "__main__":
    entry()
