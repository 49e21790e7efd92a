"""What became of each decision: in `status`, notes of a run, tables and methods."""

from __future__ import annotations

import csv
import json
from contextlib import nullcontext

import pytest
from jsonschema import Draft202012Validator
from pyarrow.parquet import read_table
from study.decided import CORNERS, EXCLUDED, RIGHT_HALF, decide, hashes_of, run, study
from study.fake_pipeline import HereExecutor
from study.study_files import invoke
from study.trial import make_trial

from scalptrack.review.decisions import Change
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.fhir import Method, fhir_bundle
from scalptrack.study.tidy import load_results

__all__ = ["study"]

FIRST, SECOND = "s0_2024-01-10_1.jpg", "s0_2024-04-10_1.jpg"


@pytest.fixture
def decided(study):
    """One of each: used, unused, not in the study, taken back, decided anew, without effect."""
    decide(study, FIRST, "reference", True)
    decide(study, SECOND, "region", RIGHT_HALF)
    decide(study, FIRST, "note", "ask again")
    decide(study, "f" * 64, "verdict", EXCLUDED)
    decide(study, "s2_2024-04-10_1.jpg", "verdict", EXCLUDED)
    StudyDecisions(study).undo("Dr. Black", 5)
    decide(study, FIRST, "note", "asked", before="ask again")
    return study


