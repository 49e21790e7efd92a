"""Pages to print: the card. Drawn in millimetres with matplotlib, as vectors."""

from scalptrack.printing.card import card_pdf, draw_card, save_card
from scalptrack.printing.sheet import PAPERS_MM, Sheet

__all__ = ["PAPERS_MM", "Sheet", "card_pdf", "draw_card", "save_card"]
