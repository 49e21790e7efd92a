"""The card in a photograph: what it tells, or why it tells nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np

from scalptrack.fiducials.colour import CardColour, measure_colour
from scalptrack.fiducials.detect import (
    Markers,
    Placement,
    find_markers,
    place_card,
)
from scalptrack.fiducials.geometry import MAX_PRINT_RATIO, CardGeometry, measure_geometry
from scalptrack.fiducials.layout import CARD_VERSION, board_markers, patches
from scalptrack.records import CaptureInfo, Finding, ImageArray, Reason, Severity
from scalptrack.translation import marked, tr

MIN_MARKERS = 2
"""One marker alone may be a pattern in hair or cloth (chance of a square: 3 in 100 000)."""

MIN_CORNERS = 8
"""A third of the board's corners. Chosen: twice what a pose needs, and never all on one line."""

MIN_SQUARE_PX = 20.0
"""Smaller squares hold markers whose cells are 2 px wide: hardly any of them is decoded."""

MAX_TILT_DEG = 55.0
MAX_RESIDUAL_PERCENT = 2.0
"""Of a square, RMS over the corners: flat cards have 0.4, bent to 30 cm mostly more than 2."""

CAVEAT = marked(
    "True for what is as far from the camera as the card: where something is 5 % farther away, a "
    "pixel shows 5 % more millimetres. It relies on the printed scales having been checked with a "
    "ruler."
)


@dataclass(frozen=True, slots=True)
class CardReading:
    """What a photograph's card tells.

    Attributes
    ----------
    found : bool
        Whether there is a card, of whatever version.
    version : int or None
        Its version.
    reason : Reason or None
        Why a card that is there can't be used; then there is no geometry and no colour.
    geometry : CardGeometry or None
        Scale, tilt and print distortion.
    colour : CardColour or None
        None also where too few patches can be used.
    occluded_fraction : float or None
        Share of markers and patches that could not be seen.
    residual_px : float or None
        RMS distance of the board's corners from a plane.
    strip_markers : int
        Markers of the headband strip that were found.
    findings : tuple of Finding
        What to do differently with the card.
    """

    found: bool = False
    version: int | None = None
    reason: Reason | None = None
    geometry: CardGeometry | None = None
    colour: CardColour | None = None
    occluded_fraction: float | None = None
    residual_px: float | None = None
    strip_markers: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def usable(self) -> bool:
        """True when the card tells the scale."""
        return self.geometry is not None


def read_card(image: ImageArray, capture: CaptureInfo) -> CardReading:
    """Look for the card in a photograph, and read scale and colours from it.

    Parameters
    ----------
    image : uint8 (H, W, 3)
        The whole upright photograph: a cropped one has its optical axis elsewhere.
    capture : CaptureInfo
        Its focal length, where the file gives it.
    """
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    markers = find_markers(grey)
    others = Counter(markers.other_versions)
    other, count = others.most_common(1)[0] if others else (0, 0)
    if len(markers.board) < MIN_MARKERS and count < MIN_MARKERS:
        return CardReading(strip_markers=markers.strip)
    if count >= MIN_MARKERS:
        return _other_version(other, also_ours=len(markers.board) >= MIN_MARKERS)
    if markers.repeated:
        return _refused(
            "card_twice",
            (1.0 + markers.repeated, 1.0, marked("cards")),
            tr("There is more than one card in the picture. Show one."),
        )
    if markers.square_px < MIN_SQUARE_PX:
        return _refused(
            "card_small",
            (markers.square_px, MIN_SQUARE_PX, marked("px per square")),
            tr("The card is too small in the picture. Move closer, or send the original file."),
        )
    placement = place_card(grey, markers)
    if placement is None or len(placement.card_points) < MIN_CORNERS:
        seen = 0 if placement is None else len(placement.card_points)
        return _refused(
            "card_hidden",
            (float(seen), float(MIN_CORNERS), marked("corners")),
            tr(
                "Too little of the card is seen sharply. Hold it by its edge, whole in the picture."
            ),
        )
    shape = (image.shape[0], image.shape[1])
    geometry = measure_geometry(placement, shape, capture.focal_length_35mm)
    refused = _judge_geometry(placement, geometry)
    if refused is not None:
        return refused
    return _read(image, markers, placement, geometry)


