"""``scalptrack study``: research designs, from a manifest to statistics and blinded readers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scalptrack.cli.common import (
    CommandError,
    echo_counts,
    echo_json,
    finish,
    json_option,
    megapixels_option,
    progress,
    quiet_option,
    seed_option,
    translate_errors,
)
from scalptrack.plain import to_plain
from scalptrack.wording import plural

if TYPE_CHECKING:
    from scalptrack.study.design import Schedule, StudyDesign
    from scalptrack.study.status import StudyStatus
    from scalptrack.study.store import StudyStore

study_argument = click.argument("study", type=click.Path(path_type=Path, file_okay=False))
by_option = click.option(
    "--by", "who", default="", metavar="NAME", help="Who does this, for the log.  [default: login]"
)

photos_option = click.option(
    "--photos",
    default="",
    metavar="PLACE",
    help="Where names of photographs begin now, a folder or a URL: they were moved, or the URL "
    "gives access. Contents must be the same.",
)

EPILOG = """\b
Example of a whole study:
  scalptrack study init trial --manifest manifest.csv --visits 0,90,180 --window 30
  scalptrack study run trial
  scalptrack study stats trial --control placebo

Each command takes --json and --quiet, and has an example in its own --help.
"""


@click.group("study", short_help="Research: arms, replicates, blinded readers.", epilog=EPILOG)
def study_command() -> None:
    """Studies over many subjects, from a manifest with arms and visits.

    Everything lies in one folder: what was catalogued, every result, and a log of who decided what
    and when that can only grow. A run that was stopped, at whatever moment, continues where it was.
    Needs the packages of the extra: pip install 'scalptrack[study]'
    """


@contextmanager
def open_study(folder: Path, who: str = "", photos: str = "") -> Iterator[StudyStore]:
    """The study in a folder, its photographs where they are now; its file is let go at the end."""
    from scalptrack.study.extra import require_extra

    require_extra()
    from scalptrack.study.addresses import given_root
    from scalptrack.study.store import StudyStore

    store = StudyStore(folder, who=who, photos=given_root(photos) if photos else None)
    try:
        yield store
    finally:
        store.close()


@study_command.command("init", short_help="Make a study from a manifest.")
@study_argument
@click.option(
    "--manifest",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV or Parquet: photo, subject, view, visit_date, arm; replicate, site, visit and "
    "covariates if wanted. Photographs are paths or URLs.",
)
@click.option(
    "--photos",
    default="",
    metavar="PLACE",
    help="Where relative paths of the manifest begin: a folder, or a URL such as "
    "s3://BUCKET/FOLDER (extra: remote).  [default: the manifest's folder]",
)
@click.option(
    "--visits",
    metavar="DAYS",
    help="Planned visits as days after each subject's first date, e.g. 0,90,180.",
)
@click.option(
    "--window",
    type=click.IntRange(min=0),
    default=14,
    show_default=True,
    help="With --visits: how many days a visit may lie from its planned day.",
)
@click.option(
    "--allow-missing-visits", is_flag=True, help="Missing visits are listed and are no mistake."
)
@click.option(
    "--database",
    default="",
    metavar="URL",
    help="PostgreSQL database for the tables, postgresql://USER@HOST/DATABASE, without a "
    "password.  [default: a file in STUDY]",
)
@by_option
@seed_option
@megapixels_option
@json_option
@quiet_option
@translate_errors
def init_command(
    study: Path,
    *,
    manifest: Path,
    photos: str,
    visits: str | None,
    window: int,
    allow_missing_visits: bool,
    database: str,
    who: str,
    seed: int,
    max_megapixels: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make the folder STUDY from a manifest, and check the whole manifest first.

    Nothing is guessed: missing files, duplicates, impossible dates, subjects in two arms and
    missing visits are reported together, each with its line, and then no study is made. Visits are
    named by --visits, or by a column visit, or numbered when all subjects have the same number of
    dates. The content of every photograph is recorded: one that is replaced later is not measured.
    Photographs at URLs are only read there; copies are kept in STUDY/cache.

    \b
    Examples:
      scalptrack study init trial --manifest manifest.csv --visits 0,90,180 --window 30
      scalptrack study init trial --manifest manifest.csv --photos s3://hair/trial
    """
    from scalptrack.study.extra import require_extra

    require_extra()
    from scalptrack.records import Settings
    from scalptrack.study.manifest import read_study_manifest
    from scalptrack.study.store import copies_folder, create_study

    with progress("reading", _lines_of(manifest), hidden=quiet or as_json) as step:
        design = read_study_manifest(
            manifest,
            photos=photos,
            copies=copies_folder(study),
            schedule=_schedule(visits, window),
            allow_missing=allow_missing_visits,
            max_megapixels=max_megapixels,
            on_step=step,
        )
    settings = Settings(seed=seed, max_megapixels=max_megapixels)
    create_study(
        study, design, manifest=manifest, settings=settings, who=who, database_url=database
    ).close()
    if as_json:
        echo_json(_init_document(design))
    elif not quiet:
        for each in design.missing:
            click.echo(f"missing  {each.subject}, {each.view}, {each.visit}")
        for note in design.notes:
            click.echo(f"note  {note}")
    subjects = {each.subject for each in design.photographs}
    echo_counts(
        f"{plural(len(design.photographs), 'photograph')} of {plural(len(subjects), 'subject')} in "
        f"{plural(len(design.arms), 'arm')}, {plural(len(design.visits), 'visit')}, "
        f"{len(design.missing)} missing"
    )


