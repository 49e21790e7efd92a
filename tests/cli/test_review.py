"""``scalptrack review`` from the command line, without serving anything."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from click.testing import CliRunner

from scalptrack.cli.main import main
from scalptrack.review.decision_file import DecisionFile
from scalptrack.review.decisions import Change
from scalptrack.review.server import ReviewServer
from scalptrack.serving import Request
from scalptrack.translation import current_language
from tests.review.results import NAMES, write_results


def _run(*arguments: str):
    return CliRunner().invoke(main, ["review", *arguments])


def test_json_prints_decisions_and_log_and_serves_nothing(tmp_path):
    out, photos, hashes = write_results(tmp_path)
    value = {"verdict": "excluded", "reason": "another person"}
    target = ("photo", hashes[NAMES[2]], "verdict")
    DecisionFile(out / "decisions.jsonl").decide("Dr. Grey", [Change(target, None, value)])
    result = _run(str(out), "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["schema"] == "scalptrack.review/1"
    (decision,) = document["decisions"]
    assert (decision["photo"], decision["what"]) == target[1:]
    assert (decision["value"], decision["who"]) == (value, "Dr. Grey")
    (line,) = document["log"]
    assert (line["number"], line["sha256"], line["undone"]) == (1, document["log_sha256"], False)
    assert document["stale"] is True
    assert document["command"] == (f"scalptrack track {photos} --out {out} --reference {NAMES[0]}")
    assert result.stderr == "4 files: 1 to look at, 1 decision, 1 line in the log\n"


def test_nothing_left_to_do_is_status_0(tmp_path):
    out, _, _ = write_results(tmp_path)
    rows = (out / "measurements.csv").read_text().splitlines(keepends=True)
    (out / "measurements.csv").write_text("".join([*rows[:2], rows[4]]))
    result = _run(str(out), "--json")
    assert result.exit_code == 0
    assert result.stderr == "2 files: 0 to look at, 0 decisions, 0 lines in the log\n"


def test_a_folder_without_results_is_an_error(tmp_path):
    result = _run(str(tmp_path))
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: {tmp_path} holds no results of `scalptrack track`. Run it first: "
        f"scalptrack track PHOTOS --out {tmp_path}\n"
    )


def test_a_log_that_was_tampered_with_is_an_error(tmp_path):
    out, _, _ = write_results(tmp_path)
    (out / "decisions.jsonl").write_text("{}\n")
    (tmp_path / "photos").mkdir(exist_ok=True)
    track = ["track", str(tmp_path / "photos"), "--out", str(out)]
    for arguments in (["review", str(out), "--json"], track):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 2
        assert "was changed at its line 1: it no longer says who decided what" in result.stderr


def test_the_address_is_printed_and_kept_out_of_the_browsers_arguments(tmp_path, monkeypatch):
    out, _, _ = write_results(tmp_path)
    opened = []

    def look(address: str) -> None:
        page = Path(address.removeprefix("file://"))
        opened.append((address, page.read_text("utf-8"), page.parent.stat().st_mode & 0o077))

    def stop(_server: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", look)
    monkeypatch.setattr("scalptrack.review.server.ReviewServer.serve_forever", stop)
    result = _run(str(out))
    url = result.stdout.splitlines()[0]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", url)
    ((address, page, readable),) = opened
    assert url not in address
    assert f'content="0; url={url}"' in page
    if os.name == "posix":
        assert readable == 0
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "4 files: 2 to look at, 0 decisions, 0 lines in the log"
    )
    opened.clear()
    assert _run(str(out), "--no-browser").exit_code == 1
    assert opened == []


def test_a_file_of_decisions_that_is_not_there_is_an_error(tmp_path):
    track = ["track", str(tmp_path), "--out", str(tmp_path / "out"), "--decisions", "mine.jsonl"]
    result = CliRunner().invoke(main, track)
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: mine.jsonl holds no decisions. Give a file that `scalptrack review` wrote, or the "
        "folder of a study.\n"
    )
    result = CliRunner().invoke(main, [*track, "--no-decisions"])
    assert result.stderr == "Error: --decisions and --no-decisions contradict each other.\n"
    assert not (tmp_path / "out").exists()


def test_the_page_is_in_the_language_and_messages_stay_english(tmp_path, monkeypatch):
    out, _, _ = write_results(tmp_path)
    pages = []

    def stop(server: ReviewServer) -> None:
        pages.append(server.routes["GET", ""].answer(Request({})).content.decode("utf-8"))
        raise KeyboardInterrupt

    opened = []
    monkeypatch.setattr(
        "webbrowser.open",
        lambda address: opened.append(Path(address.removeprefix("file://")).read_text("utf-8")),
    )
    monkeypatch.setattr("scalptrack.review.server.ReviewServer.serve_forever", stop)
    result = _run(str(out), "--language", "de")
    assert '<html lang="de">' in pages[0]
    assert "<title>Durchsicht</title>" in pages[0]
    assert "<title>Durchsicht</title>" in opened[0]
    assert "Open this address in a browser on this computer; Ctrl-C ends." in result.stderr
    assert result.stderr.endswith("4 files: 2 to look at, 0 decisions, 0 lines in the log\n")
    assert current_language() == "en"


def test_the_document_is_the_same_in_each_language(tmp_path):
    out, _, hashes = write_results(tmp_path)
    target = ("photo", hashes[NAMES[2]], "verdict")
    value = {"verdict": "excluded", "reason": "another person"}
    DecisionFile(out / "decisions.jsonl").decide("Dr. Grey", [Change(target, None, value)])
    english, german = (_run(str(out), "--json", "--language", each) for each in ("en", "de"))
    assert english.output == german.output
