"""What a reviewer is shown, wherever it comes from: photographs, and what needs a look.

Results of `track` (`scalptrack.review.folder`) and studies (`scalptrack.study.reviewing`) are
reviewed alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from scalptrack.outputs import folder_name
from scalptrack.review.decisions import Target
from scalptrack.review.log import Decision, DecisionLog
from scalptrack.review.store import DecisionStore

WIDE_RATIO = 1.5
"""An interval this many times as wide as the median one of the run is worth a look; it decides no
number, only the order of work."""

SEEN_POINTS = 0.5
"""A coverage that moved by more than this many points since it was accepted is looked at again."""

PHOTOGRAPH_COLUMNS = (
    "subject",
    "view",
    "visit_date",
    "replicate",
    "photo",
    "sha256",
    "status",
    "reason",
    "reason_code",
    "tier",
    "coverage_percent",
    "coverage_low",
    "coverage_high",
    "region_px",
    "excluded_percent",
    "registration_residual_px",
    "registration_inliers",
    "not_compared",
)

KINDS = ("overlay", "compare", "gain-loss")
"""Pictures that a photograph may have."""

TO_DO = "to do"
"""Status of a photograph of a study that was not measured yet."""


class Reviewed(Protocol):
    """Results as they are now."""

    @property
    def title(self) -> str:
        """What they are called."""

    @property
    def photographs(self) -> tuple[dict[str, Any], ...]:
        """What is shown of each photograph (`shown_photographs`)."""

    @property
    def changes(self) -> tuple[dict[str, str], ...]:
        """Changes from the first visit, as ``changes.csv`` has them; empty to show none."""

    @property
    def outputs(self) -> frozenset[str]:
        """Names of pictures that can be shown."""

    @property
    def photographs_known(self) -> bool:
        """Whether it is known where the photographs are."""

    def photograph_path(self, sha256: str) -> Path:
        """Where a photograph lies whose content is still the same.

        Raises
        ------
        InputError
            If it isn't there, or is another one by now.
        """

    def picture(self, name: str) -> bytes:
        """One of the `outputs`.

        Raises
        ------
        ScalptrackError
            If there is no such picture, or it can't be read or drawn.
        """

    def is_stale(self, decisions: Mapping[Target, Decision]) -> bool:
        """Whether the numbers rest on other decisions than these."""

    def rerun_command(self, decisions: Mapping[Target, Decision]) -> str:
        """The command that brings the numbers up to date."""


class ReviewPlace(Protocol):
    """Where results and decisions on them are."""

    @property
    def store(self) -> DecisionStore:
        """The decisions."""

    def read(self) -> Reviewed:
        """The results, which a run may have changed meanwhile.

        Raises
        ------
        ScalptrackError
            If there are none, or they can't be read.
        """


def shown_photographs(
    rows: Iterable[Mapping[str, str]], outputs: frozenset[str], findings: Mapping[str, Any]
) -> tuple[dict[str, Any], ...]:
    """What a reviewer is shown of each photograph, and why it needs a look.

    Parameters
    ----------
    rows : iterable of mapping
        Rows as ``measurements.csv`` has them.
    outputs : frozenset of str
        Names of pictures that there are.
    findings : mapping
        Findings by SHA-256, as plain values.
    """
    photographs = [_photograph(row, outputs, findings) for row in rows]
    _add_looks(photographs)
    return tuple(photographs)


def picture_names(row: Mapping[str, Any]) -> dict[str, str]:
    """Names of the pictures that a photograph may have, by kind."""
    base = f"{folder_name(row['subject'])}/{folder_name(row['view'])}"
    stem = f"{base}/{row['visit_date']}_{row['replicate']}"
    return {kind: f"{stem}.{kind}.jpg" for kind in KINDS}


def _photograph(
    row: Mapping[str, str], outputs: frozenset[str], findings: Mapping[str, Any]
) -> dict[str, Any]:
    """One row with its pictures and findings."""
    shown: dict[str, Any] = {name: row.get(name) or "" for name in PHOTOGRAPH_COLUMNS}
    shown["is_reference"] = row.get("is_reference") == "yes"
    shown["warnings"] = [each for each in (row.get("warnings") or "").split("; ") if each]
    found = findings.get(shown["sha256"], ())
    shown["findings"] = [each for each in found if each.get("severity") != "info"]
    # What was rejected before anything was found in it can't be read as a picture.
    shown["viewable"] = shown["status"] != "rejected" or bool(found)
    names = picture_names(shown)
    shown["pictures"] = {kind: name for kind, name in names.items() if name in outputs}
    return shown


def _add_looks(photographs: Iterable[dict[str, Any]]) -> None:
    """Say of each photograph why it needs a look, if it does."""
    rows = list(photographs)
    widths = [width for each in rows if (width := _width(each)) is not None]
    usual = median(widths) if widths else 0.0
    for each in rows:
        width = _width(each)
        looks = []
        if each["status"] in {"refused", "rejected"}:
            looks.append(each["status"])
        if each["tier"] == "B":
            looks.append("tier_b")
        if each["not_compared"]:
            looks.append("not_compared")
        if width is not None and width > WIDE_RATIO * usual:
            looks.append("wide_interval")
        if each["status"] == "measured":
            differs = "second_opinion_differs" in each["warnings"]
            looks += ["second_opinion_differs"] if differs else []
            looks += ["flagged"] if len(each["warnings"]) > int(differs) else []
        # A file without a hash can't be decided on, and a copy is decided on with its original.
        decidable = each["sha256"] and each["reason_code"] != "duplicate_of"
        each["decidable"] = bool(decidable)
        each["looks"] = looks if decidable else []


def _width(row: Mapping[str, Any]) -> float | None:
    if not row["coverage_low"] or not row["coverage_high"]:
        return None
    return float(row["coverage_high"]) - float(row["coverage_low"])


def seen_of(photograph: Mapping[str, Any]) -> dict[str, str]:
    """What an acceptance stands for: the result as it was."""
    names = ("status", "tier", "reason_code", "coverage_percent")
    return {name: str(photograph[name]) for name in names}


def is_settled(photograph: Mapping[str, Any], decision: Decision | None) -> bool:
    """Whether a reviewer decided on this photograph, and it still gives what was decided on."""
    if decision is None:
        return False
    if decision.value["verdict"] == "excluded":
        return True
    before, now = decision.value["seen"], seen_of(photograph)
    if any(before[name] != now[name] for name in ("status", "tier", "reason_code")):
        return False
    old, new = before["coverage_percent"], now["coverage_percent"]
    try:
        return old == new or abs(float(old) - float(new)) <= SEEN_POINTS
    except ValueError:
        return False


def open_looks(reviewed: Reviewed, decisions: Mapping[Target, Decision]) -> int:
    """How many photographs still need a look."""
    return sum(
        bool(each["looks"])
        and not is_settled(each, decisions.get(("photo", each["sha256"], "verdict")))
        for each in reviewed.photographs
    )


def document_of(reviewed: Reviewed, place: str, log: DecisionLog) -> dict[str, Any]:
    """What `review --json` prints: decisions, log, and what still needs a look.

    Parameters
    ----------
    reviewed : Reviewed
        The results.
    place : str
        Where the decisions are kept.
    log : DecisionLog
        The decisions.
    """
    decisions = log.decisions()
    undone = log.undone()
    return {
        "schema": "scalptrack.review/1",
        "decisions_file": place,
        "log_sha256": log.head,
        "decisions": [
            {kind: name, "what": what, "value": each.value, "who": each.who, "at": each.at}
            for (kind, name, what), each in sorted(decisions.items())
        ],
        "log": [each.as_dict() | {"undone": each.number in undone} for each in log.entries],
        "photographs": len(reviewed.photographs),
        "need_a_look": open_looks(reviewed, decisions),
        "stale": reviewed.is_stale(decisions),
        "command": reviewed.rerun_command(decisions),
    }
