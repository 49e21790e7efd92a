"""``scalptrack segment``: hair fraction, region classes and coverage of single photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scalptrack.cli.common import (
    echo_counts,
    echo_json,
    finish,
    json_option,
    language_option,
    megapixels_option,
    photos_argument,
    progress,
    quiet_option,
    translate_errors,
)
from scalptrack.wording import plural


@click.command("segment", short_help="Hair and scalp of single photographs.")
@photos_argument
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for NAME.hair.png, NAME.classes.png and NAME.overlay.jpg.",
)
@language_option(
    "Language of what is said about the photographs; codes and JSON keys stay as they are."
)
@megapixels_option
@json_option
@quiet_option
@translate_errors
def segment_command(
    photos: tuple[Path, ...], out: Path, max_megapixels: float, as_json: bool, quiet: bool
) -> None:
    """Find hair and scalp in each PHOTO and report the visible hair coverage.

    For NAME.jpg the folder --out gets NAME.hair.png (hair fraction x 255), NAME.classes.png
    (0 background, 1 scalp skin, 2 hair, 3 other skin, 4 object), both at the photograph's upright
    size, and NAME.overlay.jpg. A coverage of a single photograph is over the scalp that it shows
    at less than 60 degrees; coverages of different photographs are only comparable after `track`
    has aligned them.

    \b
    Examples:
      scalptrack segment today.jpg --out segmented --json
      scalptrack segment today.jpg --out segmented --language de
    """
    from scalptrack.outputs import OutputFolder
    from scalptrack.single import segment_photograph

    folder = OutputFolder(out)
    results: list[dict[str, Any]] = []
    with progress("segmenting", len(photos), hidden=quiet or as_json) as step:
        for photo in photos:
            results.append(segment_photograph(photo, folder, max_megapixels=max_megapixels))
            step(photo.name)
    if as_json:
        echo_json({"schema": "scalptrack.segment/1", "photographs": results})
    elif not quiet:
        for each in results:
            click.echo(_line(each))
    measured = sum(each["status"] == "measured" for each in results)
    failed = len(results) - measured
    echo_counts(
        f"{plural(len(results), 'photograph')}: {measured} measured, {failed} without a number"
    )
    finish(all_good=failed == 0)


def _line(result: dict[str, Any]) -> str:
    from scalptrack.translation import tr

    if result["status"] != "measured":
        return tr("{photo}: no coverage. {reason}", photo=result["photo"], reason=result["reason"])
    return tr(
        "{photo}: visible hair coverage {coverage:.1f} % (95 % interval {low:.0f} to {high:.0f} %) "
        "of {region_px} px of scalp ({excluded:.0f} % of the scalp excluded)",
        photo=result["photo"],
        coverage=100 * result["coverage_fraction"],
        low=100 * result["coverage_low_fraction"],
        high=100 * result["coverage_high_fraction"],
        region_px=result["region_px"],
        excluded=100 * result["excluded_fraction"],
    )
