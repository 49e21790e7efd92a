"""Pages to print, drawn in millimetres: the card, the headband, and the protocol of a view."""

from scalptrack.printing.card import card_pdf, draw_card, save_card
from scalptrack.printing.headband import draw_headband, headband_pdf, save_headband
from scalptrack.printing.protocol import Protocol, draw_protocol, protocol_pdf
from scalptrack.printing.sheet import PAPERS_MM, Sheet

__all__ = [
    "PAPERS_MM",
    "Protocol",
    "Sheet",
    "card_pdf",
    "draw_card",
    "draw_headband",
    "draw_protocol",
    "headband_pdf",
    "protocol_pdf",
    "save_card",
    "save_headband",
]
