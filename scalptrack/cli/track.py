"""``scalptrack track``: the main job, from a folder of photographs to charts and a report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scalptrack.cli.catalog import open_catalog
from scalptrack.cli.common import (
    CommandError,
    allow_outline_option,
    echo_counts,
    echo_json,
    finish,
    json_option,
    language_option,
    megapixels_option,
    progress,
    quiet_option,
    seed_option,
    strip_option,
    translate_errors,
)
from scalptrack.cli.deidentify import open_key, require_apart

if TYPE_CHECKING:
    from scalptrack.conclusions import Stated
    from scalptrack.corrections import Corrections
    from scalptrack.disguise import Disguise
    from scalptrack.records import Catalog, Settings
    from scalptrack.results import RunResult
    from scalptrack.review.log import DecisionLog
    from scalptrack.series_files import Products

MAX_DEFAULT_JOBS = 4
FEW_PHOTOGRAPHS = 4
"""Up to this many photographs, starting worker processes costs more than it saves."""


@click.command("track", short_help="The main job: photographs to charts and a report.")
@click.argument("photos", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for tables, charts, pictures and report.html.",
)
@click.option(
    "--events",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV of events to show on the time axis (date,label[,subject]); "
    "PHOTOS/events.csv is used when it is there.",
)
@click.option(
    "--visits",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV of what changes coverage without growth, per visit (subject,visit_date, hair length, "
    "wet, fibres, ...); PHOTOS/visits.csv is used when it is there.",
)
@click.option(
    "--reference",
    "references",
    multiple=True,
    metavar="PHOTO",
    help="Photograph that the others of its subject and view are aligned with, by its name in "
    "`scalptrack catalog`; once for each subject and view.  [default: the earliest usable one]",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=None,
    help="Photographs analysed at the same time.  [default: the processors, at most 4]",
)
@click.option(
    "--forehead",
    type=click.Choice(["top", "bottom"]),
    help="Where the forehead points in pictures from above (vertex, mid-pattern); zones of them "
    "are given only where it is stated.",
)
@click.option(
    "--colour-card",
    is_flag=True,
    help="Correct colours by the printed card (`scalptrack card`) before hair is told from skin; a "
    "photograph in which it can't be read is refused.",
)
@click.option(
    "--decisions",
    type=click.Path(path_type=Path),
    metavar="PLACE",
    help="What was decided with `scalptrack review`: a file, or the folder of a study.  [default: "
    "OUT/decisions.jsonl, when there]",
)
@click.option("--no-decisions", is_flag=True, help="Measure as if nothing had been decided.")
@click.option("--pdf", is_flag=True, help="Also write the report as report.pdf (A4).")
@click.option(
    "--dicom",
    is_flag=True,
    help="Also write aligned photographs (VL Photographic) and measurements (Structured Report) as "
    "DICOM, with patient and study of DICOM originals; needs 'scalptrack[dicom]'.",
)
@click.option(
    "--deidentify",
    "key_file",
    metavar="KEYFILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Pseudonyms made with this key for all names, and covered faces; see `scalptrack "
    "deidentify`. Labels of events and notes are left out.",
)
@click.option("--create-key", is_flag=True, help="Make the key of --deidentify.")
@click.option(
    "--shift-dates",
    type=click.IntRange(1, 3650),
    metavar="DAYS",
    help="With --deidentify: move each subject's dates back by a keyed number of 1 to DAYS days.",
)
@click.option("--no-cache", is_flag=True, help="Compute everything again.")
@allow_outline_option
@strip_option
@language_option(
    "Language of the texts in report, charts and tables; codes and column names stay as they are, "
    "and so do the messages of this command.",
    passed=True,
)
@seed_option
@megapixels_option
@json_option
@quiet_option
@translate_errors
def track_command(
    photos: Path,
    out: Path,
    *,
    events: Path | None,
    visits: Path | None,
    references: tuple[str, ...],
    jobs: int | None,
    forehead: str | None,
    colour_card: bool,
    decisions: Path | None,
    no_decisions: bool,
    pdf: bool,
    dicom: bool,
    key_file: Path | None,
    create_key: bool,
    shift_dates: int | None,
    no_cache: bool,
    allow_outline: bool,
    strip: bool,
    language: str,
    seed: int,
    max_megapixels: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Align the photographs in PHOTOS, measure visible hair coverage, and chart it over time.

    PHOTOS is a folder (SUBJECT/VIEW/2026-03-12.jpg and many variants; see `scalptrack catalog`)
    or a manifest CSV. Every file is accounted for in measurements.csv: a photograph that can't be
    believed is refused with its reason. Originals are only read. A rerun gives the same numbers
    and computes only what is new. What was decided with `scalptrack review OUT` is applied.

    \b
    Examples:
      scalptrack track sample_images --out results
      scalptrack track clinic/ --out results --events treatments.csv --json
      scalptrack track clinic/ --out results --forehead top --pdf
      scalptrack track clinic/ --out results --dicom
      scalptrack track clinic/ --out results --language de
      scalptrack track clinic/ --out shared --deidentify my.key --shift-dates 365
    """
    from scalptrack.images.dicom_writing import require_dicom_writer
    from scalptrack.records import Settings
    from scalptrack.run_record import invocation
    from scalptrack.series_files import Products

    settings = Settings(
        seed=seed,
        max_megapixels=max_megapixels,
        allow_outline=allow_outline,
        strip=strip,
        forehead=forehead or "",
        colour_card=colour_card,
        language=language,
    )
    if out.resolve() == photos.resolve():
        message = "--out is the folder of the photographs itself. Choose another folder."
        raise CommandError(message)
    if dicom:
        require_dicom_writer()
    disguise = _disguise(photos, out, key_file, create=create_key, shift_dates=shift_dates)
    log, source = _read_decisions(out, decisions, unused=no_decisions)
    catalog, corrections = _corrected_catalog(
        photos, out, log, source, references, max_megapixels=max_megapixels
    )
    tables = {
        "events": _beside(photos, events, "events.csv"),
        "visits": _beside(photos, visits, "visits.csv"),
    }
    words = invocation(
        photos,
        out,
        settings,
        **tables,
        references=references,
        decisions=decisions,
        pdf=pdf,
        dicom=dicom,
    )
    result = _run(
        catalog,
        settings,
        _read_stated(**tables, corrections=corrections),
        disguise,
        out=out,
        invocation=words,
        products=Products(pdf=pdf, dicom=dicom),
        jobs=jobs,
        use_cache=not no_cache,
        hide_progress=quiet or as_json,
    )
    _finish(result, out, as_json=as_json, quiet=quiet)


