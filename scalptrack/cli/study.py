"""``scalptrack study``: research designs, from a manifest to statistics and blinded readers."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from scalptrack.study.design import Schedule, StudyDesign
    from scalptrack.study.store import StudyStore

study_argument = click.argument("study", type=click.Path(path_type=Path, file_okay=False))
by_option = click.option(
    "--by", "who", default="", metavar="NAME", help="Who does this, for the log.  [default: login]"
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
def open_study(folder: Path, who: str = "") -> Iterator[StudyStore]:
    """The study in a folder; its file is let go at the end."""
    from scalptrack.study.extra import require_extra

    require_extra()
    from scalptrack.study.store import StudyStore

    store = StudyStore(folder, who=who)
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
    "covariates if wanted. Paths are relative to it.",
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
    visits: str | None,
    window: int,
    allow_missing_visits: bool,
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

    \b
    Example:
      scalptrack study init trial --manifest manifest.csv --visits 0,90,180 --window 30
    """
    from scalptrack.study.extra import require_extra

    require_extra()
    from scalptrack.records import Settings
    from scalptrack.study.manifest import read_study_manifest
    from scalptrack.study.store import create_study

    with progress("reading", _lines_of(manifest), hidden=quiet or as_json) as step:
        design = read_study_manifest(
            manifest,
            schedule=_schedule(visits, window),
            allow_missing=allow_missing_visits,
            max_megapixels=max_megapixels,
            on_step=step,
        )
    settings = Settings(seed=seed, max_megapixels=max_megapixels)
    create_study(study, design, manifest=manifest, settings=settings, who=who).close()
    if as_json:
        echo_json(_init_document(design))
    elif not quiet:
        for each in design.missing:
            click.echo(f"missing  {each.subject}, {each.view}, {each.visit}")
        for note in design.notes:
            click.echo(f"note  {note}")
    subjects = {each.subject for each in design.photographs}
    echo_counts(
        f"{len(design.photographs)} photographs of {len(subjects)} subjects in "
        f"{len(design.arms)} arms, {len(design.visits)} visits, {len(design.missing)} missing"
    )


def _lines_of(manifest: Path) -> int:
    """About how many photographs a manifest lists, for the progress bar."""
    if manifest.suffix.lower() == ".parquet" or not manifest.is_file():
        return 0
    return max(manifest.read_bytes().count(b"\n") - 1, 0)


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
@by_option
@json_option
@quiet_option
@translate_errors
def run_command(study: Path, *, jobs: int | None, who: str, as_json: bool, quiet: bool) -> None:
    """Measure every photograph of STUDY that has no result yet.

    Results are stored one by one. A run that was stopped continues with the next `study run`; the
    results are the same bytes for any number of processes and of interruptions. After an update of
    scalptrack everything is measured again, so that no two numbers come from different versions.

    \b
    Example:
      scalptrack study run trial --jobs 4
    """
    with open_study(study, who) as store:
        from scalptrack.study.running import one_thread_each, run_study

        count = len(store.photographs())
        with (
            one_thread_each(),
            _process_pool(jobs) as executor,
            progress("measuring", count, hidden=quiet or as_json) as step,
        ):
            counts = run_study(store, executor=executor, on_step=step)
    if as_json:
        echo_json({"schema": "scalptrack.study.run/1", **to_plain(counts)})
    echo_counts(counts.line())
    finish(all_good=counts.measured == counts.photographs)


def _process_pool(jobs: int | None) -> Executor:
    """Worker processes; one as well, so that results don't depend on the number."""
    context: Any = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs or os.cpu_count() or 1, mp_context=context)


