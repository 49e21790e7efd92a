"""The review page: what answers each of its requests, on this computer only.

Who may ask at all is decided in `scalptrack.serving`; a post of this page also repeats the secret
in a header and is JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from scalptrack.errors import InputError, ScalptrackError
from scalptrack.review.session import ReviewSession
from scalptrack.review.store import ConflictError
from scalptrack.review.words import page_names, page_words
from scalptrack.serving import (
    LocalServer,
    Manners,
    Refusal,
    Request,
    Response,
    Route,
    json_response,
    page_response,
)
from scalptrack.translation import tr

MAX_BODY_BYTES = 1_000_000
TOKEN_HEADER = "X-Scalptrack-Token"  # noqa: S105 - the name of a header

_ASSETS = {
    "review.css": ("review.css", "text/css; charset=utf-8"),
    "review.js": ("review.js", "text/javascript; charset=utf-8"),
    "drawing.js": ("drawing.js", "text/javascript; charset=utf-8"),
    "words.js": ("words.js", "text/javascript; charset=utf-8"),
}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class ReviewServer(LocalServer):
    """Serves one session on 127.0.0.1, with the names of the standard library's servers.

    Parameters
    ----------
    session : ReviewSession
    port : int
        0 takes any free one.

    Raises
    ------
    InputError
        If the port is taken.
    """

    def __init__(self, session: ReviewSession, *, port: int = 0) -> None:
        self.session = session
        manners = Manners(
            policy=POLICY,
            permissions="camera=(), microphone=(), geolocation=()",
            refused=_refused,
            token_header=TOKEN_HEADER,
            post_type="application/json",
        )
        try:
            super().__init__(review_routes(session), port, manners)
        except InputError as error:
            cause = error.__cause__
            why = cause.strerror if isinstance(cause, OSError) else cause
            msg = f"Port {port} can't be used: {why or cause}. Choose another --port."
            raise InputError(msg) from cause

    @property
    def server_port(self) -> int:
        """The port that it listens on."""
        return self.port

    @property
    def server_address(self) -> tuple[str, int]:
        """Address and port that it listens on."""
        host, port = self._server.socket.getsockname()[:2]
        return host, port

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Answer until `shutdown` is called."""
        self._server.serve_forever(poll_interval)

    def shutdown(self) -> None:
        """End `serve_forever`, from another thread."""
        self.stop()


def review_routes(session: ReviewSession) -> dict[tuple[str, str], Route]:
    """Everything that the page may ask, or post."""
    routes = {("GET", name): Route(_looked_up(_asset_answer)) for name in _ASSETS}
    return routes | {
        ("GET", ""): Route(lambda _: _page()),
        ("GET", "state.json"): Route(_looked_up(lambda _: json_response(session.state()))),
        ("GET", "photo/"): Route(_looked_up(lambda each: _photograph(session, each.path))),
        ("GET", "picture/"): Route(_looked_up(lambda each: _picture(session, each.path))),
        ("POST", "decide"): Route(lambda each: _decide(session, each), MAX_BODY_BYTES),
        ("POST", "undo"): Route(lambda each: _undo(session, each), MAX_BODY_BYTES),
    }


def _looked_up(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """What can't be found is said with the status for it."""

    def found(request: Request) -> Response:
        try:
            return answer(request)
        except ScalptrackError as error:
            return json_response({"error": str(error)}, 404)

    return found


def _page() -> Response:
    return page_response(
        "scalptrack.review",
        "review.html.j2",
        words=json.dumps(page_words(), ensure_ascii=False),
        names=json.dumps(page_names(), ensure_ascii=False),
    )


def _asset_answer(request: Request) -> Response:
    name, kind = _ASSETS[request.path]
    return Response(_asset(name), kind)


def _photograph(session: ReviewSession, path: str) -> Response:
    """A photograph, or its true size, by the hash of its content."""
    sha256, _, kind = path.removeprefix("photo/").rpartition(".")
    if kind not in {"json", "jpg"}:
        return _refused(Refusal.GET_PATH, 0)
    picture, (width, height) = session.photograph(sha256)
    if kind == "json":
        return json_response({"width_px": width, "height_px": height})
    return Response(picture, "image/jpeg")


def _picture(session: ReviewSession, path: str) -> Response:
    kind = "image/png" if path.endswith(".png") else "image/jpeg"
    return Response(session.picture(path.removeprefix("picture/")), kind)


def _decide(session: ReviewSession, request: Request) -> Response:
    """Keep a decision."""
    body = _posted(request)
    changes = body.get("changes")
    if not isinstance(changes, list):
        return _refused(Refusal.POST_PATH, 0)
    return _unless_decided(lambda: session.decide(str(body.get("reviewer", "")), changes))


def _undo(session: ReviewSession, request: Request) -> Response:
    """Take a decision back."""
    body = _posted(request)
    number = body.get("number")
    if not isinstance(number, int):
        return _refused(Refusal.POST_PATH, 0)
    return _unless_decided(lambda: session.undo(str(body.get("reviewer", "")), number))


def _unless_decided(change: Callable[[], dict[str, Any]]) -> Response:
    """The new state, or that somebody else decided meanwhile."""
    try:
        return json_response(change())
    except ConflictError as error:
        return json_response({"error": str(error)}, 409)


def _posted(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        msg = tr("What was posted is not JSON.")
        raise InputError(msg) from error
    if not isinstance(body, dict):
        msg = tr("What was posted is not an object.")
        raise InputError(msg)
    return body


def _refused(refusal: Refusal, max_body: int) -> Response:
    """What the page says to a request that is not let through."""
    too_long = tr("At most {most} bytes can be posted.", most=max_body)
    status, words = {
        Refusal.HOST: (403, tr("This host name is not served.")),
        Refusal.SECRET: (403, tr("Open the address that `scalptrack review` printed.")),
        Refusal.ORIGIN: (403, tr("Only the page itself may decide.")),
        Refusal.GET_PATH: (404, tr("There is nothing here.")),
        Refusal.POST_PATH: (404, tr("There is nothing here to post to.")),
        Refusal.LENGTH: (400, too_long),
        Refusal.TOO_LONG: (400, too_long),
        Refusal.BROKEN_OFF: (400, tr("What was posted is not JSON.")),
    }[refusal]
    return json_response({"error": words}, status)


@cache
def _asset(name: str) -> bytes:
    """Content of one of the page's files."""
    return resources.files("scalptrack.review").joinpath("template", name).read_bytes()
