"""The printed card in a photograph: scale at its plane, and colour of light and camera."""

from scalptrack.fiducials.colour import CardColour, correct_colours
from scalptrack.fiducials.geometry import CardGeometry
from scalptrack.fiducials.reading import CardReading, card_document, read_card

__all__ = [
    "CardColour",
    "CardGeometry",
    "CardReading",
    "card_document",
    "correct_colours",
    "read_card",
]
