"""The results of a run as a reviewer sees them: series, photographs, and what needs a look."""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from statistics import median
from typing import Any

from scalptrack.errors import ImageReadError, InputError
from scalptrack.images import sha256_of_file
from scalptrack.outputs import folder_name
from scalptrack.review.applying import effective
from scalptrack.review.decision_file import DECISIONS_NAME
from scalptrack.review.decisions import Target
from scalptrack.review.log import Decision, DecisionLog
from scalptrack.run_record import read_run_record

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


@dataclass(frozen=True, slots=True)
class ReviewFolder:
    """What `track` wrote into a folder.

    Attributes
    ----------
    root : Path
        The folder.
    photographs : tuple of dict
        One for each row of ``measurements.csv``, with what a reviewer is shown of it.
    changes : tuple of dict
        Rows of ``changes.csv``.
    outputs : frozenset of str
        Names of the files that the run wrote.
    applied : list or None
        Decisions that the run applied; None when it applied none.
    photo_root : Path or None
        Where the photographs are.
    arguments : tuple of str
        Of the run, to do it again; empty when they aren't known.
    """

    root: Path
    photographs: tuple[dict[str, Any], ...]
    changes: tuple[dict[str, str], ...]
    outputs: frozenset[str]
    applied: list[dict[str, Any]] | None
    photo_root: Path | None
    arguments: tuple[str, ...]

    @property
    def decisions_path(self) -> Path:
        """The file of decisions that a rerun into this folder applies."""
        words = self.arguments
        named = [words[i + 1] for i, each in enumerate(words[:-1]) if each == "--decisions"]
        return Path(named[0]) if named else self.root / DECISIONS_NAME

    def photograph_path(self, sha256: str) -> Path:
        """Where a photograph of the run lies, whose content is still the same.

        Raises
        ------
        InputError
            If it isn't there, or is another one by now.
        """
        row = next((each for each in self.photographs if each["sha256"] == sha256), None)
        name = PurePosixPath(row["photo"]) if row else None
        if name is None or self.photo_root is None or name.is_absolute() or ".." in name.parts:
            msg = "This photograph can't be found. Say where they are: --photos FOLDER."
            raise InputError(msg)
        path = self.photo_root / name
        try:
            same = sha256_of_file(path) == sha256
        except ImageReadError as error:
            msg = f"{path} can't be read. Say where the photographs are: --photos FOLDER."
            raise InputError(msg) from error
        if not same:
            msg = f"{path} has another content than when it was measured. Run `track` again."
            raise InputError(msg)
        return path


def read_folder(root: Path, *, photos: Path | None = None) -> ReviewFolder:
    """Read the results in a folder.

    Parameters
    ----------
    root : Path
        Where `track` wrote its results.
    photos : Path, optional
        Where the photographs are, if not where the run found them.

    Raises
    ------
    InputError
        If there are no results.
    """
    rows, changes = (_table(root, name) for name in ("measurements.csv", "changes.csv"))
    try:
        record = json.loads((root / "provenance.json").read_text(encoding="utf-8"))
        outputs = frozenset(str(each) for each in record["outputs"])
        decisions = record.get("decisions")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_results(root) from error
    run = read_run_record(root)
    stored = run.get("photographs")
    if photos is not None:
        photos = photos if photos.is_dir() else photos.parent
    known_findings: dict[str, Any] = run.get("findings", {})
    photographs = [_photograph(row, outputs, known_findings) for row in rows]
    _add_looks(photographs)
    return ReviewFolder(
        root=root,
        photographs=tuple(photographs),
        changes=tuple(changes),
        outputs=outputs,
        applied=decisions.get("applied") if isinstance(decisions, dict) else None,
        photo_root=photos or (Path(stored) if isinstance(stored, str) else None),
        arguments=tuple(str(each) for each in run.get("arguments", ())),
    )


def _table(root: Path, name: str) -> list[dict[str, str]]:
    try:
        with (root / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _no_results(root) from error


def _no_results(root: Path) -> InputError:
    return InputError(
        f"{root} holds no results of `scalptrack track`. Run it first: "
        f"scalptrack track PHOTOS --out {root}"
    )


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
    base = f"{folder_name(shown['subject'])}/{folder_name(shown['view'])}"
    stem = f"{base}/{shown['visit_date']}_{shown['replicate']}"
    names = {kind: f"{stem}.{kind}.jpg" for kind in ("overlay", "compare", "gain-loss")}
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


def open_looks(folder: ReviewFolder, decisions: Mapping[Target, Decision]) -> int:
    """How many photographs still need a look."""
    return sum(
        bool(each["looks"])
        and not is_settled(each, decisions.get(("photo", each["sha256"], "verdict")))
        for each in folder.photographs
    )


def is_stale(folder: ReviewFolder, decisions: Mapping[Target, Decision]) -> bool:
    """Whether the numbers in the folder rest on other decisions than those of now."""
    names = {each["sha256"] for each in folder.photographs}
    names |= {each["subject"] for each in folder.photographs}
    known = {target: each for target, each in decisions.items() if target[1] in names}
    return _values(effective(known)) != _values(folder.applied or [])


def _values(applied: Iterable[Mapping[str, Any]]) -> list[str]:
    """Decisions that were applied; who made them again meanwhile changes no number."""
    return sorted(
        json.dumps({k: v for k, v in each.items() if k != "at"}, sort_keys=True) for each in applied
    )


def rerun_command(folder: ReviewFolder, decisions: Mapping[Target, Decision]) -> str:
    """The command that brings the numbers up to date."""
    words = list(folder.arguments)
    if not words:
        return f"scalptrack track PHOTOS --out {shlex.quote(str(folder.root.resolve()))}"
    decided = {
        (each["subject"], each["view"])
        for each in folder.photographs
        if ("photo", each["sha256"], "reference") in decisions
    }
    places = {each["photo"]: (each["subject"], each["view"]) for each in folder.photographs}
    kept: list[str] = []
    index = 0
    while index < len(words):
        if words[index] == "--reference" and index + 1 < len(words):
            # A reference that was chosen on the page replaces the one of the command line.
            if places.get(words[index + 1]) not in decided:
                kept += words[index : index + 2]
            index += 2
            continue
        kept.append(words[index])
        index += 1
    return shlex.join(["scalptrack", *kept])


def document_of(folder: ReviewFolder, log: DecisionLog) -> dict[str, Any]:
    """What `review --json` prints: decisions, log, and what still needs a look."""
    decisions = log.decisions()
    undone = log.undone()
    return {
        "schema": "scalptrack.review/1",
        "decisions_file": folder.decisions_path.as_posix(),
        "log_sha256": log.head,
        "decisions": [
            {kind: name, "what": what, "value": each.value, "who": each.who, "at": each.at}
            for (kind, name, what), each in sorted(decisions.items())
        ],
        "log": [each.as_dict() | {"undone": each.number in undone} for each in log.entries],
        "photographs": len(folder.photographs),
        "need_a_look": open_looks(folder, decisions),
        "stale": is_stale(folder, decisions),
        "command": rerun_command(folder, decisions),
    }
