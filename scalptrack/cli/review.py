"""``scalptrack review``: a local page to look, correct, accept and reject."""

from __future__ import annotations

import html
import webbrowser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from scalptrack.cli.common import (
    CommandError,
    echo_counts,
    echo_json,
    finish,
    json_option,
    language_option,
    quiet_option,
    translate_errors,
)
from scalptrack.wording import plural

if TYPE_CHECKING:
    from scalptrack.review.reviewed import ReviewPlace
    from scalptrack.review.session import ReviewSession


@click.command("review", short_help="Look at results, correct, accept and reject.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--reviewer",
    default="",
    metavar="NAME",
    help="Who decides, for the log; asked on the page when it isn't given.",
)
@click.option(
    "--photos",
    default="",
    metavar="PLACE",
    help="Where the photographs are, if they were moved since they were measured; of a study also "
    "a URL.",
)
@click.option(
    "--port",
    type=click.IntRange(min=0, max=65535),
    default=0,
    help="Port on 127.0.0.1.  [default: any free one]",
)
@click.option(
    "--import",
    "take_from",
    metavar="PLACE",
    type=click.Path(path_type=Path),
    help="Serve nothing: take over the decisions of a file, of other results, or of a study, with "
    "who made them and when. --reviewer says who does this.",
)
@click.option(
    "--export",
    "export_to",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Serve nothing: write all decisions as a file, for `track --decisions` or another "
    "--import.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@language_option(
    "Language of the page; what is stored, messages of this command, and what a run wrote stay as "
    "they are."
)
@json_option
@quiet_option
@translate_errors
def review_command(
    folder: Path,
    *,
    reviewer: str,
    photos: str,
    port: int,
    take_from: Path | None,
    export_to: Path | None,
    no_browser: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Open a page on the results in DIR: the --out of `scalptrack track`, or a study's folder.

    The page shows every photograph with its overlay, status and reason. Accept it or exclude it,
    choose the reference, draw the region on it, set pairs of points on a photograph that was
    refused, add notes and treatments. Decisions are kept in DIR/decisions.jsonl, or in the study's
    database, with who decided what and when; the next `track` into DIR, or `study run`, applies
    them. The page is served to this computer only. End with Ctrl-C.

    With --json nothing is served: the decisions and their log are printed.

    Exit status: 0 nothing is left to look at and all decisions are in the numbers, or --import and
    --export did what they should; 1 otherwise.

    \b
    Examples:
      scalptrack review results --reviewer "Dr. Grey"
      scalptrack review results --json
      scalptrack review results --language de
      scalptrack review trial --reviewer "Dr. Grey" --import results
      scalptrack review trial --export decisions.jsonl
    """
    from scalptrack.review.session import ReviewSession

    session = ReviewSession(_place(folder, photos), reviewer=reviewer)
    exchanging = take_from is not None or export_to is not None
    if exchanging:
        _exchange(session, take_from, export_to, quiet=quiet or as_json)
    elif not as_json:
        _serve(session, port, open_browser=not no_browser, quiet=quiet)
    document = session.document()
    if as_json:
        echo_json(document)
    elif not quiet and document["stale"]:
        click.echo(f"The numbers are older than the decisions. Run:\n  {document['command']}")
    echo_counts(
        f"{plural(document['photographs'], 'file')}: {document['need_a_look']} to look at, "
        f"{plural(len(document['decisions']), 'decision')}, "
        f"{plural(len(document['log']), 'line')} in the log"
    )
    settled = not document["need_a_look"] and not document["stale"]
    finish(all_good=exchanging or settled)


def _exchange(
    session: ReviewSession, take_from: Path | None, export_to: Path | None, *, quiet: bool
) -> None:
    """Take decisions over from another place, and write all of them as a file."""
    from scalptrack.review.decision_file import export_log
    from scalptrack.review.places import source_at

    if take_from is not None:
        if not session.reviewer:
            message = "Say who takes the decisions over: --reviewer NAME. The log will name you."
            raise CommandError(message)
        taken = session.store.take(session.reviewer, source_at(take_from))
        if not quiet:
            click.echo(f"{plural(taken, 'new line')} taken over from {take_from}")
        unknown = session.unknown()
        if unknown and not quiet:
            click.echo(
                f"Note: {plural(unknown, 'decision')} on photographs or people that aren't among "
                "these: kept, and not applied.",
                err=True,
            )
    if export_to is not None:
        export_log(session.store.read(), export_to)
        if not quiet:
            click.echo(export_to)


def _place(folder: Path, photos: str) -> ReviewPlace:
    """A study, or results of `track`."""
    from scalptrack.review.folder import FolderPlace
    from scalptrack.study.extra import holds_study, require_extra

    if not holds_study(folder):
        return FolderPlace(folder, photos=Path(photos) if photos else None)
    require_extra()
    from scalptrack.study.addresses import given_root
    from scalptrack.study.reviewing import StudyPlace
    from scalptrack.study.store import StudyStore

    return StudyPlace(StudyStore(folder, photos=given_root(photos) if photos else None))


def _serve(session: ReviewSession, port: int, *, open_browser: bool, quiet: bool) -> None:
    """Serve until Ctrl-C."""
    from scalptrack.review.server import ReviewServer

    with ReviewServer(session, port=port) as server:
        click.echo(server.url)
        if not quiet:
            click.echo("Open this address in a browser on this computer; Ctrl-C ends.", err=True)
        with TemporaryDirectory(prefix="scalptrack-") as private:
            if open_browser:
                webbrowser.open(_redirect(Path(private), server.url).as_uri())
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                click.echo(err=True)


def _redirect(private: Path, url: str) -> Path:
    """A page in a folder that only this user can read, which leads to the address.

    The address itself would stand among a browser's arguments, which every user of this computer
    can list.
    """
    from scalptrack.translation import tr

    page = private / "review.html"
    page.write_text(
        f"<!DOCTYPE html><title>{html.escape(tr('Review'))}</title>"
        f'<meta http-equiv="refresh" content="0; url={html.escape(url)}">',
        encoding="utf-8",
    )
    return page
