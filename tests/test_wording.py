import datetime as dt
import math
from pathlib import Path

import pytest

import scalptrack
from scalptrack.wording import (
    long_date,
    percent,
    plural,
    points,
    printable,
    short_date,
    shortened,
    signed_points,
    span_words,
)


def test_dates_are_written_out_in_english() -> None:
    day = dt.date(2024, 12, 5)
    assert (long_date(day), short_date(day)) == ("5 December 2024", "5 Dec 2024")


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.0621, "+6.2"), (-0.0621, "−6.2"), (0.0001, "0.0"), (-0.0001, "0.0"), (math.nan, "–")],
)
def test_signed_points(fraction: float, text: str) -> None:
    assert signed_points(fraction) == text


def test_sizes_and_counts() -> None:
    assert points(-0.0621) == "6.2"
    assert percent(0.5432) == "54.3 %"
    assert (plural(1, "visit"), plural(2, "visit"), plural(0, "visit")) == (
        "1 visit",
        "2 visits",
        "0 visits",
    )


def test_names_of_strangers_are_made_printable() -> None:
    assert printable("山田 ñ 5\u00a0%") == "山田 ñ 5 %"
    assert printable("a\nb\x00\u202e\udcff") == "a�b���"
    assert printable("\u200d") == "\u200d"


def test_shortened_texts_end_with_an_ellipsis() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abc defg", 5) == "abc…"


@pytest.mark.parametrize(
    ("days", "text"),
    [(7, "1 week"), (56, "8 weeks"), (112, "4 months"), (365, "12 months"), (731, "2.0 years")],
)
def test_spans_are_written_in_the_unit_that_reads_best(days: int, text: str) -> None:
    assert span_words(days) == text


def test_less_sure_is_worded_in_one_place_alone() -> None:
    """Every chart, table and report takes these words from here, so that they stay the same."""
    package = Path(scalptrack.__file__).parent
    texts = {
        path.relative_to(package).as_posix(): path.read_text(encoding="utf-8").casefold()
        for kind in ("*.py", "*.j2", "*.js")
        for path in package.rglob(kind)
    }
    phrases = (
        "less sure (",
        "less sure, tier",
        "tier b, less sure",
        "can't tell whether it is the same",
    )
    found = [name for name, text in texts.items() if any(each in text for each in phrases)]
    assert found == ["wording.py"]
