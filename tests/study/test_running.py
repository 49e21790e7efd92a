"""A study's run: complete, the same for any order and interruption, and clear about failures."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from unittest import mock

import pytest
from click.testing import CliRunner
from study.fake_pipeline import (
    HereExecutor,
    ShuffledExecutor,
    coverage_of,
    fake_registration,
    fakes,
)
from study.study_files import COLUMNS, good_rows, invoke, write_manifest

from scalptrack.cli.main import main
from scalptrack.errors import ScalptrackError
from scalptrack.plain import to_plain
from scalptrack.records import Status
from scalptrack.review.decision_file import DecisionFile
from scalptrack.review.decisions import Change
from scalptrack.review.session import ReviewSession
from scalptrack.review.store import Source
from scalptrack.study import running
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.reviewing import StudyPlace
from scalptrack.study.running import run_study
from scalptrack.study.status import doubt_about, study_status
from scalptrack.study.store import StudyStore


@pytest.fixture
def photos(tmp_path):
    """Manifest of three subjects, one blurred photograph and one of somebody else."""
    rows = good_rows(3)
    rows[1] = ("blurred.jpg", *rows[1][1:])
    rows[7] = ("stranger.jpg", *rows[7][1:])
    return write_manifest(tmp_path / "photos", rows)


def _study(photos, folder) -> StudyStore:
    assert invoke("init", folder, "--manifest", photos).exit_code == 0
    return StudyStore(folder)


@pytest.fixture
def pipeline():
    with fakes(), fake_registration():
        yield running


def _text(store: StudyStore) -> str:
    return json.dumps([to_plain(each) for each in store.outcomes()])


def test_every_photograph_has_one_outcome(photos, tmp_path, pipeline):
    store = _study(photos, tmp_path / "trial")
    counts = run_study(store, executor=HereExecutor())
    assert counts.line() == "12 photographs: 10 measured, 1 refused, 1 rejected"
    assert (counts.analysed_now, counts.series_now) == (12, 3)
    by_name = {each.name: each for each in store.outcomes()}
    assert by_name["blurred.jpg"].reason.code == "blurred"
    assert by_name["stranger.jpg"].reason.code == "no_agreement"
    for each in by_name.values():
        if each.status is Status.MEASURED:
            coverage = each.measurement.coverage_fraction
            assert coverage == pytest.approx(coverage_of(each.sha256), abs=1e-6)
    assert [each.action for each in store.log_lines()] == ["init", "run started", "run finished"]


def test_a_rerun_computes_nothing_and_changes_nothing(photos, tmp_path, pipeline):
    store = _study(photos, tmp_path / "trial")
    run_study(store, executor=HereExecutor())
    before = _text(store)
    running.analyse_photograph.side_effect = AssertionError("computed again")
    steps = []
    counts = run_study(store, executor=HereExecutor(), on_step=steps.append)
    assert (counts.analysed_now, counts.series_now) == (0, 0)
    assert len(steps) == 12
    assert _text(store) == before


def test_the_order_in_which_work_ends_changes_nothing(photos, tmp_path, pipeline):
    one, other = (_study(photos, tmp_path / name) for name in ("one", "other"))
    run_study(one, executor=HereExecutor())
    run_study(other, executor=ShuffledExecutor())
    assert _text(one) == _text(other)


def test_another_version_measures_everything_again(photos, tmp_path, pipeline, monkeypatch):
    store = _study(photos, tmp_path / "trial")
    run_study(store, executor=HereExecutor())
    monkeypatch.setattr(running, "study_fingerprint", lambda _store: "e" * 64)
    counts = run_study(store, executor=HereExecutor())
    assert (counts.analysed_now, counts.series_now) == (12, 3)


def test_results_of_two_versions_are_no_ground_for_conclusions(
    photos, tmp_path, pipeline, monkeypatch
):
    """A run of a new version that is killed between the photographs and the series."""
    monkeypatch.setattr("scalptrack.study.status.study_fingerprint", lambda _store: "e" * 64)
    store = _study(photos, tmp_path / "trial")
    run_study(store, executor=HereExecutor())
    monkeypatch.setattr(running, "study_fingerprint", lambda _store: "e" * 64)
    with monkeypatch.context() as killed:
        killed.setattr(store, "save_series", mock.Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_study(store, executor=HereExecutor())
    assert {each.fingerprint for each in store.analyses().values()} == {"e" * 64}
    assert "come from another version of scalptrack" in doubt_about(store)
    run_study(store, executor=HereExecutor())
    assert doubt_about(store) == ""


def test_a_photograph_that_may_come_back_leaves_no_doubt_about_the_version(
    tmp_path, pipeline, monkeypatch
):
    monkeypatch.setattr("scalptrack.study.status.study_fingerprint", lambda _store: "f" * 64)
    rows = good_rows(2)
    rows[0] = ("boom.jpg", *rows[0][1:])
    store = _study(write_manifest(tmp_path / "photos", rows), tmp_path / "trial")
    run_study(store, executor=HereExecutor())
    assert doubt_about(store) == ""
    assert not study_status(store).complete


def test_a_lost_cache_is_computed_again(photos, tmp_path, pipeline):
    store = _study(photos, tmp_path / "trial")
    run_study(store, executor=HereExecutor())
    before = _text(store)
    shutil.rmtree(store.cache_folder)
    running.analyse_photograph.reset_mock()
    store.save_series("s0", "vertex", "", ())
    run_study(store, executor=HereExecutor())
    assert running.analyse_photograph.call_count == 4
    assert _text(store) == before


def test_a_replaced_photograph_is_not_measured_and_comes_back(photos, tmp_path, pipeline):
    store = _study(photos, tmp_path / "trial")
    victim = store.photo_root.path_of("s2_2024-01-10_1.jpg")
    original = victim.read_bytes()
    victim.write_bytes(original + b"x")
    counts = run_study(store, executor=HereExecutor())
    assert counts.line() == "12 photographs: 9 measured, 1 refused, 2 rejected"
    (outcome,) = [each for each in store.outcomes() if each.name == victim.name]
    assert outcome.reason.code == "content_changed"
    assert "Put the original back" in outcome.reason.message
    victim.write_bytes(original)
    assert run_study(store, executor=HereExecutor()).measured == 10


def test_a_photograph_that_is_replaced_while_it_is_analysed_is_not_measured(
    photos, tmp_path, pipeline
):
    store = _study(photos, tmp_path / "trial")
    analyse = running.analyse_photograph.side_effect

    def replacing(photograph, settings):
        if photograph.name == "s2_2024-01-10_1.jpg":
            photograph.path.write_bytes(b"another")
        return analyse(photograph, settings)

    running.analyse_photograph.side_effect = replacing
    run_study(store, executor=HereExecutor())
    codes = {each.name: each.reason.code for each in store.outcomes() if each.reason}
    assert codes["s2_2024-01-10_1.jpg"] == "content_changed"


def test_a_missing_photograph_is_tried_again_by_the_next_run(photos, tmp_path, pipeline):
    store = _study(photos, tmp_path / "trial")
    victim = store.photo_root.path_of("s2_2024-01-10_1.jpg")
    victim.rename(tmp_path / "away.jpg")
    assert run_study(store, executor=HereExecutor()).rejected == 2
    (tmp_path / "away.jpg").rename(victim)
    counts = run_study(store, executor=HereExecutor())
    assert (counts.rejected, counts.series_now) == (1, 1)


def test_an_unexpected_error_of_one_photograph_is_retried_by_the_next_run(tmp_path, pipeline):
    rows = good_rows(2)
    rows[0] = ("boom.jpg", *rows[0][1:])
    store = _study(write_manifest(tmp_path / "photos", rows), tmp_path / "trial")
    assert run_study(store, executor=HereExecutor()).rejected == 1
    assert run_study(store, executor=HereExecutor()).series_now == 1


def test_a_killed_worker_ends_the_run_with_advice_and_keeps_what_is_done(
    photos, tmp_path, pipeline
):
    store = _study(photos, tmp_path / "trial")

    class Dying(HereExecutor):
        def submit(self, fn, /, *args, **kwargs):
            if fn is running.series_unit and args[0].key == ("s1", "vertex"):
                raise BrokenProcessPool
            return super().submit(fn, *args, **kwargs)

    with pytest.raises(ScalptrackError, match="run it again with fewer --jobs"):
        run_study(store, executor=Dying())
    counts = run_study(store, executor=HereExecutor())
    assert counts.analysed_now == 0
    assert counts.measured == 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system with fork")
def test_runs_that_are_killed_anywhere_end_with_the_same_results(photos, tmp_path, pipeline):
    whole = _study(photos, tmp_path / "whole")
    killed = _study(photos, tmp_path / "killed")
    decided = DecisionFile(tmp_path / "decisions.jsonl")
    excluded = {"verdict": "excluded", "reason": "wet hair"}
    for each in whole.photographs()[:5:4]:
        decided.decide("Dr. Grey", [Change(("photo", each.sha256, "verdict"), None, excluded)])
    for store in (whole, killed):
        StudyDecisions(store).take("Dr. Grey", Source("decisions.jsonl", decided.read()))
    run_study(whole, executor=HereExecutor())
    program = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("killed_runs.py"))]
    run = subprocess.run(
        [*program, str(killed.folder), "40"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.returncode == 0, run.stderr
    kills, last = map(int, run.stdout.split())
    assert last == 0, run.stderr
    assert kills >= 10
    assert _text(killed) == _text(whole)
    assert killed.finished_series() == whole.finished_series()
    assert killed.used_decisions() == whole.used_decisions()
    assert sum(len(each) for each in killed.used_decisions().values()) == 2
    assert StudyDecisions(killed).read() == decided.read()
    actions = [each.action for each in killed.log_lines()]
    assert actions[-1] == "run finished"
    assert actions.count("run started") > 10


def test_two_runs_at_the_same_time_give_the_same_as_one(photos, tmp_path, pipeline):
    from concurrent.futures import ThreadPoolExecutor

    alone, shared = (_study(photos, tmp_path / name) for name in ("alone", "shared"))
    run_study(alone, executor=HereExecutor())
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(run_study, StudyStore(shared.folder), executor=HereExecutor())
            for _ in range(2)
        ]
        assert [each.result().measured for each in runs] == [10, 10]
    assert _text(shared) == _text(alone)


def test_status_counts_and_names_what_failed_and_what_is_missing(tmp_path, pipeline, monkeypatch):
    monkeypatch.setattr("scalptrack.study.status.study_fingerprint", lambda _store: "f" * 64)
    rows = good_rows(2)[:6]
    rows[1] = ("blurred.jpg", *rows[1][1:])
    manifest = write_manifest(tmp_path / "photos", rows)
    arguments = ("--manifest", manifest, "--visits", "0,90", "--allow-missing-visits")
    made = invoke("init", tmp_path / "trial", *arguments)
    assert made.stdout.splitlines()[0] == "missing  s1, vertex, day 90"
    store = StudyStore(tmp_path / "trial")
    before = study_status(store)
    assert before.counts_line() == (
        "6 photographs: 0 measured, 0 refused, 0 rejected, 6 to do; 1 visit missing"
    )
    run_study(store, executor=HereExecutor())
    result = invoke("status", tmp_path / "trial")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "photographs analysed  6 of 6",
        "subjects x views done  2 of 2",
        "without a number  1 x blurred",
        "rejected  blurred.jpg: Blurred.",
        "missing  s1, vertex, day 90",
    ]
    document = json.loads(invoke("status", tmp_path / "trial", "--json").stdout)
    assert document["schema"] == "scalptrack.study.status/1"
    assert document["complete"] is True
    assert document["failed"][0]["reason_code"] == "blurred"


@pytest.fixture(scope="session")
def real_study(tmp_path_factory, few_photographs):
    """Three sample photographs measured by two processes."""
    folder = tmp_path_factory.mktemp("real")
    names = sorted((few_photographs / "subject-03" / "vertex").glob("2024-0*.jpg"))
    rows = [
        (os.path.relpath(path, folder), "subject-03", "vertex", path.name[:10], number, "A", "")
        for path, number in zip(names, ("1", "2", "1"), strict=True)
    ]
    manifest = write_manifest(folder, rows, columns=COLUMNS[:-1])
    assert invoke("init", folder / "trial", "--manifest", manifest).exit_code == 0
    return invoke("run", folder / "trial", "--jobs", "2", "--quiet"), folder / "trial"


def test_two_processes_give_the_numbers_of_track(real_study, tracked):
    result, folder = real_study
    assert result.exit_code == 0, result.output
    assert result.stderr == "3 photographs: 3 measured, 0 refused, 0 rejected\n"
    with (tracked[1] / "measurements.csv").open(encoding="utf-8", newline="") as file:
        expected = {row["sha256"]: row for row in csv.DictReader(file) if row["hair_px"]}
    outcomes = StudyStore(folder).outcomes()
    assert {each.sha256 for each in outcomes} == set(expected)
    for each in outcomes:
        assert f"{each.measurement.hair_px:.1f}" == expected[each.sha256]["hair_px"]
        assert str(each.measurement.region_px) == expected[each.sha256]["region_px"]


def test_decisions_give_the_same_numbers_in_a_study_and_in_track(
    real_study, tracked, few_photographs, tmp_path
):
    trial, out = tmp_path / "trial", tmp_path / "results"
    shutil.copytree(real_study[1], trial)
    shutil.copytree(tracked[1], out)
    store = StudyStore(trial)
    names = [each.sha256 for each in store.photographs()]
    corners = [[x, y] for x, y in ((500, 400), (800, 400), (800, 650), (500, 650))]
    changes = (
        Change(("photo", names[1], "verdict"), None, {"verdict": "excluded", "reason": "wet"}),
        Change(("photo", names[2], "reference"), None, True),
        Change(("photo", names[2], "region"), None, {"polygons": [corners]}),
    )
    StudyDecisions(store).decide("Dr. Grey", changes)
    assert invoke("run", trial, "--jobs", "2", "--quiet").exit_code == 1
    arguments = ["track", str(few_photographs), "--out", str(out), "--decisions", str(trial)]
    assert CliRunner().invoke(main, arguments).exit_code == 1
    with (out / "measurements.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["sha256"] in names]
    expected = [
        [row["status"], row["reason_code"], row["hair_px"]]
        for row in rows
        if row["reason_code"] != "duplicate_of"
    ]
    found = [
        [
            each.status.value,
            each.reason.code if each.reason else "",
            f"{each.measurement.hair_px:.1f}" if each.measurement else "",
        ]
        for each in store.outcomes()
    ]
    assert sorted(found) == sorted(expected)
    assert [each[0] for each in sorted(found)] == ["measured", "measured", "refused"]
    whole = {each.sha256: each.measurement for each in StudyStore(real_study[1]).outcomes()}
    drawn = {each.sha256: each.measurement for each in store.outcomes()}
    assert drawn[names[2]].region_px < 0.5 * whole[names[2]].region_px
    session = ReviewSession(StudyPlace(store))
    (series,) = session.state()["series"]
    pictures = {each["sha256"]: each["pictures"] for each in series["photographs"]}
    assert [list(pictures[name]) for name in names] == [
        ["overlay", "compare", "gain-loss"],
        [],
        ["overlay"],
    ]
    overlay = session.picture(pictures[names[2]]["overlay"])
    assert overlay == (out / pictures[names[2]]["overlay"]).read_bytes()
