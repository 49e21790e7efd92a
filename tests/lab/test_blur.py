"""The blur benchmark: what it counts of each limit."""

from __future__ import annotations

from lab.benchmarks.blur import GRADES, print_grades, print_limits

ROWS = [
    {"fault": "sharp", "grade": 0.0, "blur": 0.1, "shift": 0.0},
    {"fault": "defocus", "grade": 0.4, "blur": 0.28, "shift": -3.0},
    {"fault": "defocus", "grade": 0.9, "blur": 0.7, "shift": 12.0},
    {"fault": "shake", "grade": 0.7, "blur": 0.22, "shift": 1.0},
    {"fault": "shake", "grade": 3.5, "blur": 0.45, "shift": float("nan")},
]


def _cells(line: str) -> list[str]:
    return [each.strip() for each in line.strip("|").split("|")]


def test_a_limit_passes_what_is_below_it_and_names_what_is_above(capsys):
    print_limits(ROWS, [0.05, 0.26])
    rows = {row[0]: row[1:] for row in map(_cells, capsys.readouterr().out.splitlines()[3:])}
    assert rows["0.2"] == ["0 of 2", "0 of 1", "1 of 2", "1 of 2"]
    assert rows["0.3"] == ["1 of 2", "0 of 1", "0 of 2", "0 of 2"]
    assert rows["0.15"][2:] == ["1 of 2", "1 of 2"]


def test_each_grade_says_what_is_measured_warned_of_and_rejected(capsys):
    rows = [{**row, "fault": fault, "grade": grade} for fault, grade in GRADES for row in ROWS[:3]]
    print_grades(rows, bare=False)
    lines = capsys.readouterr().out.splitlines()[2:]
    assert len(lines) == len(GRADES)
    for line in lines:
        _, count, measured, warned, rejected, shift = _cells(line)
        assert (count, measured) == ("3", "0.28 (0.10 to 0.70)")
        assert int(warned) + int(rejected) <= 2
        assert int(rejected) >= 1
        assert shift == "3.0, 7.1, 12.0"
