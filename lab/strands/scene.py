"""One training picture and its exact truth from one seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lab.strands.backdrop import backdrop, cloth, lone_scene
from lab.strands.camera import Camera, Surface, held_anew, look, sample_camera
from lab.strands.draw import HairLayer, draw_strands
from lab.strands.hair import (
    Strands,
    Style,
    density_map,
    fuller,
    grow,
    sample_style,
    scatter_roots,
)
from lab.strands.head import EAR, FACE, NECK, NOTHING, SCALP, SHOULDERS, Floats, Head, sample_head
from lab.strands.light import Lighting, sample_lighting
from lab.strands.noise import Volume, plane
from lab.strands.objects import sample_covers
from lab.strands.skin import Skin, follicle_dots, paint_skin, sample_skin

SIZE_PX = 384
NO_HEAD_SHARE = 0.04

PLAIN_SHARE = 0.7
"""Share of the pictures that are taken as the protocol asks; in the others anything goes."""

LONG_MM, SPARSE_SHARE = 30.0, 0.35
"""Long sparse hair: its length, and the share of the follicles on the scalp that carry hair."""

SAME_DEPTH_MM = 2.0
"""Between what one camera sees of a point and where the point is, if it sees that point."""

WET_CLUMP, WET_SHADE, WET_SHINE, WET_GLOSS = 0.95, 0.6, 0.4, 60.0
"""Wet hair: how far strands meet in locks, its colour and its highlight."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Another photograph of a person: hair grown anew at its density, under other light.

    Attributes
    ----------
    number : int
        What of the photograph is drawn by lot: light, each strand, clothes and background.
    kept : float
        Hairs relative to the first photograph.
    wet : bool or None
        Whether the hair is wet (in locks, dark, shiny, flat) or dry and loose; None leaves it as
        it was drawn.
    posed : bool
        Whether head and camera are held by hand anew, as the protocol asks and with nothing over
        the head; otherwise the photograph is taken from the same place.
    light_of : int or None
        Number of the visit whose light is still there; None draws it anew.
    """

    number: int
    kept: float = 1.0
    wet: bool | None = None
    posed: bool = False
    light_of: int | None = None


@dataclass(frozen=True, slots=True)
class _Person:
    """What `render` draws by lot first."""

    plain: bool
    head: Head
    camera: Camera
    skin: Skin
    style: Style
    volume: Volume
    lighting: Lighting
    density: Floats


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture in linear light, and its truth.

    Attributes
    ----------
    light : ndarray of float32, shape (H, W, 3)
        Linear RGB before the camera; 1 is white, glare goes beyond.
    fraction : ndarray of float32, shape (H, W)
        Hair fraction.
    classes : ndarray of uint8, shape (H, W)
        0 background, 1 scalp skin, 2 hair, 3 other skin, 4 object.
    region : ndarray of bool, shape (H, W)
        Visible anatomical scalp, under hair or not.
    cosine : ndarray of float32, shape (H, W)
        Cosine of the incidence angle of the bare person's surface.
    surface, camera : Surface and Camera, or None
        The bare person and where it was seen from; None in a picture with nobody in it.
    facts : dict
        What was drawn by lot: seed, view, skin, hair, pattern, length, coverage.
    """

    light: Floats
    fraction: Floats
    classes: NDArray[np.uint8]
    region: NDArray[np.bool_]
    cosine: Floats
    facts: dict[str, str | int | float]
    surface: Surface | None = None
    camera: Camera | None = None


