"""``scalptrack capture``: a page with the camera that helps to take the next photographs."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scalptrack.cli.catalog import open_catalog
from scalptrack.cli.common import (
    CommandError,
    echo_counts,
    echo_json,
    finish,
    json_option,
    language_option,
    megapixels_option,
    quiet_option,
    seed_option,
    translate_errors,
)
from scalptrack.wording import plural

if TYPE_CHECKING:
    from scalptrack.capture.reference import CaptureReference
    from scalptrack.capture.session import CaptureSession
    from scalptrack.records import Photograph


@click.command("capture", short_help="Take the next photographs with live advice.")
@click.argument("series", required=False, type=click.Path(path_type=Path))
@click.option("--subject", help="Whose head it is; needed where SERIES holds several, or none.")
@click.option("--view", help="Which view is taken; needed where SERIES holds several, or none.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of photographs; they are filed as SUBJECT/VIEW/DATE_N.jpg in it.",
)
@click.option(
    "--replicates",
    type=click.IntRange(1, 9),
    default=2,
    show_default=True,
    help="Photographs of this visit, with the hair combed anew between them.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of the page on 127.0.0.1.  [default: any free one]",
)
@click.option("--no-browser", is_flag=True, help="Print the page's address and open no browser.")
@language_option("Language of the page; messages of this command stay as they are.")
@seed_option
@megapixels_option
@json_option
@quiet_option
@translate_errors
def capture_command(
    series: Path | None,
    *,
    subject: str | None,
    view: str | None,
    out: Path,
    replicates: int,
    port: int,
    no_browser: bool,
    seed: int,
    max_megapixels: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Take the next photographs of a series with a camera of this computer.

    A page on this computer alone shows the camera with the outline of the series' first usable
    photograph over it, says what to change, takes two photographs with the hair combed anew
    between them, and files those that you keep in --out. SERIES is a folder or a manifest, as for
    `scalptrack track`, and may be the same folder as --out. Without SERIES, or for a new subject
    or view, there is no outline and only light, sharpness and framing are judged. Nothing is
    overwritten, and nothing leaves this computer.

    \b
    Examples:
      scalptrack capture photos --subject anna --view vertex --out photos
      scalptrack capture --subject anna --view frontal --out photos
      scalptrack capture photos --out photos --language de
    """
    found = [] if series is None else _photographs(series, subject, view, out, max_megapixels)
    subject, view = _whose(found, subject, view)
    found = [each for each in found if (each.subject, each.view) == (subject, view)]
    session, reference, no_reference = _prepare(
        found,
        subject=subject,
        view=view,
        out=out,
        replicates=replicates,
        seed=seed,
        max_megapixels=max_megapixels,
        quiet=quiet or as_json,
    )
    _serve(session, reference, no_reference, port=port, open_browser=not no_browser)
    _report(session, reference, no_reference, out=out, as_json=as_json, quiet=quiet)


def _photographs(
    series: Path, subject: str | None, view: str | None, out: Path, max_megapixels: float
) -> list[Photograph]:
    """Photographs of a series; a folder for new photographs that is still empty holds none."""
    same = series.resolve() == out.resolve()
    if same and subject and view and not (series.is_dir() and any(series.iterdir())):
        return []
    skip = () if same else (out,)
    return list(open_catalog(series, max_megapixels=max_megapixels, skip=skip).photographs)


def _whose(photographs: list[Photograph], subject: str | None, view: str | None) -> tuple[str, str]:
    """Subject and view that are meant.

    Raises
    ------
    CommandError
        When the series doesn't tell.
    """
    from scalptrack.filenames import view_named

    view = (view_named(view) or view) if view else None
    subjects = sorted({each.subject for each in photographs})
    if subject is None:
        if len(subjects) != 1:
            known = f" (there are {', '.join(subjects)})" if subjects else ""
            message = f"Say whose photographs they are with --subject{known}."
            raise CommandError(message)
        subject = subjects[0]
    views = sorted({each.view for each in photographs if each.subject == subject})
    if view is None:
        if len(views) != 1:
            known = f" (there are {', '.join(views)})" if views else ""
            message = f"Say which view is to be taken with --view{known}."
            raise CommandError(message)
        view = views[0]
    return subject, view


def _prepare(
    photographs: list[Photograph],
    *,
    subject: str,
    view: str,
    out: Path,
    replicates: int,
    seed: int,
    max_megapixels: float,
    quiet: bool,
) -> tuple[CaptureSession, CaptureReference | None, str | None]:
    """The visit, its reference, and why there is none."""
    from scalptrack.capture.filing import Filing
    from scalptrack.capture.looking import HeadWatcher
    from scalptrack.capture.reference import load_reference
    from scalptrack.capture.session import CaptureSession
    from scalptrack.records import Settings
    from scalptrack.translation import tr

    filing = Filing(out, subject, view, datetime.now().astimezone().date())
    reference = None
    reason = tr("There is no earlier photograph of {subject}, {view}.", subject=subject, view=view)
    if photographs:
        if not quiet:
            click.echo("Looking for the reference of this series ...", err=True)
        settings = Settings(seed=seed, max_megapixels=max_megapixels)
        reference, refused = load_reference(photographs, settings)
        reason = refused or ""
    watcher = HeadWatcher(view, reference, seed, max_megapixels)
    session = CaptureSession(filing, watcher, wanted=replicates, max_megapixels=max_megapixels)
    return session, reference, None if reference else reason


def _serve(
    session: CaptureSession,
    reference: CaptureReference | None,
    no_reference: str | None,
    *,
    port: int,
    open_browser: bool,
) -> None:
    """Show the page until the visit is finished there, or Ctrl+C is pressed here."""
    import webbrowser

    from scalptrack.capture.page import capture_routes
    from scalptrack.serving import LocalServer

    server = LocalServer(capture_routes(session, reference, no_reference=no_reference), port)
    click.echo(f"The camera's page (for this computer only): {server.url}", err=True)
    click.echo("Finish on the page, or press Ctrl+C here.", err=True)
    if open_browser:
        webbrowser.open(server.url)
    with suppress(KeyboardInterrupt):
        server.serve()


def _report(
    session: CaptureSession,
    reference: CaptureReference | None,
    no_reference: str | None,
    *,
    out: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    from scalptrack.capture.page import kept_document

    kept = session.kept
    if as_json:
        document: dict[str, Any] = {
            "schema": "scalptrack.capture/1",
            "subject": session.filing.subject,
            "view": session.filing.view,
            "visit_date": session.filing.visit_date,
            "reference": reference.name if reference else None,
            "reason": no_reference,
            "photographs": [kept_document(each) for each in kept],
            "retaken": session.retaken,
        }
        echo_json(document)
    elif not quiet:
        for each in kept:
            usable = "usable" if each.judgement.usable else "NOT usable"
            click.echo(f"{out / each.photo}: {usable}")
    echo_counts(
        f"{len(kept)} of {plural(session.wanted, 'photograph')} filed, {session.retaken} retaken"
    )
    if not kept:
        message = "No photograph was kept."
        raise CommandError(message)
    finish(all_good=session.all_usable)
