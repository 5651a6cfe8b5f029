"""A diagnosis of the data as one HTML file with its images, and as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from saccade.data.doctor.case import Finding
from saccade.data.doctor.doctor import Diagnosis
from saccade.report.charts import bar_list, histogram
from saccade.report.images import Thumbnails
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
)
from saccade.words import pluralize

SHOWN = 12  # images of a finding
GROUPS, MEMBERS = 6, 6  # groups of copies of a finding, and images of a group
TAGS = {"error": "error", "warning": "warning", "note": "note-tag"}
NO_IMAGE = {  # findings without an image to show
    "unreadable",
    "empty_file",
    "class_missing",
    "class_tiny",
    "imbalance",
    "linked_twice",
    "untrainable",
    "unlabelled",
    "hidden",
    "skipped",
}


def doctor_page(diagnosis: Diagnosis, *, footer: str = "") -> str:
    """The whole page; self-contained, under 3 MB whatever the size of the set."""
    thumbnails = Thumbnails(diagnosis.case.items)
    blocks = [_finding(finding, thumbnails) for finding in diagnosis.findings]
    nothing = element("p", "Nothing was found that could harm a training.")
    sections = [
        Section("Findings", join([_overview(diagnosis), *(blocks or [nothing])])),
        Section("Labels", _labels(diagnosis)),
        Section("Sizes and shapes", _sizes(diagnosis)),
        Section("Files", _files(diagnosis)),
    ]
    loaded = f"Each of its {diagnosis.count:,} images was loaded"
    if diagnosis.count == 1:
        loaded = "Its one image was loaded"
    lead = f"{loaded}; {_verdict(diagnosis)}"
    return page(f"What is in {diagnosis.name}", sections, lead=lead, footer=footer)


def _verdict(diagnosis: Diagnosis) -> str:
    for severity, sentence in (
        ("error", "some of what was found makes results wrong."),
        ("warning", "some of what was found may harm a training."),
        ("note", "nothing stands in the way of a training."),
    ):
        if any(finding.severity == severity for finding in diagnosis.findings):
            return sentence
    return "nothing was found."


def _overview(diagnosis: Diagnosis) -> Html:
    numbers = diagnosis.statistics()
    unreadable = diagnosis.count - diagnosis.readable
    copies = diagnosis.finding("duplicates"), diagnosis.finding("near_duplicates")
    exact, near = (finding.count if finding else 0 for finding in copies)
    splits = numbers["splits"]
    assert isinstance(splits, dict)
    return facts(
        {
            "images": (f"{diagnosis.count:,}", _split_counts(splits)),
            "classes": len(diagnosis.case.classes) or "–",
            "unreadable": f"{unreadable:,}",
            "exact copies": f"{exact:,}",
            "look like others": f"{near:,}",
        }
    )


def _split_counts(splits: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in splits.items() if name != "all")


def _finding(finding: Finding, thumbnails: Thumbnails) -> Html:
    tag = element("span", finding.severity, class_=f"tag {TAGS[finding.severity]}")
    parts: list[object] = [element("h3", tag, " ", finding.message)]
    if finding.advice:
        parts.append(element("p", finding.advice, class_="quiet"))
    images = _grouped(finding, thumbnails) if finding.groups else _single(finding, thumbnails)
    parts += images
    if len(finding.items) > SHOWN or not images:
        parts.append(_paths(finding))
    return element("article", *parts)


def _single(finding: Finding, thumbnails: Thumbnails) -> list[Html]:
    if finding.kind in NO_IMAGE:
        return []
    cells = [thumbnails.show(name, finding.remarks.get(name, "")) for name in finding.items[:SHOWN]]
    drawn = [cell for cell in cells if cell]
    return [image_grid(drawn)] if drawn else []


def _grouped(finding: Finding, thumbnails: Thumbnails) -> list[Html]:
    groups = []
    for names in finding.groups[:GROUPS]:
        cells = [thumbnails.show(name, finding.remarks.get(name, "")) for name in names[:MEMBERS]]
        drawn = [cell for cell in cells if cell]
        if drawn:
            groups.append(image_grid(drawn, together=True))
    return [element("div", *groups, class_="groups")] if groups else []


def _paths(finding: Finding) -> Html:
    """The paths as a list: open when few, folded when many."""
    paths, count = path_list(finding.items, finding.remarks), len(finding.items)
    return paths if count <= SHOWN else folded_list(count, "paths", paths)


def _labels(diagnosis: Diagnosis) -> Html:
    counts = diagnosis.label_counts()
    if not diagnosis.case.classes:
        return element("p", "The labels are numbers, or there are none.", class_="quiet")
    charts = []
    for split, of_class in counts.items():
        title = "Images by class" if split == "all" else f"Images by class, {split}"
        shown = dict(list(of_class.items())[:40])
        charts.append(bar_list(shown, title=title))
    more = len(diagnosis.case.classes) - 40
    note = element("p", f"and {more} more classes", class_="quiet") if more > 0 else ""
    return join([columns(*charts), note])


def _sizes(diagnosis: Diagnosis) -> Html:
    numbers = diagnosis.statistics()
    charts = []
    for key, title, unit in (
        ("width", "Width", "pixels"),
        ("height", "Height", "pixels"),
        ("aspect", "Shape", "width / height: 0.5 is tall, 1 square, 2 wide"),
    ):
        bins = numbers[key]
        assert isinstance(bins, dict)
        charts.append(histogram(bins["edges"], bins["counts"], title=title, x=unit))
    lost_to_crop = numbers["lost_to_crop"]
    assert isinstance(lost_to_crop, float)
    note = f"A square crop of the middle loses {100 * lost_to_crop:.0f} % of an image on average."
    return join([columns(*charts), element("p", note)])


def _files(diagnosis: Diagnosis) -> Html:
    numbers = diagnosis.statistics()
    formats, modes, size = numbers["formats"], numbers["modes"], numbers["bytes"]
    assert isinstance(formats, dict) and isinstance(modes, dict) and isinstance(size, int)
    grey = {"with colour": diagnosis.readable - int(str(numbers["grey"])), "grey": numbers["grey"]}
    charts = [
        bar_list(formats, title="Format"),
        bar_list(modes, title="Mode, as Pillow names it"),
        bar_list({name: float(str(n)) for name, n in grey.items()}, title="Colour"),
    ]
    notes = [element("p", note, class_="quiet") for note in diagnosis.notes]
    return join([columns(*charts), element("p", f"{size / 1e6:,.1f} MB in all."), *notes])


BARS = " ▁▂▃▄▅▆▇█"
EXAMPLES = 3  # paths under a finding
MAX_CLASSES = 12  # whose counts are shown
MAX_BAR = 24  # characters of a bar
MARGIN = 10  # characters


def doctor_table(diagnosis: Diagnosis) -> str:
    """Some lines about the set, then every finding with its first paths."""
    numbers = diagnosis.statistics()
    size = numbers["bytes"]
    assert isinstance(size, int)
    classes = len(diagnosis.case.classes)
    overview = [pluralize(diagnosis.count, "image")]
    overview += [pluralize(classes, "class", "classes")] * bool(classes)
    overview += [f"{diagnosis.readable:,} readable", f"{size / 1e6:,.1f} MB"]
    lines = [f"{diagnosis.name}: {' · '.join(overview)}"]
    for name in ("splits", "formats", "modes"):
        counts = numbers[name]
        assert isinstance(counts, dict)
        if name != "splits" or set(counts) != {"all"}:
            text = " · ".join(f"{key} {count:,}" for key, count in counts.items())
            lines.append(_line(name, text))
    for name, unit in (("width", "pixels"), ("height", "pixels"), ("aspect", "width / height")):
        bins = numbers[name]
        assert isinstance(bins, dict)
        lines.append(_line(name, _histogram(bins["ends"], bins["counts"], unit)))
    lines += _label_lines(diagnosis)
    for finding in diagnosis.findings:
        lines += ["", *_finding_lines(finding)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def bars(counts: Sequence[int]) -> str:
    """A character a count, from a blank for none to a full block for the largest."""
    largest = max(counts, default=0) or 1
    return "".join(BARS[-(-8 * count // largest)] for count in counts)


def _histogram(ends: Sequence[float], counts: Sequence[int], unit: str) -> str:
    """The least and the largest value, and between them how often there are others."""
    first = next((index for index, count in enumerate(counts) if count), 0)
    last = max((index for index, count in enumerate(counts) if count), default=0)
    low, high = ends
    if low == high:
        return f"{low:.4g} {unit}"
    return f"{low:.4g} {bars(counts[first : last + 1])} {high:.4g} {unit}"


def _label_lines(diagnosis: Diagnosis) -> list[str]:
    counts = diagnosis.label_counts()
    total = {
        name: sum(per_class[name] for per_class in counts.values())
        for name in diagnosis.case.classes
    }
    largest = max(total.values(), default=0) or 1
    width = min(24, max(map(len, total), default=0))
    lines = []
    for name, count in list(total.items())[:MAX_CLASSES]:
        drawn = "█" * (-(-MAX_BAR * count // largest))
        text = f"{name[:width]:<{width}} {drawn} {count:,}"
        lines.append(_line("labels" if not lines else "", text))
    if len(total) > MAX_CLASSES:
        lines.append(_line("", f"and {len(total) - MAX_CLASSES:,} more classes"))
    return lines


def _finding_lines(finding: Finding) -> list[str]:
    lines = [_line(finding.severity, finding.message)]
    if finding.groups:
        examples = [" = ".join(names[:4]) for names in finding.groups[:EXAMPLES]]
        more = len(finding.groups) - len(examples)
    else:
        names = finding.items[:EXAMPLES]
        remarks = [finding.remarks.get(name, "") for name in names]
        examples = [f"{name}  {remark}" for name, remark in zip(names, remarks)]
        more = len(finding.items) - len(examples)
    lines += [_line("", f"  {example}") for example in examples]
    if more > 0:
        lines.append(_line("", f"  and {more:,} more"))
    if finding.advice:
        lines.append(_line("", f"-> {finding.advice}"))
    return lines


def _line(name: str, text: str) -> str:
    return f"{name:<{MARGIN}}{text}"
