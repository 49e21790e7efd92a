"""What a report calls codes that are never translated themselves: verdicts, outcomes, findings."""

from __future__ import annotations

from scalptrack.records import Finding, Status, Verdict
from scalptrack.translation import marked, tr, trn
from scalptrack.wording import SHORT_MONTHS, finding_name, severity_words

VERDICT_NAMES = {
    Verdict.INCREASE: marked("increase"),
    Verdict.DECREASE: marked("decrease"),
    Verdict.NO_DETECTABLE_CHANGE: marked("no detectable change"),
    Verdict.NOT_COMPARABLE: marked("not comparable"),
}
"""English, to be translated where they are used."""

_STATUS_NAMES = {
    Status.MEASURED: marked("measured"),
    Status.REFUSED: marked("refused"),
    Status.REJECTED: marked("rejected"),
}


def status_words(status: Status) -> str:
    """Write what became of a file."""
    return tr(_STATUS_NAMES[status])


def finding_title(finding: Finding) -> str:
    """Write what a finding is about and how bad it is, e.g. ``"low resolution (warning)"``."""
    name = finding_name(finding.code)
    return f"{name} ({severity_words(finding.severity)})"


def page_words() -> dict[str, str]:
    """Words of the page's own script, by the names that it knows them by."""
    return {
        "months": " ".join(tr(each) for each in SHORT_MONTHS),
        "chart": tr(
            "Interactive chart of visible hair coverage, {label}. Tab or arrow keys move from "
            "visit to visit."
        ),
        "show": tr("Show"),
        "time": tr("Time shown"),
        "earlier": tr("Earlier"),
        "in": tr("Zoom in"),
        "out": tr("Zoom out"),
        "later": tr("Later"),
        "all": tr("all"),
        "whole": tr("Show the whole time"),
        "hint": tr(
            "Point at a visit, tap it, or move with Tab and the arrow keys to read its numbers. "
            "Blue: higher than at baseline, orange: lower, grey: no detectable change."
        ),
        "band": tr("Band: what can't be told from measurement error ({series})."),
        "hollow": tr("Hollow: {less_sure}."),
    }


def files_words(count: int) -> str:
    """Write a count of files."""
    return trn("{count} file", "{count} files", count)
