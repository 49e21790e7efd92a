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
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from scalptrack.errors import InputError, ScalptrackError
from scalptrack.plain import to_plain
from scalptrack.translation import current_language, tr

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
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Refusal(Enum):
    """What can be wrong with a request before anything answers it."""

    HOST = auto()
    SECRET = auto()
    ORIGIN = auto()
    GET_PATH = auto()
    POST_PATH = auto()
    LENGTH = auto()
    TOO_LONG = auto()
    BROKEN_OFF = auto()


@dataclass(frozen=True, slots=True)
class Request:
    """What a page asked: the values of the address, the body, and the path behind the secret."""

    values: Mapping[str, str]
    body: bytes = b""
    path: str = ""


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
    text = json.dumps(to_plain(dict(document)), ensure_ascii=False)
    # File names may hold what no encoding has.
    return Response(text.encode("utf-8", "replace"), "application/json; charset=utf-8", status)


def page_response(package: str, template: str, **values: Any) -> Response:
    """A page made from a Jinja template in a package's folder ``template``.

    It knows ``values``, `tr` and the current ``language``, and escapes all that it is given.
    """
    environment = Environment(
        loader=PackageLoader(package, "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["tr"] = tr
    html = environment.get_template(template).render(language=current_language(), **values)
    return Response(html.encode("utf-8"), "text/html; charset=utf-8")


def _plain(status: int, words: str) -> Response:
    return Response(words.encode("utf-8"), "text/plain; charset=utf-8", status)


def _refused(refusal: Refusal, max_body: int) -> Response:
    """What a page that makes no words of its own says."""
    status, words = {
        Refusal.HOST: (421, "This page is for the computer itself."),
        Refusal.SECRET: (404, "Not found."),
        Refusal.ORIGIN: (403, "Only this program's own page may do that."),
        Refusal.GET_PATH: (404, "Not found."),
        Refusal.POST_PATH: (404, "Not found."),
        Refusal.LENGTH: (411, "The length of what is sent is missing."),
        Refusal.TOO_LONG: (413, f"At most {max_body} bytes are accepted."),
        Refusal.BROKEN_OFF: (400, "It was broken off."),
    }[refusal]
    return _plain(status, words)


@dataclass(frozen=True, slots=True)
class Manners:
    """What one page asks of its server beyond what all have in common.

    Attributes
    ----------
    policy : str
        Content-Security-Policy.
    permissions : str
        Permissions-Policy.
    refused : callable
        Makes the answer to a request that is not let through; it also gets the most bytes that may
        be posted there.
    token_header : str
        Header in which a post has to repeat the secret; empty: none.
    post_type : str
        Content type that a post has to have; empty: any.
    """

    policy: str = POLICY
    permissions: str = "camera=(self), microphone=(), geolocation=()"
    refused: Callable[[Refusal, int], Response] = _refused
    token_header: str = ""
    post_type: str = ""


@dataclass(slots=True)
class LocalServer:
    """Serves routes on 127.0.0.1 under a secret address until it is stopped.

    Requests are answered in the language that is current where the server is made.

    Parameters
    ----------
    routes : mapping of (str, str) to Route
        By method (``GET`` or ``POST``) and path without a leading slash; a path that ends with a
        slash answers for all below it that have no route of their own.
    port : int
        0 takes any free one.
    manners : Manners
        What is special about this page.

    Raises
    ------
    InputError
        When the port is taken or may not be used.
    """

    routes: Mapping[tuple[str, str], Route]
    port: int = 0
    manners: Manners = field(default_factory=Manners, repr=False)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES), repr=False)
    _server: ThreadingHTTPServer = field(init=False, repr=False)

    def __post_init__(self) -> None:
        class Handler(_Handler):
            pass

        Handler.routes, Handler.token, Handler.manners = self.routes, self.token, self.manners
        Handler.context = copy_context()
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

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
    # On Windows another program could else listen on the same port.
    allow_reuse_address = False

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A browser that goes away in the middle is no event worth a word on the terminal."""
        logger.debug("a request was broken off", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    routes: Mapping[tuple[str, str], Route] = {}
    token = ""
    hosts: frozenset[str] = frozenset()
    manners = Manners()
    context = Context()
    _unread = False
    timeout = TIMEOUT_S
    server_version, sys_version = "scalptrack", ""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Addresses hold the secret: they go into no log."""

    def _answer(self, method: str) -> None:
        self._unread = method == "POST"
        try:
            # Requests run in threads of their own, which don't know the language of the page.
            response = self.context.copy().run(self._response_or_error, method)
        except (TimeoutError, ConnectionError):
            self.close_connection = True
            return
        self._send(response)
        if response.last:
            self.server.shutdown()

    def _response_or_error(self, method: str) -> Response:
        """Answer of the route, or what stopped it."""
        try:
            return self._response(method)
        except ScalptrackError as error:
            return json_response({"error": str(error)}, 400)
        except (TimeoutError, ConnectionError):
            raise
        except Exception as error:  # the one boundary that isolates a request
            logger.exception("a request failed")
            words = tr(
                "An unexpected error stopped this request ({kind}: {error}).",
                kind=type(error).__name__,
                error=error,
            )
            return json_response({"error": words}, 500)

    def _response(self, method: str) -> Response:
        """Answer of the route, or what was wrong with the request."""
        refused = self.manners.refused
        if self.headers.get("Host") not in self.hosts:
            return refused(Refusal.HOST, 0)
        address = urlsplit(self.path)
        token, _, path = address.path.lstrip("/").partition("/")
        if not self._is_secret(token):
            return refused(Refusal.SECRET, 0)
        if method == "POST" and not self._from_our_page():
            return refused(Refusal.ORIGIN, 0)
        path = unquote(path)
        route = self.routes.get((method, path))
        route = route or self.routes.get((method, f"{path.partition('/')[0]}/"))
        if route is None:
            return refused(Refusal.POST_PATH if method == "POST" else Refusal.GET_PATH, 0)
        values = {name: each[-1] for name, each in parse_qs(address.query).items()}
        if method == "GET":
            return route.answer(Request(values, path=path))
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            return refused(Refusal.LENGTH, route.max_body)
        if int(length) > route.max_body:
            return refused(Refusal.TOO_LONG, route.max_body)
        body = self.rfile.read(int(length))
        self._unread = False
        if len(body) < int(length):
            return refused(Refusal.BROKEN_OFF, route.max_body)
        return route.answer(Request(values, body, path))

    def _is_secret(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _from_our_page(self) -> bool:
        """Whether a post was made by the page itself and not by another one."""
        manners = self.manners
        given = self.headers.get(manners.token_header, "") if manners.token_header else self.token
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        return (
            self._is_secret(given)
            and self.headers.get("Origin") in {None, f"http://{self.headers.get('Host')}"}
            and self.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
            and manners.post_type in {"", kind}
        )

    def _send(self, response: Response) -> None:
        special = {
            "Content-Security-Policy": self.manners.policy,
            "Permissions-Policy": self.manners.permissions,
            "Content-Type": response.content_type,
            "Content-Length": str(len(response.content)),
        }
        try:
            self.send_response(response.status)
            for name, value in (HEADERS | special).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.content)
            if self._unread:
                # Unread data would reset the connection before the browser has read the answer.
                self.connection.shutdown(socket.SHUT_WR)
        except OSError:
            self.close_connection = True
