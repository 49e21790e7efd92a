"""A small trial whose coverages are known, stored as if `study run` had measured it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np

from scalptrack.records import (
    Finding,
    Measurement,
    Outcome,
    Quality,
    Reason,
    Settings,
    Severity,
    Status,
    Tier,
)
from scalptrack.study.design import MissingVisit, StudyDesign, StudyPhotograph
from scalptrack.study.running import study_fingerprint
from scalptrack.study.series import series_jobs
from scalptrack.study.store import AnalysisRow, StudyStore, create_study

START = dt.date(2024, 1, 10)
VISITS = ("day 0", "day 90", "day 180")
DAYS = (0, 90, 180)
REGION_PX = 100_000
POINTS_PER_YEAR = {"drug": 30.0, "placebo": 0.0}


def coverage(subject: int, arm: str, day: int, replicate: int) -> float:
    """Coverage of one photograph, known without any program."""
    generator = np.random.default_rng([subject, day, replicate])
    slope = POINTS_PER_YEAR[arm] + 4.0 * ((subject % 5) - 2)
    level = 35.0 + 3.0 * (subject % 7)
    return (level + slope * day / 365.25) / 100 + generator.normal(0, 0.004)


def make_trial(
    folder: Path, *, per_arm: int = 8, measured: bool = True, database_url: str = ""
) -> StudyStore:
    """Two arms, three visits, two replicates; one visit missing, one photograph refused.

    Subject s0's photographs at day 90 are of tier B, s1's at day 180 are flagged.
    """
    photographs = []
    outcomes: dict[str, list[Outcome]] = {}
    for number in range(2 * per_arm):
        arm = ("drug", "placebo")[number % 2]
        for visit, day in zip(VISITS, DAYS, strict=True):
            if (number, day) == (2, 180):
                continue
            for replicate in (1, 2):
                each = _photograph(number, arm, visit, day, replicate)
                photographs.append(each)
                outcomes.setdefault(each.subject, []).append(_outcome(each, number, day))
    design = StudyDesign(
        photographs=tuple(photographs),
        visits=VISITS,
        arms=("drug", "placebo"),
        views=("vertex",),
        covariates=("age",),
        missing=(MissingVisit("s2", "vertex", "day 180"),),
    )
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.csv"
    manifest.write_text("photo\n")
    store = create_study(
        folder / "trial",
        design,
        manifest=manifest,
        settings=Settings(),
        database_url=database_url,
    )
    mark = study_fingerprint(store)
    marks = {each.key[0]: each.mark(mark) for each in series_jobs(store)}
    for subject, members in outcomes.items() if measured else ():
        for each in members:
            store.save_analysis(each.sha256, AnalysisRow(mark, "", ""))
        store.save_series(subject, "vertex", marks[subject], members)
    return store


def _photograph(number: int, arm: str, visit: str, day: int, replicate: int) -> StudyPhotograph:
    return StudyPhotograph(
        name=f"s{number}/{day}_{replicate}.jpg",
        sha256=f"{number:016d}{day:016d}{replicate:032d}",
        subject=f"s{number}",
        view="vertex",
        visit=visit,
        visit_date=START + dt.timedelta(days=day),
        replicate=replicate,
        arm=arm,
        site="north",
        covariates={"age": str(30 + number)},
        line=0,
    )


def _outcome(each: StudyPhotograph, number: int, day: int) -> Outcome:
    refused = each.name == "s3/90_2.jpg"
    covered = coverage(number, each.arm, day, each.replicate)
    finding = Finding("dark", Severity.WARNING, 0.1, 0.2, "", "More light.")
    return Outcome(
        name=each.name,
        subject=each.subject,
        view=each.view,
        visit_date=each.visit_date,
        replicate=each.replicate,
        sha256=each.sha256,
        status=Status.REFUSED if refused else Status.MEASURED,
        reason=Reason("no_agreement", "No.") if refused else None,
        quality=Quality((finding,) if (number, day) == (1, 180) else ()),
        measurement=None
        if refused
        else Measurement(covered * REGION_PX, REGION_PX, 0.1, 0.001, 0.001),
        tier=Tier.C if refused else Tier.B if (number, day) == (0, 90) else Tier.A,
        is_reference=day == 0 and each.replicate == 1,
    )
