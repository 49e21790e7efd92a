from datetime import date
from pathlib import Path

import pytest

from scalptrack.errors import InputError
from scalptrack.records import VisitConditions
from scalptrack.visits import VISIT_COLUMNS, read_visits


def written(folder: Path, text: str) -> Path:
    path = folder / "visits.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_all_columns(tmp_path: Path) -> None:
    header = ",".join(VISIT_COLUMNS)
    path = written(
        tmp_path,
        f"{header}\nben,2025-03-01,,,,,,,,\n"
        'anna,2025-01-02,12,8.5,yes,NO,1,left,false,"combed, then wet"\n',
    )
    assert read_visits(path) == (
        VisitConditions(
            "anna",
            date(2025, 1, 2),
            days_since_haircut=12.0,
            hair_length_mm=8.5,
            wet=True,
            fibres=False,
            dyed=True,
            parting="left",
            micropigmentation=False,
            note="combed, then wet",
            line=3,
        ),
        VisitConditions("ben", date(2025, 3, 1), line=2),
    )


def test_few_columns_other_separator_and_decimal_comma(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffVisit_Date;Subject;hair_length_mm\n2025-01-02;anna;8,5\n\n")
    (conditions,) = read_visits(path)
    assert conditions.hair_length_mm == 8.5
    assert conditions.wet is None


def test_all_mistakes_are_named_together_with_their_lines(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "subject,visit_date,fibers,wet,hair_length_mm,wet\n"
        "anna,2025-01-02,yes,perhaps,-3,no\n"
        ",2025-01-02,,yes,,\n"
        "anna,2 Jan 2025,,,,\n"
        "anna,2025-02-02,,no,5000,no\n"
        "anna,2025-02-02,,no,,no,more\n"
        "anna,2025-02-02,,,,\n",
    )
    with pytest.raises(InputError) as caught:
        read_visits(path)
    assert str(caught.value) == (
        f"{path} has 9 mistakes:\n"
        "  line 1: there is no column 'fibers'; the columns are subject, visit_date, "
        "days_since_haircut, hair_length_mm, wet, fibres, dyed, parting, micropigmentation, note\n"
        "  line 1: the column 'wet' is there twice\n"
        "  line 6: 7 cells for 6 columns; put quotation marks around a text that holds the "
        "separator\n"
        "  line 2: hair_length_mm '-3' is not a number from 0 to 3000\n"
        "  line 3: subject is empty\n"
        "  line 4: visit_date '2 Jan 2025' is not a date of the calendar written as YYYY-MM-DD\n"
        "  line 5: hair_length_mm '5000' is not a number from 0 to 3000\n"
        "  line 6: this visit is already in line 5\n"
        "  line 7: this visit is already in line 5"
    )


def test_an_answer_must_be_yes_or_no(tmp_path: Path) -> None:
    path = written(tmp_path, "subject,visit_date,wet,fibres\nanna,2025-01-02,damp,a bit\n")
    with pytest.raises(InputError) as caught:
        read_visits(path)
    assert str(caught.value).endswith(
        "line 2: wet 'damp' is neither yes nor no; fibres 'a bit' is neither yes nor no"
    )


@pytest.mark.parametrize("text", ["", "subject,wet\nanna,yes\n"])
def test_subject_and_date_are_needed(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="subject, visit_date"):
        read_visits(written(tmp_path, text))
