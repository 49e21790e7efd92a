import datetime as dt
import math

import pytest

from scalptrack.wording import long_date, percent, plural, points, short_date, signed_points


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
