"""``track --dicom``: aligned photographs and a report, with a patient and without any name.

Heads and alignments are stand-ins; the photographs are DICOM files of a patient, and a JPEG.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter

import numpy as np
import pictures
import pytest
from click.testing import CliRunner
from pictures import scene
from PIL import Image
from structured_report import trees

from scalptrack.cli.main import main
from tests.cli.test_track_deidentify import stand_ins

pydicom = pytest.importorskip("pydicom", reason="pip install 'scalptrack[test]'")

FOLDER = "Zwetschge"
PATIENT = {"PatientName": "Hinterdupfing^Anna", "PatientID": "ID-90417733", "PatientSex": "F"}
PATIENT |= {"PatientBirthDate": "19611109", "AccessionNumber": "A-55501"}
PATIENT |= {"InstitutionName": "Praxis Dr. Knopf", "Manufacturer": "Kaltbrunn"}
DAYS = ("2023-05-17", "2023-08-17", "2023-11-20")
WORDS = [FOLDER, "Hinterdupfing", "90417733", "19611109", "A-55501", "Knopf", "Kaltbrunn"]
WORDS += [*DAYS, *(day.replace("-", "") for day in DAYS), "1.2.3."]


def plant(folder):
    """Three visits of a patient as DICOM, a replicate as JPEG, and a JPEG that is cut off."""
    vertex = folder / FOLDER / "vertex"
    vertex.mkdir(parents=True)
    for number, day in enumerate(DAYS, start=1):
        uids = {f"{kind}InstanceUID": f"1.2.3.{n}.{number}" for n, kind in enumerate(UID_KINDS)}
        content = pictures.dicom(
            np.roll(scene(150, 150), 5 * number, axis=1),
            **PATIENT,
            **uids,
            StudyDate=day.replace("-", ""),
        )
        (vertex / f"{day}_1.dcm").write_bytes(content)
    Image.fromarray(np.roll(scene(150, 150), 8, axis=0)).save(vertex / f"{DAYS[0]}_2.jpg")
    whole = (vertex / f"{DAYS[0]}_2.jpg").read_bytes()
    (vertex / f"{FOLDER}_2024-01-02.jpg").write_bytes(whole[: len(whole) // 2])
    (vertex / "letter.txt").write_text(FOLDER)
    return folder


UID_KINDS = ("Study", "Series", "SOP")


def track(photos, out, *more):
    arguments = ["track", str(photos), "--out", str(out), "--dicom", "--jobs", "1", "--no-cache"]
    with pytest.MonkeyPatch.context() as patch:
        stand_ins(patch)
        return CliRunner().invoke(main, [*arguments, *more])


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    root = tmp_path_factory.mktemp("named")
    result = track(plant(root / "photos"), root / "out")
    assert result.exit_code == 1, result.output
    return root


@pytest.fixture(scope="module")
def nameless(named):
    key = ["--deidentify", str(named / "key"), "--create-key", "--shift-dates", "300"]
    result = track(named / "photos", named / "shared", *key)
    assert result.exit_code == 1, result.output
    return named / "shared"


def rows(out):
    with (out / "measurements.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_report_refers_to_what_was_written_and_to_the_originals(named):
    out = named / "out"
    record = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    written = [name for name in record["outputs"] if name.endswith(".dcm")]
    assert Counter(name.split(".", 1)[1] for name in written) == {"aligned.dcm": 4, "dcm": 1}
    report = pydicom.dcmread(out / FOLDER / "vertex" / "measurements.dcm")
    groups = {trees.text(each, "sha256"): each for each in trees.groups(report).values()}
    pictures_of = {
        name: str(pydicom.dcmread(out / name).SOPInstanceUID)
        for name in written
        if "aligned" in name
    }
    for row in rows(out):
        if row["photo"].endswith(".txt"):
            assert row["sha256"] not in groups or not row["sha256"]
            continue
        group = groups[row["sha256"]]
        assert (row["status"] == "measured") == (trees.number(group, "coverage") is not None)
        stem = f"{row['visit_date']}_{row['replicate']}.aligned.dcm"
        own = [uid for name, uid in pictures_of.items() if name.endswith(stem)]
        assert trees.references(group, "121080") == own
        number = DAYS.index(row["visit_date"]) + 1 if row["photo"].endswith(".dcm") else 0
        assert trees.references(group, "121112") == ([f"1.2.3.2.{number}"] if number else [])
    assert (report.PatientID, report.StudyInstanceUID) == ("ID-90417733", "1.2.3.0.3")


def test_the_folder_of_a_person_is_not_named_in_dicom(named):
    for path in (named / "out").rglob("*.dcm"):
        assert FOLDER.encode() not in path.read_bytes(), path.name


def test_a_rerun_elsewhere_gives_the_same_bytes(named, tmp_path):
    assert track(named / "photos", tmp_path / "again").exit_code == 1
    for path in sorted((named / "out").rglob("*.dcm")):
        again = tmp_path / "again" / path.relative_to(named / "out")
        assert again.read_bytes() == path.read_bytes(), path.name


def test_files_of_two_patients_give_no_report(named, tmp_path):
    photos = shutil.copytree(named / "photos", tmp_path / "photos")
    path = photos / FOLDER / "vertex" / f"{DAYS[1]}_1.dcm"
    other = pydicom.dcmread(path)
    other.PatientID = "4712"
    other.save_as(path)
    result = track(photos, tmp_path / "out")
    assert (
        f"Note: No DICOM report of {FOLDER}, vertex: its DICOM files name more than one patient. "
        "File each person's photographs apart.\n"
    ) in result.stderr
    assert not list((tmp_path / "out").rglob("measurements.dcm"))
    assert len(list((tmp_path / "out").rglob("*.aligned.dcm"))) == 4


def test_without_names_the_pseudonym_is_the_patient(nameless):
    (subject,) = {each["subject"] for each in rows(nameless)} - {""}
    found = sorted(nameless.rglob("*.dcm"))
    assert len(found) == 5
    for path in found:
        dataset = pydicom.dcmread(path)
        assert (dataset.PatientID, dataset.PatientName) == (subject, "")
        assert dataset.PatientIdentityRemoved == "YES"
        assert dataset.LongitudinalTemporalInformationModified == "MODIFIED"
        assert "SourceImageSequence" not in dataset
        content = path.read_bytes()
        assert [each for each in WORDS if each.encode() in content] == []


def test_without_names_the_numbers_are_those_of_the_table(nameless):
    (path,) = nameless.rglob("measurements.dcm")
    report = pydicom.dcmread(path)
    groups = {trees.text(each, "sha256"): each for each in trees.groups(report).values()}
    found = [each for each in rows(nameless) if each["coverage_percent"]]
    assert len(found) == 4
    for row in found:
        group = groups[row["sha256"]]
        assert trees.number(group, "coverage") == float(row["coverage_percent"])
        high = trees.number(trees.child(group, "coverage"), "interval-high")
        assert high == float(row["coverage_high"])
    reasons = {trees.text(each, "reason") for each in groups.values()} - {""}
    assert reasons == {
        "Rejected: truncated. The full reason names the file: see `scalptrack catalog`."
    }
