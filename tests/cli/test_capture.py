"""``scalptrack capture`` from the command to the files, spoken to as its page does."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import re
import shutil
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from PIL import Image

from scalptrack.catalog import catalog_folder
from scalptrack.cli.main import main
from scalptrack.serving import LocalServer


@dataclass
class Page:
    """What the page would ask, without a browser."""

    server: LocalServer

    def ask(self, method: str, path: str, body: bytes | None = None) -> dict:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=300)
        with contextlib.closing(connection):
            connection.request(method, f"{urlsplit(self.server.url).path}{path}", body=body)
            answer = connection.getresponse()
            content = answer.read()
        assert answer.status == 200, content
        return json.loads(content) if content[:1] == b"{" else {"length": len(content)}


def _run(monkeypatch, arguments, visit):
    """Run the command while ``visit`` does what a person would do on the page."""
    acting = []

    def act(server):
        try:
            visit(Page(server))
        finally:
            server.stop()

    serve = LocalServer.serve

    def serve_and_act(server):
        acting.append(person.submit(act, server))
        serve(server)

    monkeypatch.setattr(LocalServer, "serve", serve_and_act)
    with ThreadPoolExecutor(1) as person:
        result = CliRunner().invoke(main, ["capture", *map(str, arguments)])
    for each in acting:
        each.result()
    return result


def _jpeg(path, *, quality=95, side=None) -> bytes:
    with Image.open(path) as image:
        picture = image.convert("RGB")
    if side:
        picture.thumbnail((side, side))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@pytest.fixture
def series(samples, tmp_path):
    folder = tmp_path / "photos" / "anna" / "vertex"
    folder.mkdir(parents=True)
    shutil.copy(samples / "subject-03" / "vertex" / "2024-03-04_1.jpg", folder / "2024-03-04.jpg")
    return tmp_path / "photos"


def test_a_visit_is_watched_judged_and_filed_in_its_series(monkeypatch, samples, series):
    source = samples / "subject-03" / "vertex"
    seen = {}

    def visit(page):
        assert page.ask("GET", "outline.png")["length"] > 1000
        frame = _jpeg(source / "2024-03-04_2.jpg", side=800)
        seen["frame"] = page.ask("POST", "frame?side=1200", frame)
        for name in ("2024-03-04_2.jpg", "2024-06-03.jpg"):
            shot = page.ask("POST", "shot?how=camera", _jpeg(source / name))
            seen.setdefault("shots", []).append(shot)
            page.ask("POST", "keep", shot["id"].encode())
        page.ask("POST", "finish", b"")

    arguments = [series, "--out", series, "--no-browser", "--json"]
    result = _run(monkeypatch, arguments, visit)
    assert result.exit_code == 0, result.output
    # The frame shows the reference's own scene: whatever is said of it, a head was seen.
    assert "no_head" not in [each["code"] for each in seen["frame"]["hints"]]
    assert 640 <= seen["frame"]["frame_side_px"] <= 1600
    document = json.loads(result.stdout)
    assert document["schema"] == "scalptrack.capture/1"
    assert (document["subject"], document["view"]) == ("anna", "vertex")
    assert document["reference"] == "anna/vertex/2024-03-04.jpg"
    day = document["visit_date"]
    photographs = document["photographs"]
    names = [f"anna/vertex/{day}_1.jpg", f"anna/vertex/{day}_2.jpg"]
    assert [each["photo"] for each in photographs] == names
    assert [each["usable"] for each in photographs] == [True, True]
    assert [each["against"]["registered"] for each in photographs] == [True, True]
    assert (photographs[0]["width_px"], photographs[0]["height_px"]) == (900, 1200)
    assert len(catalog_folder(series).photographs) == 3
    lines = result.stderr.splitlines()
    assert re.fullmatch(
        r"The camera's page \(for this computer only\): http://127\.0\.0\.1:\d+/[\w-]{32}/",
        lines[0],
    )
    assert lines[1] == "Finish on the page, or press Ctrl+C here."
    assert lines[-1] == "2 of 2 photographs filed, 0 retaken"


def test_a_new_series_has_no_outline_and_a_bad_photograph_is_said(monkeypatch, tmp_path):
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480), (140, 140, 140)).save(buffer, "JPEG", quality=95)
    wall = buffer.getvalue()
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)

    def visit(page):
        words = page.ask("POST", "frame?side=640", wall)["hints"][0]
        assert (words["code"], words["serious"]) == ("no_head", True)
        shot = page.ask("POST", "shot?how=video%20frame", wall)
        assert shot["usable"] is False
        page.ask("POST", "keep", shot["id"].encode())
        page.ask("POST", "finish", b"")

    out = tmp_path / "photos"
    arguments = ["--subject", "ben", "--view", "crown", "--out", out]
    result = _run(monkeypatch, arguments, visit)
    assert result.exit_code == 1, result.output
    (photo,) = out.rglob("*.jpg")
    assert photo.parent == out / "ben" / "vertex"
    assert result.stdout == f"{photo}: NOT usable\n"
    assert result.stderr.splitlines()[-1] == "1 of 2 photographs filed, 0 retaken"
    assert opened == [result.stderr.split("only): ")[1].split("\n")[0]]


def test_nothing_kept_is_no_success(monkeypatch, tmp_path):
    arguments = ["--subject", "ben", "--view", "vertex", "--out", tmp_path, "--no-browser"]
    result = _run(monkeypatch, arguments, lambda page: page.ask("POST", "finish", b""))
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-2:] == [
        "0 of 2 photographs filed, 0 retaken",
        "Error: No photograph was kept.",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Say whose photographs they are with --subject."),
        (("--subject", "anna"), "Say which view is to be taken with --view."),
        (("--subject", "a/b", "--view", "vertex"), "'a/b' can't be a folder's name."),
    ],
)
def test_what_is_not_known_is_asked_for(tmp_path, arguments, words):
    result = CliRunner().invoke(main, ["capture", *arguments, "--out", str(tmp_path / "new")])
    assert result.exit_code == 2
    assert words in result.stderr


def test_of_several_subjects_and_views_one_has_to_be_named(samples, tmp_path):
    for place in ("anna/vertex", "ben/vertex", "ben/frontal"):
        folder = tmp_path / "photos" / place
        folder.mkdir(parents=True)
        Image.new("RGB", (80, 80), tuple(place.encode()[:3])).save(folder / "2024-01-01.png")
        (folder / "2024-01-01.png").write_bytes(
            (folder / "2024-01-01.png").read_bytes() + place.encode()
        )
    base = ["capture", str(tmp_path / "photos"), "--out", str(tmp_path / "new")]
    result = CliRunner().invoke(main, base)
    assert "with --subject (there are anna, ben)." in result.stderr
    result = CliRunner().invoke(main, [*base, "--subject", "ben"])
    assert "with --view (there are frontal, vertex)." in result.stderr
    assert result.exit_code == 2
