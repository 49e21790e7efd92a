"""One reviewer's session: what the page asks for and posts, without anything of HTTP."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from scalptrack.errors import ImageReadError, InputError
from scalptrack.images import encode_image, read_photograph
from scalptrack.review.decisions import Change, Target
from scalptrack.review.log import Decision
from scalptrack.review.reviewed import (
    Reviewed,
    ReviewPlace,
    document_of,
    is_settled,
    seen_of,
)
from scalptrack.translation import marked, tr
from scalptrack.wording import finding_name

SHOWN_SIDE_PX = 1600
"""Longest side of a photograph on the page; what is drawn is kept in the photograph's pixels."""

KEPT_PICTURES = 12


class ReviewSession:
    """Everything behind the page.

    Parameters
    ----------
    place : ReviewPlace
        Results of `track`, or a study.
    reviewer : str
        Name that the page begins with; may be empty.

    Raises
    ------
    InputError
        If the decisions were tampered with.
    """

    def __init__(self, place: ReviewPlace, *, reviewer: str = "") -> None:
        self._place = place
        self.reviewer = reviewer
        self.store = place.store
        self.store.read()
        self._pictures: OrderedDict[str, tuple[bytes, tuple[int, int]]] = OrderedDict()
        self._lock = threading.Lock()

    def document(self) -> dict[str, Any]:
        """Decisions and log, for `review --json`."""
        return document_of(self._place.read(), self.store.place, self.store.read())

    def state(self) -> dict[str, Any]:
        """Everything that the page shows."""
        reviewed, log = self._place.read(), self.store.read()
        decisions = log.decisions()
        return document_of(reviewed, self.store.place, log) | {
            "title": reviewed.title,
            "reviewer": self.reviewer,
            "photo_root_known": reviewed.photographs_known,
            "series": _series(reviewed, decisions),
            "events": {
                name: each.value for (_, name, what), each in decisions.items() if what == "events"
            },
            "unfiled": [
                _shown(each, decisions)
                for each in reviewed.photographs
                if not (each["subject"] and each["view"])
            ],
        }

    def decide(self, who: str, changes: Sequence[Any]) -> dict[str, Any]:
        """Keep changes that the page posts; returns the new state.

        Raises
        ------
        InputError
            If they can't be decided, or (`ConflictError`) somebody else decided meanwhile.
        """
        parsed = [Change.from_dict(each) for each in changes]
        reviewed = self._place.read()
        decisions = self.store.read().decisions()
        completed = list(parsed)
        for change in parsed:
            _require_known(reviewed, change)
            completed += _consequences(reviewed, decisions, change, completed)
        self.store.decide(who, completed)
        return self.state()

    def undo(self, who: str, number: int) -> dict[str, Any]:
        """Take a line of the log back; returns the new state."""
        self.store.undo(who, number)
        return self.state()

    def unknown(self) -> int:
        """How many decisions hold on photographs and people that aren't among the results."""
        photographs = self._place.read().photographs
        names = {each[key] for each in photographs for key in ("sha256", "subject")}
        return sum(name not in names for _, name, _ in self.store.read().decisions())

    def photograph(self, sha256: str) -> tuple[bytes, tuple[int, int]]:
        """JPEG of a photograph, at most `SHOWN_SIDE_PX` long, and its true (width, height).

        Raises
        ------
        InputError
            If it can't be found or read.
        """
        with self._lock:
            if sha256 in self._pictures:
                self._pictures.move_to_end(sha256)
                return self._pictures[sha256]
        path = self._place.read().photograph_path(sha256)
        try:
            image, _ = read_photograph(path)
        except ImageReadError as error:
            raise InputError(str(error)) from error
        height, width = image.shape[:2]
        scale = SHOWN_SIDE_PX / max(height, width)
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        made = encode_image(image, suffix=".jpg", quality=85), (width, height)
        with self._lock:
            self._pictures[sha256] = made
            while len(self._pictures) > KEPT_PICTURES:
                self._pictures.popitem(last=False)
        return made

    def picture(self, name: str) -> bytes:
        """A picture of the results.

        Raises
        ------
        ScalptrackError
            If there is no such picture.
        """
        return self._place.read().picture(name)


