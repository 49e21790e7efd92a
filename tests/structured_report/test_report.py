"""A report says what the tables say, to the last digit, and why a visit has no number."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date

import pytest
from structured_report import trees

from scalptrack.longitudinal import build_timelines
from scalptrack.records import (
    Finding,
    Measurement,
    Outcome,
    Reason,
    Severity,
    Status,
    Tier,
    VisitConditions,
)
from scalptrack.tables import changes_csv, measurements_csv

pydicom = pytest.importorskip("pydicom", reason="pip install 'scalptrack[test]'")
highdicom = pytest.importorskip("highdicom", reason="pip install 'scalptrack[test]'")

from scalptrack.images.dicom_writing import Pseudonym  # noqa: E402
from scalptrack.structured_report.content import (  # noqa: E402
    ReportedPhotograph,
    ReportedSeries,
)
from scalptrack.structured_report.document import encode_report, patients_differ  # noqa: E402
from scalptrack.structured_report.naming import Naming  # noqa: E402

SUBJECT = "Zwetschge"
MODEL = "c" * 64


def outcome(number: int, day: str, replicate: int, **more) -> Outcome:
    coverage = more.pop("coverage", None)
    measurement = None
    if coverage is not None:
        measurement = Measurement(coverage * 21381, 21381, 0.12345, 0.004, 0.003)
    plain = Outcome(
        name=f"{SUBJECT}/vertex/{SUBJECT}_{day}_{replicate}.jpg",
        subject=SUBJECT,
        view="vertex",
        visit_date=date.fromisoformat(day),
        replicate=replicate,
        sha256=f"{number:064d}",
        status=Status.REFUSED if coverage is None else Status.MEASURED,
        reason=None,
        measurement=measurement,
        tier=None if coverage is None else Tier.A,
    )
    return replace(plain, **more)


def outcomes() -> tuple[Outcome, ...]:
    refused, rejected = (
        f"{SUBJECT}_2026-07-01_1.jpg",
        f"{SUBJECT}/vertex/{SUBJECT}_2026-08-01_1.jpg",
    )
    why = Reason("earliest_usable", "The earliest usable photograph of this view.")
    doubt = Finding("outline_only", Severity.WARNING, 1.0, 0.0, "", "Look.")
    return (
        outcome(1, "2026-01-10", 1, coverage=0.31237, is_reference=True, reference_reason=why),
        outcome(2, "2026-01-10", 2, coverage=0.32981),
        outcome(3, "2026-04-12", 1, coverage=0.71433, tier=Tier.B, warnings=(doubt,)),
        outcome(
            4, "2026-07-01", 1, reason=Reason("no_agreement", f"{refused} shows another head.")
        ),
        outcome(
            5,
            "2026-08-01",
            1,
            status=Status.REJECTED,
            reason=Reason("ambiguous_subject", f"{rejected} lies in the folder of {SUBJECT}."),
        ),
        outcome(6, "2026-10-01", 1, coverage=0.5),
    )


def reported(found: tuple[Outcome, ...] = outcomes(), **more) -> ReportedSeries:
    fibres = VisitConditions(SUBJECT, date(2026, 10, 1), fibres=True)
    (timeline,) = build_timelines(found, conditions=(fibres,))
    photographs = tuple(ReportedPhotograph(each) for each in found)
    plain = ReportedSeries(timeline, photographs, Naming(found), "a network", MODEL)
    return replace(plain, **more)


@pytest.fixture(scope="module")
def series():
    return reported()


@pytest.fixture(scope="module")
def report(series):
    return pydicom.dcmread(io.BytesIO(encode_report(series)))


def table(content: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content)))


def as_number(cell: str) -> float | None:
    return float(cell) if cell else None


def test_every_photograph_has_the_numbers_of_its_row(series, report):
    rows = {each["sha256"]: each for each in table(measurements_csv(outcomes(), [series.timeline]))}
    groups = {
        trees.text(each, "sha256"): each
        for name, each in trees.groups(report).items()
        if name.startswith("photograph")
    }
    assert groups.keys() == rows.keys()
    for sha256, row in rows.items():
        group = groups[sha256]
        coverage = as_number(row["coverage_percent"])
        assert trees.number(group, "coverage") == coverage
        assert trees.number(group, "excluded") == as_number(row["excluded_percent"])
        assert trees.number(group, "region", "{pixels}") == as_number(row["region_px"])
        assert trees.text(group, "doubts") == row["warnings"].replace(";", "")
        assert trees.coded(group, "tier")[0] == (row["tier"] and f"tier-{row['tier']}")
        assert bool(trees.text(group, "reference")) == (row["is_reference"] == "yes")
        if coverage is None:
            continue
        measured = trees.child(group, "coverage")
        low, high = float(row["coverage_low"]), float(row["coverage_high"])
        assert trees.number(measured, "interval-low") == low
        assert trees.number(measured, "interval-high") == high
        assert trees.number(measured, "371885007") == pytest.approx(coverage - low, abs=1e-9)
        assert trees.number(measured, "371886008") == pytest.approx(high - coverage, abs=1e-9)
    assert sum(trees.number(each, "coverage") is not None for each in groups.values()) == 4


def test_every_visit_has_the_change_of_its_row(series, report):
    groups = trees.groups(report)
    rows = table(changes_csv([series.timeline]))
    assert {each["visit_date"] for each in rows} == {
        "2026-04-12",
        "2026-07-01",
        "2026-08-01",
        "2026-10-01",
    }
    for row in rows:
        group = groups[f"visit {row['visit_date']}"]
        assert trees.number(group, "change") == as_number(row["change_points"])
        assert trees.number(group, "detectable") == as_number(row["mdc_points"])
        assert trees.coded(group, "verdict") == (
            {"increase": "increase", "not comparable": "not-comparable"}[row["verdict"]],
            "99SCALPTRACK",
        )
        if row["change_points"]:
            change = trees.child(group, "change")
            assert trees.number(change, "interval-low") == float(row["change_low"])
            assert trees.number(change, "interval-high") == float(row["change_high"])
            assert trees.text(group, "sentence") == row["sentence"]
            assert str(trees.child(group, "baseline-date").Date) == "20260110"
    (baseline, _) = series.timeline.visits
    first = groups["visit 2026-01-10"]
    mean = trees.child(first, "coverage")
    assert trees.number(first, "coverage") == round(100 * baseline.coverage_fraction, 3)
    assert trees.number(mean, "interval-low") == round(100 * baseline.low_fraction, 3)
    assert trees.coded(mean, "121401") == ("373098007", "SCT")
    assert trees.number(first, "photographs", "1") == 2
    assert trees.coded(first, "126072") == ("C1442488", "UMLS")
    assert trees.child(first, "verdict") is None


def test_a_photograph_without_a_number_says_so_and_why(report):
    groups = trees.groups(report)
    refused = groups["photograph 2026-07-01 no. 1"]
    assert trees.coded(refused, "status") == ("114006", "DCM")
    assert trees.text(refused, "reason-code") == "no_agreement"
    assert trees.text(refused, "reason") == "photograph 2026-07-01 no. 1 shows another head."
    assert trees.text(groups["visit 2026-07-01"], "sentence").endswith(
        "photograph 2026-07-01 no. 1 shows another head."
    )
    rejected = groups["photograph 2026-08-01 no. 1"]
    assert trees.coded(rejected, "status") == ("114007", "DCM")
    assert trees.text(rejected, "reason") == "Ambiguous subject."
    assert trees.text(groups["visit 2026-08-01"], "sentence") == "Not comparable."
    aside = groups["photograph 2026-10-01 no. 1"]
    assert trees.number(aside, "coverage") == 50.0
    assert trees.coded(aside, "status") == ("measured", "99SCALPTRACK")
    assert "fibres" in trees.text(aside, "not-compared")
    assert trees.text(aside, "reason") == ""


def test_a_report_names_program_version_and_model(report):
    for group in trees.groups(report).values():
        assert trees.text(group, "111001") == "scalptrack"
        assert trees.text(group, "111003") == "0.1.0"
        parameters = [
            each.TextValue for each in trees.walk(group) if trees.concept(each) == "111002"
        ]
        assert parameters == ["segmentation: a network", f"SHA-256 of the model: {MODEL}"]
        assert trees.coded(group, "363698007") == ("41695006", "SCT")
        assert trees.text(group, "view") == "vertex"


def test_readers_show_each_item_under_its_own_heading(report):
    assert {each.ContinuityOfContent for each in trees.groups(report).values()} == {"SEPARATE"}
    used = [each for each in report.iterall() if each.keyword in ("CodeValue", "CodeMeaning")]
    longest = {"CodeValue": 16, "CodeMeaning": 64}
    assert len(used) > 100
    assert [each.value for each in used if len(each.value) > longest[each.keyword]] == []
    assert not [each for each in report.iterall() if each.keyword == "LongCodeValue"]


def test_a_report_holds_no_name_and_no_time_of_the_run(series, report):
    content = encode_report(series)
    assert SUBJECT.encode() not in content
    dated = {
        each.keyword: str(each.value)
        for each in report.iterall()
        if each.VR in ("DA", "TM", "DT") and each.keyword != "Date"
    }
    assert dated == {
        "StudyDate": "",
        "StudyTime": "",
        "PatientBirthDate": "",
        "ContentDate": "20261001",
        "ContentTime": "000000",
    }
    assert str(report.PatientID) == ""


def test_highdicom_reads_it_as_a_measurement_report(series):
    read = highdicom.sr.srread(io.BytesIO(encode_report(series)))
    assert isinstance(read, highdicom.sr.ComprehensiveSR)
    groups = read.content.get_image_measurement_groups()
    assert len(groups) == 6 + 5
    (first, *_) = groups[0].get_measurements(
        name=pydicom.sr.coding.Code("coverage", "99SCALPTRACK", "")
    )
    assert first.value == 31.237


def test_other_content_is_another_instance_of_the_same_series(series):
    assert encode_report(series) == encode_report(reported())
    changed = (*outcomes()[:5], outcome(6, "2026-10-01", 1, coverage=0.5001))
    first, other = (
        pydicom.dcmread(io.BytesIO(encode_report(each))) for each in (series, reported(changed))
    )
    assert first.SOPInstanceUID != other.SOPInstanceUID
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID
    assert first.SeriesInstanceUID == other.SeriesInstanceUID
    photographs = [
        {trees.child(each, "112040").UID for each in trees.groups(x).values()}
        for x in (first, other)
    ]
    assert photographs[0] == photographs[1]
    assert len(photographs[0]) == 11


def image(number: str, study: str, **more):
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.77.1.4", f"1.2.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, f"{study}.7"
    dataset.Rows = dataset.Columns = 20
    for name, value in more.items():
        setattr(dataset, name, value)
    return dataset


def evidence(dataset, name):
    return {
        (str(study.StudyInstanceUID), str(each.ReferencedSOPInstanceUID))
        for study in dataset.get(name, [])
        for series in study.ReferencedSeriesSequence
        for each in series.ReferencedSOPSequence
    }


def test_patient_and_study_are_those_of_the_latest_original():
    found = outcomes()
    photographs = [ReportedPhotograph(each) for each in found]
    photographs[0] = replace(
        photographs[0],
        original=image("1", "1.2.10", PatientID="4711", StudyDate="20260110"),
        aligned=image("2", "1.2.10"),
    )
    photographs[2] = replace(
        photographs[2],
        original=image("3", "1.2.30", PatientID="4711", StudyDate="20260412"),
        aligned=image("4", "1.2.30"),
    )
    photographs[5] = replace(photographs[5], aligned=image("6", "1.2.60"))
    read = pydicom.dcmread(io.BytesIO(encode_report(reported(photographs=tuple(photographs)))))
    assert (read.PatientID, read.StudyInstanceUID, read.StudyDate) == ("4711", "1.2.30", "20260412")
    own = evidence(read, "CurrentRequestedProcedureEvidenceSequence")
    others = evidence(read, "PertinentOtherEvidenceSequence")
    assert own == {("1.2.30", "1.2.3"), ("1.2.30", "1.2.4")}
    assert others == {("1.2.10", "1.2.1"), ("1.2.10", "1.2.2"), ("1.2.60", "1.2.6")}
    group = trees.groups(read)["photograph 2026-04-12 no. 1"]
    assert trees.references(group, "121112") == ["1.2.3"]
    assert trees.references(group, "121080") == ["1.2.4"]


def test_a_pseudonym_is_all_that_is_said_of_the_patient():
    aligned = ReportedPhotograph(outcomes()[0], aligned=image("2", "1.2.10"))
    series = reported(photographs=(aligned,), pseudonym=Pseudonym("p-abc", dates_shifted=True))
    read = pydicom.dcmread(io.BytesIO(encode_report(series)))
    assert (read.PatientID, read.PatientName, read.StudyInstanceUID) == ("p-abc", "", "1.2.10")
    assert read.PatientIdentityRemoved == "YES"
    assert read.LongitudinalTemporalInformationModified == "MODIFIED"


@pytest.mark.parametrize(
    ("patients", "differ"),
    [
        ([], False),
        ([{}], False),
        ([{"PatientID": "1"}, {"PatientID": "2"}], True),
        ([{"PatientID": "1", "PatientName": "A"}, {"PatientID": "1", "PatientName": "B"}], False),
        ([{"PatientName": "A"}, {"PatientName": "B"}, {}], True),
        ([{"PatientID": "1"}, {}], False),
    ],
)
def test_originals_of_two_patients_are_noticed(patients, differ):
    assert patients_differ([image("1", "1.2.3", **each) for each in patients]) is differ
