"""``scalptrack card``: a scale and colour card to print."""

from __future__ import annotations

from pathlib import Path

import click

from scalptrack.cli.common import (
    echo_counts,
    echo_json,
    json_option,
    language_option,
    quiet_option,
    translate_errors,
)


@click.command("card", short_help="A scale and colour card to print.")
@click.option(
    "--paper",
    type=click.Choice(["a4", "letter"]),
    default="a4",
    show_default=True,
    help="Size of the page; the card on it is the same.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The PDF to write; another file of that name is never replaced.",
)
@click.option(
    "--strip",
    is_flag=True,
    help="The page with the headband for `register --strip` and `track --strip` instead.",
)
@language_option("Language of the page; what a program reads of it is the same in each.")
@json_option
@quiet_option
@translate_errors
def card_command(*, paper: str, out: Path, strip: bool, as_json: bool, quiet: bool) -> None:
    """Write a page to print: a card that tells scale and colour in photographs.

    Print it at 100 % and measure the two printed scales with a ruler: they tell whether the printer
    kept its size. Cut the card out and hold it beside the head, facing the camera; `scalptrack
    check` finds it. The page says all this, too.

    With --strip the page holds a headband to cut out, whose markers align photographs in which hair
    hides the scalp.

    \b
    Examples:
      scalptrack card --paper a4 --out card.pdf
      scalptrack card --strip --out headband.pdf
      scalptrack card --language de --out karte.pdf
    """
    from scalptrack.printing import save_card, save_headband

    if strip:
        save_headband(out, paper)
    else:
        save_card(out, paper)
    if as_json:
        echo_json(_strip_document(paper, out) if strip else _document(paper, out))
    elif not quiet and strip:
        click.echo(f"{out}: print it at 100 % (actual size), cut out the pieces and glue them.")
    elif not quiet:
        click.echo(f"{out}: print it at 100 % (actual size) and check both printed scales.")
    echo_counts("1 page written")


def _document(paper: str, out: Path) -> dict[str, object]:
    from scalptrack.fiducials import layout
    from scalptrack.printing import PAPERS_MM

    return {
        "schema": "scalptrack.card/1",
        "file": out,
        "paper": paper,
        "page_mm": PAPERS_MM[paper],
        "version": layout.CARD_VERSION,
        "dictionary": "DICT_5X5_250",
        "marker_ids": {
            "board": sorted(layout.board_markers()),
            "strip": sorted(layout.strip_markers()),
        },
        "card_mm": (layout.CARD_WIDTH_MM, layout.CARD_HEIGHT_MM),
        "square_mm": layout.SQUARE_MM,
        "marker_mm": layout.MARKER_MM,
        "patches": layout.patches(),
    }


def _strip_document(paper: str, out: Path) -> dict[str, object]:
    from scalptrack.fiducials import strip
    from scalptrack.printing import PAPERS_MM

    return {
        "schema": "scalptrack.strip/1",
        "file": out,
        "paper": paper,
        "page_mm": PAPERS_MM[paper],
        "version": strip.HEADBAND_VERSION,
        "dictionary": "DICT_5X5_250",
        "marker_ids": sorted(strip.headband_markers()),
        "pieces": strip.PIECES,
        "band_mm": (strip.LENGTH_MM, strip.BAND_MM),
        "pitch_mm": strip.PITCH_MM,
        "marker_mm": strip.MARKER_MM,
    }
