"""The FHIR bundle of a study: valid, complete, and silent about everything else."""

from __future__ import annotations

import json
import warnings

import pytest
from study.study_files import invoke
from study.trial import coverage, make_trial

from scalptrack import __version__
from scalptrack.segmentation import model_checksum
from scalptrack.study.tidy import load_results, visit_table


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    return make_trial(tmp_path_factory.mktemp("trial"), per_arm=3)


@pytest.fixture(scope="module")
def bundle(trial):
    path = trial.folder.parent / "observations.json"
    result = invoke("export", trial.folder, "--fhir", path, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["fhir"], document["observations"]) == (path.as_posix(), 18)
    return json.loads(path.read_text(encoding="utf-8"))


def _observations(bundle):
    return [
        entry["resource"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Observation"
    ]


def _place(each):
    return each["subject"]["identifier"]["value"], each["note"][0]["text"].split(": ")[1]


def _component(each, code):
    (found,) = [c for c in each["component"] if c["code"]["coding"][0]["code"] == code]
    return found


def test_the_bundle_is_valid_fhir(bundle):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fhir.resources.R4B.bundle import Bundle
    read = Bundle.model_validate(bundle)
    assert len(read.entry) == 19
    assert json.loads(read.model_dump_json()) == bundle
    broken = json.loads(json.dumps(bundle))
    broken["entry"][1]["resource"]["valueQuantity"]["value"] = "much"
    with pytest.raises(ValueError, match="value"):
        Bundle.model_validate(broken)


def test_every_planned_visit_has_one_observation_with_the_number_of_the_tables(trial, bundle):
    rows = {(row["subject"], row["visit"]): row for row in visit_table(load_results(trial)).rows}
    found = {_place(each): each for each in _observations(bundle)}
    assert len(found) == 18
    for place, row in rows.items():
        each = found[place]
        assert each["effectiveDateTime"] == row["visit_date"].isoformat()
        assert each["valueQuantity"] == {
            "value": row["coverage_percent"],
            "unit": "%",
            "system": "http://unitsofmeasure.org",
            "code": "%",
        }
        interval = _component(each, "coverage-interval-95")["valueRange"]
        assert interval["low"]["value"] < row["coverage_percent"] < interval["high"]["value"]
        assert interval["low"]["value"] == row["coverage_low"]
        if row["visit"] != "day 0":
            change = _component(each, "coverage-change")["valueQuantity"]
            assert change["value"] == row["change_points"]
            assert _component(each, "verdict")["valueString"] == row["verdict"]
    expected = 50 * sum(coverage(0, "drug", 180, replicate) for replicate in (1, 2))
    value = found["s0", "day 180"]["valueQuantity"]["value"]
    assert value == pytest.approx(expected, abs=1e-4)


def test_where_there_is_no_number_there_is_a_reason(trial, bundle):
    found = {_place(each): each for each in _observations(bundle)}
    missing = found["s2", "day 180"]
    assert missing["dataAbsentReason"]["coding"][0]["code"] == "not-performed"
    assert not {"valueQuantity", "component", "effectiveDateTime"} & set(missing)
    refused = found["s3", "day 90"]
    assert refused["note"][1]["text"] == "1 of 2 photographs have no number: 1 x no_agreement"
    assert _component(refused, "replicates")["valueInteger"] == 1
    assert len(refused["derivedFrom"]) == 2


def test_a_number_and_a_change_say_what_their_alignment_rests_on(bundle):
    found = {_place(each): each for each in _observations(bundle)}
    rough = (
        "less sure (tier B): aligned by the outline or by hand, which can't tell whether it is the "
        "same head"
    )
    sure = "tier A: by features of the scalp"
    for place, of_visit, of_change in (
        (("s0", "day 90"), rough, rough),
        (("s0", "day 180"), sure, sure),
    ):
        assert _component(found[place], "alignment")["valueString"] == of_visit
        assert _component(found[place], "coverage-change-alignment")["valueString"] == of_change


def test_a_change_from_a_less_sure_baseline_says_so(trial):
    from dataclasses import replace

    from scalptrack.records import Tier
    from scalptrack.study.fhir import Method, fhir_bundle
    from scalptrack.study.tidy import build_timelines

    results = load_results(trial)
    outcomes = tuple(
        replace(each, tier=Tier.B, aligned_by="points") if each.name.startswith("s1/0_") else each
        for each in results.outcomes
    )
    results = replace(results, outcomes=outcomes, timelines=build_timelines(outcomes))
    bundle = fhir_bundle(results, Method("m", "0" * 64, "s"))
    each = {_place(each): each for each in _observations(bundle)}["s1", "day 90"]
    assert _component(each, "alignment")["valueString"] == "tier A: by features of the scalp"
    assert _component(each, "coverage-change-alignment")["valueString"] == (
        "less sure (tier B): aligned by points set by hand, which can't tell whether it is the "
        "same head"
    )


def test_it_says_with_what_it_was_measured_and_where(bundle):
    device = bundle["entry"][0]["resource"]
    versions = {each["type"]["text"]: each["value"] for each in device["version"]}
    assert versions["software"] == __version__
    assert versions["segmentation model, SHA-256"] == model_checksum()
    for each in _observations(bundle):
        assert model_checksum() in each["method"]["text"]
        assert each["device"]["reference"] == bundle["entry"][0]["fullUrl"]
        assert each["bodySite"]["coding"][0]["code"] == "41695006"
        assert each["bodySite"]["text"] == "scalp, view: vertex"
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)


