"""suspects_page: labels that are probably wrong as one HTML file, with the pictures."""

from __future__ import annotations

from saccade.audit.suspects import Suspect, Suspects
from saccade.report.page import Html, Section, element, facts, folded, join, page, pictures, table
from saccade.report.pictures import Album
from saccade.words import percent

SHOWN = 60  # pictures
LISTED = 500  # rows of the table; all of them are in --csv
CLASSES = 20  # up to which the noise matrix is shown
BUDGET = 1_900_000  # bytes of pictures in the file, which they make a third larger


def suspects_page(suspects: Suspects, *, footer: str = "") -> str:
    """The whole page; self-contained, under 3 MB whatever the size of the set."""
    sections = [Section("Suspects", join([_at_a_glance(suspects), *_shown(suspects)]))]
    if len(suspects.classes) <= CLASSES:
        sections.append(Section("Which labels are taken for which", _noise(suspects)))
    sections.append(Section("How they were found", _method(suspects)))
    count = len(suspects.found)
    told = f"{count:,} of {suspects.n:,} pictures look wrongly labelled."
    lead = told if count else f"None of {suspects.n:,} pictures stands out as wrongly labelled."
    return page(f"Labels of {suspects.data} in doubt", sections, lead=lead, footer=footer)


def _at_a_glance(suspects: Suspects) -> Html:
    interval = suspects.interval
    ends = f"{100 * interval.low:.1f}–{100 * interval.high:.1f}, " if interval else ""
    return facts(
        {
            "pictures": (f"{suspects.n:,}", f"{len(suspects.classes)} classes"),
            "suspects": f"{len(suspects.found):,}",
            "wrong labels, about": (percent(suspects.wrong), f"{ends}n = {suspects.n:,}"),
            "probes agree": (percent(suspects.agreeing / suspects.n), "with the given labels"),
        }
    )


def _shown(suspects: Suspects) -> list[Html]:
    """The worst with their pictures, then all as a table."""
    album = Album(suspects.items, BUDGET)
    cells = [album.show(s.name, _words(s)) for s in suspects.found[:SHOWN]]
    drawn = [cell for cell in cells if cell]
    if not suspects.found:
        return [element("p", "Nothing to look at.")]
    rows = [
        (s.name, s.split, s.given, s.suggested, percent(s.p_given), percent(s.p_suggested))
        for s in suspects.found[:LISTED]
    ]
    head = ("picture", "split", "given", "suggested", "p(given)", "p(suggested)")
    more = f", the first {LISTED} of them" if len(suspects.found) > LISTED else ""
    listed = folded(f"all {len(suspects.found):,} suspects{more}", table(head, rows))
    advice = "The surest first. Look before you change a label: a rare but right one is here, too."
    return [element("p", advice, class_="quiet"), pictures(drawn), listed]


def _words(suspect: Suspect) -> str:
    return f"labelled {suspect.given}, probably {suspect.suggested} {percent(suspect.p_suggested)}"


def _noise(suspects: Suspects) -> Html:
    head = ("given, below; true, to the right", *suspects.classes)
    rows = [
        (name, *(percent(share) for share in row))
        for name, row in zip(suspects.classes, suspects.noise)
    ]
    words = "Of the pictures that are truly of a class, the share with each given label; estimated."
    return table(head, rows, caption=words)


def _method(suspects: Suspects) -> Html:
    method = (
        "Linear probes learn from four fifths of the pictures at a time and judge the others; "
        "copies and groups stay together. Confident learning (Northcutt 2021) counts who is "
        "confidently of another class than labelled."
    )
    agreed = f"{suspects.agreement_words()} of labels are what the probes say."
    notes = [element("p", note, class_="quiet") for note in suspects.notes]
    return join([element("p", method), element("p", f"Features: {suspects.eye}. {agreed}"), *notes])
