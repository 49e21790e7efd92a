"""Colours corrected by the printed card before hair is told from skin (``track --colour-card``)."""

from __future__ import annotations

from scalptrack.fiducials import correct_colours, read_card
from scalptrack.fiducials.colour import CLIPPED_LEVEL
from scalptrack.records import CaptureInfo, ImageArray, Reason
from scalptrack.translation import marked, tr

ADVICE = marked(
    "In a run with --colour-card every photograph needs the card, or its colours would differ from "
    "those of the others."
)


def corrected_by_card(
    image: ImageArray, capture: CaptureInfo
) -> tuple[ImageArray, None] | tuple[None, Reason]:
    """The photograph (H, W, 3) as the card says that its colours are, or why it can't be had.

    What is burnt out stays white: a correction that makes it grey would hide the glare.
    """
    reading = read_card(image, capture)
    if reading.colour is not None:
        corrected = correct_colours(image, reading.colour)
        corrected[image.min(axis=2) >= CLIPPED_LEVEL] = 255
        return corrected, None
    if reading.reason is not None:
        return None, Reason(reading.reason.code, f"{reading.reason.message} {tr(ADVICE)}")
    unusable = [each for each in reading.findings if each.code == "card_colours_unusable"]
    if unusable:
        return None, Reason(unusable[0].code, f"{unusable[0].advice} {tr(ADVICE)}")
    words = tr("No colour card is seen: lay it flat beside the head, in the same light.")
    return None, Reason("card_missing", f"{words} {tr(ADVICE)}")
