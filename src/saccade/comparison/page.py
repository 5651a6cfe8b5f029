"""The page of a comparison: verdicts, changed images, runs and differing settings."""

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
from saccade.report.images import named_image
from saccade.report.page import (
    Html,
    Section,
    columns,
    element,
    facts,
    folded_list,
    image_grid,
    join,
    page,
    path_list,
    table,
)
from saccade.words import duration, pluralize

MAX_PER_SIDE = 24  # images that one run of a pair has right and the other wrong
MAX_IMAGES = 144  # images of the page: under a megabyte
IDENTICAL_SETTINGS = "No setting differs, nor the name of the data."
HOLM = (
    "With {} pairs one in twenty would differ by chance alone soon enough: the p-values of "
    "{} are raised for that (Holm 1979). The intervals are not."
)
MEANING = (
    "Intervals are of 95 % and speak of the chance by which these images were the ones to be "
    "tested; another seed can move a run further. Inside the noise means that two equally good "
    "networks differ so much more often than once in 20 times, not that they are equally good."
)
MEANING_OF_SEEDS = (
    "Intervals of a difference are of 95 % and speak of other seeds and other test images at once; "
    "those of a run speak of its test images alone. Inside the noise means that two equally good "
    "settings differ so much more often than once in 20 times, not that they are equally good."
)
ThumbnailSource = Callable[[str], bytes | None]  # an image's name -> a PNG or JPEG file


def comparison_page(comparison: Comparison, thumbnails: ThumbnailSource) -> str:
    """The self-contained page; `thumbnails` gives an image by its name, None for one gone."""
    sections = [Section("Differences (B - A)", _differences(comparison))]
    if comparison.right_or_wrong:
        sections.append(Section("Changed predictions", _changed(comparison, thumbnails)))
    sections += [
        Section("The runs", _runs(comparison)),
        Section("Settings that differ", _settings(comparison)),
    ]
    verdicts = comparison.verdicts()
    lead = (
        verdicts[0]
        if len(verdicts) == 1
        else f"{_significant_count(comparison)} of {len(verdicts)} pairs"
    )
    lead += "" if len(verdicts) == 1 else " differ by more than noise"
    title = ", ".join(comparison.means or (run.name for run in comparison.runs)) + " compared"
    return page(title, sections, lead=f"{lead}.", footer="Written by saccade.")


def _significant_count(comparison: Comparison) -> str:
    count = sum(not pair.insignificant for pair in comparison.pairs)
    return str(count) if count else "None"


def _differences(comparison: Comparison) -> Html:
    """The verdicts, a chart of the primary differences, and all differences in a table."""
    many = len(comparison.pairs) > 1
    verdicts = [element("p", verdict) for verdict in comparison.verdicts()] if many else []
    rows = [
        (f"{pair.second} - {pair.first}", difference.name, *_cells(difference, p))
        for pair in comparison.pairs
        for difference, p in zip(pair.differences, _adjusted_p_values(pair), strict=True)
    ]
    head = ("B - A", "metric", "difference, 95 % interval", "p-value", "test")
    notes = [HOLM.format(len(comparison.pairs), comparison.pairs[0].primary.name)] * many
    if comparison.grouped:
        notes.append("Images of one group were drawn together.")
    meaning = MEANING_OF_SEEDS if comparison.means else MEANING
    paragraphs = [
        element("p", note, class_="note") for note in (*comparison.notes, *notes, meaning)
    ]
    return join([*verdicts, _interval_chart(comparison.pairs), table(head, rows), *paragraphs])


def _adjusted_p_values(pair: Pair) -> list[float]:
    """The p-values of a pair, that of the primary difference adjusted for all pairs."""
    return [pair.p, *(difference.p for difference in pair.differences[1:])]


def _cells(difference: Difference, p: float) -> tuple[str, str, str]:
    amount, _, _ = difference_text(difference).partition(", p ")
    return amount, p_value(p), difference.method


def _interval_chart(pairs: Sequence[Pair]) -> Html:
    """A chart of the intervals of the primary differences, with a line at zero."""
    leading = [pair.primary for pair in pairs]
    ends = [
        abs(end)
        for difference in leading
        for end in (*(difference.interval or ()), difference.value)
    ]
    reach = 1.1 * (max(ends) or 1.0)

    def at(value: float) -> str:
        return f"{50 + 50 * value / reach:.2f}%"

    rows = []
    for pair, difference in zip(pairs, leading, strict=True):
        low, high = difference.interval or (difference.value, difference.value)
        chart = element(
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
            element("circle", cx=at(difference.value), cy="50%", r="5", fill="var(--accent)"),
            aria_hidden="true",
        )
        name = f"{pair.second} - {pair.first}"
        verdict = "inside the noise" if pair.insignificant else "more than noise"
        verdict = "identical here" if pair.identical else verdict
        cells = [element("th", name, scope="row"), element("td", chart, class_="fill")]
        rows.append(element("tr", *cells, element("td", verdict)))
    title = f"Difference in {leading[0].name}; the upright line is no difference"
    body = element("table", element("tbody", *rows), class_="bars", aria_label=title)
    return element("figure", element("p", title, class_="chart-title"), body)


def _changed(comparison: Comparison, thumbnails: ThumbnailSource) -> Html:
    """For each pair the images that only one of the two has right."""
    changed = {prediction.name: prediction for prediction in comparison.changed}
    run_index = {run.name: k for k, run in enumerate(comparison.runs)}
    limit = max(1, min(MAX_PER_SIDE, MAX_IMAGES // (2 * len(comparison.pairs))))
    blocks: list[Html] = []
    for pair in comparison.pairs:
        counts = [f"{len(pair.only_first)} only {pair.first} has right"]
        counts.append(f"{len(pair.only_second)} only {pair.second}")
        blocks.append(element("p", f"Of {pluralize(comparison.n, 'image')} {', '.join(counts)}."))
        for right, wrong, names in (
            (pair.first, pair.second, pair.only_first),
            (pair.second, pair.first, pair.only_second),
        ):
            if names:
                heading = element("h3", f"Right in {right}, wrong in {wrong}: {len(names):,}")
                cells = [
                    _cell(changed[name], run_index[wrong], thumbnails) for name in names[:limit]
                ]
                shown = [cell for cell in cells if cell]
                blocks += [heading, image_grid(shown)]
                if len(shown) < len(names):
                    blocks.append(folded_list(len(names), "names", path_list(names, {})))
    return join(blocks)


def _cell(prediction: ChangedPrediction, wrong: int, thumbnails: ThumbnailSource) -> Html | None:
    encoded = thumbnails(prediction.name)
    if encoded is None:
        return None
    caption = f"{prediction.label or 'none'}, taken for {prediction.predictions[wrong] or 'none'}"
    return named_image(encoded, caption, prediction.name)


def _runs(comparison: Comparison) -> Html:
    cells = [facts({metric.name: str(metric) for metric in run.metrics}) for run in comparison.runs]
    blocks = [
        element(
            "div",
            element("h3", run.name),
            element("p", f"{run.model}, {duration(run.seconds)} in all", class_="quiet"),
            metrics,
        )
        for run, metrics in zip(comparison.runs, cells, strict=True)
    ]
    return columns(*blocks)


def _settings(comparison: Comparison) -> Html:
    if not comparison.settings:
        return element("p", IDENTICAL_SETTINGS)
    head = ("setting", *(run.name for run in comparison.runs))
    return table(head, [(setting.name, *setting.values) for setting in comparison.settings])
