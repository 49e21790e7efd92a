"""The reference of a series as the camera's page needs it: its outline, its place, its features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from scalptrack.against import Side
from scalptrack.capture.coaching import Placed, place_of
from scalptrack.guide import draw_outline, find_reference, none_usable
from scalptrack.images import encode_transparent_png
from scalptrack.quality.subject import subject_of
from scalptrack.records import Photograph, Settings


@dataclass(frozen=True, slots=True, eq=False)
class CaptureReference:
    """The photograph that the next ones are held against.

    Attributes
    ----------
    side : Side
        What is compared of it.
    placed : Placed
        Where its head is.
    outline_png : bytes
        The half-transparent head with its outlines, in the shape of the photograph.
    """

    name: str
    visit_date: date
    side: Side
    placed: Placed
    outline_png: bytes


def load_reference(
    photographs: Sequence[Photograph],
    settings: Settings,
    *,
    on_step: Callable[[str], None] = lambda _name: None,
) -> tuple[CaptureReference | None, str | None]:
    """The earliest photograph of a series that can be measured, or the reason why there is none.

    One that the user set as the reference goes before the earliest.
    """
    chosen = [each for each in photographs if each.set_as_reference]
    found, passed = find_reference(chosen or photographs, settings, on_step=on_step)
    if found is None:
        return None, none_usable(passed)
    opened = found.opened
    side = Side(opened.capture, found.features, subject_of(opened.image, opened.segmentation))
    _, outline = draw_outline(opened)
    return CaptureReference(
        name=found.photograph.name,
        visit_date=found.photograph.visit_date,
        side=side,
        placed=place_of(opened.segmentation),
        outline_png=encode_transparent_png(outline),
    ), None