def render(seed: int, size: int = SIZE_PX, visit: Visit | None = None) -> Scene:
    """Render the picture of a seed.

    Parameters
    ----------
    seed : int
        The same seed gives the same picture and truth.
    size : int
        Height and width in pixels.
    visit : Visit, optional
        Photograph the same person, from the same place, once more.

    Returns
    -------
    Scene
    """
    rng, anybody = _stream(seed)
    if not anybody:
        return _empty(rng, seed, size)
    person = _sample_person(rng, size)
    plain, head, camera, volume = person.plain, person.head, person.camera, person.volume
    skin, style, lighting, density = person.skin, person.style, person.lighting, person.density
    surface = look(head, camera)
    reflectance = paint_skin(rng, camera, surface, skin, style.rgb, volume)
    if visit is not None:
        rng = np.random.default_rng([seed, 20_262, visit.number])
        lighting = sample_lighting(rng, camera, plain=plain)
        if visit.light_of is not None:
            lighting = sample_lighting(
                np.random.default_rng([seed, 20_262, visit.light_of]), camera, plain=plain
            )
        if visit.posed:
            camera = held_anew(np.random.default_rng([seed, 20_264, visit.number]), camera)
            before, surface = surface, look(head, camera)
            own = paint_skin(rng, camera, surface, skin, style.rgb, volume)
            reflectance = _carried(reflectance, before, person.camera, surface, own)
        style = replace(style, count=style.count * visit.kept)
        if visit.wet is not None:
            style, lighting = _wetted(style, lighting, wet=visit.wet)
    reflectance, dressed = _dress(rng, surface, reflectance)
    reflectance = _dots(rng, head, camera, surface, style, density, reflectance)
    hair = _hair(rng, head, camera, surface, lighting, style, density, volume)
    shadow = _shadow(rng, camera, lighting, hair.fraction)
    body = lighting.shade_skin(surface, reflectance, skin, camera.position_mm, shadow)
    scene = backdrop(rng, size)
    light = np.where((surface.label != NOTHING)[..., None], body, scene)
    light = light * (1 - hair.fraction[..., None]) + hair.light
    fraction = hair.fraction
    covered = np.zeros((size, size), np.uint8)
    nothing_over = (plain and rng.random() < 0.75) or (visit is not None and visit.posed)
    covers = [] if nothing_over else sample_covers(rng, camera, surface, skin)
    for cover in covers:
        alpha = cover.alpha[..., None]
        shade = cv2.GaussianBlur(cover.alpha, (0, 0), 3)[..., None]
        light = light * (1 - 0.4 * shade) * (1 - alpha) + cover.light * alpha
        fraction = fraction * (1 - cover.alpha)
        covered = np.where(cover.alpha >= 0.5, cover.class_code, covered).astype(np.uint8)
    light = light * _stray_shadow(rng, size, 0.15 if plain else 0.35)[..., None]
    classes = _classes(surface.label, dressed, fraction, covered)
    region = (surface.label == SCALP) & (covered == 0)
    coverage = float(fraction[region].mean()) if region.any() else -1.0
    facts: dict[str, str | int | float] = {
        "seed": seed, "view": camera.view, "skin": skin.type, "hair": style.colour,
        "pattern": style.pattern, "length_mm": round(style.length_mm, 1),
        "white_share": round(style.white_share, 2), "mm_per_px": round(camera.mm_per_px, 3),
        "coverage": round(coverage, 4), "region_px": int(region.sum()),
    }  # fmt: skip
    return Scene(
        light.astype(np.float32), fraction, classes, region, surface.cosine, facts, surface, camera
    )


