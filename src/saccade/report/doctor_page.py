"""A diagnosis of the doctor as one HTML file with its images, and in words for a terminal."""

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
    folded,
    image_grid,
    join,
    page,
)

SHOWN = 12  # images of a finding
GROUPS, MEMBERS = 6, 6  # groups of copies of a finding, and images of a group
LISTED = 500  # paths of a finding; all of them are in --json
BUDGET = 1_900_000  # bytes of images in the file, which they make a third larger
TAGS = {"error": "error", "warning": "warning", "note": "note-tag"}
NO_IMAGE = {"unreadable", "empty_file", "class_missing", "class_tiny", "imbalance"}


NO_IMAGE |= {"linked_twice", "hidden", "skipped"}


def doctor_page(diagnosis: Diagnosis, *, footer: str = "") -> str:
    """The whole page; self-contained, under 3 MB whatever the size of the set."""
    album = Thumbnails(diagnosis.case.items, BUDGET)
    blocks = [_finding(finding, album) for finding in diagnosis.findings]
    nothing = element("p", "Nothing was found that could harm a training.")
    sections = [
        Section("Findings", join([_at_a_glance(diagnosis), *(blocks or [nothing])])),
        Section("Labels", _labels(diagnosis)),
        Section("Sizes and shapes", _sizes(diagnosis)),
        Section("Files", _files(diagnosis)),
    ]
    words = f"Each of its {diagnosis.count:,} images was loaded; {_verdict(diagnosis)}"
    return page(f"What is in {diagnosis.name}", sections, lead=words, footer=footer)


def _verdict(diagnosis: Diagnosis) -> str:
    for severity, words in (
        ("error", "some of what was found makes results wrong."),
        ("warning", "some of what was found may harm a training."),
        ("note", "nothing stands in the way of a training."),
    ):
        if any(finding.severity == severity for finding in diagnosis.findings):
            return words
    return "nothing was found."


def _at_a_glance(diagnosis: Diagnosis) -> Html:
    numbers = diagnosis.statistics()
    unreadable = diagnosis.count - diagnosis.readable
    copies = diagnosis.finding("duplicates"), diagnosis.finding("near_duplicates")
    exact, near = (finding.count if finding else 0 for finding in copies)
    splits = numbers["splits"]
    assert isinstance(splits, dict)
    return facts(
        {
            "images": (f"{diagnosis.count:,}", _split_words(splits)),
            "classes": len(diagnosis.case.classes) or "–",
            "unreadable": f"{unreadable:,}",
            "exact copies": f"{exact:,}",
            "near copies": f"{near:,}",
        }
    )


def _split_words(splits: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in splits.items() if name != "all")


def _finding(finding: Finding, album: Thumbnails) -> Html:
    tag = element("span", finding.severity, class_=f"tag {TAGS[finding.severity]}")
    parts: list[object] = [element("h3", tag, " ", finding.message)]
    if finding.advice:
        parts.append(element("p", finding.advice, class_="quiet"))
    shown = _grouped(finding, album) if finding.groups else _single(finding, album)
    parts += shown
    if len(finding.items) > SHOWN or not shown:
        parts.append(_paths(finding))
    return element("article", *parts)


def _single(finding: Finding, album: Thumbnails) -> list[Html]:
    if finding.kind in NO_IMAGE:
        return []
    cells = [album.show(name, finding.remarks.get(name, "")) for name in finding.items[:SHOWN]]
    drawn = [cell for cell in cells if cell]
    return [image_grid(drawn)] if drawn else []


def _grouped(finding: Finding, album: Thumbnails) -> list[Html]:
    groups = []
    for names in finding.groups[:GROUPS]:
        cells = [album.show(name, finding.remarks.get(name, "")) for name in names[:MEMBERS]]
        drawn = [cell for cell in cells if cell]
        if drawn:
            groups.append(image_grid(drawn, together=True))
    return [element("div", *groups, class_="groups")] if groups else []


