"""``scalptrack study``: research designs, from a manifest to statistics and blinded readers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scalptrack.cli.common import (
    CommandError,
    echo_counts,
    echo_json,
    json_option,
    megapixels_option,
    progress,
    quiet_option,
    seed_option,
    translate_errors,
)

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
