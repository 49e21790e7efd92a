"""``scalptrack deidentify``: copies that don't say whose head it is."""

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
    megapixels_option,
    progress,
    quiet_option,
    translate_errors,
)
from scalptrack.wording import plural

if TYPE_CHECKING:
    from scalptrack.deidentify import Copy
    from scalptrack.pseudonyms import PseudonymKey


@click.command("deidentify", short_help="Copies without names, dates of birth, places and faces.")
@click.argument(
    "photos", nargs=-1, required=True, metavar="PHOTOS...", type=click.Path(path_type=Path)
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the copies; outside of PHOTOS.",
)
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the secret that pseudonyms are made with. Keep it; never share it.",
)
@click.option("--create-key", is_flag=True, help="Make a new key; an existing one is never lost.")
@click.option(
    "--shift-dates",
    type=click.IntRange(1, 3650),
    metavar="DAYS",
    help="Move each subject's dates back by a keyed number of 1 to DAYS days.",
)
@click.option(
    "--keep-uncovered",
    is_flag=True,
    help="Also copy photographs whose face or text could not be covered (they are listed).",
)
@megapixels_option
@json_option
@quiet_option
@translate_errors
def deidentify_command(
    photos: tuple[Path, ...],
    *,
    out: Path,
    key_file: Path,
    create_key: bool,
    shift_dates: int | None,
    keep_uncovered: bool,
    max_megapixels: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Copy the photographs in PHOTOS (folders or manifests) without what names a person.

    Copies hold no metadata, their names are pseudonyms, and faces are covered with grey: in frontal
    views everything from the top of the face down, in other views all skin that isn't scalp.
    A photograph whose face can't be covered is withheld, and so are screenshots and DICOM files
    with text in the picture. The standard output names the originals; the folder --out doesn't.
    Another run into the same folder adds to its copies and to deidentified.csv, and replaces
    nothing that you wrote or edited. Look at the copies before you share them: tattoos, clothes and
    rooms stay visible. Originals are only read.

    \b
    Example:
      scalptrack deidentify photos --out shared --key my.key --create-key --shift-dates 365
    """
    from scalptrack.deidentify import CopySettings, deidentify

    require_apart(photos, out, key_file)
    catalogs = [open_catalog(each, max_megapixels=max_megapixels) for each in photos]
    key = open_key(key_file, create=create_key)
    settings = CopySettings(shift_dates or 0, keep_uncovered, max_megapixels)
    count = sum(len(each.photographs) + len(each.rejected) for each in catalogs)
    with progress("copying", count, hidden=quiet or as_json) as step:
        copies = deidentify(catalogs, out, key=key, settings=settings, on_step=step)
    counts = {
        status: sum(each.status == status for each in copies)
        for status in ("copied", "withheld", "rejected")
    }
    if as_json:
        echo_json(
            {"schema": "scalptrack.deidentify/1", "counts": counts, "photographs": list(copies)}
        )
    elif not quiet:
        for each in copies:
            click.echo(_line(each))
    echo_counts(
        f"{plural(len(copies), 'file')}: {counts['copied']} copied, {counts['withheld']} withheld "
        f"because a face or text could not be covered, {counts['rejected']} rejected"
    )
    if not counts["copied"]:
        message = "Nothing was copied; the reason of each file is above or in --json."
        raise CommandError(message)
    finish(all_good=all(each.status == "copied" and each.reason is None for each in copies))


def open_key(path: Path, *, create: bool) -> PseudonymKey:
    """Read, or make, the key that pseudonyms are made with."""
    from scalptrack.pseudonyms import create_key, read_key

    return create_key(path) if create else read_key(path)


def require_apart(photos: tuple[Path, ...], out: Path, key_file: Path) -> None:
    """Copies, originals and the key must not lie in one another."""
    for each in photos:
        folder = (each if each.is_dir() else each.parent).resolve()
        if out.resolve().is_relative_to(folder) or folder.is_relative_to(out.resolve()):
            message = f"--out {out} and {each} lie in one another. Choose a folder elsewhere."
            raise CommandError(message)
    if key_file.resolve().is_relative_to(out.resolve()):
        message = f"The key {key_file} would lie in {out}. Keep it elsewhere."
        raise CommandError(message)


def _line(each: Copy) -> str:
    if each.copy is None:
        return f"{each.status}  {each.name}: {each.reason}"
    doubt = f" ({each.reason})" if each.reason else ""
    return f"{each.name} -> {each.copy}, face {each.face}{doubt}"