def test_it_claims_no_diagnosis_and_names_no_arm_site_or_file(bundle):
    resources = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert resources == {"Device", "Observation"}
    for each in _observations(bundle):
        assert not {"interpretation", "referenceRange", "performer"} & set(each)
        assert set(each["subject"]) == {"type", "identifier"}
    text = json.dumps(bundle)
    for word in ("drug", "placebo", "north", ".jpg", "responder"):
        assert word not in text


def test_a_bundle_again_has_the_same_bytes_and_replaces_nothing_else(trial, bundle, tmp_path):
    path = trial.folder.parent / "observations.json"
    before = path.read_bytes()
    assert invoke("export", trial.folder, "--fhir", path).exit_code == 0
    assert path.read_bytes() == before
    last = trial.log_lines()[-1]
    assert (last.action, last.details["observations"]) == ("fhir", 18)
    mine = tmp_path / "mine.json"
    mine.write_bytes(before + b" ")
    result = invoke("export", trial.folder, "--fhir", mine)
    assert result.exit_code == 2
    assert f"{mine} exists and was not written by this study, or was changed since." in (
        result.stderr
    )
    assert mine.read_bytes() == before + b" "


def test_a_study_that_is_not_measured_to_its_end_gives_no_bundle(tmp_path):
    store = make_trial(tmp_path, per_arm=1, measured=False)
    result = invoke("export", store.folder, "--fhir", tmp_path / "f.json")
    assert result.exit_code == 2
    assert "have no result yet" in result.stderr
    assert not (tmp_path / "f.json").exists()


def test_a_visit_without_any_number_and_one_without_a_baseline(trial):
    from scalptrack.study.fhir import Method, fhir_bundle
    from scalptrack.study.tidy import without

    left_out = {"s1/0_1.jpg", "s1/0_2.jpg"}
    found = {
        _place(each): each
        for each in _observations(
            fhir_bundle(without(load_results(trial), left_out), Method("m", "0" * 64, "s"))
        )
    }
    baseline = found["s1", "day 0"]
    assert baseline["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert "valueQuantity" not in baseline
    change = _component(found["s1", "day 90"], "coverage-change")
    assert change["dataAbsentReason"]["text"] == "there is no comparable number at baseline"
    assert "valueQuantity" not in change