def _table(folder, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_status_says_what_became_of_each_decision(decided):
    lines = invoke("status", decided.folder).stdout.splitlines()
    assert lines[1:5] == [
        "subjects x views done  2 of 3",
        "decisions  4 hold, 0 in the results, 2 waiting for the next run",
        "subjects x views older than what was decided  1",
        f"unused  What Dr. Grey decided in line 4 (exclusion of {'f' * 64}) is not in the numbers: "
        "the study has no photograph with this content.",
    ]
    run(decided)
    lines = invoke("status", decided.folder).stdout.splitlines()
    assert lines[1:3] == [
        "subjects x views done  3 of 3",
        "decisions  4 hold, 1 in the results, 0 waiting for the next run",
    ]
    assert lines[3] == (
        f"unused  What Dr. Grey decided in line 2 (region of {SECOND}) is not in the numbers: the "
        "photograph that it was drawn on is not the reference."
    )
    document = json.loads(invoke("status", decided.folder, "--json").stdout)
    assert (document["decisions"], document["decisions_used"]) == (4, 1)
    assert [each["state"] for each in document["decisions_unused"]] == ["unused", "not in study"]
    assert document["series_outdated"] == 0


def test_status_of_a_study_without_decisions_says_nothing_of_them(study):
    assert "decisions" not in invoke("status", study.folder).stdout


def test_status_is_1_while_results_are_older_than_decisions(study):
    pairs = [[x, y, x + 1, y] for x, y in CORNERS]
    reference = hashes_of(study)["s1_2024-01-10_1.jpg"]
    decide(study, "stranger.jpg", "points", {"reference": reference, "pairs": pairs})
    run(study)
    assert invoke("status", study.folder).exit_code == 0
    decide(study, FIRST, "reference", value=True)
    assert invoke("status", study.folder).exit_code == 1


def test_a_run_says_what_it_could_not_use(decided, monkeypatch):
    monkeypatch.setattr(
        "scalptrack.cli.study._executor", lambda *_arguments: nullcontext(HereExecutor())
    )
    result = invoke("run", decided.folder)
    notes = [line for line in result.stderr.splitlines() if line.startswith("Note: ")]
    assert [note.split(" (")[0] for note in notes] == [
        "Note: What Dr. Grey decided in line 2",
        "Note: What Dr. Grey decided in line 4",
    ]
    document = json.loads(invoke("run", decided.folder, "--json").stdout)
    assert document["decisions_used"] == 1
    assert len(document["notes"]) == 2
    assert decided.log_lines()[-1].details["decisions_used"] == 1


def test_the_table_of_decisions_has_a_row_for_everything_that_was_decided(decided, tmp_path):
    run(decided)
    assert invoke("export", decided.folder, "--out", tmp_path / "tables").exit_code == 0
    rows = _table(tmp_path / "tables", "decisions")
    hashes = hashes_of(decided)
    assert [
        [row[name] for name in ("line", "who", "action", "undoes", "what", "photo", "holds")]
        for row in rows
    ] == [
        ["1", "Dr. Grey", "decide", "", "reference", FIRST, "yes"],
        ["2", "Dr. Grey", "decide", "", "region", SECOND, "yes"],
        ["3", "Dr. Grey", "decide", "", "note", FIRST, "no"],
        ["4", "Dr. Grey", "decide", "", "verdict", "", "yes"],
        ["5", "Dr. Grey", "decide", "", "verdict", "s2_2024-04-10_1.jpg", "no"],
        ["6", "Dr. Black", "undo", "5", "verdict", "s2_2024-04-10_1.jpg", "no"],
        ["7", "Dr. Grey", "decide", "", "note", FIRST, "yes"],
    ]
    assert [row["state"] for row in rows] == [
        *("used", "unused", "", "not in study", "", "", "no effect")
    ]
    assert json.loads(rows[1]["value"]) == RIGHT_HALF
    assert (rows[5]["value"], rows[0]["visit"], rows[3]["sha256"]) == ("", "visit 1", "f" * 64)
    assert rows[1]["sha256"] == hashes[SECOND]
    assert rows[0]["at"].endswith("Z")
    parquet = read_table(tmp_path / "tables" / "decisions.parquet").to_pylist()
    assert [each["line"] for each in parquet] == [1, 2, 3, 4, 5, 6, 7]
    document = json.loads((tmp_path / "tables" / "tables.json").read_text())
    schema = json.loads((tmp_path / "tables" / "tables.schema.json").read_text())
    Draft202012Validator(schema).validate(document)
    assert document["decisions"][3]["subject"] == ""
    described = {
        row["column"]
        for row in _table(tmp_path / "tables", "data_dictionary")
        if row["table"] == "decisions"
    }
    assert described == set(rows[0])


def test_events_are_rows_of_their_subject(study, tmp_path):
    events = [{"date": "2024-02-01", "label": "start"}]
    store = StudyDecisions(study)
    for name in ("s0", "nobody"):
        store.decide("Dr. Grey", [Change(("subject", name, "events"), None, events)])
    invoke("export", study.folder, "--out", tmp_path / "tables")
    rows = _table(tmp_path / "tables", "decisions")
    assert [(row["subject"], row["sha256"], row["state"]) for row in rows] == [
        ("s0", "", "no effect"),
        ("nobody", "", "not in study"),
    ]


def test_the_tables_say_which_results_used_which_decisions(study, tmp_path):
    decide(study, FIRST, "region", RIGHT_HALF)
    decide(study, SECOND, "verdict", EXCLUDED)
    decide(study, "stranger.jpg", "verdict", EXCLUDED)
    run(study)
    invoke("export", study.folder, "--out", tmp_path / "tables")
    found = {
        row["photo"]: (row["decisions"], row["own_decisions"], row["drawn_region"])
        for row in _table(tmp_path / "tables", "photographs")
        if row["replicate"] == "1"
    }
    assert found == {
        FIRST: ("1; 2", "1", "yes"),
        SECOND: ("1; 2", "2", "yes"),
        "s1_2024-01-10_1.jpg": ("3", "", "no"),
        "stranger.jpg": ("3", "3", "no"),
        "s2_2024-01-10_1.jpg": ("", "", "no"),
        "s2_2024-04-10_1.jpg": ("", "", "no"),
    }
    visits = _table(tmp_path / "tables", "visits")
    assert [(row["subject"], row["decisions"], row["drawn_region"]) for row in visits[::2]] == [
        ("s0", "1; 2", "yes"),
        ("s1", "3", "no"),
        ("s2", "", "no"),
    ]


def test_a_drawn_region_is_said_in_fhir(study):
    decide(study, FIRST, "region", RIGHT_HALF)
    run(study)
    bundle = fhir_bundle(load_results(study), Method("none", "0" * 64, "study"))
    notes = {
        (each["subject"]["identifier"]["value"], text["text"])
        for each in (entry["resource"] for entry in bundle["entry"][1:])
        for text in each["note"]
    }
    assert {name for name, text in notes if text.endswith("a region that a person drew")} == {"s0"}


def test_an_export_of_results_that_are_older_than_decisions_says_so(study, tmp_path):
    decide(study, SECOND, "verdict", EXCLUDED)
    result = invoke("export", study.folder, "--out", tmp_path / "tables")
    assert result.exit_code == 1
    assert "older than what was decided" in result.stderr
    (row,) = _table(tmp_path / "tables", "decisions")
    assert (row["state"], row["reason"]) == ("waiting", "the next run applies it")
    refused = invoke("stats", study.folder, "--control", "A")
    assert refused.exit_code == 2
    assert "older than what was decided" in refused.stderr


def _methods(store, tmp_path) -> str:
    result = invoke("stats", store.folder, "--control", "placebo", "--out", tmp_path / "stats")
    assert result.exit_code in {0, 1}, result.output
    return (tmp_path / "stats" / "methods.md").read_text("utf-8")


def test_the_methods_say_what_was_decided_by_hand(tmp_path, monkeypatch):
    store = make_trial(tmp_path, per_arm=4)
    none = "No photograph was excluded, and no reference, region or points were set, by hand."
    assert none in _methods(store, tmp_path)
    monkeypatch.setattr("scalptrack.study.report.require_complete", lambda _store: None)
    name = store.photographs()[0].sha256
    log = StudyDecisions(store).decide(
        "Dr. Grey", [Change(("photo", name, "verdict"), None, EXCLUDED)]
    )
    used = {"photo": name, "what": "verdict", "who": "Dr. Grey", "number": 1, "unused": ""}
    idle = used | {"what": "region", "unused": "not the reference"}
    store.save_series("s0", "vertex", "", (), decisions=[used, idle])
    text = _methods(store, tmp_path)
    assert none not in text
    assert (
        "Decided by hand, and in the results: photographs excluded 1, references chosen 0, regions "
        "drawn 0, photographs aligned by points 0 (reviewers: Dr. Grey; decisions SHA-256 "
        f"{log.head[:12]};"
    ) in text
