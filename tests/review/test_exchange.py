"""Decisions brought from results into a study and back, and `track` on those of a study."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from study.decided import EXCLUDED, decide, hashes_of, run, study
from study.study_files import good_rows, invoke, write_manifest

from scalptrack.cli.main import main
from scalptrack.cli.track import _read_decisions
from scalptrack.errors import InputError, OutputError
from scalptrack.review.decision_file import DecisionFile, export_log, read_log
from scalptrack.review.decisions import Change
from scalptrack.review.folder import FolderPlace
from scalptrack.review.places import decisions_at, source_at
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.store import StudyStore
from tests.review.results import NAMES, write_results

__all__ = ["study"]


def _review(*arguments: object):
    return CliRunner().invoke(main, ["review", *(str(each) for each in arguments)])


def _verdict(sha256: str, before=None) -> Change:
    return Change(("photo", sha256, "verdict"), before, EXCLUDED)


@pytest.fixture
def results(tmp_path):
    """Results of other photographs, one of which was excluded, and then its exclusion undone."""
    out, _, hashes = write_results(tmp_path / "clinic")
    file = DecisionFile(out / "decisions.jsonl")
    file.decide("Dr. Black", [_verdict(hashes[NAMES[2]])])
    file.undo("Dr. Black", 1)
    file.undo("Dr. Black", 2)
    return out


def test_decisions_come_from_results_into_a_study_and_go_back(study, results, tmp_path):
    decide(study, "stranger.jpg", "verdict", EXCLUDED)
    mine = read_log(results / "decisions.jsonl")
    shared = hashes_of(study)["s0_2024-04-10_1.jpg"]
    DecisionFile(results / "decisions.jsonl").decide("Dr. Black", [_verdict(shared)])
    result = _review(study.folder, "--import", results, "--reviewer", "Dr. White")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"4 new lines taken over from {results}",
        "The numbers are older than the decisions. Run:",
        f"  scalptrack study run {study.folder}",
    ]
    assert result.stderr.splitlines()[0] == (
        "Note: 1 decision on photographs or people that aren't among these: kept, and not applied."
    )
    entries = StudyDecisions(study).read().entries
    assert [each.who for each in entries] == ["Dr. Grey", *["Dr. Black"] * 4]
    assert [each.at for each in entries[1:4]] == [each.at for each in mine.entries]
    assert [each.undoes for each in entries] == [None, None, 2, 3, None]
    line = study.log_lines()[-1]
    assert (line.who, line.action) == ("Dr. White", "decisions taken over")
    run(study)
    reasons = {each.name: each.reason for each in study.outcomes()}
    assert reasons["s0_2024-04-10_1.jpg"].message == "Excluded by Dr. Black: wet hair"
    again = _review(study.folder, "--import", results, "--reviewer", "Dr. White")
    assert again.stdout.startswith("0 new lines")
    back = _review(results, "--import", study.folder, "--reviewer", "Dr. White")
    assert back.stdout.startswith(f"1 new line taken over from {study.folder}\n")
    held = [
        {target: each.value for target, each in store.read().decisions().items()}
        for store in (StudyDecisions(study), DecisionFile(results / "decisions.jsonl"))
    ]
    assert held[0] == held[1]


def test_who_takes_decisions_over_has_to_be_said(study, results):
    result = _review(study.folder, "--import", results)
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: Say who takes the decisions over: --reviewer NAME. The log will name you.\n"
    )
    assert StudyDecisions(study).read().entries == ()


def test_an_export_is_the_file_that_track_reads_and_grows(study, tmp_path):
    decide(study, "stranger.jpg", "verdict", EXCLUDED)
    path = tmp_path / "out" / "decisions.jsonl"
    result = _review(study.folder, "--export", path)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, str(path))
    assert read_log(path) == StudyDecisions(study).read()
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    StudyDecisions(study).undo("Dr. Grey", 1)
    assert _review(study.folder, "--export", path).exit_code == 0
    assert len(read_log(path).entries) == 2


@pytest.mark.parametrize("content", [b"mine\n", b"{}", None])
def test_an_export_never_replaces_anything_else(study, tmp_path, content):
    decide(study, "stranger.jpg", "verdict", EXCLUDED)
    path = tmp_path / "decisions.jsonl"
    if content is None:
        DecisionFile(path).decide("Somebody", [_verdict("a" * 64)])
        content = path.read_bytes()
    path.write_bytes(content)
    with pytest.raises(OutputError, match="holds something else than the beginning"):
        export_log(StudyDecisions(study).read(), path)
    assert path.read_bytes() == content


def test_track_reads_and_review_writes_the_decisions_of_a_study(study, tmp_path):
    sha256 = hashes_of(study)["stranger.jpg"]
    decide(study, "stranger.jpg", "verdict", EXCLUDED)
    log, name = _read_decisions(tmp_path / "results", study.folder, unused=False)
    assert (log, name) == (StudyDecisions(study).read(), "trial")
    out, _, _ = write_results(tmp_path / "clinic")
    record = json.loads((out / ".scalptrack" / "run.json").read_text())
    record["arguments"] += ["--decisions", str(study.folder)]
    (out / ".scalptrack" / "run.json").write_text(json.dumps(record))
    place = FolderPlace(out)
    assert place.store.place == str(study.folder / "study.sqlite")
    place.store.decide("Dr. Black", [Change(("photo", sha256, "note"), None, "seen")])
    assert [each.who for each in StudyDecisions(study).read().entries] == ["Dr. Grey", "Dr. Black"]
    assert not (out / "decisions.jsonl").exists()


def test_a_place_is_a_study_or_a_file(study, tmp_path):
    assert isinstance(decisions_at(study.folder), StudyDecisions)
    assert decisions_at(tmp_path / "new.jsonl").place == (tmp_path / "new.jsonl").as_posix()
    assert decisions_at(tmp_path).place == (tmp_path / "decisions.jsonl").as_posix()
    assert source_at(study.folder).name == "trial"
    with pytest.raises(InputError, match=r"holds no decisions\. Give a file that"):
        source_at(tmp_path)


def test_without_the_extra_a_study_says_what_to_install(tmp_path, monkeypatch):
    manifest = write_manifest(tmp_path / "photos", good_rows())
    assert invoke("init", tmp_path / "trial", "--manifest", manifest).exit_code == 0
    monkeypatch.setattr("scalptrack.study.extra.find_spec", lambda _name: None)
    trial, photos = tmp_path / "trial", tmp_path / "photos"
    track = ["track", photos, "--decisions", trial, "--out", tmp_path / "out"]
    for arguments in (["review", trial, "--json"], track):
        result = CliRunner().invoke(main, [str(each) for each in arguments])
        assert result.exit_code == 2
        assert "pip install 'scalptrack[study]'" in result.stderr
    assert StudyStore(tmp_path / "trial").outcomes() == ()
