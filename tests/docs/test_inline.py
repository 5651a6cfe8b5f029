"""Commands, options and settings that the pages name in a sentence or a table are there."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from cyclopts import App, CycloptsError, MissingArgumentError

from saccade import api, cli
from saccade.errors import SaccadeError
from saccade.recipes.recipe import known_setting
from saccade.recipes.renamed import SETTINGS
from saccade.usage import function_of, options_of, refuse_unknown_options, words

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    str(page.relative_to(ROOT)): page.read_text("utf-8")
    for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")))
}
FENCED = re.compile(r"^```.*?^```", re.M | re.S)
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
SETTING = re.compile(
    r"(?<![\w./])((?:data|model|optim|train)\.[a-z_]+)\b(?!\()(?:=((?:[^\s\"'`]|(?<=\")[^\"]+)+))?"
)
FILES = (".txt", ".csv", ".safetensors", ".py", ".bin")
NUMBERS = {"N": "3"}  # what a placeholder stands for where text would not do
FOREIGN = {"--lr", "--batch-size", "--imgsz"}  # those of others, as the guide says
BENCHMARKS = {"--only", "--accuracy", "--make-peers"}  # those of programs in benchmarks/


def spans(page: str) -> list[str]:
    """What stands between backticks in the text of a page, with | as it is in a table."""
    found = SPAN.findall(FENCED.sub("", PAGES[page]))
    return [" ".join(text.replace(r"\|", "|").split()) for text in found if "\n\n" not in text]


@cache
def parser() -> App:
    return cli.application()


@cache
def verbs() -> frozenset[str]:
    return frozenset(name.replace("_", "-") for name in api.__all__)


def refused(line: str) -> str:
    """Why the words behind saccade are not taken; they are parsed as typed, and not run."""
    try:
        typed = [NUMBERS.get(word, word) for word in shlex.split(line)]
        refuse_unknown_options(typed)
        last = [*words(typed[0], typed[1:])][-1:]
        if last and last[0].name and last[0].value is None:
            return ""  # a sentence about an option; that it is there has been seen
        parser().parse_args(typed, print_error=False, exit_on_error=False)
    except MissingArgumentError:
        return ""  # a sentence about a verb
    except (SaccadeError, CycloptsError, ValueError) as error:
        return f"saccade {line}: {error}"
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_a_command_in_a_sentence_can_be_typed(page: str) -> None:
    named = [text.removeprefix("saccade ") for text in spans(page) if text.startswith("saccade ")]
    named += [t for t in spans(page) if t.split()[0] in verbs() and " --" in t]
    assert not [why for line in named if (why := refused(line))]


@pytest.mark.parametrize("page", PAGES)
def test_an_option_in_a_sentence_is_one_of_a_verb(page: str) -> None:
    known = {option for verb in verbs() for option in options_of(verb)} | FOREIGN | BENCHMARKS
    named = [
        o for t in spans(page) if "python " not in t for o in re.findall(r"(?<!\S)--[a-z-]+", t)
    ]
    assert not {*named} - known


@pytest.mark.parametrize("page", PAGES)
def test_a_setting_in_a_sentence_is_one_and_takes_its_value(page: str) -> None:
    wrong = []
    for name, value in (found for text in spans(page) for found in SETTING.findall(text)):
        if name.endswith(FILES) or name in SETTINGS:
            continue
        try:
            setting = known_setting(name)
            if value and value != "...":
                setting.read(value)
        except SaccadeError as error:
            wrong.append(str(error))
    assert not wrong


def test_a_foreign_option_of_the_guide_is_answered_with_the_line_as_it_is_here() -> None:
    assert function_of("train")
    for option in sorted(FOREIGN):
        with pytest.raises(SaccadeError, match=r"type: saccade train --\S+ "):
            refuse_unknown_options(["train", option, "64"])


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_to_what_is_there(page: str) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", PAGES[page])):
        place, _, heading = target.partition("#")
        if "://" in target:
            continue
        file = (ROOT / page).parent / place if place else ROOT / page
        if not file.exists() or (heading and heading not in anchors(file)):
            broken.append(target)
    assert not broken


def anchors(file: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"(?m)^#+ (.+)$", file.read_text("utf-8"))
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
