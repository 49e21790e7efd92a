import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scalptrack.longitudinal import ErrorModel, build_timelines
from scalptrack.longitudinal.hair_index import HAIR_INDEX_MAX_COVERAGE, hair_index
from scalptrack.plain import to_plain
from scalptrack.tables import changes_csv, measurements_csv
from tests.longitudinal.series import replicated


def covered_by_strips(rng: np.random.Generator, hairs: int, length: float, width: float) -> float:
    """Share of random points of the unit torus that lie under strips of any place and angle."""
    centres, angles = rng.random((hairs, 2)), np.pi * rng.random(hairs)
    points = rng.random((4000, 2))
    apart = (points[:, None] - centres + 0.5) % 1.0 - 0.5
    along = apart[..., 0] * np.cos(angles) + apart[..., 1] * np.sin(angles)
    across = -apart[..., 0] * np.sin(angles) + apart[..., 1] * np.cos(angles)
    covered = (np.abs(along) < length / 2) & (np.abs(across) < width / 2)
    return float(covered.any(axis=1).mean())


@pytest.mark.parametrize(("hairs", "length", "width"), [(300, 0.2, 0.01), (150, 0.4, 0.01)])
def test_index_of_strips_at_random_is_their_number_times_length_times_width(
    hairs: int, length: float, width: float
) -> None:
    rng = np.random.default_rng(3)
    index = [hair_index(covered_by_strips(rng, hairs, length, width)) for _ in range(12)]
    assert np.mean(index) == pytest.approx(hairs * length * width, abs=0.03)


@given(st.floats(0.0, HAIR_INDEX_MAX_COVERAGE), st.floats(0.0, HAIR_INDEX_MAX_COVERAGE))
def test_more_coverage_is_never_a_lower_index(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= hair_index(low) <= hair_index(high)
    assert 1.0 - math.exp(-hair_index(high)) == pytest.approx(high, abs=1e-12)


@pytest.mark.parametrize("coverage", [0.9501, 1.0, -0.01, math.nan])
def test_no_index_beyond_the_cap(coverage: float) -> None:
    assert math.isnan(hair_index(coverage))


def test_interval_of_a_visit_is_that_of_its_coverage_transformed() -> None:
    (timeline,) = build_timelines(replicated([[0.40], [0.60]]))
    visit = timeline.visits[1]
    assert visit.hair_index == pytest.approx(0.916291, abs=1e-6)
    assert visit.hair_index_low == pytest.approx(-math.log(1 - visit.low_fraction))
    assert visit.hair_index_high == pytest.approx(-math.log(1 - visit.high_fraction))
    assert visit.hair_index_high - visit.hair_index > visit.hair_index - visit.hair_index_low


def test_interval_of_a_small_error_is_that_of_the_delta_method() -> None:
    model = ErrorModel(prior_sd_fraction=0.0005, prior_dof=30)
    outcomes = replicated([[0.40], [0.60]])
    (timeline,) = build_timelines(outcomes, error_model=model)
    (change,) = timeline.changes
    sd = timeline.within_sd_fraction * math.hypot(1 / 0.6, 1 / 0.4)
    half = stats.t.ppf(0.975, timeline.sd_degrees_of_freedom) * sd
    assert change.hair_index_change == pytest.approx(math.log(0.6 / 0.4))
    assert change.hair_index_change_high - change.hair_index_change == pytest.approx(half, rel=0.03)
    assert change.hair_index_change - change.hair_index_change_low == pytest.approx(half, rel=0.03)


def test_interval_of_a_change_holds_the_truth_near_full_coverage() -> None:
    """At 80 % coverage the transformed ends hold the truth as often as at 50 %."""
    rng = np.random.default_rng(5)
    truth = math.log(0.5 / 0.2)
    held = []
    for _ in range(600):
        sd = 0.02 * math.sqrt(4 / rng.chisquare(4))
        coverages = np.array([[0.5], [0.8]]) + sd * rng.standard_normal((2, 1))
        (timeline,) = build_timelines(replicated(np.clip(coverages, 0, 1).tolist()))
        change = timeline.changes[0]
        low = change.hair_index_change_low
        high = change.hair_index_change_high
        held.append(not low > truth and not high < truth)
    assert 0.93 <= np.mean(held) <= 0.985


def test_an_end_beyond_the_cap_is_null_and_empty_on_its_own_side() -> None:
    outcomes = replicated([[0.50], [0.94], [0.97]])
    timelines = build_timelines(outcomes)
    near, beyond = timelines[0].changes
    assert near.hair_index_change > 0
    assert near.hair_index_change_low > 0
    assert math.isnan(near.hair_index_change_high)
    assert to_plain(near)["hair_index_change_high"] is None
    assert math.isnan(beyond.hair_index_change)
    rows = [line.split(",") for line in measurements_csv(outcomes, timelines).splitlines()]
    columns = [rows[0].index(f"hair_index{end}") for end in ("", "_low", "_high")]
    assert rows[1][columns[0]] == "0.6931"
    assert rows[2][columns[0]] == "2.8134"
    assert rows[2][columns[2]] == ""
    assert rows[3][columns[0]] == ""
    assert float(rows[1][columns[1]]) < 0.6931 < float(rows[1][columns[2]])
    header, first, second = changes_csv(timelines).splitlines()
    assert header.endswith(
        "sentence,hair_index_change,hair_index_change_low,hair_index_change_high,tier,aligned_by"
    )
    assert first.endswith(f"{near.hair_index_change:.4f},{near.hair_index_change_low:.4f},,A,")
    assert second.endswith(",,,,A,")


def test_each_end_of_a_change_takes_the_ends_that_move_it_that_way() -> None:
    (timeline,) = build_timelines(replicated([[0.40], [0.80]]))
    before, after = timeline.visits
    change = timeline.changes[0]
    after_down = math.log((1 - after.low_fraction) / 0.2)
    before_up = math.log(0.6 / (1 - before.high_fraction))
    assert change.hair_index_change == pytest.approx(math.log(3))
    low = math.log(3) - math.sqrt(after_down**2 + before_up**2)
    assert change.hair_index_change_low == pytest.approx(low, abs=1e-9)
