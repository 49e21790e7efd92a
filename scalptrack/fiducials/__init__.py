"""What is printed and found in a photograph: a card for scale and colour, and a headband."""

from scalptrack.fiducials.colour import CardColour, correct_colours
from scalptrack.fiducials.geometry import CardGeometry
from scalptrack.fiducials.reading import CardReading, card_document, read_card
from scalptrack.fiducials.strip import find_strip, strip_filled

__all__ = [
    "CardColour",
    "CardGeometry",
    "CardReading",
    "card_document",
    "correct_colours",
    "find_strip",
    "read_card",
    "strip_filled",
]