def _read(
    image: ImageArray, markers: Markers, placement: Placement, geometry: CardGeometry
) -> CardReading:
    """Everything that a usable card tells."""
    colour, hidden = measure_colour(image, placement, markers)
    missing = len(board_markers()) - len(markers.board) + hidden
    findings = [_print_distortion(geometry)]
    if colour is None:
        advice = tr(
            "Too few colour patches can be used: show the whole card, out of glare and shadow."
        )
        seen = float(len(patches()) - hidden)
        findings.append(
            Finding("card_colours_unusable", Severity.INFO, seen, 10.0, marked("patches"), advice)
        )
    return CardReading(
        found=True,
        version=CARD_VERSION,
        geometry=geometry,
        colour=colour,
        occluded_fraction=missing / (len(board_markers()) + len(patches())),
        residual_px=placement.residual_px,
        strip_markers=markers.strip,
        findings=tuple(each for each in findings if each is not None),
    )


def _judge_geometry(placement: Placement, geometry: CardGeometry) -> CardReading | None:
    """Refuse a card that is too oblique or not flat."""
    if geometry.tilt_deg > MAX_TILT_DEG:
        return _refused(
            "card_tilted",
            (geometry.tilt_deg, MAX_TILT_DEG, marked("degrees")),
            tr("The card is seen too obliquely. Turn it to face the camera."),
        )
    bend = 100 * placement.residual_px / placement.square_px
    if bend > max(MAX_RESIDUAL_PERCENT, 30 / placement.square_px):
        return _refused(
            "card_bent",
            (bend, MAX_RESIDUAL_PERCENT, marked("% of a square")),
            tr("The card isn't flat, or blurred. Glue it on stiff cardboard."),
        )
    return None


def _print_distortion(geometry: CardGeometry) -> Finding | None:
    """Warn where the print is surely stretched in one direction."""
    if not geometry.distorted:
        return None
    percent = 100 * abs(geometry.print_ratio - 1)
    return Finding(
        "card_print_distorted",
        Severity.WARNING,
        round(percent, 2),
        round(100 * (MAX_PRINT_RATIO - 1), 2),
        marked("% wider or higher"),
        tr(
            "The card was printed wider or higher than it should be: its "
            "scale may be wrong by as much. Print it again at 100 % and "
            "check both scales with a ruler."
        ),
    )


def _other_version(version: int, *, also_ours: bool) -> CardReading:
    words = (
        tr("There are cards of two versions in the picture. Show one.")
        if also_ours
        else tr(
            "The card in the picture has version {version}, and this "
            "program reads version {card_version}. Print the card with "
            "`scalptrack card` of this program, or update it.",
            version=version,
            card_version=CARD_VERSION,
        )
    )
    refused = _refused(
        "card_other_version", (float(version), float(CARD_VERSION), marked("card version")), words
    )
    return CardReading(True, version, refused.reason, findings=refused.findings)


def _refused(code: str, measured: tuple[float, float, str], words: str) -> CardReading:
    """A card that is there and can't be used; the photograph itself may be good."""
    value, limit, unit = measured
    finding = Finding(code, Severity.WARNING, round(value, 3), limit, unit, words)
    return CardReading(True, CARD_VERSION, Reason(code, words), findings=(finding,))


def card_document(reading: CardReading) -> dict[str, object]:
    """The ``card`` object of a photograph in JSON documents, as plain values or records."""
    geometry, colour = reading.geometry, reading.colour
    return {
        "found": reading.found,
        "usable": reading.usable,
        "version": reading.version,
        "reason": reading.reason.message if reading.reason else None,
        "reason_code": reading.reason.code if reading.reason else None,
        "mm_per_px": geometry.mm_per_px if geometry else None,
        "mm_per_px_low": geometry.mm_per_px_low if geometry else None,
        "mm_per_px_high": geometry.mm_per_px_high if geometry else None,
        "caveat": tr(CAVEAT) if geometry else None,
        "tilt_deg": geometry.tilt_deg if geometry else None,
        "print_ratio": geometry.print_ratio if geometry else None,
        "print_ratio_low": geometry.print_ratio_low if geometry else None,
        "print_ratio_high": geometry.print_ratio_high if geometry else None,
        "residual_px": reading.residual_px,
        "occluded_fraction": reading.occluded_fraction,
        "strip_markers": reading.strip_markers,
        "colour": colour,
    }
