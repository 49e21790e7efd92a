"""The page's server: who may ask, who may decide, and what comes back."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator

import pytest

from scalptrack.errors import InputError
from scalptrack.review.folder import FolderPlace
from scalptrack.review.server import MAX_BODY_BYTES, ReviewServer
from scalptrack.review.session import ReviewSession
from tests.review.results import NAMES, write_results

EXCLUDED = {"verdict": "excluded", "reason": "another person"}
TRIANGLE = {"polygons": [[[10.0, 10.0], [50.0, 10.0], [30.0, 40.0]]]}


class Served:
    """A served session, and requests as a browser or a stranger makes them."""

    def __init__(self, server: ReviewServer, hashes: dict[str, str]) -> None:
        self.server, self.hashes = server, hashes

    def ask(self, method, path, *, body=None, token=True, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=60)
        own = {"Host": f"127.0.0.1:{self.server.server_port}"}
        if method == "POST":
            own |= {"Content-Type": "application/json", "X-Scalptrack-Token": self.server.token}
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        prefix = f"/{self.server.token}/" if token else "/"
        content = json.dumps(body) if isinstance(body, dict) else body
        with contextlib.closing(connection):  # Also when the server hangs up on a long body.
            connection.request(method, prefix + path, content, own)
            answer = connection.getresponse()
            content = answer.read()
        is_json = answer.headers["Content-Type"].startswith("application/json")
        return answer, json.loads(content) if is_json else content

    def decide(self, name, what, after, *, before=None, who="Dr. Grey", **headers):
        change = {"photo": self.hashes[name], "what": what, "before": before, "after": after}
        body = {"reviewer": who, "changes": [change]}
        return self.ask("POST", "decide", body=body, **headers)


@pytest.fixture
def served(tmp_path) -> Iterator[Served]:
    out, _, hashes = write_results(tmp_path)
    with ReviewServer(ReviewSession(FolderPlace(out))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield Served(server, hashes)
        server.shutdown()
        thread.join()


def _photo(state, name):
    every = [each for series in state["series"] for each in series["photographs"]]
    return next(each for each in every if each["photo"] == name)


def test_the_page_forbids_itself_everything_else(served):
    assert served.server.server_address[0] == "127.0.0.1"
    answer, page = served.ask("GET", "")
    assert answer.status == 200
    assert b'<script type="module" src="review.js">' in page
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    for name in ("review.js", "drawing.js", "review.css"):
        assert served.ask("GET", name)[0].status == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("", {"token": False}),
        ("state.json", {"token": False}),
        ("wrong-secret/state.json", {"token": False}),
        ("state.json", {"Host": "evil.example"}),
        ("state.json", {"Host": "127.0.0.1"}),
    ],
)
def test_strangers_are_refused(served, path, headers):
    answer, body = served.ask("GET", path, **headers)
    assert answer.status == 403
    assert list(body) == ["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Scalptrack_Token": "guessed"},
        {"Origin": "http://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Content_Type": "text/plain"},
        {"Host": "evil.example"},
    ],
)
def test_only_the_page_itself_decides(served, headers):
    answer, _ = served.decide(NAMES[2], "verdict", EXCLUDED, **headers)
    assert answer.status == 403
    assert not served.server.session.store.path.exists()


@pytest.mark.parametrize("name", ["../photos/a.jpg", "provenance.json", "/etc/a.jpg", "a.jpg"])
def test_only_pictures_of_the_run_are_given(served, name):
    answer, body = served.ask("GET", f"picture/{name}")
    assert (answer.status, body["error"]) == (404, "There is no such picture.")


def test_photographs_are_given_by_content_and_only_unchanged(served, tmp_path):
    sha256 = served.hashes[NAMES[0]]
    assert served.ask("GET", f"photo/{sha256}.json")[1] == {"width_px": 180, "height_px": 120}
    answer, picture = served.ask("GET", f"photo/{sha256}.jpg")
    assert (answer.headers["Content-Type"], picture[:2]) == ("image/jpeg", b"\xff\xd8")
    (tmp_path / "photos" / NAMES[1]).write_bytes(b"replaced")
    answer, body = served.ask("GET", f"photo/{served.hashes[NAMES[1]]}.jpg")
    assert answer.status == 404
    assert "has another content than when it was measured" in body["error"]
    overlay = served.ask("GET", "picture/anna/vertex/2026-01-10_1.overlay.jpg")[1]
    assert overlay[:2] == b"\xff\xd8"


def test_the_list_says_what_needs_a_look_and_why(served):
    _, state = served.ask("GET", "state.json")
    assert [(each["subject"], each["view"], each["need_a_look"]) for each in state["series"]] == [
        ("anna", "vertex", 2),
        ("ben", "frontal", 0),
    ]
    assert [_photo(state, name)["looks"] for name in NAMES] == [
        [],
        ["wide_interval", "flagged"],
        ["refused"],
        [],
    ]
    assert (state["stale"], state["decisions"], state["log"]) == (False, [], [])
    assert [each["chart"] for each in state["series"]] == ["anna/vertex/timeline.png", None]


def test_a_decision_is_kept_makes_the_numbers_stale_and_is_undone(served):
    answer, state = served.decide(NAMES[2], "verdict", EXCLUDED)
    assert answer.status == 200
    assert state["stale"] is True
    assert state["need_a_look"] == 1
    assert _photo(state, NAMES[2])["decisions"]["verdict"]["value"] == EXCLUDED
    _, state = served.ask("POST", "undo", body={"reviewer": "Dr. Grey", "number": 1})
    assert (state["stale"], state["need_a_look"]) == (False, 2)
    assert [each["undone"] for each in state["log"]] == [True, False]


def test_an_acceptance_holds_for_what_was_seen(served, tmp_path):
    _, state = served.ask("GET", "state.json")
    seen = _photo(state, NAMES[1])["seen"]
    _, state = served.decide(NAMES[1], "verdict", {"verdict": "accepted", "seen": seen})
    assert (state["stale"], _photo(state, NAMES[1])["settled"]) == (False, True)
    path = tmp_path / "results" / "measurements.csv"
    path.write_text(path.read_text().replace("54.000", "54.400"))
    assert _photo(served.ask("GET", "state.json")[1], NAMES[1])["settled"] is True
    path.write_text(path.read_text().replace("54.400", "54.600"))
    assert _photo(served.ask("GET", "state.json")[1], NAMES[1])["open"] is True


def test_two_tabs_that_decide_on_the_same_thing(served):
    assert served.decide(NAMES[2], "verdict", EXCLUDED, who="A")[0].status == 200
    answer, body = served.decide(NAMES[2], "verdict", EXCLUDED | {"reason": "blur"}, who="B")
    assert answer.status == 409
    assert body["error"].startswith("A changed the verdict meanwhile")
    assert served.decide(NAMES[1], "note", "elsewhere", who="B")[0].status == 200


def test_a_region_keeps_its_photograph_as_the_reference(served):
    _, state = served.decide(NAMES[0], "region", TRIANGLE)
    assert [each["what"] for each in state["log"][0]["changes"]] == ["region", "reference"]
    assert "--reference" not in state["command"]
    assert state["command"].startswith("scalptrack track ")
    _, state = served.decide(NAMES[1], "reference", True)
    marks = [_photo(state, name)["decisions"].get("reference") for name in NAMES[:2]]
    assert marks[0] is None
    assert marks[1]["value"] is True
    _, state = served.decide(NAMES[1], "verdict", EXCLUDED)
    assert "reference" not in _photo(state, NAMES[1])["decisions"]
    answer, body = served.decide(NAMES[1], "region", TRIANGLE)
    assert answer.status == 400
    assert "An excluded photograph can't be the reference" in body["error"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[]", "What was posted is not an object."),
        ("{", "What was posted is not JSON."),
        ("x" * (MAX_BODY_BYTES + 1), f"At most {MAX_BODY_BYTES} bytes can be posted."),
    ],
    ids=["not an object", "not JSON", "too long"],
)
def test_what_is_no_decision_is_refused(served, body, message):
    try:
        answer, found = served.ask("POST", "decide", body=body)
    except (BrokenPipeError, ConnectionResetError):
        assert len(body) > MAX_BODY_BYTES
        return
    assert (answer.status, found["error"]) == (400, message)


def test_unknown_photographs_and_namelessness_are_refused(served):
    change = {"photo": "f" * 64, "what": "note", "before": None, "after": "x"}
    answer, body = served.ask("POST", "decide", body={"reviewer": "A", "changes": [change]})
    assert (answer.status, "has no photograph fff" in body["error"]) == (400, True)
    answer, body = served.decide(NAMES[1], "note", "x", who=" ")
    assert (answer.status, body["error"][:15]) == (400, "Say who decides")


def test_a_port_that_is_taken_is_said(served, tmp_path):
    with pytest.raises(InputError, match=r"Port \d+ can't be used"):
        ReviewServer(served.server.session, port=served.server.server_port)
