"""A page on this computer only: a small server that nobody else can reach or use.

It listens on 127.0.0.1, every address begins with a secret, the ``Host`` header has to be ours (a
page of somebody else's can point its own name at 127.0.0.1), a post has to come from our own page,
and no body is read before its length is known to be allowed.
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scalptrack.errors import InputError, ScalptrackError
from scalptrack.plain import to_plain

logger = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
TOKEN_BYTES = 24
TIMEOUT_S = 30.0
"""A browser that stalls in the middle of a request for so long is given up."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The page may load what this server gives and nothing else."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What a page asked: the values of the address, and the body."""

    values: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What the page gets; after the ``last`` one the server ends."""

    content: bytes
    content_type: str
    status: int = 200
    last: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """What answers one method and path; bodies longer than ``max_body`` bytes are not read."""

    answer: Callable[[Request], Response]
    max_body: int = 0


def json_response(document: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON document."""
    content = json.dumps(to_plain(dict(document)), ensure_ascii=False).encode("utf-8")
    return Response(content, "application/json", status)


@dataclass(slots=True)
class LocalServer:
    """Serves routes on 127.0.0.1 under a secret address until it is stopped.

    Parameters
    ----------
    routes : mapping of (str, str) to Route
        By method (``GET`` or ``POST``) and path without a leading slash.
    port : int
        0 takes any free one.

    Raises
    ------
    InputError
        When the port is taken or may not be used.
    """

    routes: Mapping[tuple[str, str], Route]
    port: int = 0
    token: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES), repr=False)
    _server: ThreadingHTTPServer = field(init=False, repr=False)

    def __post_init__(self) -> None:
        routes, token = self.routes, self.token

        class Handler(_Handler):
            pass

        Handler.routes, Handler.token = routes, token
        try:
            self._server = _Server((ADDRESS, self.port), Handler)
        except (OSError, OverflowError) as error:
            message = (
                f"Port {self.port} can't be used ({error}). Choose another --port, or leave it out."
            )
            raise InputError(message) from error
        self.port = self._server.server_address[1]
        Handler.hosts = frozenset({f"{ADDRESS}:{self.port}", f"localhost:{self.port}"})

    @property
    def url(self) -> str:
        """Address of the page; whoever has it, and is on this computer, can use the page."""
        return f"http://{ADDRESS}:{self.port}/{self.token}/"

    def serve(self) -> None:
        """Answer until a response is the last one, or `stop` is called."""
        try:
            self._server.serve_forever(poll_interval=0.1)
        finally:
            self._server.server_close()

    def stop(self) -> None:
        """End `serve`, from another thread."""
        self._server.shutdown()


class _Server(ThreadingHTTPServer):
    # A browser keeps spare connections open and silent: nobody waits for them at the end.
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A browser that goes away in the middle is no event worth a word on the terminal."""
        logger.debug("a request was broken off", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    routes: Mapping[tuple[str, str], Route] = {}
    token = ""
    hosts: frozenset[str] = frozenset()
    timeout = TIMEOUT_S
    server_version, sys_version = "scalptrack", ""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Addresses hold the secret: they go into no log."""

    def _answer(self, method: str) -> None:
        try:
            response = self._response(method)
        except ScalptrackError as error:
            response = json_response({"error": str(error)}, 400)
        except (TimeoutError, ConnectionError):
            self.close_connection = True
            return
        except Exception as error:  # the one boundary that isolates a request
            logger.exception("a request failed")
            words = f"An unexpected error stopped this request ({type(error).__name__}: {error})."
            response = json_response({"error": words}, 500)
        self._send(response)
        if response.last:
            self.server.shutdown()

    def _response(self, method: str) -> Response:
        """Answer of the route, or what was wrong with the request."""
        if self.headers.get("Host", "").lower() not in self.hosts:
            return _plain(421, "This page is for the computer itself.")
        address = urlsplit(self.path)
        token, _, path = address.path.lstrip("/").partition("/")
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return _plain(404, "Not found.")
        route = self.routes.get((method, path))
        if route is None:
            return _plain(404, "Not found.")
        origin = self.headers.get("Origin")
        if method == "POST" and origin is not None and urlsplit(origin).netloc not in self.hosts:
            return _plain(403, "Only this program's own page may do that.")
        values = {name: each[-1] for name, each in parse_qs(address.query).items()}
        if method == "GET":
            return route.answer(Request(values))
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            return _plain(411, "The length of what is sent is missing.")
        if int(length) > route.max_body:
            return _plain(413, f"At most {route.max_body} bytes are accepted.")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return _plain(400, "It was broken off.")
        return route.answer(Request(values, body))

    def _send(self, response: Response) -> None:
        try:
            self.send_response(response.status)
            for name, value in HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)
            if response.status == 413:
                # Unread data would reset the connection before the browser has read the answer.
                self.connection.shutdown(socket.SHUT_WR)
        except OSError:
            self.close_connection = True


def _plain(status: int, words: str) -> Response:
    return Response(words.encode("utf-8"), "text/plain; charset=utf-8", status)
