"""What a report calls codes that are never translated themselves: outcomes and findings."""

from __future__ import annotations

from scalptrack.records import Finding, Status
from scalptrack.translation import tr, trn
from scalptrack.wording import SHORT_MONTHS, STATUS_NAMES, finding_name, severity_words


def status_words(status: Status) -> str:
    """Write what became of a file."""
    return tr(STATUS_NAMES[status])


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
