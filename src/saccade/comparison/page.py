"""The page of a comparison: verdicts first, then the images that changed side, runs, settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from saccade.comparison.comparison import (
    ChangedPrediction,
    Comparison,
    Pair,
    difference_text,
    p_value,
)
from saccade.metrics.paired import Difference
from saccade.report.page import (
    Html,
    Section,
    columns,
    element,
    facts,
    folded,
    image,
    image_grid,
    join,
    page,
    table,
)
from saccade.words import duration

SHOWN = 24  # images of one side of a pair
ALL_SHOWN = 144  # images of the page: under a megabyte
LISTED = 500  # names; --csv has all
IDENTICAL_SETTINGS = "The settings and the data are the same; chance alone parts these runs."
HOLM = (
    "With {} pairs one in twenty would differ by chance alone soon enough: the p-values of "
    "{} are raised for that (Holm 1979). The intervals are not."
)
MEANING = (
    "Intervals are of 95 % and speak of the chance by which these images were the ones to be "
    "tested; another seed can move a run further. Inside the noise means that two equally good "
    "networks differ so much more often than once in 20 times, not that they are equally good."
)
ThumbnailSource = Callable[[str], bytes | None]  # an image's name -> a PNG or JPEG file


def comparison_page(comparison: Comparison, look: ThumbnailSource) -> str:
    """The whole page, self-contained; `look` gives the images, or None for one that is gone."""
    sections = [Section("Differences (B - A)", _differences(comparison))]
    if comparison.right_or_wrong:
        sections.append(Section("Changed predictions", _changed(comparison, look)))
    sections += [
        Section("The runs", _runs(comparison)),
        Section("Settings that differ", _settings(comparison)),
    ]
    verdicts = comparison.verdicts()
    lead = verdicts[0] if len(verdicts) == 1 else f"{_apart(comparison)} of {len(verdicts)} pairs"
    lead += "" if len(verdicts) == 1 else " differ by more than noise"
    title = ", ".join(side.name for side in comparison.runs) + " compared"
    return page(title, sections, lead=f"{lead}.", footer="Written by saccade.")


def _apart(comparison: Comparison) -> str:
    count = sum(not pair.insignificant for pair in comparison.pairs)
    return str(count) if count else "None"


def _differences(comparison: Comparison) -> Html:
    """The verdicts, each leading difference drawn, and all differences in a table."""
    many = len(comparison.pairs) > 1
    said = [element("p", verdict) for verdict in comparison.verdicts()] if many else []
    rows = [
        (f"{pair.second} - {pair.first}", found.name, *_cells(found, p))
        for pair in comparison.pairs
        for found, p in zip(pair.differences, _raised(pair), strict=True)
    ]
    head = ("B - A", "metric", "difference, 95 % interval", "p-value", "test")
    notes = [HOLM.format(len(comparison.pairs), comparison.pairs[0].primary.name)] * many
    if comparison.grouped:
        notes.append("Images of one group were drawn together.")
    told = [element("p", words, class_="note") for words in (*comparison.notes, *notes, MEANING)]
    return join([*said, _drawn(comparison.pairs), table(head, rows), *told])


def _raised(pair: Pair) -> list[float]:
    """The p-values, that of the leading difference as it counts among all pairs."""
    return [pair.p, *(found.p for found in pair.differences[1:])]


def _cells(found: Difference, p: float) -> tuple[str, str, str]:
    size, _, _ = difference_text(found).partition(", p ")
    return size, p_value(p), found.method


def _drawn(pairs: Sequence[Pair]) -> Html:
    """The intervals of the leading differences about a line at none."""
    leading = [pair.primary for pair in pairs]
    ends = [abs(end) for one in leading for end in (*(one.interval or ()), one.value)]
    reach = 1.1 * (max(ends) or 1.0)

    def at(value: float) -> str:
        return f"{50 + 50 * value / reach:.2f}%"

    rows = []
    for pair, one in zip(pairs, leading, strict=True):
        low, high = one.interval or (one.value, one.value)
        drawn = element(
            "svg",
            element("line", x1="50%", x2="50%", y1="0", y2="100%", stroke="currentColor"),
            element(
                "line",
                x1=at(low),
                x2=at(high),
                y1="50%",
                y2="50%",
                stroke="var(--accent)",
                stroke_width="3",
            ),
            element("circle", cx=at(one.value), cy="50%", r="5", fill="var(--accent)"),
            aria_hidden="true",
        )
        name = f"{pair.second} - {pair.first}"
        words = "inside the noise" if pair.insignificant else "more than noise"
        cells = [element("th", name, scope="row"), element("td", drawn, class_="fill")]
        rows.append(element("tr", *cells, element("td", words)))
    title = f"Difference in {leading[0].name}; the upright line is no difference"
    body = element("table", element("tbody", *rows), class_="bars", aria_label=title)
    return element("figure", element("p", title, class_="chart-title"), body)


def _changed(comparison: Comparison, look: ThumbnailSource) -> Html:
    """For each pair the images that only one of both has right."""
    changed = {one.name: one for one in comparison.changed}
    place = {side.name: k for k, side in enumerate(comparison.runs)}
    most = max(1, min(SHOWN, ALL_SHOWN // (2 * len(comparison.pairs))))
    blocks: list[Html] = []
    for pair in comparison.pairs:
        told = [f"{len(pair.only_first)} only {pair.first} has right"]
        told.append(f"{len(pair.only_second)} only {pair.second}")
        blocks.append(element("p", f"Of {comparison.n:,} images {', '.join(told)}."))
        for right, wrong, names in (
            (pair.first, pair.second, pair.only_first),
            (pair.second, pair.first, pair.only_second),
        ):
            if names:
                heading = element("h3", f"Right in {right}, wrong in {wrong}: {len(names):,}")
                cells = [_cell(changed[name], place[wrong], look) for name in names[:most]]
                shown = [cell for cell in cells if cell]
                blocks += [heading, image_grid(shown)]
                if len(shown) < len(names):
                    blocks.append(_listed(names))
    return join(blocks)


def _cell(one: ChangedPrediction, wrong: int, look: ThumbnailSource) -> Html | None:
    encoded = look(one.name)
    if encoded is None:
        return None
    words = f"{one.label or 'none'}, taken for {one.predictions[wrong] or 'none'}"
    path = element("span", one.name, class_="path")
    return image(encoded, words, join([words, Html("<br>"), path]))


def _listed(names: Sequence[str]) -> Html:
    lines = [element("li", element("span", name, class_="path")) for name in names[:LISTED]]
    more = f", the first {LISTED} of them" if len(names) > LISTED else ""
    return folded(f"all {len(names):,} names{more}", element("ul", *lines, class_="paths"))


def _runs(comparison: Comparison) -> Html:
    cells = [
        facts({number.name: str(number) for number in side.numbers}) for side in comparison.runs
    ]
    blocks = [
        element(
            "div",
            element("h3", side.name),
            element("p", f"{side.model}, trained in {duration(side.seconds)}", class_="quiet"),
            numbers,
        )
        for side, numbers in zip(comparison.runs, cells, strict=True)
    ]
    return columns(*blocks)


def _settings(comparison: Comparison) -> Html:
    if not comparison.settings:
        return element("p", IDENTICAL_SETTINGS)
    head = ("setting", *(side.name for side in comparison.runs))
    return table(head, [(setting.name, *setting.values) for setting in comparison.settings])
