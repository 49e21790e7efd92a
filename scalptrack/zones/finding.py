"""Which parts of a compared region are named zones; a zone that can't be told has a reason."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scalptrack.records import BoolArray, Reason, Segmentation
from scalptrack.translation import tr
from scalptrack.zones.anatomy import OFFERED, ZONES, zone_areas_cm2, zone_of
from scalptrack.zones.frame import (
    FROM_ABOVE,
    VIEW_DIRECTIONS,
    HeadFrame,
    camera_rays,
    fit_frame,
    fit_upside_down,
    sight,
)

MAX_MISFIT = 20.0
"""Misfit of the average head above which no zone is given: in the 40 renders on which it was chosen
the side views with more (23 to 40) had their own side wrong by half."""

MIN_AGREEMENT = 0.85
"""Agreement of fitted and segmented scalp; 0.95 to 0.98 in photographs from above and behind."""

CONTRADICTION_RATIO = 1.4
"""How many times better the head the other way round must fit for a statement on the forehead to be
doubted. It is never enough to do without one: of 24 renders from above the wrong way fitted better
in five, by up to 1.64 times."""

MIN_SEEN_FRACTION = 0.4
"""Share of a zone's surface that all photographs must show: less is not the zone any more."""

MIN_ZONE_PX = 400
"""Grid pixels of a zone below which its coverage says nothing, as for a whole region."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundZones:
    """Zones of the compared region.

    Attributes
    ----------
    regions : dict of str to bool (H, W)
        Part of the region that lies in each zone, on the reference's grid.
    seen_fraction : dict of str to float
        Share of each zone's surface (of an average head) that the region holds.
    withheld : dict of str to Reason
        Zones that the view might show and that are not given. Never a zone in ``regions``.
    """

    regions: dict[str, BoolArray] = field(default_factory=dict)
    seen_fraction: dict[str, float] = field(default_factory=dict)
    withheld: dict[str, Reason] = field(default_factory=dict)


def find_zones(
    segmentation: Segmentation,
    region: BoolArray,
    *,
    view: str,
    focal_px: float,
    forehead: str = "",
) -> FoundZones:
    """Part a region of the reference photograph into the zones that can be told there.

    Parameters
    ----------
    segmentation : Segmentation
        Of the reference photograph.
    region : bool (H, W)
        The compared region on its grid.
    view : str
        Name of the view; only the program's own names say where the camera was.
    focal_px : float
        Focal length of the reference photograph in pixels.
    forehead : str
        ``"top"`` or ``"bottom"``: where it points in pictures from above. Empty: not stated.

    Returns
    -------
    FoundZones
        Empty for a view without a known camera position.
    """
    if view not in VIEW_DIRECTIONS:
        return FoundZones()
    offered = OFFERED.get(view, ())
    withheld = {zone: _unreliable(zone, view) for zone in ZONES if zone not in offered}
    if not offered:
        return FoundZones(withheld=withheld)
    frame = _frame(segmentation, view, focal_px, forehead)
    if isinstance(frame, Reason):
        return FoundZones(withheld=withheld | dict.fromkeys(offered, frame))
    zones, areas = _zone_map(segmentation, region, frame, focal_px)
    whole = zone_areas_cm2(frame.half_axes_cm)
    regions: dict[str, BoolArray] = {}
    seen: dict[str, float] = {}
    for zone in offered:
        part = region & (zones == 1 + ZONES.index(zone))
        share = min(float(areas[part].sum()) / whole[zone], 1.0)
        if share < MIN_SEEN_FRACTION or int(part.sum()) < MIN_ZONE_PX:
            withheld[zone] = _too_little(zone, share)
        else:
            regions[zone], seen[zone] = part, share
    return FoundZones(regions, seen, withheld)


def _frame(
    segmentation: Segmentation, view: str, focal_px: float, forehead: str
) -> HeadFrame | Reason:
    """Where the front of the head is, or why that can't be told."""
    frame = fit_frame(segmentation, view, focal_px)
    if view in FROM_ABOVE:
        turned = fit_upside_down(segmentation, view, focal_px)
        chosen = _right_way(frame, turned, forehead)
        if isinstance(chosen, Reason):
            return chosen
        frame = chosen
    if frame.misfit > MAX_MISFIT or frame.agreement < MIN_AGREEMENT:
        return Reason(
            "no_head_frame",
            tr(
                "The zones' borders can't be told: the scalp that was found in "
                "the reference photograph doesn't have the shape that a head "
                "has from this side."
            ),
        )
    return frame


def _right_way(upright: HeadFrame, turned: HeadFrame, forehead: str) -> HeadFrame | Reason:
    """The frame with the forehead where it is stated to be, unless the fit speaks against it."""
    if not forehead:
        return Reason(
            "forehead_unknown",
            tr(
                "From above it can't be told in a photograph where the "
                "forehead is, so the zones' borders aren't known. State it "
                "with --forehead top or --forehead bottom."
            ),
        )
    stated, other = (upright, turned) if forehead == "top" else (turned, upright)
    if stated.misfit >= CONTRADICTION_RATIO * other.misfit:
        return Reason(
            "forehead_contradicted",
            tr(
                "The forehead is stated to point to the {forehead} of the "
                "picture, but the head fits much better the other way round. "
                "Check --forehead.",
                forehead=forehead,
            ),
        )
    return stated


def _zone_map(
    segmentation: Segmentation, region: BoolArray, frame: HeadFrame, focal_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """Zone (H, W) of the region's pixels, 0 elsewhere, and their surface in square centimetres."""
    rows, columns = np.nonzero(region)
    grid = segmentation.grid
    points = grid.to_photograph(np.stack([columns, rows], axis=1).astype(np.float64))
    rays = camera_rays(points, segmentation.photograph_shape, focal_px)
    seen = sight(rays, frame.camera_from_head, frame.centre_cm, frame.half_axes_cm)
    on_head = (seen.nearness < 1.0) & (seen.cosine > 0.1)
    zones = np.zeros(region.shape, dtype=np.uint8)
    zones[rows, columns] = np.where(on_head, zone_of(seen.directions), 0)
    lengths = np.linalg.norm(rays, axis=1)
    pixel = (grid.step_px / focal_px) ** 2
    areas = np.zeros(region.shape)
    areas[rows, columns] = np.where(
        on_head, pixel * seen.distance_cm**2 / lengths**3 / np.maximum(seen.cosine, 0.1), 0.0
    )
    return zones, areas


def _unreliable(zone: str, view: str) -> Reason:
    return Reason(
        "border_uncertain",
        tr(
            "The {zone} zone isn't given in {view} photographs: on "
            "rendered heads its borders couldn't be told well enough from "
            "this side.",
            zone=zone,
            view=view,
        ),
    )


def _too_little(zone: str, share: float) -> Reason:
    return Reason(
        "zone_too_small",
        tr(
            "Only {share:.0f} % of the {zone} zone is seen in all "
            "photographs of this view; {min_seen_fraction:.0f} % are "
            "needed.",
            share=100 * share,
            zone=zone,
            min_seen_fraction=100 * MIN_SEEN_FRACTION,
        ),
    )
