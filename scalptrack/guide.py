"""The guide for the next photographs of a series: an outline to align with, and a page to print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from scalptrack.against import MEAN_HEAD_CM
from scalptrack.errors import HeadNotFoundError, ImageReadError
from scalptrack.images import encode_transparent_png
from scalptrack.outputs import OutputFolder, folder_name
from scalptrack.printing import Protocol, protocol_pdf
from scalptrack.quality.subject import head_mask
from scalptrack.records import BoolArray, Catalog, ImageArray, Photograph, Settings
from scalptrack.registration import HeadFeatures, extract_features
from scalptrack.single import OVERLAY_SIDE_PX, Opened, lay_on, open_photograph, scaled_grid, shrink
from scalptrack.translation import trn
from scalptrack.wording import long_date

PICTURE_OPACITY = 110
"""Of 255, inside the head: less than half, so that the camera's picture stays in front."""

LINE, HALO = (255, 225, 60), (20, 20, 20)
"""Yellow with a dark border: seen on black hair and on white walls."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An earlier photograph that can't be a reference."""

    photo: str
    reason: str


@dataclass(frozen=True, slots=True)
class Guide:
    """The guide of one subject and view, or why there is none.

    Attributes
    ----------
    reference : str or None
        Name of the earliest usable photograph.
    distance_cm : float or None
        Between camera and head; None where the file states no focal length.
    head_width_fraction : float or None
        Of the picture's shorter side.
    files : dict of str to str
        ``outline`` and ``protocol``, relative to the output folder.
    """

    subject: str
    view: str
    reference: str | None
    reason: str | None
    distance_cm: float | None = None
    focal_length_35mm: float | None = None
    camera: str | None = None
    head_width_fraction: float | None = None
    files: dict[str, str] | None = None
    passed_over: tuple[PassedOver, ...] = ()


def write_guides(
    catalog: Catalog,
    folder: OutputFolder,
    *,
    paper: str,
    settings: Settings,
    on_step: Callable[[str], None] = lambda _name: None,
) -> tuple[Guide, ...]:
    """Write the guide of every subject and view of a catalog.

    Raises
    ------
    OutputError
        When a file of the user's is in the way.
    """
    series: dict[tuple[str, str], list[Photograph]] = {}
    for each in catalog.photographs:
        series.setdefault((each.subject, each.view), []).append(each)
    guides = []
    for (subject, view), photographs in sorted(series.items()):
        guides.append(_write_guide(photographs, folder, paper, settings))
        on_step(f"{subject}, {view}")
    return tuple(guides)


@dataclass(frozen=True, slots=True, eq=False)
class FoundReference:
    """A photograph that the next ones can be compared with."""

    photograph: Photograph
    opened: Opened
    features: HeadFeatures


def find_reference(
    photographs: Sequence[Photograph],
    settings: Settings,
    *,
    on_step: Callable[[str], None] = lambda _name: None,
) -> tuple[FoundReference | None, tuple[PassedOver, ...]]:
    """The earliest photograph of a series that can be measured, and those that were passed over."""
    passed: list[PassedOver] = []
    for each in sorted(photographs, key=lambda each: (each.visit_date, each.replicate, each.name)):
        on_step(each.name)
        try:
            opened = open_photograph(each.path, settings)
            features = extract_features(
                opened.image,
                opened.segmentation,
                focal_length_35mm=opened.capture.focal_length_35mm,
            )
        except (ImageReadError, HeadNotFoundError) as error:
            passed.append(PassedOver(each.name, str(error)))
            continue
        return FoundReference(each, opened, features), tuple(passed)
    return None, tuple(passed)


def none_usable(passed: Sequence[PassedOver]) -> str:
    """Say that a series has no reference, and why the last of its photographs is none."""
    words = trn(
        "The {count} photograph can't be a reference.",
        "None of the {count} photographs can be a reference.",
        len(passed),
    )
    return f"{words} {passed[-1].reason}"


