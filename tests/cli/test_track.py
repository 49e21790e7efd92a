"""The main job from the command line, on a folder with good and bad files."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from scalptrack.cli.main import main


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_run_ends_with_counts_and_says_that_some_files_failed(tracked):
    result, _ = tracked
    assert result.exit_code == 1, result.output
    assert result.stderr.strip().splitlines()[-1] == "6 files: 3 measured, 0 refused, 3 rejected"
    assert "subject-03, vertex:" in result.stdout


def test_every_file_has_its_row_and_every_failure_its_reason(tracked):
    _, out = tracked
    rows = {row["photo"].rsplit("/", 1)[-1]: row for row in _rows(out / "measurements.csv")}
    assert len(rows) == 6
    assert rows["2024-10-01.jpg"]["reason_code"] == "truncated"
    assert rows["notes.txt"]["reason_code"] == "not_a_photograph"
    assert rows["2025-01-01.jpg"]["reason_code"] == "duplicate_of"
    measured = [row for row in rows.values() if row["status"] == "measured"]
    assert len(measured) == 3
    for row in measured:
        low, middle, high = (
            float(row[name]) for name in ("coverage_low", "coverage_percent", "coverage_high")
        )
        assert 0 <= low < middle < high <= 100
        assert middle == pytest.approx(100 * float(row["hair_px"]) / int(row["region_px"]), abs=0.1)
    assert all(row["coverage_percent"] == "" for row in rows.values() if row not in measured)


def test_an_unchanged_head_shows_no_detectable_change(tracked):
    _, out = tracked
    (change,) = [row for row in _rows(out / "changes.csv") if row["visit_date"] == "2024-06-03"]
    assert change["verdict"] == "no detectable change"
    assert abs(float(change["change_points"])) < float(change["mdc_points"])


def test_charts_pictures_report_and_provenance_are_written(tracked):
    _, out = tracked
    record = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    assert record["schema"] == "scalptrack.provenance/1"
    assert all((out / name).is_file() for name in record["outputs"])
    kinds = {name.split(".", 1)[1] for name in record["outputs"] if "/" in name}
    assert kinds == {
        "png",
        "svg",
        "overlay.jpg",
        "aligned.jpg",
        "compare.jpg",
        "gain-loss.jpg",
    }
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "2024-10-01.jpg" in report
    assert "notes.txt" in report


def test_provenance_says_which_photograph_is_the_reference_and_why(tracked):
    _, out = tracked
    record = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    (reference,) = record["references"]
    (row,) = [each for each in _rows(out / "measurements.csv") if each["is_reference"] == "yes"]
    assert (reference["photo"], reference["sha256"]) == (row["photo"], row["sha256"])
    assert reference["reason"] == {
        "code": "earliest_usable",
        "message": "The earliest usable photograph of this view.",
    }


def test_another_reference_can_be_set(tracked, few_photographs, tmp_path):
    _, out = tracked
    again = tmp_path / "results"
    shutil.copytree(out, again)
    chosen = sorted((few_photographs / "subject-03" / "vertex").glob("2024-06-03*.jpg"))[0]
    arguments = ["track", str(few_photographs), "--out", str(again), "--jobs", "1", "--json"]
    result = CliRunner().invoke(main, [*arguments, "--reference", str(chosen)])
    assert result.exit_code == 1, result.output
    document = json.loads(result.stdout)
    (reference,) = [each for each in document["outcomes"] if each["is_reference"]]
    assert reference["name"] == chosen.relative_to(few_photographs).as_posix()
    assert reference["reference_reason"]["code"] == "set"
    assert document["provenance"]["references"][0]["photo"] == reference["name"]
    assert document["timelines"][0]["baseline_date"] == "2024-03-04"
    assert sum(each["status"] == "measured" for each in document["outcomes"]) == 3


def test_a_reference_that_is_no_photograph_of_the_folder_is_an_error(few_photographs, tmp_path):
    arguments = ["track", str(few_photographs), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, [*arguments, "--reference", "nobody.jpg"])
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: nobody.jpg can't be the reference: it is none of the photographs. Name it as "
        "`scalptrack catalog` lists it, for instance subject-03/vertex/2024-03-04_1.jpg, "
        "subject-03/vertex/2024-03-04_2.jpg, subject-03/vertex/2024-06-03.jpg.\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_rerun_gives_the_same_bytes_and_computes_nothing_again(
    tracked, few_photographs, monkeypatch
):
    _, out = tracked
    before = _hashes(out)

    def forbidden(*_args, **_kwargs):
        message = "computed again"
        raise AssertionError(message)

    monkeypatch.setattr("scalptrack.pipeline.analyse_photograph", forbidden)
    monkeypatch.setattr("scalptrack.aligning.register", forbidden)
    monkeypatch.setattr("scalptrack.series_files.draw_series", forbidden)
    arguments = ["track", str(few_photographs), "--out", str(out), "--jobs", "1", "--quiet"]
    assert CliRunner().invoke(main, arguments).exit_code == 1
    after = _hashes(out)
    ledger = ".scalptrack/written.json"
    assert {k: v for k, v in after.items() if k != ledger} == {
        k: v for k, v in before.items() if k != ledger
    }


def test_the_originals_are_untouched(tracked, few_photographs, samples):
    source = samples / "subject-03" / "vertex"
    for path in (few_photographs / "subject-03" / "vertex").glob("2024-0*.jpg"):
        assert path.read_bytes() == (source / path.name).read_bytes()


def test_a_report_of_the_users_is_not_overwritten(few_photographs, tmp_path):
    (tmp_path / "report.html").write_text("mine")
    result = CliRunner().invoke(main, ["track", str(few_photographs), "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "was not written by scalptrack" in result.stderr
    assert (tmp_path / "report.html").read_text() == "mine"


def test_a_missing_folder_is_an_error_of_usage(tmp_path):
    result = CliRunner().invoke(
        main, ["track", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 2
    assert "doesn't exist. Give a folder of photographs or a manifest (.csv)." in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_usable_photograph_names_what_is_there(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "letter.txt").write_text("hello")
    result = CliRunner().invoke(
        main, ["track", str(tmp_path / "photos"), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 2
    assert "There is no usable photograph" in result.stderr
    assert "letter.txt" in result.stderr


def test_the_output_folder_may_not_be_the_photographs(few_photographs):
    result = CliRunner().invoke(
        main, ["track", str(few_photographs), "--out", str(few_photographs)]
    )
    assert result.exit_code == 2
    assert "Choose another folder" in result.stderr
    assert not (few_photographs / ".scalptrack").exists()


def test_json_is_one_document_on_stdout(few_photographs, tmp_path):
    photos = tmp_path / "photos" / "anna" / "vertex"
    photos.mkdir(parents=True)
    source = next((few_photographs / "subject-03" / "vertex").glob("2024-03-04*.jpg"))
    shutil.copy(source, photos / "2024-03-04.jpg")
    arguments = ["track", str(tmp_path / "photos"), "--out", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(main, arguments)
    document = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert document["schema"] == "scalptrack.track/1"
    assert [each["status"] for each in document["outcomes"]] == ["measured"]
    assert 0 < document["outcomes"][0]["coverage_fraction"] < 1


def test_visits_are_read_from_beside_the_photographs(tracked, few_photographs, tmp_path):
    _, out = tracked
    photos, again = tmp_path / "photos", tmp_path / "results"
    shutil.copytree(few_photographs, photos)
    shutil.copytree(out, again)
    (photos / "visits.csv").write_text(
        "subject,visit_date,fibres\nsubject-03,2024-06-03,yes\nsubject-03,2024-07-01,yes\n"
    )
    result = CliRunner().invoke(main, ["track", str(photos), "--out", str(again), "--jobs", "1"])
    assert result.exit_code == 1, result.output
    assert (
        "Note: visits.csv, line 3: there is no photograph of subject-03 on 1 July 2024, so nothing "
        "was done with it."
    ) in result.stderr
    (change,) = [row for row in _rows(again / "changes.csv") if row["visit_date"] == "2024-06-03"]
    assert change["verdict"] == "not comparable"
    assert change["sentence"].endswith("(visits.csv); they look like hair.")
    codes = {row["not_compared"] for row in _rows(again / "measurements.csv")}
    assert codes == {"", "fibres"}
    record = json.loads((again / "provenance.json").read_text(encoding="utf-8"))
    assert [each["fibres"] for each in record["visits"]] == [True, True]
    assert "there is no photograph of subject-03" in (again / "report.html").read_text("utf-8")


def test_mistakes_in_visits_are_named_before_any_work(few_photographs, tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text("subject,visit_date,wet\nsubject-03,yesterday,perhaps\n")
    arguments = ["track", str(few_photographs), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, [*arguments, "--visits", str(table)])
    assert result.exit_code == 2
    assert "visit_date 'yesterday' is not a date" in result.stderr
    assert "wet 'perhaps' is neither yes nor no" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_stated_forehead_gives_the_vertex_and_pdf_a_report_on_paper(
    tracked, few_photographs, tmp_path
):
    _, out = tracked
    again = tmp_path / "results"
    shutil.copytree(out, again)
    (unstated,) = [row for row in _rows(out / "zones.csv") if row["zone"] == "vertex"]
    assert unstated["reason_code"] == "forehead_unknown"
    assert not (out / "report.pdf").exists()
    arguments = ["track", str(few_photographs), "--out", str(again), "--jobs", "1", "--json"]
    result = CliRunner().invoke(main, [*arguments, "--forehead", "top", "--pdf"])
    assert result.exit_code == 1, result.output
    rows = [row for row in _rows(again / "zones.csv") if row["zone"] == "vertex"]
    numbers = [row for row in rows if row["coverage_percent"]]
    assert [row["visit_date"] for row in numbers] == ["2024-03-04", "2024-06-03"]
    assert numbers[1]["verdict"] == "no detectable change"
    assert {row["verdict"] for row in rows if row not in numbers} == {"not comparable"}
    zones = json.loads(result.stdout)["zones"]
    (given,) = [each for each in zones if each["timeline"] is not None]
    assert (given["zone"], len(given["timeline"]["visits"])) == ("vertex", 2)
    assert (again / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert (again / "subject-03" / "vertex" / "zones.svg").exists()
    assert "vertex zone" in (again / "report.html").read_text("utf-8")
    record = json.loads((again / "provenance.json").read_text(encoding="utf-8"))
    assert record["settings"]["forehead"] == "top"
    assert "report.pdf" in record["outputs"]
