"""``scalptrack check``: is a photograph good enough, and what to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scalptrack.cli.common import (
    echo_counts,
    echo_json,
    finish,
    json_option,
    megapixels_option,
    photos_argument,
    progress,
    quiet_option,
    translate_errors,
)


@click.command("check", short_help="Is this photograph good enough?")
@photos_argument
@megapixels_option
@json_option
@quiet_option
@translate_errors
def check_command(
    photos: tuple[Path, ...], max_megapixels: float, as_json: bool, quiet: bool
) -> None:
    """Say whether each PHOTO is good enough to be measured, and what to do differently.

    \b
    Example:
      scalptrack check today.jpg && echo "keep it"
    """
    with progress("checking", len(photos), hidden=quiet or as_json) as step:
        results = []
        for photo in photos:
            results.append(_check(photo, max_megapixels))
            step(photo.name)
    usable = [each for each in results if each["usable"]]
    if as_json:
        findings = [
            {"photo": each["photo"], **finding} for each in results for finding in each["findings"]
        ]
        echo_json(
            {
                "schema": "scalptrack.check/1",
                "usable": len(usable) == len(results),
                "findings": findings,
                "photographs": results,
            }
        )
    elif not quiet:
        for each in results:
            _echo_result(each)
    unusable = len(results) - len(usable)
    echo_counts(f"{len(results)} photographs checked: {len(usable)} usable, {unusable} not usable")
    finish(all_good=unusable == 0)


def _check(photo: Path, max_megapixels: float) -> dict[str, Any]:
    """Usability and findings of one file as plain values."""
    from scalptrack.errors import HeadNotFoundError, ImageReadError
    from scalptrack.fiducials import card_document, read_card
    from scalptrack.images import read_photograph
    from scalptrack.plain import to_plain
    from scalptrack.quality import check_quality
    from scalptrack.segmentation import shared_segmenter

    try:
        image, capture = read_photograph(photo, max_megapixels=max_megapixels)
    except ImageReadError as error:
        findings = [_unreadable(error)]
        return {"photo": photo.as_posix(), "usable": False, "findings": findings, "card": None}
    try:
        segmentation = shared_segmenter().segment(image)
    except HeadNotFoundError:
        segmentation = None
    quality = check_quality(image, segmentation, capture)
    card = read_card(image, capture)
    return {
        "photo": photo.as_posix(),
        "usable": quality.usable,
        "findings": [to_plain(each) for each in (*quality.findings, *card.findings)],
        "card": to_plain(card_document(card)),
    }


def _unreadable(error: Any) -> dict[str, Any]:
    return {
        "code": error.code,
        "severity": "error",
        "value": None,
        "limit": None,
        "unit": "",
        "advice": str(error),
    }


def _echo_result(result: dict[str, Any]) -> None:
    from scalptrack.records import COPY_CODES

    click.echo(f"{result['photo']}: {'usable' if result['usable'] else 'NOT usable'}")
    for finding in result["findings"]:
        measured = ""
        if finding["value"] is not None and finding["code"] not in COPY_CODES:
            unit = finding["unit"]
            measured = f" ({finding['value']:.3g} {unit}, limit {finding['limit']:.3g} {unit})"
        click.echo(f"  {finding['severity']}: {finding['code']}{measured}. {finding['advice']}")
    card = result["card"]
    if card and card["usable"]:
        click.echo(f"  card: {card['mm_per_px']:.4f} mm per pixel. {card['caveat']}")
