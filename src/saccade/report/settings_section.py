"""settings_section: every setting and where it came from; how to repeat a training, and where."""

from __future__ import annotations

from collections.abc import Mapping

from saccade.report.page import Html, element, folded, join, table
from saccade.runs import Run


def settings_section(run: Run) -> Html:
    """Those that something decided first, without defaults and what is of no use; all folded."""
    rows = [
        (name, shown(value), run.origins.get(name, ""))
        for name, value in run.recipe.settings().items()
    ]
    chosen = [row for row in rows if not row[2].startswith(("default", "no use"))]
    head = ("setting", "value", "where it comes from")
    every = folded(f"All {len(rows)} settings", table(head, rows))
    return join([table(head, chosen), every]) if chosen else every


def shown(value: object) -> str:
    """A setting as one cell."""
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def repeat_section(run: Run) -> Html:
    """The command, the files that go with it, and what it ran on."""
    started = run.started
    words = (
        "The split is in split.csv, the settings are in recipe.toml, what is said of every test "
        "picture is in predictions.csv: all beside the report. The same command gives the same "
        "weights on the same machine and versions."
    )
    environment = started["environment"] | {"device": started["fingerprint"]["device"]}
    return join(
        [
            element("pre", started["command"], tabindex="0"),
            element("p", words),
            environment_table(environment),
        ]
    )


def environment_table(found: Mapping[str, str]) -> Html:
    """Versions and hardware, folded."""
    return folded("Environment", table(("environment", "value"), list(found.items())))
