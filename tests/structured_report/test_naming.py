"""Names of files and folders never reach a report."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from scalptrack.records import Outcome, Reason, Status
from scalptrack.structured_report.naming import Naming, photograph_label


def outcome(name: str, subject: str, day: date | None = date(2026, 1, 10), replicate=1) -> Outcome:
    reason = Reason("blurred", "Blurred.")
    status = Status.REJECTED
    return Outcome(name, subject, "vertex", day, replicate, "a" * 64, status, reason)


def test_a_photograph_is_called_by_date_and_number():
    first = outcome("anna/1.jpg", "anna")
    assert photograph_label(first) == "photograph 2026-01-10 no. 1"
    assert photograph_label(replace(first, replicate=None)) == "photograph 2026-01-10"
    assert photograph_label(replace(first, visit_date=None)) == "undated file"


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("anna/a-1.jpg is blurred.", "photograph 2026-01-10 no. 1 is blurred."),
        ("a-1.jpg is blurred.", "photograph 2026-01-10 no. 1 is blurred."),
        (
            "anna/a-1.jpg is the same file as anna/a-2.jpg.",
            "photograph 2026-01-10 no. 1 is the same file as photograph 2026-01-10 no. 2.",
        ),
        ("It lies in the folder of anna.", "Otherwise."),
        ("It lies in the folder of Anna_2.", "Otherwise."),
        ("Its name says Bertold.", "Otherwise."),
        ("Its name says subject-07.", "Otherwise."),
        ("bananna is no name, and the vertex is a view.", None),
        ("The same.jpg of two people.", "The another file of two people."),
        ("7 is a number.", None),
    ],
)
def test_a_sentence_holds_no_name(sentence, said):
    naming = Naming(
        (
            outcome("anna/a-1.jpg", "anna"),
            outcome("anna/a-2.jpg", "anna", replicate=2),
            outcome("anna/same.jpg", "anna"),
            outcome("x/same.jpg", "Huber, Bertold vertex", date(2026, 2, 1)),
            outcome("y/1.jpg", "subject-07"),
        )
    )
    assert naming.nameless(sentence, "Otherwise.") == (said or sentence)


def test_without_subjects_every_sentence_stays():
    assert Naming(()).nameless("Blurred.", "Otherwise.") == "Blurred."
