"""A made-up language that brackets every message: what isn't bracketed, isn't in the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lab.texts import as_mo, template
from scalptrack.translation import DOMAIN

LANGUAGE = "xx"
OPEN, CLOSE = "⟦⟧"


def write_pseudo_language(folder: Path) -> Path:
    """Compile the made-up language into a folder of catalogues, and return that folder."""
    catalog = template()
    catalog.locale = "en"
    for message in catalog:
        if message.id:
            forms = message.id if isinstance(message.id, tuple) else (message.id,)
            brackets = tuple(f"{OPEN}{each}{CLOSE}" for each in forms)
            message.string = brackets if len(brackets) > 1 else brackets[0]
    path = folder / LANGUAGE / "LC_MESSAGES" / f"{DOMAIN}.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(as_mo(catalog))
    return folder


def outside(pieces: Iterable[str]) -> str:
    """What stands outside of brackets; a piece that was cut short ("…") closes its brackets."""
    kept: list[str] = []
    depth = 0
    for piece in pieces:
        for character in piece:
            depth += (character == OPEN) - (character == CLOSE)
            if depth == 0 and character != CLOSE:
                kept.append(character)
        kept.append(" ")
        if piece.rstrip().endswith("…"):
            depth = 0
    assert depth == 0, "brackets are open at the end"
    return "".join(kept)
