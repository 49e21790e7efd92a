"""``scalptrack register``: aligns one pair of photographs, or refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scalptrack.cli.common import (
    CommandError,
    allow_outline_option,
    echo_counts,
    echo_json,
    finish,
    json_option,
    language_option,
    megapixels_option,
    quiet_option,
    seed_option,
    strip_option,
    translate_errors,
)


@click.command("register", short_help="Align one pair of photographs.")
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("moving", type=click.Path(path_type=Path))
@click.option(
    "--points",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV of points (x,y in pixels of REFERENCE) to carry to MOVING.",
)
@click.option(
    "--points-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV of at least four pairs set by hand (reference_x,reference_y,moving_x,moving_y); "
    "aligns by them instead of by features (tier B).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the aligned picture, the comparison and registration.json.",
)
@click.option(
    "--close-up",
    is_flag=True,
    help="Both photographs show a square of scalp that fills the frame, and no outline of a head.",
)
@allow_outline_option
@strip_option
@language_option("Language of what is said about the pair; codes and JSON keys stay as they are.")
@seed_option
@megapixels_option
@json_option
@quiet_option
@translate_errors
def register_command(
    reference: Path,
    moving: Path,
    *,
    points: Path | None,
    points_file: Path | None,
    out: Path | None,
    close_up: bool,
    allow_outline: bool,
    strip: bool,
    seed: int,
    max_megapixels: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Align MOVING with REFERENCE, two photographs of the same view of the same head.

    The transform is the pose of a head-shaped surface, not a flat one. When the two can't be
    aligned reliably (another person, another view, mirrored, hair over the scalp, blur) the pair
    is refused and the reason is given; the exit status is then 1.

    \b
    Examples:
      scalptrack register baseline.jpg followup.jpg --points marks.csv --json
      scalptrack register baseline.jpg followup.jpg --language de
    """
    from scalptrack.close_ups import register_close_up_photographs
    from scalptrack.errors import ImageReadError
    from scalptrack.single import read_pairs, read_points, register_photographs

    carried = read_points(points) if points is not None else None
    pairs = read_pairs(points_file) if points_file is not None else None
    if close_up and (pairs is not None or allow_outline or strip):
        message = "--close-up can't be combined with --points-file, --allow-outline or --strip."
        raise CommandError(message)
    if strip and pairs is not None:
        message = "--strip and --points-file can't be combined: each aligns in its own way."
        raise CommandError(message)
    try:
        if close_up:
            document = register_close_up_photographs(
                reference,
                moving,
                points=carried,
                out=out,
                seed=seed,
                max_megapixels=max_megapixels,
            )
        else:
            document = register_photographs(
                reference,
                moving,
                points=carried,
                pairs=pairs,
                out=out,
                seed=seed,
                max_megapixels=max_megapixels,
                allow_outline=allow_outline,
                strip=strip,
            )
    except ImageReadError as error:
        raise CommandError(str(error)) from error
    if as_json:
        echo_json(document)
    elif not quiet:
        _echo_summary(document)
    registered = document["status"] == "registered"
    echo_counts(f"1 pair: {int(registered)} registered, {int(not registered)} refused")
    finish(all_good=registered)


def _echo_summary(document: dict[str, Any]) -> None:
    from scalptrack.translation import tr

    if document["status"] != "registered":
        click.echo(tr("refused: {reason}", reason=document["reason"]))
        return
    click.echo(_registered_line(document))
    for index, point in enumerate(document.get("points") or [], start=1):
        # Coordinates are for other programs, and written as in the JSON document.
        shown = tr("not visible") if point is None else f"{point[0]:.2f},{point[1]:.2f}"
        click.echo(tr("point {number}: {shown}", number=index, shown=shown))


def _registered_line(document: dict[str, Any]) -> str:
    """How two photographs were aligned, how well, and what that can't tell."""
    from scalptrack.translation import tr

    tier, overlap = document["tier"], document["overlap"]
    if document["method"] == "outline":
        return tr(
            "registered, tier {tier}, by the outline alone: overlap {overlap:.2f}. Another person "
            "with such hair would look the same.",
            tier=tier,
            overlap=overlap,
        )
    residual, inliers = document["residual_px"], document["inliers"]
    if document["method"] == "strip":
        return tr(
            "registered, tier {tier}, by the printed headband: residual {residual:.2f} px, "
            "{inliers} markers agree, overlap {overlap:.2f}. Another person with this band would "
            "look the same.",
            tier=tier,
            residual=residual,
            inliers=inliers,
            overlap=overlap,
        )
    return tr(
        "registered, tier {tier}: residual {residual:.2f} px, {inliers} points agree, overlap "
        "{overlap:.2f}",
        tier=tier,
        residual=residual,
        inliers=inliers,
        overlap=overlap,
    )
