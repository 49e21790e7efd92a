"""The output folder never writes over what the program did not write."""

from __future__ import annotations

import pytest

from scalptrack.errors import OutputError
from scalptrack.outputs import OutputFolder, folder_name


def test_what_was_written_can_be_written_again(tmp_path):
    OutputFolder(tmp_path / "out").write_text("a.csv", "one")
    OutputFolder(tmp_path / "out").write_text("a.csv", "two")
    assert (tmp_path / "out" / "a.csv").read_text() == "two"


def test_a_file_of_the_user_is_kept(tmp_path):
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(OutputError, match=r"report\.html exists and was not written by scalptrack"):
        OutputFolder(tmp_path).write_text("report.html", "ours")
    assert (tmp_path / "report.html").read_text() == "mine"


def test_an_edited_output_counts_as_the_users(tmp_path):
    OutputFolder(tmp_path).write_text("a.csv", "one")
    (tmp_path / "a.csv").write_text("one, with a note")
    with pytest.raises(OutputError, match="changed since"):
        OutputFolder(tmp_path).write_text("a.csv", "two")
    assert (tmp_path / "a.csv").read_text() == "one, with a note"


def test_taken_names_are_found_before_the_work(tmp_path):
    folder = OutputFolder(tmp_path)
    folder.require_free(("a.csv", "b.csv"))
    (tmp_path / "b.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"b\.csv"):
        folder.require_free(("a.csv", "b.csv"))


def test_a_kill_between_ledger_and_file_leaves_a_folder_that_works(tmp_path, monkeypatch):
    OutputFolder(tmp_path).write_text("a.csv", "one")
    folder = OutputFolder(tmp_path)
    calls = []

    def dies_on_the_file(path, data):
        calls.append(path.name)
        if path.name == "a.csv":
            raise KeyboardInterrupt
        path.write_bytes(data)

    monkeypatch.setattr("scalptrack.outputs.write_bytes_atomic", dies_on_the_file)
    with pytest.raises(KeyboardInterrupt):
        folder.write_text("a.csv", "two")
    monkeypatch.undo()
    assert calls == ["written.json", "a.csv"]
    assert (tmp_path / "a.csv").read_text() == "one"
    OutputFolder(tmp_path).write_text("a.csv", "three")
    assert (tmp_path / "a.csv").read_text() == "three"


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Choose another --out"):
        OutputFolder(tmp_path / "file" / "out")


def test_two_photographs_with_one_stem_do_not_share_outputs(tmp_path):
    folder = OutputFolder(tmp_path)
    assert folder.claim_stem("a", "1" * 64) == "a"
    assert folder.claim_stem("a", "2" * 64) == "a-22222222"
    assert folder.claim_stem("a", "1" * 64) == "a"


@pytest.mark.parametrize("label", ["subject-01", "Müller", "患者 1", "frontal"])
def test_plain_labels_stay_as_they_are(label):
    assert folder_name(label) == label


def test_labels_that_no_file_system_takes_become_distinct_safe_names():
    names = {folder_name(label) for label in ("a/b", "a\\b", "a:b", "..", "x" * 300, "x" * 301)}
    assert len(names) == 6
    assert all("/" not in name and "\\" not in name and len(name) < 90 for name in names)
    assert folder_name("..") not in {"..", "."}
