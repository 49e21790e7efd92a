"""Views of photographs whose names tell none, told from the picture. Composes the stages."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from scalptrack.errors import HeadNotFoundError, ImageReadError
from scalptrack.filenames import UNSPECIFIED_VIEW
from scalptrack.images import read_photograph
from scalptrack.quality import RecognisedView, recognise_view
from scalptrack.records import Catalog, Photograph
from scalptrack.segmentation import shared_segmenter


def without_view(catalog: Catalog) -> tuple[Photograph, ...]:
    """The photographs of a catalog whose view nothing names."""
    return tuple(each for each in catalog.photographs if each.view == UNSPECIFIED_VIEW)


def recognise_views(
    photographs: Iterable[Photograph],
    *,
    max_megapixels: float,
    on_step: Callable[[str], None] = lambda _name: None,
) -> dict[str, RecognisedView]:
    """What view each photograph shows.

    Parameters
    ----------
    photographs : iterable of Photograph
        They are opened read-only.
    max_megapixels : float
        Larger photographs aren't looked at.
    on_step : callable
        Called with the name of each photograph that was looked at.

    Returns
    -------
    dict of str to RecognisedView
        By the photograph's name in its catalog, in their order; one without a head is left out.
    """
    found: dict[str, RecognisedView] = {}
    for each in photographs:
        try:
            image, _ = read_photograph(each.path, max_megapixels=max_megapixels)
            seen = recognise_view(shared_segmenter().segment(image))
        except (HeadNotFoundError, ImageReadError):
            seen = None
        if seen is not None:
            found[each.name] = seen
        on_step(each.name)
    return found
