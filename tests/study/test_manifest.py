"""A study's manifest: understood as a whole, or refused with every mistake and its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pictures import DATE_ORIGINAL, exif_bytes
from PIL import Image
from study.study_files import COLUMNS, good_rows, write_manifest

from scalptrack.errors import InputError
from scalptrack.study.design import MissingVisit, Schedule
from scalptrack.study.manifest import read_study_manifest

TODAY = date(2026, 1, 1)


def _mistakes(path, **options) -> list[str]:
    with pytest.raises(InputError) as error:
        read_study_manifest(path, today=TODAY, **options)
    return [line.strip() for line in str(error.value).splitlines()[1:]]


def test_a_good_manifest_is_understood(tmp_path):
    design = read_study_manifest(write_manifest(tmp_path, good_rows()), today=TODAY)
    assert design.visits == ("visit 1", "visit 2")
    assert design.arms == ("A", "B")
    assert design.covariates == ("age",)
    assert design.missing == ()
    assert len(design.photographs) == 8
    third = design.photographs[2]
    assert (third.name, third.visit, third.replicate) == ("s0_2024-04-10_1.jpg", "visit 2", 1)
    assert (third.arm, third.site, third.covariates) == ("A", "north", {"age": "40"})
    assert third.line == 4


def test_all_mistakes_are_reported_together_with_their_lines(tmp_path):
    rows = [
        ("a.jpg", "s0", "vertex", "2024-01-10", "1", "A", "north", "40"),
        ("a.jpg", "s0", "vertex", "2024-04-10", "1", "A", "north", "40"),
        ("absent.jpg", "s1", "vertex", "2024-01-10", "1", "B", "north", "40"),
        ("b.jpg", "s1", "vertex", "2024-02-31", "1", "B", "north", "40"),
        ("c.jpg", "s2", "vertex", "2031-01-10", "x", "A", "north", "40"),
        ("d.jpg", "s2", "vertex", "2024-04-10", "1", "B", "south", "40"),
        ("e.jpg", "s2", "vertex", "2024-04-10", "1", "B", "south", "41"),
        ("f.jpg", "s3", "", "2024-01-10", "1", "A", "north", ""),
        ("g.jpg", "s4", "vertex", "1024-01-10", "1", "A", "north", ""),
        ("h.jpg", "s4", "vertex", "2024-04-10", "", "A", "north", ""),
        ("i.jpg", "s4", "vertex", "2024-04-10", "2", "A", "north", ""),
    ]
    assert _mistakes(write_manifest(tmp_path, rows)) == [
        "line 3: a.jpg is already in line 2",
        "line 4: absent.jpg does not exist",
        "line 5: visit_date '2024-02-31' is not a date of the calendar written as YYYY-MM-DD",
        "line 6: replicate 'x' is not a whole number from 1",
        "line 6: visit_date 2031-01-10 lies in the future",
        "line 7: subject s2 has arm 'B' here and 'A' in line 6",
        "line 7: subject s2 has site 'south' here and 'north' in line 6",
        "line 8: replicate 1 of s2, vertex, 2024-04-10 is already in line 7",
        "line 8: subject s2 has age '41' on 2024-04-10 here and '40' in line 7",
        "line 8: subject s2 has arm 'B' here and 'A' in line 6",
        "line 8: subject s2 has site 'south' here and 'north' in line 6",
        "line 9: view is empty",
        "line 10: visit_date 1024-01-10 is before 1900",
        "line 11: replicate is empty, and s4, vertex, 2024-04-10 has 2 photographs: number them",
    ]


def test_a_recognised_view_must_be_confirmed_and_is_no_covariate(tmp_path):
    columns = (*COLUMNS, "view_confirmed")
    rows = [(*row, "yes" if number else "no") for number, row in enumerate(good_rows())]
    assert _mistakes(write_manifest(tmp_path, rows, columns=columns)) == [
        "line 2: s0_2024-01-10_1.jpg: its view, vertex, was recognised in the picture and is not "
        "confirmed. Look at it, correct the view where it is wrong, and write yes in the column "
        "view_confirmed."
    ]
    confirmed = [(*row, "yes") for row in good_rows()]
    design = read_study_manifest(write_manifest(tmp_path, confirmed, columns=columns), today=TODAY)
    assert design.covariates == ("age",)


def test_labels_that_differ_in_case_spaces_or_accents_alone_are_one_slip_each(tmp_path):
    rows = good_rows(4)
    for number, (arm, site) in {4: ("b", "North"), 5: ("b", "North"), 8: ("A ", "nörd")}.items():
        rows[number] = (*rows[number][:5], arm, site, rows[number][7])
    rows[9] = (*rows[9][:6], "no\u0308rd", rows[9][7])
    rows[12] = (*rows[12][:2], "My view", *rows[12][3:])
    rows[13] = (*rows[13][:2], "my  view", *rows[13][3:])
    rows[14] = (*rows[14][:2], "myview", *rows[14][3:])
    found = [each for each in _mistakes(write_manifest(tmp_path, rows)) if "alike" in each]
    assert found == [
        "line 6: site 'North' is written 'north' in line 2: write it alike",
        "line 8: arm 'B' is written 'b' in line 6: write it alike",
        "line 11: site 'no\u0308rd' is written 'nörd' in line 10: write it alike",
        "line 15: view 'my  view' is written 'My view' in line 14: write it alike",
    ]


def test_a_photograph_in_a_closed_folder_is_a_mistake_with_its_line(tmp_path, monkeypatch):
    rows = good_rows(1)
    manifest = write_manifest(tmp_path, rows)
    asked = Path.is_file

    def is_file(path):
        if path.name == rows[2][0]:
            raise PermissionError(13, "Permission denied", str(path))
        return asked(path)

    monkeypatch.setattr(Path, "is_file", is_file)
    assert _mistakes(manifest) == [f"line 4: {rows[2][0]} can't be opened: Permission denied"]


def test_the_same_content_under_two_names_is_a_mistake(tmp_path):
    rows = good_rows(1)
    path = write_manifest(tmp_path, rows)
    (tmp_path / rows[3][0]).write_bytes((tmp_path / rows[0][0]).read_bytes())
    assert _mistakes(path) == [
        "line 5: s0_2024-04-10_2.jpg is the same file as s0_2024-01-10_1.jpg in line 2"
    ]


def test_without_a_plan_it_is_not_guessed_which_visit_is_missing(tmp_path):
    rows = good_rows()[:6]
    rows = [*rows, ("x.jpg", "s2", "vertex", "2024-04-11", "1", "A", "north", "40")]
    assert _mistakes(write_manifest(tmp_path, rows)) == [
        "line 6: subject s1 has 1 dates and others have 2; which visit is missing can't be told "
        "from dates: give --visits DAYS and --window, or a column visit"
    ]


def test_missing_visits_are_mistakes_until_they_are_allowed(tmp_path):
    path = write_manifest(tmp_path, good_rows()[:6])
    schedule = Schedule((0, 90), 14)
    assert _mistakes(path, schedule=schedule) == [
        "line 6: subject s1 has no photograph at day 90 (vertex); "
        "--allow-missing-visits takes this as it is"
    ]
    design = read_study_manifest(path, schedule=schedule, allow_missing=True, today=TODAY)
    assert design.missing == (MissingVisit("s1", "vertex", "day 90"),)
    assert design.visits == ("day 0", "day 90")


def test_a_date_outside_all_windows_and_two_dates_in_one_are_mistakes(tmp_path):
    rows = good_rows(1)
    rows += [("x.jpg", "s0", "vertex", "2024-04-12", "1", "A", "north", "40")]
    rows += [("y.jpg", "s0", "vertex", "2024-02-20", "1", "A", "north", "40")]
    assert _mistakes(write_manifest(tmp_path, rows), schedule=Schedule((0, 90), 14)) == [
        "line 6: visit 'day 90' of subject s0 is on 2024-04-12 here and on 2024-04-10 in line 4",
        "line 7: 2024-02-20 is day 41 of subject s0, which is within 14 days of no planned visit "
        "(0, 90)",
    ]


def test_a_column_names_the_visits_in_order_of_time(tmp_path):
    columns = (*COLUMNS[:-1], "visit")
    rows = [
        (*row[:-1], {"2024-01-10": "zero", "2024-04-10": "month 3"}[row[3]]) for row in good_rows()
    ]
    design = read_study_manifest(write_manifest(tmp_path, rows, columns=columns), today=TODAY)
    assert design.visits == ("zero", "month 3")
    assert design.covariates == ()
    rows[4] = (*rows[4][:-1], "month 3")
    path = write_manifest(tmp_path, rows, columns=columns)
    assert _mistakes(path) == [
        "line 6: subject s1 has no photograph at zero (vertex); "
        "--allow-missing-visits takes this as it is",
        "line 7: subject s1 is at visit 'zero' on 2024-01-10 here and at 'month 3' in line 6",
        "line 8: visit 'month 3' of subject s1 is on 2024-04-10 here and on 2024-01-10 in line 6",
        "line 9: visit 'month 3' of subject s1 is on 2024-04-10 here and on 2024-01-10 in line 6",
    ]


def test_what_a_file_says_against_the_manifest_is_noted_and_the_manifest_believed(tmp_path):
    rows = good_rows(1)
    path = write_manifest(tmp_path, rows)
    (tmp_path / rows[0][0]).write_bytes(b"not a photograph")
    exif = exif_bytes({DATE_ORIGINAL: "2023:05:01 10:00:00"})
    Image.new("RGB", (64, 64), (90, 60, 30)).save(tmp_path / rows[1][0], exif=exif)
    design = read_study_manifest(path, today=TODAY)
    assert len(design.photographs) == 4
    assert design.notes[0].startswith("line 2: ")
    assert design.notes[1:] == (
        "line 3: the camera wrote 2023-05-01 into s0_2024-01-10_2.jpg, the manifest says "
        "2024-01-10; the manifest is believed.",
    )


@pytest.mark.parametrize(
    ("days", "window", "text"),
    [
        ((0, 90), 45, "a window of 45 days lets a date belong to two visits"),
        ((30, 90), 10, "that begin with 0"),
        ((0, 90, 60), 10, "in rising order"),
    ],
)
def test_a_schedule_that_is_ambiguous_is_refused(days, window, text):
    with pytest.raises(ValueError, match=text):
        Schedule(days, window)


def test_a_parquet_manifest_says_the_same_as_its_csv(tmp_path):
    import pyarrow as pa
    from pyarrow.parquet import write_table

    path = write_manifest(tmp_path, good_rows())
    columns = {name: [row[i] for row in good_rows()] for i, name in enumerate(COLUMNS)}
    columns["visit_date"] = [date.fromisoformat(day) for day in columns["visit_date"]]
    columns["replicate"] = [int(number) for number in columns["replicate"]]
    write_table(pa.table(columns), tmp_path / "manifest.parquet")
    assert read_study_manifest(tmp_path / "manifest.parquet", today=TODAY) == read_study_manifest(
        path, today=TODAY
    )