def _paths(finding: Finding) -> Html:
    """The paths as a list: open when few, folded when many."""
    lines = []
    for name in finding.items[:LISTED]:
        remark = finding.remarks.get(name)
        told = element("span", f" – {remark}", class_="quiet") if remark else ""
        lines.append(element("li", element("span", name, class_="path"), told))
    listed = element("ul", *lines, class_="paths")
    if len(finding.items) <= SHOWN:
        return listed
    more = f", the first {LISTED} of them" if len(finding.items) > LISTED else ""
    return folded(f"all {len(finding.items):,} paths{more}", listed)


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
    for key, title, words in (
        ("width", "Width", "pixels"),
        ("height", "Height", "pixels"),
        ("aspect", "Shape", "width / height: 0.5 is tall, 1 square, 2 wide"),
    ):
        bins = numbers[key]
        assert isinstance(bins, dict)
        charts.append(histogram(bins["edges"], bins["counts"], title=title, x=words))
    lost = numbers["lost_to_crop"]
    assert isinstance(lost, float)
    words = f"A square crop of the middle loses {100 * lost:.0f} % of an image on average."
    return join([columns(*charts), element("p", words)])


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
CLASSES = 12  # label counts that are shown
LONGEST = 24  # signs of a bar
MARGIN = 10  # signs


def doctor_table(diagnosis: Diagnosis) -> str:
    """Some lines about the set, then every finding with its first paths."""
    numbers = diagnosis.statistics()
    size = numbers["bytes"]
    assert isinstance(size, int)
    classes = len(diagnosis.case.classes)
    held = [f"{diagnosis.count:,} images"] + [f"{classes:,} classes"] * bool(classes)
    held += [f"{diagnosis.readable:,} readable", f"{size / 1e6:,.1f} MB"]
    lines = [f"{diagnosis.name}: {' · '.join(held)}"]
    for name in ("splits", "formats", "modes"):
        counts = numbers[name]
        assert isinstance(counts, dict)
        if name != "splits" or set(counts) != {"all"}:
            told = " · ".join(f"{key} {count:,}" for key, count in counts.items())
            lines.append(_line(name, told))
    for name, words in (("width", "pixels"), ("height", "pixels"), ("aspect", "width / height")):
        bins = numbers[name]
        assert isinstance(bins, dict)
        lines.append(_line(name, _histogram(bins["edges"], bins["counts"], words)))
    lines += _label_lines(diagnosis)
    for finding in diagnosis.findings:
        lines += ["", *_finding_lines(finding)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def bars(counts: Sequence[int]) -> str:
    """A sign a count, from a blank for none to a full block for the most."""
    most = max(counts, default=0) or 1
    return "".join(BARS[-(-8 * count // most)] for count in counts)


def _histogram(edges: Sequence[float], counts: Sequence[int], words: str) -> str:
    first = next((at for at, count in enumerate(counts) if count), 0)
    last = max((at for at, count in enumerate(counts) if count), default=0)
    drawn = bars(counts[first : last + 1])
    return f"{edges[first]:.4g} {drawn} {edges[last + 1]:.4g} {words}"


def _label_lines(diagnosis: Diagnosis) -> list[str]:
    counts = diagnosis.label_counts()
    total = {name: sum(of[name] for of in counts.values()) for name in diagnosis.case.classes}
    most = max(total.values(), default=0) or 1
    wide = min(24, max(map(len, total), default=0))
    lines = []
    for name, count in list(total.items())[:CLASSES]:
        drawn = "█" * (-(-LONGEST * count // most))
        told = f"{name[:wide]:<{wide}} {drawn} {count:,}"
        lines.append(_line("labels" if not lines else "", told))
    if len(total) > CLASSES:
        lines.append(_line("", f"and {len(total) - CLASSES:,} more classes"))
    return lines


def _finding_lines(finding: Finding) -> list[str]:
    lines = [_line(finding.severity, finding.message)]
    if finding.groups:
        shown = [" = ".join(names[:4]) for names in finding.groups[:EXAMPLES]]
        more = len(finding.groups) - len(shown)
    else:
        names = finding.items[:EXAMPLES]
        remarks = [finding.remarks.get(name, "") for name in names]
        shown = [f"{name}  {remark}" for name, remark in zip(names, remarks)]
        more = len(finding.items) - len(shown)
    lines += [_line("", f"  {words}") for words in shown]
    if more > 0:
        lines.append(_line("", f"  and {more:,} more"))
    if finding.advice:
        lines.append(_line("", f"-> {finding.advice}"))
    return lines


def _line(name: str, words: str) -> str:
    return f"{name:<{MARGIN}}{words}"
