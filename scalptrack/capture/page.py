"""The camera's page: what answers each of its requests."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from typing import Any

from scalptrack.capture.reference import CaptureReference
from scalptrack.capture.session import HOW, CaptureSession, Kept, Shot
from scalptrack.capture.words import page_words
from scalptrack.errors import InputError
from scalptrack.serving import Request, Response, Route, json_response, page_response
from scalptrack.wording import long_date

MAX_FRAME_BYTES = 4_000_000
MAX_PHOTOGRAPH_BYTES = 64_000_000
MAX_WORDS_BYTES = 1_000
MAX_CAMERA_SIDE_PX = 30_000

FIRST_FRAME_SIDE_PX = 800
"""Until it is known how wide the head is in it."""

JPEG_QUALITY = 0.95
"""Of frames that the page itself compresses; a camera's own photograph is kept as it is."""


def capture_routes(
    session: CaptureSession,
    reference: CaptureReference | None,
    *,
    no_reference: str | None,
) -> dict[tuple[str, str], Route]:
    """Everything that the page may ask.

    Parameters
    ----------
    no_reference : str or None
        Why there is no reference, for a person.
    """
    routes = {
        ("GET", ""): Route(lambda _: _page(session, reference, no_reference)),
        ("GET", "page.css"): Route(lambda _: _asset("page.css", "text/css; charset=utf-8")),
        ("GET", "page.js"): Route(lambda _: _asset("page.js", "text/javascript; charset=utf-8")),
        ("GET", "state"): Route(lambda _: json_response(_state(session))),
        ("POST", "frame"): Route(lambda each: _watch(session, each), MAX_FRAME_BYTES),
        ("POST", "shot"): Route(lambda each: _shoot(session, each), MAX_PHOTOGRAPH_BYTES),
        ("POST", "keep"): Route(lambda each: _keep(session, each), MAX_WORDS_BYTES),
        ("POST", "discard"): Route(lambda each: _discard(session, each), MAX_WORDS_BYTES),
        ("POST", "finish"): Route(lambda _: _finish(session), MAX_WORDS_BYTES),
        ("GET", "shot.jpg"): Route(lambda _: _waiting_picture(session)),
    }
    if reference is not None:
        outline = Response(reference.outline_png, "image/png")
        routes["GET", "outline.png"] = Route(lambda _: outline)
    return routes


def _page(
    session: CaptureSession, reference: CaptureReference | None, no_reference: str | None
) -> Response:
    return page_response(
        "scalptrack.capture",
        "page.html.j2",
        words=json.dumps(page_words(), ensure_ascii=False),
        subject=session.filing.subject,
        view=session.filing.view,
        day=long_date(session.filing.visit_date),
        wanted=session.wanted,
        reference=reference,
        reference_day=long_date(reference.visit_date) if reference else "",
        no_reference=no_reference,
        frame_side_px=FIRST_FRAME_SIDE_PX,
        quality=JPEG_QUALITY,
    )


def _asset(name: str, content_type: str) -> Response:
    folder = resources.files("scalptrack.capture").joinpath("template")
    return Response(folder.joinpath(name).read_bytes(), content_type)


def _state(session: CaptureSession) -> dict[str, Any]:
    shot = session.shot
    return {
        "wanted": session.wanted,
        "complete": session.complete,
        "kept": [kept_document(each) for each in session.kept],
        "shot": None if shot is None else _shot_document(shot),
    }


def _shot_document(shot: Shot) -> dict[str, Any]:
    judgement = shot.judgement
    return {
        "id": shot.id,
        "usable": judgement.usable,
        "hints": judgement.hints,
        "width_px": judgement.width_px,
        "height_px": judgement.height_px,
        "how": shot.how,
    }


def kept_document(kept: Kept) -> dict[str, Any]:
    """A filed photograph as plain values."""
    judgement = kept.judgement
    return {
        "photo": kept.photo,
        "replicate": kept.replicate,
        "sha256": kept.sha256,
        "how": kept.how,
        "width_px": judgement.width_px,
        "height_px": judgement.height_px,
        "usable": judgement.usable,
        "findings": judgement.findings,
        "against": judgement.against,
    }


def _watch(session: CaptureSession, request: Request) -> Response:
    sight = session.watch(request.body, _number(request, "side"))
    return json_response(
        {
            "ready": not sight.hints,
            "compared": sight.compared,
            "hints": sight.hints,
            "frame_side_px": sight.frame_side_px,
        }
    )


def _number(request: Request, name: str) -> int:
    text = request.values.get(name, "")
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MAX_CAMERA_SIDE_PX):
        message = f"{name} has to be a number of pixels, not {text[:20]!r}."
        raise InputError(message)
    return int(text)


def _shoot(session: CaptureSession, request: Request) -> Response:
    how = request.values.get("how", "")
    if how not in HOW:
        message = f"how has to be one of {', '.join(HOW)}, not {how[:20]!r}."
        raise InputError(message)
    return json_response(_shot_document(session.shoot(request.body, how)))


def _waiting_picture(session: CaptureSession) -> Response:
    shot = session.shot
    if shot is None:
        return json_response({"error": "No photograph waits."}, 404)
    return Response(shot.content, "image/jpeg")


def _keep(session: CaptureSession, request: Request) -> Response:
    session.keep(_words(request))
    return json_response(_state(session))


def _discard(session: CaptureSession, request: Request) -> Response:
    session.discard(_words(request))
    return json_response(_state(session))


def _words(request: Request) -> str:
    return request.body.decode("ascii", "replace")


def _finish(session: CaptureSession) -> Response:
    return replace(json_response(_state(session)), last=True)