def _corrected_catalog(
    photos: Path,
    out: Path,
    log: DecisionLog,
    source: str,
    references: tuple[str, ...],
    *,
    max_megapixels: float,
) -> tuple[Catalog, Corrections]:
    """What is in the folder after what was decided of it, with the references that were set.

    Raises
    ------
    CommandError
        When there is not one usable photograph.
    """
    from scalptrack.references import set_references
    from scalptrack.review.applying import apply_decisions

    catalog = open_catalog(photos, max_megapixels=max_megapixels, skip=(out,))
    if not catalog.photographs:
        _refuse_empty(catalog, photos)
    catalog, corrections = apply_decisions(catalog, log, source=source)
    return set_references(catalog, references), corrections


def _read_stated(events: Path | None, visits: Path | None, *, corrections: Corrections) -> Stated:
    """What people state beside the photographs, read from the tables that there are."""
    from scalptrack.catalog import read_events
    from scalptrack.conclusions import Stated
    from scalptrack.visits import read_visits

    return Stated(
        events=tuple(read_events(events)) if events is not None else (),
        conditions=tuple(read_visits(visits)) if visits is not None else (),
        corrections=corrections,
    )


def _finish(result: RunResult, out: Path, *, as_json: bool, quiet: bool) -> None:
    """Say what came out, and end with the exit status."""
    if as_json:
        echo_json(result.document())
    elif not quiet:
        _echo_summary(result, out)
    if not quiet:
        for note in result.notes:
            click.echo(f"Note: {note}", err=True)
    echo_counts(result.counts_line())
    if not result.measured:
        message = "No photograph could be measured; measurements.csv gives the reason for each."
        raise CommandError(message)
    finish(all_good=result.all_measured)


def _refuse_empty(catalog: Catalog, photos: Path) -> None:
    """End with status 2: there is not one usable photograph."""
    lines = [f"  {each.name}: {each.reason.message}" for each in catalog.rejected[:20]]
    message = "\n".join([f"There is no usable photograph in {photos}:", *lines])
    raise CommandError(message)


