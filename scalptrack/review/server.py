"""The page's server: this computer only, this browser only, and nothing else.

It listens on 127.0.0.1. Every address begins with a secret that only the one who started it was
told; a request has to name this computer as its host (so that no stranger's name can be made to
point here), and one that changes something has to come from this page and repeat the secret.
"""

from __future__ import annotations

import hmac
import json
import secrets
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import unquote, urlsplit

from scalptrack.errors import InputError, ScalptrackError
from scalptrack.review.log import ConflictError
from scalptrack.review.session import ReviewSession

HOST = "127.0.0.1"
MAX_BODY_BYTES = 1_000_000
SOCKET_TIMEOUT_S = 30
TOKEN_HEADER = "X-Scalptrack-Token"  # noqa: S105 - the name of a header

_ASSETS = {
    "": ("review.html", "text/html; charset=utf-8"),
    "review.css": ("review.css", "text/css; charset=utf-8"),
    "review.js": ("review.js", "text/javascript; charset=utf-8"),
    "drawing.js": ("drawing.js", "text/javascript; charset=utf-8"),
}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class ReviewServer(ThreadingHTTPServer):
    """Serves one session on 127.0.0.1.

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

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, session: ReviewSession, *, port: int = 0) -> None:
        self.session = session
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            msg = f"Port {port} can't be used: {error.strerror or error}. Choose another --port."
            raise InputError(msg) from error

    @property
    def url(self) -> str:
        """Address of the page, with its secret."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    server_version = "scalptrack"
    sys_version = ""
    timeout = SOCKET_TIMEOUT_S

    def do_GET(self) -> None:  # the name that the library calls
        """Answer with the page, its state, or a picture."""
        path = self._allowed_path()
        if path is None:
            return
        session = self.server.session
        try:
            if path in _ASSETS:
                name, kind = _ASSETS[path]
                self._send(HTTPStatus.OK, kind, _asset(name))
            elif path == "state.json":
                self._send_json(HTTPStatus.OK, session.state())
            elif path.startswith("photo/") and path.endswith(".json"):
                _, (width, height) = session.photograph(path[6:-5])
                self._send_json(HTTPStatus.OK, {"width_px": width, "height_px": height})
            elif path.startswith("photo/") and path.endswith(".jpg"):
                self._send(HTTPStatus.OK, "image/jpeg", session.photograph(path[6:-4])[0])
            elif path.startswith("picture/"):
                kind = "image/png" if path.endswith(".png") else "image/jpeg"
                self._send(HTTPStatus.OK, kind, session.picture(path.removeprefix("picture/")))
            else:
                self._refuse(HTTPStatus.NOT_FOUND, "There is nothing here.")
        except ScalptrackError as error:
            self._refuse(HTTPStatus.NOT_FOUND, str(error))

    def do_POST(self) -> None:  # the name that the library calls
        """Keep a decision, or take one back."""
        path = self._allowed_path()
        if path is None or not self._from_this_page():
            return
        try:
            body = self._body()
            if path == "decide" and isinstance(body.get("changes"), list):
                state = self.server.session.decide(str(body.get("reviewer", "")), body["changes"])
            elif path == "undo" and isinstance(body.get("number"), int):
                state = self.server.session.undo(str(body.get("reviewer", "")), body["number"])
            else:
                self._refuse(HTTPStatus.NOT_FOUND, "There is nothing here to post to.")
                return
        except ConflictError as error:
            self._refuse(HTTPStatus.CONFLICT, str(error))
        except ScalptrackError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        else:
            self._send_json(HTTPStatus.OK, state)

    def _allowed_path(self) -> str | None:
        """Path behind the secret; None after a refusal."""
        hosts = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}
        if self.headers.get("Host") not in hosts:
            self._refuse(HTTPStatus.FORBIDDEN, "This host name is not served.")
            return None
        secret, _, path = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        if not hmac.compare_digest(secret.encode(), self.server.token.encode()):
            self._refuse(HTTPStatus.FORBIDDEN, "Open the address that `scalptrack review` printed.")
            return None
        return path

    def _from_this_page(self) -> bool:
        """Whether a request was made by the page itself and not by another one."""
        given = self.headers.get(TOKEN_HEADER, "")
        origin = self.headers.get("Origin")
        own = f"http://{self.headers.get('Host')}"
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        sound = (
            hmac.compare_digest(given.encode(), self.server.token.encode())
            and origin in {None, own}
            and site == "same-origin"
            and kind == "application/json"
        )
        if not sound:
            self._refuse(HTTPStatus.FORBIDDEN, "Only the page itself may decide.")
        return sound

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            msg = f"At most {MAX_BODY_BYTES} bytes can be posted."
            raise InputError(msg)
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            msg = "What was posted is not JSON."
            raise InputError(msg) from error
        if not isinstance(body, dict):
            msg = "What was posted is not an object."
            raise InputError(msg)
        return body

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._send_json(status, {"error": message})

    def _send_json(self, status: HTTPStatus, document: dict[str, Any]) -> None:
        content = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        self._send(status, "application/json; charset=utf-8", content)

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Content-Security-Policy": POLICY,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: Any) -> None:
        """Write no log of requests: their addresses hold the secret."""


@cache
def _asset(name: str) -> bytes:
    """Content of one of the page's files."""
    return resources.files("scalptrack.review").joinpath("page", name).read_bytes()