def _lines_of(manifest: Path) -> int:
    """About how many photographs a manifest lists, for the progress bar."""
    if manifest.suffix.lower() == ".parquet":
        return 0
    try:
        return max(manifest.read_bytes().count(b"\n") - 1, 0)
    except OSError:
        # What is wrong with it is said when its lines are read.
        return 0


def _schedule(visits: str | None, window: int) -> Schedule | None:
    from scalptrack.study.design import Schedule

    if visits is None:
        return None
    try:
        return Schedule(tuple(int(day) for day in visits.split(",")), window)
    except ValueError as error:
        message = f"--visits {visits} --window {window}: {error}."
        raise CommandError(message) from error


def _init_document(design: StudyDesign) -> dict[str, object]:
    return {
        "schema": "scalptrack.study.init/1",
        "photographs": len(design.photographs),
        "subjects": len({each.subject for each in design.photographs}),
        "arms": list(design.arms),
        "views": list(design.views),
        "visits": list(design.visits),
        "covariates": list(design.covariates),
        "missing_visits": list(design.missing),
        "notes": list(design.notes),
    }


@study_command.command("run", short_help="Measure what has no result yet.")
@study_argument
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=None,
    help="Processes at work at the same time.  [default: the processors]",
)
@click.option(
    "--engine",
    type=click.Choice(["processes", "dask"]),
    default="processes",
    show_default=True,
    help="Who works: processes of this machine, or a Dask cluster that sees the same files.",
)
@click.option("--scheduler", metavar="ADDRESS", help="With --engine dask: tcp://HOST:8786.")
@photos_option
@by_option
@json_option
@quiet_option
@translate_errors
def run_command(
    study: Path,
    *,
    jobs: int | None,
    engine: str,
    scheduler: str | None,
    photos: str,
    who: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure every photograph of STUDY that has no result yet.

    Results are stored one by one. A run that was stopped continues with the next `study run`; the
    results are the same bytes for any number of processes and of interruptions. After an update of
    scalptrack everything is measured again, so that no two numbers come from different versions.
    What was decided with `scalptrack review STUDY` is applied: a subject and view of which
    something was decided since is measured again.

    \b
    Examples:
      scalptrack study run trial --jobs 4
      scalptrack study run trial --engine dask --scheduler tcp://10.0.0.1:8786
    """
    _require_engine(engine, scheduler, jobs)
    with open_study(study, who, photos) as store:
        from scalptrack.study.running import one_thread_each, run_study

        count = len(store.photographs())
        with (
            one_thread_each(),
            _executor(scheduler, jobs) as executor,
            progress("measuring", count, hidden=quiet or as_json) as step,
        ):
            counts = run_study(store, executor=executor, on_step=step)
    if as_json:
        echo_json({"schema": "scalptrack.study.run/1", **to_plain(counts)})
    elif not quiet:
        for note in counts.notes:
            click.echo(f"Note: {note}", err=True)
    echo_counts(counts.line())
    finish(all_good=counts.measured == counts.photographs)


def _require_engine(engine: str, scheduler: str | None, jobs: int | None) -> None:
    """Refuse options that don't belong together."""
    if engine == "dask" and scheduler is None:
        message = "--engine dask needs --scheduler, e.g. --scheduler tcp://10.0.0.1:8786"
        raise CommandError(message)
    if engine == "processes" and scheduler is not None:
        message = "--scheduler belongs to --engine dask. Add it, or leave --scheduler out."
        raise CommandError(message)
    if engine == "dask" and jobs is not None:
        message = "--jobs is the number of processes here; on a cluster it is that of its workers."
        raise CommandError(message)


def _executor(scheduler: str | None, jobs: int | None) -> AbstractContextManager[Executor]:
    """Worker processes, one as well, so that results don't depend on the number; or a cluster."""
    if scheduler is not None:
        from scalptrack.study.cluster import dask_cluster

        return dask_cluster(scheduler)
    from scalptrack.workers import process_pool

    return process_pool(jobs or os.cpu_count() or 1)


@study_command.command("status", short_help="What is done, what failed and why.")
@study_argument
@json_option
@quiet_option
@translate_errors
def status_command(study: Path, *, as_json: bool, quiet: bool) -> None:
    """Show where STUDY stands: what is done, what failed and why, which visits are missing.

    The exit status is 0 when everything is measured, no visit is missing, and nothing that was
    decided with `scalptrack review STUDY` waits for a run; else 1.

    \b
    Example:
      scalptrack study status trial
    """
    with open_study(study) as store:
        from scalptrack.study.status import status_document, study_status

        status = study_status(store)
    if as_json:
        echo_json(status_document(status))
    elif not quiet:
        click.echo(f"photographs analysed  {status.analysed} of {status.photographs}")
        click.echo(f"subjects x views done  {status.series_finished} of {status.series}")
        _echo_decisions(status)
        for code, number in status.reasons.items():
            click.echo(f"without a number  {number} x {code}")
        for each in status.failed:
            click.echo(f"{each.status}  {each.photo}: {each.reason}")
        for absent in status.missing_visits:
            click.echo(f"missing  {absent.subject}, {absent.view}, {absent.visit}")
    echo_counts(status.counts_line())
    all_measured = status.measured == status.photographs and not status.series_outdated
    finish(all_good=all_measured and not status.missing_visits)


def _echo_decisions(status: StudyStatus) -> None:
    """What became of what a reviewer decided, if anything was."""
    if status.decisions:
        click.echo(
            f"decisions  {status.decisions} hold, {status.decisions_used} in the results, "
            f"{status.decisions_waiting} waiting for the next run"
        )
    if status.series_outdated:
        click.echo(f"subjects x views older than what was decided  {status.series_outdated}")
    for each in status.decisions_unused:
        click.echo(f"unused  {each.sentence()}")


@study_command.command("export", short_help="Tidy tables with their dictionary.")
@study_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the tables.  [default: STUDY/export]",
)
@click.option(
    "--fhir",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write a FHIR R4 bundle: one observation for each subject, view and visit.",
)
@json_option
@quiet_option
@translate_errors
def export_command(
    study: Path, *, out: Path | None, fhir: Path | None, as_json: bool, quiet: bool
) -> None:
    """Write the results of STUDY as tidy tables: photographs, visits, missing visits, decisions.

    Each table is written as CSV and Parquet, all of them as one JSON document with its JSON
    schema, and data_dictionary.csv says what every column holds. Photographs that are still to do
    are rows that say so; the exit status is then 1. The FHIR bundle is only written of a study
    that is measured to its end; it holds the manifest's names of subjects, and no arms.

    \b
    Example:
      scalptrack study export trial --out tables --fhir observations.json
    """
    observations = None
    with open_study(study) as store:
        from scalptrack.study.export import export_study
        from scalptrack.study.fhir import write_fhir
        from scalptrack.study.status import doubt_about
        from scalptrack.study.tidy import load_results

        folder = out or study / "export"
        results = load_results(store)
        if fhir is not None:
            observations = write_fhir(store, results, fhir)
        files = export_study(results, folder)
        doubt = doubt_about(store)
    if as_json:
        document = {"folder": folder, "files": files, "fhir": fhir, "observations": observations}
        echo_json({"schema": "scalptrack.study.export/1", **document})
    elif not quiet:
        for name in files:
            click.echo(folder / name)
        if fhir is not None:
            click.echo(fhir)
    if doubt:
        click.echo(f"Note: {doubt}", err=True)
    echo_counts(
        f"{plural(len(results.photographs), 'photograph')}, {len(results.outcomes)} with a result"
    )
    finish(all_good=not doubt)