def _disguise(
    photos: Path, out: Path, key_file: Path | None, *, create: bool, shift_dates: int | None
) -> Disguise | None:
    """How names are replaced, if they are; the output folder is made one for such results.

    Raises
    ------
    CommandError
        When options, or folders, don't fit together.
    """
    from scalptrack.disguise import Disguise, require_named

    if key_file is None:
        if create or shift_dates:
            message = "--create-key and --shift-dates go with --deidentify KEYFILE."
            raise CommandError(message)
        require_named(out)
        return None
    require_apart((photos,), out, key_file)
    disguise = Disguise(open_key(key_file, create=create), shift_dates or 0)
    disguise.claim(out)
    return disguise


def _beside(photos: Path, named: Path | None, name: str) -> Path | None:
    """A table of the user's: the one that was named, else the one beside the photographs."""
    if named is not None:
        return named
    beside = (photos if photos.is_dir() else photos.parent) / name
    return beside if beside.is_file() else None


def _read_decisions(out: Path, named: Path | None, *, unused: bool) -> tuple[DecisionLog, str]:
    """What was decided, and the name of its place; no lines where there is none."""
    from scalptrack.review.decision_file import DECISIONS_NAME, read_log
    from scalptrack.review.log import DecisionLog
    from scalptrack.review.places import source_at

    if unused and named is not None:
        message = "--decisions and --no-decisions contradict each other."
        raise CommandError(message)
    if named is not None:
        source = source_at(named)
        return source.log, source.name
    return DecisionLog() if unused else read_log(out / DECISIONS_NAME), DECISIONS_NAME


def _run(
    catalog: Catalog,
    settings: Settings,
    stated: Stated,
    disguise: Disguise | None,
    *,
    out: Path,
    invocation: Sequence[str],
    products: Products,
    jobs: int | None,
    use_cache: bool,
    hide_progress: bool,
) -> RunResult:
    """Measure and write, under other names where there is a disguise."""
    from scalptrack.disguise import disguised
    from scalptrack.results import run_and_write

    count = len(catalog.photographs)
    shown: AbstractContextManager[Catalog] = nullcontext(catalog)
    if disguise is not None:
        stated = _disguised_stated(stated, disguise, catalog)
        products = replace(products, deidentified=True, dates_shifted=disguise.shift_days > 0)
        shown = disguised(catalog, disguise)
    with (
        shown as photographs,
        _executor(jobs, count) as executor,
        progress("measuring", count, hidden=hide_progress) as step,
    ):
        return run_and_write(
            photographs,
            settings,
            out=out,
            stated=stated,
            products=products,
            invocation=invocation,
            executor=executor,
            use_cache=use_cache,
            on_step=step,
        )


def _disguised_stated(stated: Stated, disguise: Disguise, catalog: Catalog) -> Stated:
    """What people stated of the subjects of a catalog, without names and free text."""
    from scalptrack.conclusions import Stated
    from scalptrack.disguise import disguised_conditions, disguised_corrections, disguised_events

    subjects = [each.subject for each in catalog.photographs]
    return Stated(
        events=disguised_events(stated.events, disguise, subjects),
        conditions=disguised_conditions(stated.conditions, disguise),
        corrections=disguised_corrections(stated.corrections, disguise, subjects),
    )


def _executor(jobs: int | None, photographs: int) -> AbstractContextManager[Executor | None]:
    """Worker processes, or none when there is little to do."""
    workers = jobs or min(os.cpu_count() or 1, MAX_DEFAULT_JOBS)
    workers = min(workers, photographs)
    if workers < 2 or (jobs is None and photographs <= FEW_PHOTOGRAPHS):
        return nullcontext()
    from scalptrack.workers import process_pool

    return process_pool(workers)


def _echo_summary(result: RunResult, out: Path) -> None:
    for timeline in result.timelines:
        click.echo(f"{timeline.subject}, {timeline.view}: {timeline.summary}")
    for outcome in result.outcomes:
        if outcome.reason is not None:
            click.echo(f"{outcome.status.value}  {outcome.name}: {outcome.reason.message}")
    click.echo(f"Report: {out / 'report.html'}")
