"""Segmentations without error of heads that lab/phantom knows exactly."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lab.phantom.head import CLOTHES, EAR, FACE, NECK, SCALP, build_parts
from lab.phantom.subject import sample_subject
from lab.phantom.truth import trace_surface
from lab.phantom.visit import Visit, camera_of
from scalptrack.records import Grid, RegionClass, Segmentation

WIDTH = HEIGHT = 160


@lru_cache(maxsize=16)
def head(seed: int, view: str, turn: tuple[float, float, float] = (0.0, 0.0, 0.0)):
    """(Segmentation, focal length in px, true zone (H, W), true camera_from_head (3, 3))."""
    shape = sample_subject(seed).shape
    camera = camera_of(
        Visit(seed=1, view=view, rotation_deg=turn, distance_cm=56.0, focal_35mm=62.0),
        width=WIDTH,
        height=HEIGHT,
    )
    surface = trace_surface(shape, build_parts(shape, rows=120, columns=200), camera)
    classes = np.zeros((HEIGHT, WIDTH), np.uint8)
    classes[surface.label == SCALP] = RegionClass.SCALP_SKIN
    classes[np.isin(surface.label, (FACE, EAR, NECK))] = RegionClass.OTHER_SKIN
    classes[surface.label == CLOTHES] = RegionClass.OBJECT
    segmentation = Segmentation(
        grid=Grid(0.0, 0.0, 1.0, WIDTH, HEIGHT),
        photograph_shape=(HEIGHT, WIDTH),
        hair_fraction=np.full((HEIGHT, WIDTH), 0.3, np.float32),
        classes=classes,
        scalp=surface.label == SCALP,
        incidence_cosine=surface.incidence_cosine,
        glare=np.zeros((HEIGHT, WIDTH), bool),
        method="truth",
    )
    return segmentation, camera.focal_px, surface.zone, camera.rotation


def turned(segmentation: Segmentation) -> Segmentation:
    """The same head in a picture that is turned by half a turn."""

    def flip(array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(array[::-1, ::-1])

    return Segmentation(
        grid=segmentation.grid,
        photograph_shape=segmentation.photograph_shape,
        hair_fraction=flip(segmentation.hair_fraction),
        classes=flip(segmentation.classes),
        scalp=flip(segmentation.scalp),
        incidence_cosine=flip(segmentation.incidence_cosine),
        glare=flip(segmentation.glare),
        method="truth",
    )
