"""The page of label issues: one HTML file, with the images."""

from __future__ import annotations

from saccade.audit.label_issue import LabelIssue, LabelIssues
from saccade.report.images import Thumbnails
from saccade.report.page import (
    LISTED,
    Html,
    Section,
    element,
    facts,
    folded_list,
    image_grid,
    join,
    page,
    table,
    unbroken,
)
from saccade.words import percent

SHOWN = 60  # images
CLASSES = 20  # up to which the noise matrix is shown


def label_issues_page(issues: LabelIssues, *, footer: str = "") -> str:
    """The page as text; self-contained, under 3 MB whatever the size of the set."""
    sections = [Section("Label issues", join([_overview(issues), *_issue_sections(issues)]))]
    if len(issues.classes) <= CLASSES:
        sections.append(Section("Noise matrix (given label, true label)", _noise(issues)))
    sections.append(Section("How they were found", _method(issues)))
    count = len(issues.issues)
    sentence = f"{count:,} of {issues.n:,} images look wrongly labelled."
    lead = sentence if count else f"None of {issues.n:,} images stands out as wrongly labelled."
    return page(f"Label issues of {issues.data}", sections, lead=lead, footer=footer)


def _overview(issues: LabelIssues) -> Html:
    interval = issues.interval
    rate = f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %" if interval else "unknown"
    return facts(
        {
            "images": (f"{issues.n:,}", f"{len(issues.classes)} classes"),
            "label issues": (
                f"{len(issues.issues):,}",
                f"about {percent(issues.precision)} of them wrong" if issues.issues else "",
            ),
            "share of wrong labels": (rate, f"most likely {percent(issues.label_error_rate)}"),
            "probe accuracy": (
                percent(issues.agreements / issues.n),
                "agreement with the given labels",
            ),
        }
    )


def _issue_sections(issues: LabelIssues) -> list[Html]:
    """The worst issues with their images, then all as a table."""
    thumbnails = Thumbnails(issues.items)
    cells = [thumbnails.show(s.name, _caption(s)) for s in issues.issues[:SHOWN]]
    images = [cell for cell in cells if cell]
    if not issues.issues:
        return [element("p", "Nothing to look at.")]
    rows = [
        (
            s.name,
            s.split,
            s.given,
            s.suggested,
            *map(percent, (s.p_given, s.p_suggested, s.p_wrong)),
        )
        for s in issues.issues[:LISTED]
    ]
    head = ("image", "split", "given", "suggested", "p(given)", "p(suggested)", "p(wrong)")
    folded_table = folded_list(len(issues.issues), "label issues", table(head, rows))
    advice = (
        "The most certain first. Look before you change a label: a rare but right one is here, too."
    )
    return [element("p", advice, class_="quiet"), image_grid(images), folded_table]


def _percents(issue: LabelIssue) -> tuple[str, str, str]:
    return percent(issue.p_given), percent(issue.p_suggested), percent(issue.p_wrong)


def _caption(issue: LabelIssue) -> str:
    return f"labelled {issue.given}, probably {issue.suggested} {percent(issue.p_suggested)}"


def _noise(issues: LabelIssues) -> Html:
    head = ("given label (rows), true label (columns)", *issues.classes)
    rows = [
        (name, *(unbroken(percent(share)) for share in row))
        for name, row in zip(issues.classes, issues.noise_matrix)
    ]
    caption = "Of the images that are truly of a class, the share with each given label; estimated."
    return table(head, rows, caption=caption)


def _method(issues: LabelIssues) -> Html:
    method = (
        "Linear probes learn from some folds of the images at a time and judge the others; "
        "look-alikes and groups stay in one fold. Wrong labels do not care how clear an image is, "
        "mistakes do: so the share of wrong labels is that of the surer half of the predictions, "
        "and from it follows how probable each label is to be wrong."
    )
    agreement = f"{issues.agreement_text()} of labels are what the probes say."
    notes = [element("p", note, class_="quiet") for note in issues.notes]
    return join(
        [element("p", method), element("p", f"Features: {issues.features}. {agreement}"), *notes]
    )
