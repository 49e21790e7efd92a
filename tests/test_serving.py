"""The local server: what it answers, and to whom it doesn't."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading

import pytest

from scalptrack.errors import InputError
from scalptrack.serving import LocalServer, Manners, Request, Response, Route, json_response


def _fail(request: Request) -> Response:
    if request.values.get("how") == "ours":
        message = "Not like this."
        raise InputError(message)
    raise KeyError("surprise")


@pytest.fixture
def server():
    routes = {
        ("GET", ""): Route(lambda _: Response(b"<p>page", "text/html; charset=utf-8")),
        ("POST", "echo"): Route(lambda each: Response(each.body, "text/plain"), 10),
        ("GET", "values"): Route(lambda each: json_response({"values": dict(each.values)})),
        ("GET", "fail"): Route(_fail),
        ("GET", "below/"): Route(lambda each: Response(each.path.encode(), "text/plain")),
        ("GET", "below/own"): Route(lambda _: Response(b"own", "text/plain")),
        ("POST", "end"): Route(lambda _: Response(b"bye", "text/plain", last=True), 10),
    }
    server = LocalServer(routes)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server, thread
    server.stop()
    thread.join(5)


def ask(server, method, path, body=None, *, token=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    address = f"/{server.token if token is None else token}/{path}"
    with contextlib.closing(connection):
        connection.request(method, address, body=body, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
    return answer, content


def test_the_page_is_given_and_forbids_itself_everything_else(server):
    answer, content = ask(server[0], "GET", "")
    assert (answer.status, content) == (200, b"<p>page")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "microphone=()" in answer.headers["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_it_listens_on_this_computer_alone(server):
    assert server[0].url.startswith(f"http://127.0.0.1:{server[0].port}/")
    assert server[0]._server.socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("token", ["", "wrong", "x" * 32, "ü"])
def test_without_the_secret_there_is_nothing(server, token):
    from urllib.parse import quote

    answer, content = ask(server[0], "GET", "", token=quote(token))
    assert (answer.status, content) == (404, b"Not found.")


def test_an_encoded_secret_is_not_the_secret(server):
    token = server[0].token
    answer, _ = ask(server[0], "GET", "", token=f"%{ord(token[0]):02x}{token[1:]}")
    assert answer.status == 404


def test_the_secret_is_long_and_new_each_time(server):
    other = LocalServer({})
    assert other.token != server[0].token
    assert len(other.token) >= 32
    assert other.token not in repr(other)
    other._server.server_close()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "0.0.0.0:{port}"]
)
def test_another_name_for_this_computer_is_refused(server, host):
    answer, _ = ask(server[0], "GET", "", Host=host.format(port=server[0].port))
    assert answer.status == 421


def test_localhost_is_this_computer(server):
    answer, _ = ask(server[0], "GET", "", Host=f"localhost:{server[0].port}")
    assert answer.status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_another_page_may_not_post(server, origin):
    answer, _ = ask(server[0], "POST", "echo", b"hello", Origin=origin)
    assert answer.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://localhost:{port}"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_page_that_is_almost_ours_may_not_post(server, headers):
    port = server[0].port
    headers = {name: value.format(port=port) for name, value in headers.items()}
    answer, content = ask(server[0], "POST", "echo", b"hello", **headers)
    assert (answer.status, content) == (403, b"Only this program's own page may do that.")


def test_a_page_may_ask_more_of_posts():
    manners = Manners(token_header="X-Secret", post_type="application/json")
    routes = {("POST", "echo"): Route(lambda each: Response(each.body, "text/plain"), 10)}
    with LocalServer(routes, manners=manners) as server:
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        right = {"X_Secret": server.token, "Content_Type": "application/json; charset=utf-8"}
        assert ask(server, "POST", "echo", b"{}", **right)[1] == b"{}"
        wrong = ({"X_Secret": "x"}, {"X_Secret": ""}, {"Content_Type": "text/plain"})
        for each in wrong:
            assert ask(server, "POST", "echo", b"{}", **(right | each))[0].status == 403
        del right["X_Secret"]
        assert ask(server, "POST", "echo", b"{}", **right)[0].status == 403
        server.stop()
        thread.join(5)


def test_a_path_below_a_route_is_decoded(server):
    assert ask(server[0], "GET", "below/a%20b/%C3%BC.jpg")[1].decode() == "below/a b/ü.jpg"
    assert ask(server[0], "GET", "below/own")[1] == b"own"
    assert ask(server[0], "GET", "above/own")[0].status == 404


def test_no_other_page_shows_or_holds_it(server):
    answer, _ = ask(server[0], "GET", "")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_our_own_page_may_post(server):
    answer, content = ask(
        server[0], "POST", "echo", b"hello", Origin=f"http://127.0.0.1:{server[0].port}"
    )
    assert (answer.status, content) == (200, b"hello")


def test_a_body_that_is_too_long_is_not_read(server):
    assert ask(server[0], "POST", "echo", b"1234567890")[1] == b"1234567890"
    answer, content = ask(server[0], "POST", "echo", b"", Content_Length="11")
    assert (answer.status, content) == (413, b"At most 10 bytes are accepted.")
    for length in ("-1", "+5", "ten"):
        assert ask(server[0], "POST", "echo", b"", Content_Length=length)[0].status == 411


def test_a_body_that_breaks_off_is_no_body(server):
    with socket.create_connection(("127.0.0.1", server[0].port), timeout=20) as raw:
        head = f"POST /{server[0].token}/echo HTTP/1.1\r\nHost: 127.0.0.1:{server[0].port}\r\n"
        raw.sendall(f"{head}Content-Length: 9\r\n\r\nhalf".encode())
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(100).startswith(b"HTTP/1.0 400 ")


def test_errors_become_answers(server, caplog):
    answer, content = ask(server[0], "GET", "fail?how=ours")
    assert (answer.status, json.loads(content)) == (400, {"error": "Not like this."})
    answer, content = ask(server[0], "GET", "fail")
    assert answer.status == 500
    assert "KeyError" in json.loads(content)["error"]
    assert "surprise" in caplog.text
    assert server[0].token not in caplog.text
    assert ask(server[0], "GET", "none")[0].status == 404
    assert ask(server[0], "PUT", "echo", b"")[0].status == 501


def test_values_of_the_address_are_decoded(server):
    _, content = ask(server[0], "GET", "values?how=video%20frame&side=3&side=4")
    assert json.loads(content) == {"values": {"how": "video frame", "side": "4"}}


def test_after_the_last_answer_the_server_ends(server):
    # A spare connection, as browsers keep them, must not hold it up.
    with socket.create_connection(("127.0.0.1", server[0].port)):
        assert ask(server[0], "POST", "end", b"")[1] == b"bye"
        server[1].join(5)
        assert not server[1].is_alive()


def test_a_taken_port_is_said(server):
    with pytest.raises(InputError, match=rf"^Port {server[0].port} can't be used \("):
        LocalServer({}, server[0].port)