@study_command.command("status", short_help="What is done, what failed and why.")
@study_argument
@json_option
@quiet_option
@translate_errors
def status_command(study: Path, *, as_json: bool, quiet: bool) -> None:
    """Show where STUDY stands: what is done, what failed and why, which visits are missing.

    The exit status is 0 when everything is measured and no visit is missing, else 1.

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
        for code, number in status.reasons.items():
            click.echo(f"without a number  {number} x {code}")
        for each in status.failed:
            click.echo(f"{each.status}  {each.photo}: {each.reason}")
        for absent in status.missing_visits:
            click.echo(f"missing  {absent.subject}, {absent.view}, {absent.visit}")
    echo_counts(status.counts_line())
    finish(all_good=status.measured == status.photographs and not status.missing_visits)


@study_command.command("export", short_help="Tidy tables with their dictionary.")
@study_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the tables.  [default: STUDY/export]",
)
@json_option
@quiet_option
@translate_errors
def export_command(study: Path, *, out: Path | None, as_json: bool, quiet: bool) -> None:
    """Write the results of STUDY as tidy tables: photographs, visits, missing visits.

    Each table is written as CSV and Parquet, all of them as one JSON document with its JSON
    schema, and data_dictionary.csv says what every column holds. Photographs that are still to do
    are rows that say so; the exit status is then 1.

    \b
    Example:
      scalptrack study export trial --out tables
    """
    with open_study(study) as store:
        from scalptrack.study.export import export_study
        from scalptrack.study.status import doubt_about
        from scalptrack.study.tidy import load_results

        folder = out or study / "export"
        results = load_results(store)
        files = export_study(results, folder)
        doubt = doubt_about(store)
    if as_json:
        echo_json({"schema": "scalptrack.study.export/1", "folder": folder, "files": files})
    elif not quiet:
        for name in files:
            click.echo(folder / name)
    if doubt:
        click.echo(f"Note: {doubt}", err=True)
    echo_counts(f"{len(results.photographs)} photographs, {len(results.outcomes)} with a result")
    finish(all_good=not doubt)


@study_command.command("stats", short_help="Changes by arm and visit, responders, sample size.")
@study_argument
@click.option("--control", default="", metavar="ARM", help="The arm that others are compared with.")
@click.option("--view", "views", multiple=True, help="Only these views.  [default: all]")
@click.option("--visit", "visits", multiple=True, help="Only these visits.  [default: all]")
@click.option("--covariate", "covariates", multiple=True, help="Adjust the ANCOVA by this column.")
@click.option(
    "--difference",
    type=float,
    metavar="POINTS",
    help="Sample size of a next study that should show this difference.",
)
@click.option(
    "--power",
    type=click.FloatRange(0.1, 0.999),
    default=0.8,
    show_default=True,
    help="Of that study.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(1e-6, 0.1),
    default=0.05,
    show_default=True,
    help="Of that study.",
)
@click.option(
    "--dropout",
    type=click.FloatRange(0, 0.9),
    default=0.0,
    show_default=True,
    help="Share of subjects without a number in that study.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the tables.  [default: STUDY/stats]",
)
@by_option
@json_option
@quiet_option
@translate_errors
def stats_command(
    study: Path,
    *,
    control: str,
    views: tuple[str, ...],
    visits: tuple[str, ...],
    covariates: tuple[str, ...],
    difference: float | None,
    power: float,
    alpha: float,
    dropout: float,
    out: Path | None,
    who: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare the arms of STUDY: changes from baseline, slopes, responders.

    ANCOVA by visit, a mixed model of all visits, and responders beyond the minimal detectable
    change; P-values adjusted by Holm; repeated without tier B and without flagged photographs;
    what is missing and why; methods.md with every setting filled in. The log records that the
    statistics were made, and how.

    \b
    Example:
      scalptrack study stats trial --control placebo --difference 5
    """
    from scalptrack.study.extra import require_extra

    require_extra()
    from scalptrack.study.stats_tables import StatsSettings

    settings = StatsSettings(control, views, visits, covariates, difference, power, alpha, dropout)
    with open_study(study, who) as store:
        from scalptrack.study.report import write_statistics

        folder = out or study / "stats"
        statistics, files = write_statistics(store, settings, folder)
    tables = {table.name: table.rows for table in statistics.tables}
    if as_json:
        echo_json(
            {"schema": "scalptrack.study.stats/1", "folder": folder, "files": files, **tables}
        )
    elif not quiet:
        for row in tables["contrasts"]:
            click.echo(_contrast_line(row))
        click.echo(f"Tables: {folder}")
    missing = sum("difference" not in row for row in tables["contrasts"])
    echo_counts(f"{len(tables['contrasts'])} comparisons, {missing} without a number")
    finish(all_good=missing == 0)


def _contrast_line(row: dict[str, Any]) -> str:
    place = f"{row['analysis']}, {row['model']}, {row['view']}, {row['visit']}"
    if "difference" not in row:
        return f"{place}: no number, because {row['reason']}"
    unit = "points" if row["model"] == "ANCOVA" else "points per year"
    return (
        f"{place}: {row['arm']} minus {row['control']} {row['difference']:+.2f} {unit} "
        f"({row['difference_low']:+.2f} to {row['difference_high']:+.2f}), "
        f"p {_p_words(row['p_value'])}, Holm {_p_words(row['p_holm'])}"
    )


