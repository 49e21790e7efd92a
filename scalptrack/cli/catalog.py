"""``scalptrack catalog``: what was understood of a folder, and what was not."""

from __future__ import annotations

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
    quiet_option,
    translate_errors,
)

if TYPE_CHECKING:
    from scalptrack.records import Catalog


@click.command("catalog", short_help="Show what was understood of a folder.")
@click.argument("photos", type=click.Path(path_type=Path))
@click.option(
    "--write-manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what was understood as a CSV that `track` accepts after you corrected it.",
)
@click.option("--overwrite", is_flag=True, help="Let --write-manifest replace an existing file.")
@megapixels_option
@json_option
@quiet_option
@translate_errors
def catalog_command(
    photos: Path,
    *,
    write_manifest: Path | None,
    overwrite: bool,
    max_megapixels: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show what was understood of the folder PHOTOS, and what was not. Measures nothing.

    PHOTOS is a folder such as SUBJECT/VIEW/2026-03-12.jpg (many variants are understood; the
    camera's date is used when the name has none), or a manifest CSV with the columns photo,
    subject, view, visit_date and, optionally, replicate and reference (yes: the photograph that
    the others of its subject and view are aligned with).

    \b
    Example:
      scalptrack catalog sample_images --write-manifest manifest.csv
    """
    from scalptrack.catalog import write_manifest as save_manifest

    catalog = open_catalog(photos, max_megapixels=max_megapixels)
    if write_manifest is not None:
        save_manifest(catalog, write_manifest, overwrite=overwrite)
    if as_json:
        echo_json(_document(catalog))
    elif not quiet:
        _echo_table(catalog)
    echo_counts(
        f"{len(catalog.photographs)} photographs understood, {len(catalog.rejected)} files rejected"
    )
    finish(all_good=not catalog.rejected)


def open_catalog(photos: Path, *, max_megapixels: float, skip: tuple[Path, ...] = ()) -> Catalog:
    """Catalog of a folder or of a manifest.

    Raises
    ------
    CommandError
        When there is nothing at the path, or no file in it.
    """
    from scalptrack.catalog import catalog_folder, catalog_manifest

    if photos.is_dir():
        catalog = catalog_folder(photos, max_megapixels=max_megapixels, skip=skip)
    elif photos.suffix.lower() == ".csv" and photos.is_file():
        catalog = catalog_manifest(photos, max_megapixels=max_megapixels)
    elif photos.exists():
        message = f"{photos} is neither a folder of photographs nor a manifest (.csv)."
        raise CommandError(message)
    else:
        message = f"{photos} doesn't exist. Give a folder of photographs or a manifest (.csv)."
        raise CommandError(message)
    if not catalog.photographs and not catalog.rejected:
        message = f"There is no file in {photos}."
        raise CommandError(message)
    return catalog


def _document(catalog: Catalog) -> dict[str, object]:
    return {
        "schema": "scalptrack.catalog/1",
        "photographs": [
            {
                "photo": each.name,
                "subject": each.subject,
                "view": each.view,
                "visit_date": each.visit_date,
                "replicate": each.replicate,
                "sha256": each.sha256,
                "width_px": each.width_px,
                "height_px": each.height_px,
            }
            for each in catalog.photographs
        ],
        "rejected": [
            {"photo": each.name, "reason": each.reason.message, "reason_code": each.reason.code}
            for each in catalog.rejected
        ],
        "notes": list(catalog.notes),
    }


def _echo_table(catalog: Catalog) -> None:
    for each in catalog.photographs:
        click.echo(
            f"{each.subject}  {each.view}  {each.visit_date}  #{each.replicate}  {each.name}"
        )
    for rejected in catalog.rejected:
        click.echo(f"rejected  {rejected.name}: {rejected.reason.message}")
    for note in catalog.notes:
        click.echo(f"note  {note}")
