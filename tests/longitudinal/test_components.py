import dataclasses
import math

import numpy as np
import pytest

from scalptrack.longitudinal.components import (
    ErrorModel,
    Reading,
    SpreadOfReplicates,
    WithinSubject,
    effective_dof,
    floor_of_components,
    reading_of,
    spread_of_replicates,
    visit_variance,
    within_subject,
)
from scalptrack.longitudinal.intervals import dof_of_sum
from scalptrack.records import Outcome, Status, Tier
from tests.longitudinal.series import measured, refused, replicated

MODEL = ErrorModel(prior_sd_fraction=0.02, prior_dof=4, tier_b_sd_factor=1.5)


def readings(outcomes: list[Outcome]) -> list[Reading]:
    found = [reading_of(outcome) for outcome in outcomes]
    assert None not in found
    return [reading for reading in found if reading is not None]


def test_spread_is_the_pooled_variance_over_visits() -> None:
    coverages = [[0.50, 0.53, 0.49], [0.60], [0.41, 0.44]]
    spread = spread_of_replicates(readings(replicated(coverages)), model=MODEL)
    squares = sum(np.var(values, ddof=0) * len(values) for values in coverages)
    assert spread.squares == pytest.approx(squares, abs=1e-12)
    assert spread.dof == 3


def test_spread_of_tier_b_estimates_the_variance_of_tier_a() -> None:
    rng = np.random.default_rng(3)
    outcomes = []
    for visit in range(600):
        first, second = 0.5 + 0.01 * rng.standard_normal(2) * (1.0, 1.5)
        outcomes.append(measured(first, day=visit, replicate=1))
        outcomes.append(measured(second, day=visit, replicate=2, tier=Tier.B))
    spread = spread_of_replicates(readings(outcomes), model=MODEL)
    assert math.sqrt(spread.squares / spread.dof) == pytest.approx(0.01, rel=0.06)


def test_without_replicates_the_prior_speaks() -> None:
    within = within_subject(
        SpreadOfReplicates(), SpreadOfReplicates(), floor_sd_fraction=0.0, model=MODEL
    )
    assert (within.sd_fraction, within.dof, within.source) == (0.02, 4, "prior")


def test_a_lucky_pair_does_not_make_the_sd_vanish() -> None:
    lucky = SpreadOfReplicates(squares=0.0, dof=1)
    within = within_subject(lucky, SpreadOfReplicates(), floor_sd_fraction=0.0, model=MODEL)
    assert within.sd_fraction == pytest.approx(0.02 * math.sqrt(4 / 5))
    assert within.source == "prior"


def test_weights_of_own_others_and_prior() -> None:
    own = SpreadOfReplicates(squares=6 * 0.01**2, dof=6)
    others = SpreadOfReplicates(squares=12 * 0.03**2, dof=12)
    within = within_subject(own, others, floor_sd_fraction=0.0, model=MODEL)
    expected_elsewhere = (4 * 0.02**2 + 12 * 0.03**2) / 16
    assert within.sd_fraction**2 == pytest.approx((4 * expected_elsewhere + 6 * 0.01**2) / 10)
    assert (within.dof, within.source) == (10, "subject")


@pytest.mark.parametrize(
    ("own", "others", "source"),
    [(3, 0, "subject"), (2, 0, "prior"), (2, 1, "pooled"), (0, 3, "pooled"), (0, 2, "prior")],
)
def test_source_of_the_sd(own: int, others: int, source: str) -> None:
    within = within_subject(
        SpreadOfReplicates(own * 0.01**2, own),
        SpreadOfReplicates(others * 0.01**2, others),
        floor_sd_fraction=0.0,
        model=MODEL,
    )
    assert within.source == source


def test_sd_is_never_below_what_the_photographs_say() -> None:
    outcomes = [measured(0.5, segmentation_sd=0.03, registration_sd=0.04)]
    floor = floor_of_components(readings(outcomes))
    assert floor == pytest.approx(0.05)
    precise = SpreadOfReplicates(squares=0.0, dof=20)
    within = within_subject(precise, SpreadOfReplicates(), floor_sd_fraction=floor, model=MODEL)
    assert within.sd_fraction == pytest.approx(0.05)
    assert floor_of_components([]) == 0.0


def test_variance_of_a_visit() -> None:
    within = within_subject(
        SpreadOfReplicates(), SpreadOfReplicates(), floor_sd_fraction=0.0, model=MODEL
    )
    pair = readings([measured(0.5), measured(0.5, replicate=2, tier=Tier.B)])
    assert visit_variance(pair, within, MODEL) == pytest.approx((0.02**2 + 0.03**2) / 4)
    loud = readings([measured(0.5, segmentation_sd=0.06)])
    assert visit_variance(loud, within, MODEL) == pytest.approx(0.06**2)
    shared = dataclasses.replace(MODEL, visit_sd_fraction=0.01)
    assert visit_variance(pair, within, shared) == pytest.approx((0.02**2 + 0.03**2) / 4 + 1e-4)


def test_only_numbers_that_can_be_believed_are_read() -> None:
    good = measured(0.5)
    assert reading_of(good) is not None
    assert reading_of(refused()) is None
    assert reading_of(dataclasses.replace(good, tier=Tier.C)) is None
    assert reading_of(dataclasses.replace(good, visit_date=None)) is None
    assert reading_of(dataclasses.replace(good, measurement=None)) is None
    assert reading_of(dataclasses.replace(good, status=Status.REFUSED)) is None
    assert reading_of(measured(float("nan"))) is None
    assert reading_of(measured(1.2)) is None
    assert reading_of(measured(0.5, segmentation_sd=float("nan"))) is None
    assert good.measurement is not None
    empty = dataclasses.replace(good.measurement, region_px=0)
    assert reading_of(dataclasses.replace(good, measurement=empty)) is None


def test_unknown_tier_is_trusted_only_for_the_reference() -> None:
    reference, other = readings(
        [measured(0.5, tier=None, is_reference=True), measured(0.5, tier=None, day=1)]
    )
    assert (reference.tier, other.tier) == (Tier.A, Tier.B)


@pytest.mark.parametrize(
    "bad",
    [
        {"prior_sd_fraction": 0.0},
        {"prior_sd_fraction": float("nan")},
        {"prior_dof": 0},
        {"visit_sd_fraction": -0.1},
        {"visit_sd_per_doubt": -0.1},
        {"tier_b_sd_factor": 0.9},
    ],
)
def test_error_model_refuses_what_would_narrow_intervals(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        ErrorModel(**bad)  # type: ignore[arg-type]


def test_degrees_of_freedom_of_a_timeline_are_those_of_both_parts_by_their_share() -> None:
    model = ErrorModel(visit_sd_fraction=0.03, visit_dof=10)
    within = WithinSubject(0.02, 4, "prior")
    own, shared = 0.02**2, 0.03**2
    share = round(own / (own + shared), 2)
    both = effective_dof([own + shared] * 5, [shared] * 5, within, model)
    assert both == dof_of_sum(share, 4.0, 10.0)
    assert effective_dof([shared], [shared], within, model) == pytest.approx(10.0)
    assert effective_dof([own, own], [0.0, 0.0], within, ErrorModel()) == 4.0
    assert effective_dof([], [], within, model) == 4.0


def test_a_measurement_without_degrees_of_freedom_is_refused() -> None:
    with pytest.raises(ValueError, match="degrees of freedom must be positive"):
        ErrorModel(visit_dof=0)