def _carried(
    reflectance: Floats, before: Surface, camera: Camera, surface: Surface, own: Floats
) -> Floats:
    """Skin as it was painted from another camera, where that one saw it; else its own paint."""
    xy, depth = camera.project(surface.point_mm)
    x, y = (np.ascontiguousarray(xy[..., axis], np.float32) for axis in (0, 1))
    seen = cv2.remap(
        np.where(np.isfinite(before.depth_mm), before.depth_mm, 0).astype(np.float32),
        x, y, cv2.INTER_NEAREST, borderValue=0,
    )  # fmt: skip
    there = (surface.label != NOTHING) & (np.abs(seen - depth) < SAME_DEPTH_MM)
    carried = cv2.remap(reflectance, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.where(there[..., np.newaxis], carried, own).astype(np.float32)


def is_plain(seed: int) -> bool:
    """Whether a person is photographed as the protocol asks."""
    rng, anybody = _stream(seed)
    return anybody and bool(rng.random() < PLAIN_SHARE)


def _stream(seed: int) -> tuple[np.random.Generator, bool]:
    """What everything of a picture is drawn from, and whether anybody is in it."""
    rng = np.random.default_rng([seed, 20_261])
    return rng, bool(rng.random() >= NO_HEAD_SHARE)


def _sample_person(rng: np.random.Generator, size: int) -> _Person:
    """Who is photographed and how, in the order of `_Person`."""
    plain = bool(rng.random() < PLAIN_SHARE)
    head, camera = sample_head(rng), sample_camera(rng, size, plain=plain)
    portrait = camera.view == "portrait"
    full_share = 0.6 if portrait else 0.0
    skin, style, volume = sample_skin(rng), sample_style(rng, full_share=full_share), Volume(rng)
    if style.pattern != "bald":
        # A generator of its own: without volume the pictures stay as they were.
        style = fuller(rng.spawn(1)[0], style, longer_share=0.3 if portrait else 0.04)
    lighting = sample_lighting(rng, camera, plain=plain)
    density = density_map(rng, head, style, volume)
    return _Person(plain, head, camera, skin, style, volume, lighting, density)


def has_long_sparse_hair(seed: int, size: int = SIZE_PX) -> bool:
    """Whether `render` draws a few long strands over bare scalp for a seed, without rendering."""
    rng, anybody = _stream(seed)
    if not anybody:
        return False
    person = _sample_person(rng, size)
    share = float(person.density[person.head.scalp_cells()].mean())
    return person.style.length_mm > LONG_MM and share < SPARSE_SHARE


def _wetted(style: Style, lighting: Lighting, *, wet: bool) -> tuple[Style, Lighting]:
    """Hair in wet locks, or dry and loose, whatever it was."""
    if not wet:
        return replace(style, clump=0.0), lighting
    locks = replace(
        style, clump=WET_CLUMP, lift=0.5 * style.lift, frizz=min(style.frizz, 0.06),
        rgb=style.rgb * np.float32(WET_SHADE),
    )  # fmt: skip
    shine, gloss = max(lighting.hair_shine, WET_SHINE), max(lighting.hair_gloss, WET_GLOSS)
    return locks, replace(lighting, hair_shine=shine, hair_gloss=gloss)


def view_of(seed: int, size: int = SIZE_PX) -> str:
    """The view that `render` draws for a seed, without rendering it; "none" without a head."""
    camera = camera_of(seed, size)
    return "none" if camera is None else camera.view


def shows(view: str, seed: int) -> bool:
    """Whether `render` draws this view for a seed."""
    return view_of(seed) == view


def camera_of(seed: int, size: int = SIZE_PX) -> Camera | None:
    """The camera that `render` draws for a seed, without rendering it; None without a head."""
    drawn = head_and_camera_of(seed, size)
    return None if drawn is None else drawn[1]


def head_and_camera_of(seed: int, size: int = SIZE_PX) -> tuple[Head, Camera] | None:
    """The head and the camera that `render` draws for a seed; None without a head."""
    rng, anybody = _stream(seed)
    if not anybody:
        return None
    plain = rng.random() < PLAIN_SHARE
    head = sample_head(rng)
    return head, sample_camera(rng, size, plain=plain)


def _empty(rng: np.random.Generator, seed: int, size: int) -> Scene:
    """A picture with nobody in it."""
    zero = np.zeros((size, size), np.float32)
    facts: dict[str, str | int | float] = {
        "seed": seed, "view": "none", "skin": 0, "hair": "none", "pattern": "none",
        "length_mm": 0.0, "white_share": 0.0, "mm_per_px": 0.0, "coverage": -1.0, "region_px": 0,
    }  # fmt: skip
    light = lone_scene(rng, size)
    return Scene(light, zero, zero.astype(np.uint8), zero > 1, zero.copy(), facts)


def _dress(
    rng: np.random.Generator, surface: Surface, reflectance: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Clothes on the shoulders, sometimes with a collar; sometimes none."""
    size = surface.label.shape[0]
    dressed = surface.label == SHOULDERS
    if rng.random() < 0.12:
        dressed = np.zeros_like(dressed)
    elif rng.random() < 0.4:
        collar = rng.uniform(-150, -85)
        dressed = dressed | ((surface.label == NECK) & (surface.point_mm[..., 2] < collar))
    paint = cloth(rng, size)
    if rng.random() < 0.35:
        paint = _suit(rng, surface, paint)
    elif rng.random() < 0.3:
        dressed = dressed & ~_neckline(surface, rng.uniform(0.3, 1.6), -rng.uniform(120, 260))
    return np.where(dressed[..., None], paint, reflectance), dressed


def _neckline(surface: Surface, slope: float, low_mm: float) -> NDArray[np.bool_]:
    """The V in front of the chest that clothes leave open."""
    p = surface.point_mm
    inside = (p[..., 2] - low_mm) > np.abs(p[..., 0]) / slope
    return np.asarray((surface.label == SHOULDERS) & (p[..., 1] > -20) & inside)


def _suit(rng: np.random.Generator, surface: Surface, jacket: Floats) -> Floats:
    """A shirt, and often a tie, in the V of a jacket."""
    size = surface.label.shape[0]
    p = surface.point_mm
    shirt = np.full((size, size, 3), rng.uniform(0.4, 0.85), np.float32)
    if rng.random() < 0.4:
        shirt = cloth(rng, size)
    opening = _neckline(surface, rng.uniform(0.25, 0.6), -rng.uniform(300, 480))
    dressed = np.where((opening | (surface.label == NECK))[..., None], shirt, jacket)
    if rng.random() < 0.6:
        tie = (np.abs(p[..., 0]) < rng.uniform(10, 26)) & (p[..., 2] < -rng.uniform(120, 150))
        dressed = np.where((tie & (p[..., 1] > 0))[..., None], cloth(rng, size), dressed)
    return dressed.astype(np.float32)


def _dots(
    rng: np.random.Generator,
    head: Head,
    camera: Camera,
    surface: Surface,
    style: Style,
    density: Floats,
    reflectance: Floats,
) -> Floats:
    """Shaved follicles, micropigmentation or transplant crusts on the skin."""
    kind = rng.random()
    if kind > 0.30 and style.pattern != "transplant":
        return reflectance
    if style.pattern == "transplant" and kind < 0.6:
        paint, radius, strength = np.array([0.16, 0.04, 0.03]), rng.uniform(0.4, 0.9), 0.8
    else:
        paint, radius, strength = style.rgb * 0.8, rng.uniform(0.1, 0.35), rng.uniform(0.2, 0.9)
    everywhere = head.scalp_cells().astype(np.float32)
    weight = everywhere if rng.random() < 0.5 else density
    roots, normal, _ = scatter_roots(rng, head, weight, int(rng.integers(3_000, 30_000)))
    facing = np.einsum("ij,ij->i", normal, camera.position_mm - roots) > 0
    share = follicle_dots(rng, camera, roots[facing], strength, float(radius))
    share = (share * (surface.label == SCALP))[..., None]
    return (reflectance * (1 - share) + paint.astype(np.float32) * share).astype(np.float32)


def _hair(
    rng: np.random.Generator,
    head: Head,
    camera: Camera,
    surface: Surface,
    lighting: Lighting,
    style: Style,
    density: Floats,
    volume: Volume,
) -> HairLayer:
    """Grow and draw the hair: locks underneath where it is dense, strands above."""
    span_px = 172 / camera.mm_per_px
    budget = float(np.clip(4_000 + 0.6 * span_px**2, 5_000, 55_000))
    if style.length_mm > 40:
        budget *= 0.6
    if style.curl_mm:
        budget *= 0.5
    share = float(density[head.scalp_cells()].mean())
    wanted = style.count * share
    tuft = style.tuft
    number = wanted / tuft
    behind = -0.1 if style.length_mm < 25 else -0.9
    seen = 0.55 if style.length_mm < 25 else 0.9
    if number * seen > budget:
        tuft, number = tuft * number * seen / budget, budget / seen
    fine = replace(style, tuft=tuft)
    strands = _grown(rng, head, camera, fine, density, int(number), behind, volume)
    root_shade = float(rng.uniform(0.25, 0.95))
    layer = draw_strands(rng, camera, surface, lighting, strands, groups=3, root_shade=root_shade)
    if style.length_mm < 9 or share < 0.25:
        return layer
    dense = np.where(density > 0.6, (density - 0.6) / 0.4, 0).astype(np.float32)
    locks = replace(fine, tuft=tuft * rng.uniform(3, 7), frizz=style.frizz * 0.7)
    under = _grown(
        rng, head, camera, locks, dense, int(number / rng.uniform(4, 10)), behind, volume
    )
    dark = replace_colour(under, float(rng.uniform(0.3, 0.85)))
    below = draw_strands(rng, camera, surface, lighting, dark, groups=1, root_shade=root_shade)
    rest = 1 - layer.fraction
    return HairLayer(
        layer.light + rest[..., None] * below.light,
        np.clip(1 - rest * (1 - below.fraction), 0, 1).astype(np.float32),
    )


def replace_colour(strands: Strands, factor: float) -> Strands:
    """The same strands, darker or lighter by a factor."""
    return replace(strands, rgb=strands.rgb * np.float32(factor))


def _grown(
    rng: np.random.Generator,
    head: Head,
    camera: Camera,
    style: Style,
    density: Floats,
    number: int,
    behind: float,
    volume: Volume,
) -> Strands:
    roots, normal, vigour = scatter_roots(rng, head, density, number)
    sight = camera.position_mm - roots
    sight /= np.linalg.norm(sight, axis=1, keepdims=True) + 1e-6
    kept = np.einsum("ij,ij->i", normal, sight) > behind
    return grow(rng, head, style, roots[kept], normal[kept], vigour[kept], volume)


def _shadow(
    rng: np.random.Generator, camera: Camera, lighting: Lighting, fraction: Floats
) -> Floats:
    """Light that reaches the skin past the hair above it, in [0, 1]."""
    reach = rng.uniform(0.5, 6) / camera.mm_per_px
    aside = camera.axes[:2] @ lighting.towards[0] * reach
    move = np.array([[1, 0, -aside[0]], [0, 1, -aside[1]]], np.float32)
    moved = cv2.warpAffine(fraction, move, fraction.shape[::-1])
    soft = cv2.GaussianBlur(moved, (0, 0), float(rng.uniform(0.4, 3)))
    near = cv2.GaussianBlur(fraction, (0, 0), float(rng.uniform(1, 5)))
    dark = rng.uniform(0.1, 0.75) * soft + rng.uniform(0, 0.4) * near
    return np.clip(1 - dark, 0.08, 1).astype(np.float32)


def _stray_shadow(rng: np.random.Generator, size: int, chance: float) -> Floats:
    """Shadow of something outside the picture, hard or soft; often none."""
    if rng.random() >= chance:
        return np.ones((size, size), np.float32)
    field = plane(rng, size, rng.uniform(60, 300))
    edge = np.clip(field * rng.choice([1, 3, 12]) + rng.uniform(0, 1), 0, 1)
    return (1 - rng.uniform(0.2, 0.75) * edge).astype(np.float32)


def _classes(
    label: NDArray[np.uint8],
    dressed: NDArray[np.bool_],
    fraction: Floats,
    covered: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Class codes of design.md per pixel."""
    codes = np.zeros(label.shape, np.uint8)
    codes[label == SCALP] = 1
    codes[np.isin(label, (FACE, EAR, NECK, SHOULDERS))] = 3
    codes[dressed] = 4
    codes[fraction >= 0.5] = 2
    return np.where(covered > 0, covered, codes)
