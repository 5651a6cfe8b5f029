"""The page of a study: one HTML file with its question, table, drawing and settings."""

from __future__ import annotations

import base64

from saccade.report.page import Html, Section, element, facts, figure, folded, join, page, table
from saccade.studies.drawing import described, svg
from saccade.studies.result import StudyResult, columned
from saccade.studies.study import plain


def study_page(result: StudyResult, command: str) -> str:
    """The page as text; `command` does the study again."""
    study = result.study
    sections = [
        Section("Result", _result(result)),
        Section("Curves", _drawing(result)),
        Section("What this cannot show", _limits(result)),
        Section("What was compared", _settings(result)),
        Section("How to repeat it", _origin(result, command)),
    ]
    return page(study.title, sections, lead=study.question, footer="Written by saccade.")


def _result(result: StudyResult) -> Html:
    shown = {
        "compared": (str(len(result.outcomes)), "variants"),
        "seeds": (str(result.study.seeds), "of each"),
        "pictures": (result.study.data_name, "trained and measured on"),
        "training": (f"{result.seconds / 60:.1f} min", f"{len(result.cells)} trainings"),
    }
    said = element("p", f"The lectures: {result.study.lectures}") if result.study.lectures else ""
    notes = element("ul", *(element("li", note) for note in result.notes()), class_="note")
    body = element("div", table(result.head(), result.rows()), class_="scroll")
    return join([facts(shown), said, body, notes])


def _drawing(result: StudyResult) -> Html:
    encoded = base64.b64encode(svg(result).encode()).decode("ascii")
    image = Html(f'<img src="data:image/svg+xml;base64,{encoded}" style="width:100%" ')
    words = element("p", described(result), class_="note")
    alt = Html(f'{image}alt="What each variant came to, and how; the numbers are in the table.">')
    return join([figure(alt), words])


def _limits(result: StudyResult) -> Html:
    own = element("p", result.study.limits) if result.study.limits else ""
    general = (
        "One network, one set of pictures, a short training: the order found here may be another "
        "one with larger networks, more pictures and longer trainings. The intervals speak of the "
        "seeds alone."
    )
    return join([own, element("p", general)])


def _settings(result: StudyResult) -> Html:
    study = result.study
    rows = [
        (row.variant.name, key, plain(value))
        for row in result.outcomes
        for key, value in row.cells[0].trial.settings.items()
    ]
    common = [(key, plain(value)) for key, value in study.recipe.settings().items()]
    folds = [folded("Settings common to all", table(("setting", "value"), common))]
    trained = [(c.trial.name, c.seed, c.words or "finished", str(c.run)) for c in result.cells]
    folds.append(folded("Every training", table(("trial", "seed", "came", "run"), trained)))
    return join([table(("variant", "setting", "value"), rows), *folds])


def _origin(result: StudyResult, command: str) -> Html:
    words = "study.toml and base.toml are beside this file; study.csv has every training."
    shown = columned([result.head(), *result.rows()])
    parts = [element("pre", command), element("p", words), folded("As text", element("pre", shown))]
    return join(parts)
