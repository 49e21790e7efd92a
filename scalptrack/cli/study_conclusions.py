"""``scalptrack study stats | blind | unblind``: conclusions from what a study measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scalptrack.cli.common import (
    CommandError,
    echo_counts,
    echo_json,
    finish,
    json_option,
    language_option,
    progress,
    quiet_option,
    translate_errors,
)
from scalptrack.cli.study import (
    by_option,
    open_study,
    photos_option,
    study_argument,
    study_command,
)
from scalptrack.plain import to_plain
from scalptrack.wording import plural

__all__ = ["study_command"]


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
    echo_counts(f"{plural(len(tables['contrasts']), 'comparison')}, {missing} without a number")
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
@photos_option
@language_option("Language of the rating form; what its file holds is the same in each.")
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
    photos: str,
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
    with open_study(study, who, photos) as store:
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
        f"{plural(pack.pairs, 'pair')}, {pack.repeats} of them twice; "
        f"{plural(pack.left_out, 'subject')} without a pair"
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
        f"{plural(len(unblinded.readers), 'reader')}, {plural(len(tables['ratings']), 'rating')}, "
        f"{plural(missing, 'agreement')} without a number"
    )
    finish(all_good=missing == 0)


def _agreement_line(row: dict[str, Any]) -> str:
    head = f"{row['what']} ({row['of']}, {row['pairs']} pairs)"
    if "value" not in row:
        return f"{head}: no number, because {row['reason']}"
    ends = "" if row["low"] is None else f" ({row['low']:.2f} to {row['high']:.2f})"
    return f"{head}: {row['value']:.2f}{ends}"