def _write_guide(
    photographs: Sequence[Photograph], folder: OutputFolder, paper: str, settings: Settings
) -> Guide:
    """Guide of one subject and view, by the earliest photograph that can be measured."""
    subject, view = photographs[0].subject, photographs[0].view
    found, passed = find_reference(photographs, settings)
    if found is None:
        return Guide(subject, view, None, none_usable(passed), passed_over=passed)
    each, opened, features = found.photograph, found.opened, found.features
    focal = opened.capture.focal_length_35mm
    distance = MEAN_HEAD_CM * features.camera.focal_px / features.head_width_px
    share = features.head_width_px / min(opened.image.shape[:2])
    picture, outline = draw_outline(opened)
    protocol = Protocol(
        subject=subject,
        view=view,
        reference_name=each.name,
        reference_date=long_date(each.visit_date),
        picture=picture,
        distance_cm=distance if focal else None,
        focal_length_35mm=focal,
        camera=opened.capture.camera,
        head_width_fraction=share,
    )
    place = f"{folder_name(subject)}/{folder_name(view)}"
    files = {"outline": f"{place}/outline.png", "protocol": f"{place}/protocol.pdf"}
    folder.require_free(tuple(files.values()))
    folder.write_bytes(files["outline"], encode_transparent_png(outline))
    folder.write_bytes(files["protocol"], protocol_pdf(protocol, paper))
    return Guide(
        subject=subject,
        view=view,
        reference=each.name,
        reason=None,
        distance_cm=protocol.distance_cm,
        focal_length_35mm=focal,
        camera=protocol.camera,
        head_width_fraction=share,
        files=files,
        passed_over=passed,
    )


def draw_outline(opened: Opened) -> tuple[ImageArray, ImageArray]:
    """Draw the outlines of head and scalp.

    Returns
    -------
    uint8 (h, w, 3)
        The photograph with the lines.
    uint8 (h, w, 4)
        The lines, opaque, over the half-transparent head; nothing elsewhere. It has the shape of
        the photograph, at most 1600 px long, to be laid over the camera's picture.
    """
    segmentation = opened.segmentation
    scale = min(1.0, OVERLAY_SIDE_PX / max(opened.image.shape[:2]))
    small = shrink(opened.image, scale)
    grid = scaled_grid(segmentation.grid, scale)
    shape = (small.shape[0], small.shape[1])
    head, scalp = (
        _smooth(lay_on(mask.astype(np.float32), grid, shape, linear=True), shape)
        for mask in (head_mask(segmentation), segmentation.scalp)
    )
    width = max(2, round(min(shape) / 300))
    lines = np.zeros(shape, dtype=np.uint8)
    halo = np.zeros(shape, dtype=np.uint8)
    for mask in (head, scalp):
        contours, _ = cv2.findContours(
            mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        cv2.drawContours(halo, contours, -1, 255, 3 * width, cv2.LINE_AA)
        cv2.drawContours(lines, contours, -1, 255, width, cv2.LINE_AA)
    picture = _painted(_painted(small, halo, HALO), lines, LINE)
    opacity = np.where(head, PICTURE_OPACITY, 0).astype(np.uint8)
    opacity = np.maximum(opacity, np.maximum(halo, lines))
    return picture, np.dstack([picture, opacity])


def _smooth(mask: ImageArray, shape: tuple[int, int]) -> BoolArray:
    """The largest piece of a mask with its steps rounded off: a line to align with, no detail."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), min(shape) / 120) > 0.5
    _, labels, sizes, _ = cv2.connectedComponentsWithStats(soft.astype(np.uint8))
    if len(sizes) < 2:
        return np.asarray(soft)
    return np.asarray(labels == 1 + int(np.argmax(sizes[1:, cv2.CC_STAT_AREA])))


def _painted(image: ImageArray, share: ImageArray, colour: tuple[int, int, int]) -> ImageArray:
    weight = share[..., np.newaxis].astype(np.float32) / 255
    mixed = image * (1 - weight) + np.array(colour, dtype=np.float32) * weight
    return np.rint(mixed).astype(np.uint8)
