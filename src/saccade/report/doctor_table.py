"""doctor_table: a diagnosis for a terminal, in words and small bars."""

from __future__ import annotations

from collections.abc import Sequence

from saccade.data.doctor.case import Finding
from saccade.data.doctor.diagnosis import Diagnosis

BARS = " ▁▂▃▄▅▆▇█"
EXAMPLES = 3  # paths under a finding
CLASSES = 12  # label counts that are shown
LONGEST = 24  # signs of a bar
MARGIN = 10  # signs


def doctor_table(diagnosis: Diagnosis) -> str:
    """Some lines about the set, then every finding with its first paths."""
    numbers = diagnosis.numbers()
    size = numbers["bytes"]
    assert isinstance(size, int)
    classes = len(diagnosis.case.classes)
    held = [f"{diagnosis.count:,} pictures"] + [f"{classes:,} classes"] * bool(classes)
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
    lines += _labels(diagnosis)
    for finding in diagnosis.findings:
        lines += ["", *_finding(finding)]
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


def _labels(diagnosis: Diagnosis) -> list[str]:
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


def _finding(finding: Finding) -> list[str]:
    lines = [_line(finding.severity, finding.words)]
    if finding.together:
        shown = [" = ".join(names[:4]) for names in finding.together[:EXAMPLES]]
        more = len(finding.together) - len(shown)
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
