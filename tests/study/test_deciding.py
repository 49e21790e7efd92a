"""What was decided of a study's photographs is in the results of the next run, and nothing else."""

from __future__ import annotations

import hashlib
import pickle

from study.decided import (
    CORNERS,
    EXCLUDED,
    RIGHT_HALF,
    decide,
    hashes_of,
    outcomes_of,
    run,
    study,
    text_of,
)
from study.fake_pipeline import HereExecutor

from scalptrack.records import Reason, Status, Tier
from scalptrack.review.decisions import Change
from scalptrack.study import running
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.running import run_study
from scalptrack.study.series import series_jobs
from scalptrack.study.status import doubt_about
from scalptrack.study.store import StudyStore

__all__ = ["study"]


def test_an_excluded_photograph_has_no_number_and_only_its_series_is_measured_again(study):
    others = text_of(study, "s1", "s2")
    decide(study, "s0_2024-04-10_1.jpg", "verdict", EXCLUDED)
    doubt = doubt_about(study)
    assert doubt.startswith("The results of s0, vertex in ")
    assert "are older than what was decided of these photographs" in doubt
    assert "scalptrack study run" in doubt
    counts = run_study(StudyStore(study.folder), executor=HereExecutor())
    assert (counts.analysed_now, counts.series_now) == (0, 1)
    outcome = outcomes_of(study)["s0_2024-04-10_1.jpg"]
    assert outcome.status is Status.REFUSED
    assert outcome.reason == Reason("excluded", "Excluded by Dr. Grey: wet hair")
    assert text_of(study, "s1", "s2") == others
    assert doubt_about(study) == ""
    assert run(study).series_now == 0
    (used,) = study.used_decisions()["s0", "vertex"]
    assert used.pop("at")
    assert used == {
        "photo": hashes_of(study)["s0_2024-04-10_1.jpg"],
        "what": "verdict",
        "value": EXCLUDED,
        "who": "Dr. Grey",
        "number": 1,
        "unused": "",
    }
    assert study.used_decisions()["s1", "vertex"] == ()


def test_what_was_taken_back_is_no_longer_in_the_results(study):
    before, marks = text_of(study, "s0"), study.finished_series()
    decide(study, "s0_2024-04-10_1.jpg", "verdict", EXCLUDED)
    StudyDecisions(study).undo("Dr. Grey", 1)
    assert doubt_about(study) == ""
    StudyDecisions(study).undo("Dr. Grey", 2)
    run(study)
    assert text_of(study, "s0") != before
    StudyDecisions(study).undo("Dr. Black", 3)
    assert "older than what was decided" in doubt_about(study)
    assert run(study).series_now == 1
    assert (text_of(study, "s0"), study.finished_series()) == (before, marks)
    assert study.used_decisions()["s0", "vertex"] == ()


def test_a_region_is_measured_on_the_reference_that_was_chosen(study):
    before = outcomes_of(study)["s0_2024-01-10_1.jpg"].measurement
    decide(study, "s0_2024-04-10_2.jpg", "reference", True)
    decide(study, "s0_2024-04-10_2.jpg", "region", RIGHT_HALF)
    decide(study, "s0_2024-01-10_1.jpg", "region", RIGHT_HALF)
    run(study)
    after = outcomes_of(study)
    assert [name for name, each in after.items() if each.is_reference and "s0" in name] == [
        "s0_2024-04-10_2.jpg"
    ]
    assert after["s0_2024-01-10_1.jpg"].measurement.region_px < 0.6 * before.region_px
    unused = {each["number"]: each["unused"] for each in study.used_decisions()["s0", "vertex"]}
    assert unused == {1: "", 2: "", 3: "the photograph that it was drawn on is not the reference"}


