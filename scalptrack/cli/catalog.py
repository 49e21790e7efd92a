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
    progress,
    quiet_option,
    translate_errors,
)
from scalptrack.plain import to_plain
from scalptrack.wording import plural

if TYPE_CHECKING:
    from scalptrack.quality import RecognisedView
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

    With --write-manifest views that no name tells are recognised in the picture where that is
    safe. They wait in the manifest: `track` leaves those photographs out until you have looked at
    them and written yes in the column view_confirmed.

    \b
    Example:
      scalptrack catalog sample_images --write-manifest manifest.csv
    """
    catalog = open_catalog(photos, max_megapixels=max_megapixels)
    recognised: dict[str, RecognisedView] = {}
    if write_manifest is not None:
        recognised = _write(
            catalog, write_manifest, overwrite=overwrite, max_megapixels=max_megapixels,
            hidden=quiet or as_json,
        )  # fmt: skip
    if as_json:
        echo_json(_document(catalog, recognised))
    elif not quiet:
        _echo_table(catalog, recognised)
    echo_counts(
        f"{plural(len(catalog.photographs), 'photograph')} understood, "
        f"{plural(len(catalog.rejected), 'file')} rejected"
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


def _write(
    catalog: Catalog, path: Path, *, overwrite: bool, max_megapixels: float, hidden: bool
) -> dict[str, RecognisedView]:
    """Write the manifest; returns the views that were recognised, by name of the photograph."""
    from scalptrack.catalog import write_manifest
    from scalptrack.recognition import recognise_views, without_view

    unnamed = without_view(catalog)
    with progress("recognising views", len(unnamed), hidden=hidden) as step:
        recognised = recognise_views(unnamed, max_megapixels=max_megapixels, on_step=step)
    views = {name: each.view for name, each in recognised.items() if each.view is not None}
    write_manifest(catalog, path, recognised=views, overwrite=overwrite)
    return recognised


def _document(catalog: Catalog, recognised: dict[str, RecognisedView]) -> dict[str, object]:
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
        "recognised_views": [{"photo": name} | to_plain(each) for name, each in recognised.items()],
    }


def _echo_table(catalog: Catalog, recognised: dict[str, RecognisedView]) -> None:
    for each in catalog.photographs:
        click.echo(
            f"{each.subject}  {each.view}  {each.visit_date}  #{each.replicate}  {each.name}"
        )
    for name, seen in recognised.items():
        if seen.view is None:
            click.echo(f"view unsure  {name}: name its view, or write it in the manifest.")
        else:
            click.echo(
                f"view recognised  {name}: {seen.view} ({seen.probabilities[seen.view]:.2f}). Look "
                "at it, and write yes in the manifest's column view_confirmed."
            )
    for rejected in catalog.rejected:
        click.echo(f"rejected  {rejected.name}: {rejected.reason.message}")
    for note in catalog.notes:
        click.echo(f"note  {note}")
