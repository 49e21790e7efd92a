"""``scalptrack guide``: how to take the next photographs of a series."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
    progress,
    quiet_option,
    translate_errors,
)
from scalptrack.wording import plural

if TYPE_CHECKING:
    from scalptrack.guide import Guide


@click.command("guide", short_help="Outline and protocol for the next photographs.")
@click.argument("series", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for SUBJECT/VIEW/outline.png and SUBJECT/VIEW/protocol.pdf.",
)
@click.option(
    "--paper",
    type=click.Choice(["a4", "letter"]),
    default="a4",
    show_default=True,
    help="Size of the pages.",
)
@language_option(
    "Language of the printed page and of the reasons why there is none; the names of the files "
    "and of views stay as they are."
)
@megapixels_option
@json_option
@quiet_option
@translate_errors
def guide_command(
    series: Path, *, out: Path, paper: str, max_megapixels: float, as_json: bool, quiet: bool
) -> None:
    """Write, for each subject and view in SERIES, what helps to take the next photograph.

    SERIES is a folder or a manifest, as for `scalptrack track`. outline.png is the earliest usable
    photograph, half transparent with the outlines of head and scalp, to lay over the camera's
    picture; protocol.pdf is a page to print. Both show the head: keep them like photographs.

    \b
    Examples:
      scalptrack guide sample_images --out guides
      scalptrack guide photos --out guides --language de
    """
    from scalptrack.guide import write_guides
    from scalptrack.outputs import OutputFolder
    from scalptrack.records import Settings

    if out.resolve() == series.resolve():
        message = "--out is the folder of the photographs itself. Choose another folder."
        raise CommandError(message)
    catalog = open_catalog(series, max_megapixels=max_megapixels, skip=(out,))
    if not catalog.photographs:
        message = f"There is no usable photograph in {series}; `scalptrack catalog` says why."
        raise CommandError(message)
    count = len({(each.subject, each.view) for each in catalog.photographs})
    with progress("drawing", count, hidden=quiet or as_json) as step:
        guides = write_guides(
            catalog,
            OutputFolder(out),
            paper=paper,
            settings=Settings(max_megapixels=max_megapixels),
            on_step=step,
        )
    if as_json:
        echo_json({"schema": "scalptrack.guide/1", "guides": guides})
    elif not quiet:
        for each in guides:
            click.echo(_line(each, out))
    written = sum(each.reference is not None for each in guides)
    echo_counts(
        f"{plural(len(guides), 'view')}: {plural(written, 'guide')} written, "
        f"{len(guides) - written} without"
    )
    if not written:
        message = "There is no guide: no view has a usable photograph."
        raise CommandError(message)
    finish(all_good=written == len(guides))


def _line(guide: Guide, out: Path) -> str:
    if guide.files is None:
        return f"{guide.subject}, {guide.view}: {guide.reason}"
    return f"{guide.subject}, {guide.view}: {out / guide.files['protocol']}, by {guide.reference}"
