"""The record of a run: its arguments give the same run again, and the page reads it back."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from scalptrack.cli.track import track_command
from scalptrack.outputs import OutputFolder
from scalptrack.records import (
    Catalog,
    Finding,
    Outcome,
    Quality,
    Settings,
    Severity,
    Status,
)
from scalptrack.run_record import invocation, read_run_record, write_run_record

WITHOUT_EFFECT = {"jobs", "no_cache", "as_json", "quiet"}
"""Options that change no output."""

NEVER_RECORDED = {"no_decisions", "key_file", "create_key", "shift_dates"}
"""A rerun from the page applies decisions; a run without names leaves no record."""


@pytest.fixture
def given(tmp_path) -> dict[str, object]:
    """Every option that `track` has to be given again, none with its default."""
    for name in ("events.csv", "visits.csv", "decisions.jsonl"):
        (tmp_path / name).touch()
    (tmp_path / "photos").mkdir()
    return {
        "photos": tmp_path / "photos",
        "out": tmp_path / "my results",
        "events": tmp_path / "events.csv",
        "visits": tmp_path / "visits.csv",
        "references": ("anna/vertex/1.jpg", "ben/vertex/2.jpg"),
        "forehead": "top",
        "colour_card": True,
        "decisions": tmp_path / "decisions.jsonl",
        "pdf": True,
        "dicom": True,
        "allow_outline": True,
        "strip": True,
        "language": "de",
        "seed": 7,
        "max_megapixels": 12.5,
    }


def _parsed(words: tuple[str, ...]) -> dict[str, object]:
    """What `track` understands of the arguments, as a shell would give them."""
    command, *arguments = shlex.split(shlex.join(words))
    assert command == "track"
    return track_command.make_context("track", arguments).params


def _words(given: dict[str, object]) -> tuple[str, ...]:
    of_settings = (
        "forehead",
        "colour_card",
        "allow_outline",
        "strip",
        "language",
        "seed",
        "max_megapixels",
    )
    settings = Settings(**{name: given[name] for name in of_settings})
    rest = {name: value for name, value in given.items() if name not in of_settings}
    return invocation(rest.pop("photos"), rest.pop("out"), settings, **rest)


def test_the_arguments_give_the_same_run_again(given):
    parsed = _parsed(_words(given))
    assert {name: parsed[name] for name in given} == given
    assert set(parsed) - set(given) == WITHOUT_EFFECT | NEVER_RECORDED


def test_what_was_not_given_is_not_among_the_arguments(given):
    nothing = {"events": None, "visits": None, "references": (), "decisions": None}
    places = {name: given[name] for name in ("photos", "out")}
    words = invocation(*places.values(), Settings(), **nothing, pdf=False, dicom=False)
    assert words == ("track", str(given["photos"]), "--out", str(given["out"]))


def test_the_record_is_read_back_and_holds_each_finding_once(tmp_path):
    blurred = Finding("blurred", Severity.WARNING, 2.0, float("nan"), "px", "Hold still.")
    dark = Finding("dark", Severity.ERROR, 0.1, 0.2, "", "Use more light.")
    outcomes = [
        Outcome(
            name="1.jpg",
            subject="anna",
            view="vertex",
            visit_date=None,
            replicate=1,
            sha256="a" * 64,
            status=Status.REJECTED,
            reason=None,
            quality=Quality((blurred, dark)),
            warnings=(blurred,),
        ),
        Outcome("2.jpg", "", "", None, None, "", Status.REJECTED, None),
    ]
    words = ("track", "photos")
    write_run_record(OutputFolder(tmp_path), Catalog(tmp_path, (), ()), outcomes, words)
    record = read_run_record(tmp_path)
    assert record["photographs"] == str(tmp_path.resolve())
    assert record["arguments"] == list(words)
    (findings,) = record["findings"].values()
    assert [each["code"] for each in findings] == ["blurred", "dark"]
    assert findings[0]["limit"] is None


@pytest.mark.parametrize("text", [None, "{", "[]", json.dumps({"schema": "scalptrack.run/9"})])
def test_a_record_that_is_not_one_is_empty(tmp_path: Path, text):
    if text is not None:
        (tmp_path / ".scalptrack").mkdir()
        (tmp_path / ".scalptrack" / "run.json").write_text(text)
    assert read_run_record(tmp_path) == {}
