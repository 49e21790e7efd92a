"""Made-up outcomes for the tests of the longitudinal stage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from scalptrack.records import Measurement, Outcome, Reason, Status, Tier

FIRST_DAY = dt.date(2024, 1, 10)


def measured(
    coverage: float,
    *,
    day: int = 0,
    replicate: int = 1,
    subject: str = "anna",
    view: str = "vertex",
    tier: Tier | None = Tier.A,
    segmentation_sd: float = 0.005,
    registration_sd: float = 0.0,
    is_reference: bool = False,
    sha256: str | None = None,
    doubt: float = 0.0,
    aligned_by: str = "",
) -> Outcome:
    """A measured photograph; 1e6 pixels of region, so that any coverage can be written."""
    date = FIRST_DAY + dt.timedelta(days=day)
    name = f"{subject}/{view}/{date.isoformat()}_{replicate}.jpg"
    return Outcome(
        name=name,
        subject=subject,
        view=view,
        visit_date=date,
        replicate=replicate,
        sha256=name if sha256 is None else sha256,
        status=Status.MEASURED,
        reason=None,
        measurement=Measurement(
            hair_px=coverage * 1_000_000,
            region_px=1_000_000,
            excluded_fraction=0.1,
            segmentation_sd_fraction=segmentation_sd,
            registration_sd_fraction=registration_sd,
            doubt_fraction=doubt,
        ),
        tier=tier,
        is_reference=is_reference,
        aligned_by=aligned_by,
    )


def refused(
    *,
    day: int | None = 0,
    replicate: int = 1,
    subject: str = "anna",
    view: str = "vertex",
    message: str = "The photograph is blurred",
    status: Status = Status.REFUSED,
) -> Outcome:
    """A photograph without a number."""
    date = None if day is None else FIRST_DAY + dt.timedelta(days=day)
    return Outcome(
        name=f"{subject}/{view}/{date}_{replicate}.jpg",
        subject=subject,
        view=view,
        visit_date=date,
        replicate=replicate,
        sha256="",
        status=status,
        reason=Reason("blurred", message),
        tier=Tier.C if status is Status.REFUSED else None,
    )


def replicated(
    coverages: Sequence[Sequence[float]], *, every_days: int = 90, subject: str = "anna"
) -> list[Outcome]:
    """One visit per inner sequence, one photograph per number."""
    return [
        measured(value, day=visit * every_days, replicate=index + 1, subject=subject)
        for visit, values in enumerate(coverages)
        for index, value in enumerate(values)
    ]