def _p_words(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:.4f}" if value >= 0.0001 else "< 0.0001"


@study_command.command("blind", short_help="A pack of before/after pairs for blinded readers.")
@study_argument
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="New folder for the pack, outside of STUDY.",
)
@click.option("--view", help="View to be rated; may be left out when the study has one.")
@click.option("--visit", help="Visit that is compared with the baseline.  [default: the last]")
@by_option
@json_option
@quiet_option
@translate_errors
def blind_command(
    study: Path,
    *,
    out: Path,
    view: str | None,
    visit: str | None,
    who: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write a pack of pairs (baseline and VISIT) that readers rate without knowing which is which.

    The pack is a page that works from the disk and saves a file of ratings. Order, sides and the
    20 % of pairs that come twice are random; pictures are cropped alike, without dates and
    metadata. The key stays in STUDY/keys: give nobody but the pack away. Faces stay visible.

    \b
    Example:
      scalptrack study blind trial --out pack --visit "day 180"
    """
    with open_study(study, who) as store:
        from scalptrack.study.blinding import blind_study, pairs_of

        view = view or _only_view(store.views)
        visit = visit or store.visits[-1]
        count = 2 * len(pairs_of(store, view, visit)[0])
        with progress("cropping", count, hidden=quiet or as_json) as step:
            pack = blind_study(store, out, view=view, visit=visit, on_step=step)
    if as_json:
        echo_json({"schema": "scalptrack.study.blind/1", **to_plain(pack)})
    elif not quiet:
        click.echo(f"Pack {pack.pack}: {pack.folder}")
        click.echo(f"Key, to be kept from readers: {pack.key_file}")
        for note in pack.notes:
            click.echo(f"Note: {note}", err=True)
    echo_counts(
        f"{pack.pairs} pairs, {pack.repeats} of them twice; {pack.left_out} subjects without a pair"
    )
    finish(all_good=pack.left_out == 0)


def _only_view(views: tuple[str, ...]) -> str:
    if len(views) > 1:
        message = f"The study has the views {', '.join(views)}. Say with --view which one to rate."
        raise CommandError(message)
    return views[0]


@study_command.command("unblind", short_help="Merge the ratings of blinded readers.")
@study_argument
@click.argument(
    "ratings",
    nargs=-1,
    required=True,
    metavar="RATINGS...",
    type=click.Path(path_type=Path, dir_okay=False),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the tables.  [default: STUDY/readers/PACK]",
)
@by_option
@json_option
@quiet_option
@translate_errors
def unblind_command(
    study: Path,
    ratings: tuple[Path, ...],
    *,
    out: Path | None,
    who: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Open the key of a pack and merge the files RATINGS that its readers saved.

    Agreement of each reader with himself, of the readers with each other (weighted kappa,
    intraclass correlation), and of their mean with the measured change. Give the files of all
    readers at once: a file that comes after the first unblinding is marked as such for ever.

    \b
    Example:
      scalptrack study unblind trial ratings_*.json
    """
    with open_study(study, who) as store:
        from scalptrack.study.unblinding import unblind_study

        unblinded = unblind_study(store, ratings, out)
    tables = {table.name: table.rows for table in unblinded.tables}
    if as_json:
        document = {"pack": unblinded.pack, "readers": unblinded.readers, **tables}
        echo_json({"schema": "scalptrack.study.unblind/1", **document})
    elif not quiet:
        for row in tables["agreement"]:
            click.echo(_agreement_line(row))
    missing = sum("value" not in row for row in tables["agreement"])
    echo_counts(
        f"{len(unblinded.readers)} readers, {len(tables['ratings'])} ratings, "
        f"{missing} agreements without a number"
    )
    finish(all_good=missing == 0)


def _agreement_line(row: dict[str, Any]) -> str:
    head = f"{row['what']} ({row['of']}, {row['pairs']} pairs)"
    if "value" not in row:
        return f"{head}: no number, because {row['reason']}"
    ends = "" if row["low"] is None else f" ({row['low']:.2f} to {row['high']:.2f})"
    return f"{head}: {row['value']:.2f}{ends}"