def _series(reviewed: Reviewed, decisions: Mapping[Target, Decision]) -> list[dict[str, Any]]:
    """Subjects and views with their photographs, charts and changes."""
    places: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in reviewed.photographs:
        if each["subject"] and each["view"]:
            places.setdefault((each["subject"], each["view"]), []).append(each)
    charts = sorted(name for name in reviewed.outputs if name.endswith("/timeline.png"))
    found = []
    for (subject, view), rows in sorted(places.items()):
        photographs = [_shown(each, decisions) for each in rows]
        found.append(
            {
                "subject": subject,
                "view": view,
                "photographs": photographs,
                "need_a_look": sum(each["open"] for each in photographs),
                "chart": next((name for name in charts if _beside(name, rows)), None),
                "changes": [
                    each
                    for each in reviewed.changes
                    if (each.get("subject"), each.get("view")) == (subject, view)
                ],
            }
        )
    return found


def _beside(chart: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a chart lies in the folder of one of the photographs' pictures."""
    base = chart.removesuffix("timeline.png")
    return any(name.startswith(base) for row in rows for name in row["pictures"].values())


def _shown(photograph: Mapping[str, Any], decisions: Mapping[Target, Decision]) -> dict[str, Any]:
    """A photograph with what was decided on it."""
    own = {
        what: {"value": each.value, "who": each.who, "at": each.at}
        for (_, name, what), each in decisions.items()
        if name == photograph["sha256"] and photograph["decidable"]
    }
    verdict = decisions.get(("photo", photograph["sha256"], "verdict"))
    settled = is_settled(photograph, verdict)
    return dict(photograph) | {
        "reason": tr(photograph["reason"]),
        "findings": [_named(each) for each in photograph["findings"]],
        "decisions": own,
        "settled": settled,
        "open": bool(photograph["looks"]) and not settled,
        "seen": seen_of(photograph),
    }


def _named(finding: Mapping[str, Any]) -> dict[str, Any]:
    """A finding with its name; its advice is in the language of the run that wrote it.

    A whole sentence that an English run took from the catalogue, as most are, is found there again.
    """
    return dict(finding) | {
        "name": finding_name(finding["code"]),
        "advice": tr(finding["advice"]),
    }


def _require_known(reviewed: Reviewed, change: Change) -> None:
    """Refuse what is decided on a photograph or person that isn't there."""
    kind, name, _ = change.target
    key = "sha256" if kind == "photo" else "subject"
    if change.after is None or any(each[key] == name for each in reviewed.photographs):
        return
    missing = {
        "photo": marked("{results} has no photograph {name}."),
        "subject": marked("{results} has no person {name}."),
    }
    raise InputError(tr(missing[kind], results=reviewed.title, name=name))


def _consequences(
    reviewed: Reviewed,
    decisions: Mapping[Target, Decision],
    change: Change,
    already: Sequence[Change],
) -> list[Change]:
    """What has to change with a change, so that decisions don't contradict each other.

    One photograph of a series is the reference; one that is excluded is none; a region or points
    hold for the reference that they were set on, which is therefore kept.
    """
    _, sha256, what = change.target
    value = change.after
    if value is None or what in {"note", "events"}:
        return []
    wanted: dict[str, bool | None] = {}
    if what == "verdict" and value["verdict"] == "excluded":
        wanted[sha256] = None
    elif what in {"reference", "region"}:
        wanted[sha256] = True
    elif what == "points":
        wanted[value["reference"]] = True
    for chosen in [name for name, mark in wanted.items() if mark]:
        verdict = decisions.get(("photo", chosen, "verdict"))
        if verdict is not None and verdict.value["verdict"] == "excluded":
            msg = tr("An excluded photograph can't be the reference. Take it back first.")
            raise InputError(msg)
        wanted |= dict.fromkeys(_siblings(reviewed, chosen))
    named = {each.target for each in already}
    found = []
    for name, mark in wanted.items():
        target = ("photo", name, "reference")
        now = decisions.get(target)
        if target not in named and (now.value if now else None) != mark:
            found.append(Change(target, now.value if now else None, mark))
    return found


def _siblings(reviewed: Reviewed, sha256: str) -> list[str]:
    """The other photographs of the same subject and view."""
    rows = {each["sha256"]: (each["subject"], each["view"]) for each in reviewed.photographs}
    if sha256 not in rows:
        msg = tr("{results} has no photograph {name}.", results=reviewed.title, name=sha256[:12])
        raise InputError(msg)
    return [name for name, place in rows.items() if place == rows[sha256] and name != sha256]
