"""heat_map: a table of counts shaded row by row, whose cells can lead to what they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from saccade.report.charts import short
from saccade.report.page import Html, element

NUMBERS = 30  # columns, up to which every cell shows its number
STRONG = 0.55  # share of a row, from which its cell is dark

Links = Mapping[tuple[int, int], str]  # row and column -> where the cell leads


def heat_map(
    counts: Sequence[Sequence[int]],
    names: Sequence[str],
    *,
    title: str,
    row_axis: str,
    column_axis: str,
    links: Links | None = None,
) -> Html:
    """A square table, each number shaded by its share of its row, the diagonal framed.

    Over 30 columns it becomes a picture without numbers, each cell with its words.
    """
    heading = element("p", title, class_="chart-title")
    note = element("p", f"rows: {row_axis}; columns: {column_axis}", class_="note")
    if len(names) > NUMBERS:
        return element("figure", heading, note, _picture(counts, names, title))
    corner = element("td", class_="corner")
    top = [element("th", element("span", name), scope="col") for name in names]
    lines = [
        element(
            "tr",
            element("th", name, scope="row"),
            *(
                _cell(row, j, j == i, (names[i], names[j]), (links or {}).get((i, j)))
                for j in range(len(names))
            ),
        )
        for i, (name, row) in enumerate(zip(names, counts, strict=True))
    ]
    body = [element("thead", element("tr", corner, *top)), element("tbody", *lines)]
    framed = element("table", *body, class_="heat", aria_label=title)
    scroll = {"class_": "scroll", "tabindex": "0", "role": "group", "aria_label": title}
    return element("figure", heading, note, element("div", framed, **scroll))


def _cell(
    row: Sequence[int], column: int, diagonal: bool, pair: tuple[str, str], link: str | None
) -> Html:
    count, share = row[column], row[column] / (sum(row) or 1)
    kinds = ["strong"] * (share > STRONG) + ["right"] * diagonal
    shown: object = short(count) if count else ""
    if link and count:
        words = f"{count} of {pair[0]} taken for {pair[1]}: pictures"
        shown = element("a", shown, href=link, aria_label=words)
    return element("td", shown, class_=" ".join(kinds) or None, style=f"--share:{share:.3f}")


def _picture(counts: Sequence[Sequence[int]], names: Sequence[str], title: str) -> Html:
    cells = [
        element(
            "rect",
            element("title", f"{names[i]}, {names[j]}: {short(count)}"),
            x=j,
            y=i,
            width=1,
            height=1,
            fill_opacity=f"{0.15 + 0.85 * count / sum(row):.3f}",
        )
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        if count
    ]
    box = f"0 0 {len(names)} {len(names)}"
    return element("svg", element("title", title), *cells, class_="matrix", viewBox=box, role="img")
