"""Photographs that the user chose as the reference of their subject and view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scalptrack.errors import InputError
from scalptrack.records import Catalog, Photograph


def set_references(catalog: Catalog, chosen: Sequence[str]) -> Catalog:
    """Mark the chosen photographs of a catalog as references of their subject and view.

    A choice replaces what a manifest says of the same subject and view.

    Parameters
    ----------
    catalog : Catalog
        What was understood of the folder or the manifest.
    chosen : sequence of str
        Names as the catalog lists them, or paths of the same files.

    Raises
    ------
    InputError
        If a choice is none of the photographs, was rejected, or is the second one of its subject
        and view.
    """
    places: dict[tuple[str, str], Photograph] = {}
    for text in chosen:
        photograph = _find(catalog, text)
        place = (photograph.subject, photograph.view)
        first = places.setdefault(place, photograph)
        if first is not photograph:
            msg = (
                f"{first.name} and {photograph.name} are both set as the reference of "
                f"{photograph.subject}, {photograph.view}. Set one of them."
            )
            raise InputError(msg)
    if not places:
        return catalog
    return replace(
        catalog, photographs=tuple(_marked(each, places) for each in catalog.photographs)
    )


def _marked(photograph: Photograph, places: dict[tuple[str, str], Photograph]) -> Photograph:
    """The photograph with its mark set anew where its series has a choice."""
    choice = places.get((photograph.subject, photograph.view))
    if choice is None:
        return photograph
    return replace(photograph, set_as_reference=photograph is choice)


def _find(catalog: Catalog, text: str) -> Photograph:
    """The photograph of that name or path.

    Raises
    ------
    InputError
        If there is none, or it was rejected.
    """
    name = text.replace("\\", "/").removeprefix("./")
    path = Path(text)
    for photograph in catalog.photographs:
        if photograph.name == name or _same_file(path, photograph.path):
            return photograph
    for rejected in catalog.rejected:
        if rejected.name == name or _same_file(path, rejected.path):
            msg = f"{text} can't be the reference: {rejected.reason.message}"
            raise InputError(msg)
    shown = ", ".join(each.name for each in catalog.photographs[:3])
    msg = (
        f"{text} can't be the reference: it is none of the photographs. Name it as "
        f"`scalptrack catalog` lists it, for instance {shown or 'anna/vertex/2026-01-10.jpg'}."
    )
    raise InputError(msg)


def _same_file(path: Path, other: Path) -> bool:
    return path.exists() and other.exists() and path.samefile(other)
