"""``scalptrack check``: is a photograph good enough, and what to change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scalptrack.cli.common import (
    CommandError,
    echo_counts,
    echo_json,
    finish,
    json_option,
    language_option,
    megapixels_option,
    photos_argument,
    progress,
    quiet_option,
    seed_option,
    translate_errors,
)
from scalptrack.wording import plural

if TYPE_CHECKING:
    from scalptrack.against import Side
    from scalptrack.records import CaptureInfo


@click.command("check", short_help="Is this photograph good enough?")
@photos_argument
@click.option(
    "--against",
    metavar="REFERENCE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The series' first photograph: also say what differs from it, and what to change.",
)
@language_option(
    "Language of what is said about the photographs; codes and JSON keys stay as they are."
)
@seed_option
@megapixels_option
@json_option
@quiet_option
@translate_errors
def check_command(
    photos: tuple[Path, ...],
    *,
    against: Path | None,
    seed: int,
    max_megapixels: float,
    as_json: bool,
    quiet: bool,
) -> None:
    """Say whether each PHOTO is good enough to be measured, and what to do differently.

    Also said is when a photograph seems to show another view than its name or folder says. With
    --against it is also compared with the reference of its series: pose, distance, lens, light and
    sharpness. One that can't be aligned with the reference is not usable.

    \b
    Examples:
      scalptrack check today.jpg && echo "keep it"
      scalptrack check today.jpg --against first.jpg
      scalptrack check today.jpg --language de
    """
    reference = None
    if against is not None:
        reference = _open_reference(against, seed, max_megapixels)
    results = []
    with progress("checking", len(photos), hidden=quiet or as_json) as step:
        for photo in photos:
            results.append(_check(photo, reference, seed, max_megapixels))
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
    echo_counts(
        f"{plural(len(results), 'photograph')} checked: {len(usable)} usable, {unusable} not usable"
    )
    finish(all_good=unusable == 0)


def _open_reference(path: Path, seed: int, max_megapixels: float) -> Side:
    """The reference, ready for comparisons; a bad one ends the command."""
    from scalptrack.against import prepare_side
    from scalptrack.records import Settings
    from scalptrack.single import open_photograph

    opened = open_photograph(path, Settings(seed=seed, max_megapixels=max_megapixels))
    side = prepare_side(opened.image, opened.segmentation, opened.capture)
    if side is None:
        message = f"{path} shows too little scalp to compare with. Choose another reference."
        raise CommandError(message)
    return side


def _check(photo: Path, reference: Side | None, seed: int, max_megapixels: float) -> dict[str, Any]:
    """Usability and findings of one file as plain values."""
    from scalptrack.against import compare_sides, prepare_side
    from scalptrack.errors import HeadNotFoundError, ImageReadError
    from scalptrack.fiducials import card_document, read_card
    from scalptrack.images import read_photograph
    from scalptrack.plain import to_plain
    from scalptrack.quality import check_quality, judge_view, recognise_view
    from scalptrack.records import Severity
    from scalptrack.segmentation import shared_segmenter

    try:
        image, capture = read_photograph(photo, max_megapixels=max_megapixels)
    except ImageReadError as error:
        failed = {
            "photo": photo.as_posix(),
            "usable": False,
            "findings": [_unreadable(error)],
            "card": None,
            "recognised_view": None,
        }
        return failed | ({} if reference is None else {"against": None})
    try:
        segmentation = shared_segmenter().segment(image)
    except HeadNotFoundError:
        segmentation = None
    quality = check_quality(image, segmentation, capture)
    card = read_card(image, capture)
    recognised = recognise_view(segmentation) if segmentation is not None else None
    misfiled = judge_view(recognised, _named_view(photo, capture))
    findings = [*quality.findings, *([misfiled] if misfiled else []), *card.findings]
    result: dict[str, Any] = {"photo": photo.as_posix(), "card": to_plain(card_document(card))}
    result["recognised_view"] = to_plain(recognised)
    if reference is not None:
        result["against"] = None
        moving = None
        if segmentation is not None and quality.usable:
            moving = prepare_side(image, segmentation, capture)
        if moving is not None:
            differences, found = compare_sides(reference, moving, seed=seed)
            result["against"] = to_plain(differences)
            findings += found
    return result | {
        "usable": all(each.severity is not Severity.ERROR for each in findings),
        "findings": [to_plain(each) for each in findings],
    }


def _named_view(photo: Path, capture: CaptureInfo) -> str:
    """The view that a photograph's name, its folders or the file itself name; empty if none."""
    from scalptrack.filenames import read_path

    # SUBJECT/VIEW/VISIT/NAME at most: a folder above them may be called "back" for any reason.
    return read_path(photo.parts[-4:], root_name="").view_beside(capture.view_hint)


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
    from scalptrack.translation import tr

    said = tr("usable") if result["usable"] else tr("NOT usable")
    click.echo(f"{result['photo']}: {said}")
    for finding in result["findings"]:
        click.echo(f"  {_finding_line(finding)}")
    card = result["card"]
    if card and card["usable"]:
        words = tr("card: {scale:.4f} mm per pixel.", scale=card["mm_per_px"])
        click.echo(f"  {words} {card['caveat']}")


def _finding_line(finding: dict[str, Any]) -> str:
    """How bad, what, how much of how much, and what to do."""
    from scalptrack.records import COPY_CODES
    from scalptrack.translation import number, tr
    from scalptrack.wording import finding_name, severity_words

    measured = ""
    if finding["value"] is not None and finding["code"] not in COPY_CODES:
        measured = " " + tr(
            "({value} {unit}, limit {limit} {unit})",
            value=number(finding["value"], ".3g"),
            limit=number(finding["limit"], ".3g"),
            unit=tr(finding["unit"]),
        )
    name = finding_name(finding["code"])
    return f"{severity_words(finding['severity'])}: {name}{measured}. {finding['advice']}"