def test_points_give_a_number_to_a_photograph_that_was_refused(study):
    hashes = hashes_of(study)
    assert outcomes_of(study)["stranger.jpg"].status is Status.REFUSED
    pairs = [[x, y, x + 1, y] for x, y in CORNERS]
    value = {"reference": hashes["s1_2024-01-10_1.jpg"], "pairs": pairs}
    decide(study, "stranger.jpg", "points", value)
    other = {"reference": hashes["s1_2024-01-10_2.jpg"], "pairs": pairs}
    decide(study, "s1_2024-04-10_2.jpg", "points", other)
    run(study)
    outcome = outcomes_of(study)["stranger.jpg"]
    assert (outcome.status, outcome.tier, outcome.aligned_by) == (
        Status.MEASURED,
        Tier.B,
        "points",
    )
    unused = {each["number"]: each["unused"] for each in study.used_decisions()["s1", "vertex"]}
    assert unused == {
        1: "",
        2: "the photograph that they were set against is not the reference",
    }


def test_the_later_of_two_references_is_used_and_the_other_one_is_said(study):
    for name in ("s0_2024-04-10_2.jpg", "s0_2024-01-10_2.jpg"):
        decide(study, name, "reference", True)
    run(study)
    assert outcomes_of(study)["s0_2024-01-10_2.jpg"].is_reference
    unused = {each["number"]: each["unused"] for each in study.used_decisions()["s0", "vertex"]}
    assert unused == {1: "another photograph of this view was chosen later", 2: ""}


def test_what_changes_no_number_measures_nothing_again(study):
    marks = study.finished_series()
    seen = {"status": "measured", "tier": "A", "reason_code": "", "coverage_percent": "40"}
    decide(study, "s0_2024-01-10_1.jpg", "verdict", {"verdict": "accepted", "seen": seen})
    decide(study, "s0_2024-01-10_1.jpg", "note", "ask again")
    decide(study, "f" * 64, "verdict", EXCLUDED)
    event = Change(("subject", "s0", "events"), None, [{"date": "2024-02-01", "label": "start"}])
    StudyDecisions(study).decide("Dr. Grey", [event])
    assert doubt_about(study) == ""
    assert run(study).series_now == 0
    assert study.finished_series() == marks


def test_a_decision_does_not_touch_a_photograph_that_is_another_one_by_now(tmp_path, study):
    name = "s0_2024-04-10_1.jpg"
    decide(study, name, "verdict", EXCLUDED)
    path = study.photo_root.path_of(name)
    original = path.read_bytes()
    path.write_bytes(original + b"x")
    for each in study.cache_folder.rglob("*.npz"):
        each.unlink()
    run(study)
    assert outcomes_of(study)[name].reason.code == "content_changed"
    (used,) = study.used_decisions()["s0", "vertex"]
    assert used["unused"] == "the file is no longer what was decided on"
    path.write_bytes(original)
    run(study)
    assert outcomes_of(study)[name].reason.code == "excluded"
    assert study.used_decisions()["s0", "vertex"][0]["unused"] == ""


def test_a_decision_during_a_run_is_in_the_results_of_the_next_one(study):
    class Deciding(HereExecutor):
        def submit(self, fn, /, *args, **kwargs):
            if fn is running.series_unit:
                decide(study, "s0_2024-01-10_1.jpg", "verdict", EXCLUDED)
            return super().submit(fn, *args, **kwargs)

    decide(study, "s0_2024-04-10_1.jpg", "verdict", EXCLUDED)
    run_study(study, executor=Deciding())
    assert outcomes_of(study)["s0_2024-01-10_1.jpg"].status is Status.MEASURED
    assert "older than what was decided" in doubt_about(study)
    assert run(study).series_now == 1
    assert outcomes_of(study)["s0_2024-01-10_1.jpg"].reason.code == "excluded"


def test_a_piece_of_work_with_decisions_reaches_another_process(study):
    decide(study, "s0_2024-04-10_1.jpg", "region", RIGHT_HALF)
    job = series_jobs(study)[0]
    assert job.decisions
    assert pickle.loads(pickle.dumps(job)) == job


def test_without_decisions_the_mark_is_that_of_a_study_of_before(study):
    job = series_jobs(study)[0]
    text = "\n".join(["v", *(each.sha256 for each in job.photographs)])
    assert job.mark("v") == hashlib.sha256(text.encode()).hexdigest()
    assert job.is_current(f"again {job.mark('v')}", "v")
