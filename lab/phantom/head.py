"""The shape of a head, as a radius per direction, and the names of its parts.

Units are centimetres in the head's own frame (origin at the centre of the cranium,
+x subject's right, +y front, +z up). The shape is a superellipsoid with different
half axes in front, behind, above and below, plus bumps (brow, nose, chin, occiput ...)
and low-order waves that no two subjects share. It is not an ellipsoid on purpose: a
registration that assumes one has to live with the difference, as with real heads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import map_coordinates

FloatArray = NDArray[np.float64]

OFF, SCALP, FACE, EAR, NECK, CLOTHES = range(6)
LABEL_NAMES = ("off", "scalp", "face", "ear", "neck", "clothes")
ZONE_NAMES = (
    "none",
    "frontal",
    "mid-scalp",
    "vertex",
    "left-temporal",
    "right-temporal",
    "occipital",
)

BROW_HEIGHT_CM = 0.8
"""Height of the brow ridge in the head's frame."""

# Border of the scalp: elevation (degrees) by azimuth from the front (degrees). The front
# value is replaced by the subject's mature hairline, 6-8 cm of arc above the brows.
_BORDER_AZIMUTH = np.array([0.0, 22.0, 40.0, 52.0, 64.0, 74.0, 86.0, 104.0, 120.0, 145.0, 180.0])
_BORDER_ELEVATION = np.array([46.0, 46.0, 44.0, 34.0, 14.0, 2.0, 12.0, 11.0, -14.0, -27.0, -31.0])


@dataclass(frozen=True, slots=True)
class Bump:
    """A smooth elevation of the skull around one direction.

    Attributes
    ----------
    direction
        Unit vector of the centre.
    height_cm
        Elevation at the centre; negative for a hollow.
    width_across, width_along
        Standard deviations (in sine of the angle) sideways and upwards.
    """

    direction: tuple[float, float, float]
    height_cm: float
    width_across: float
    width_along: float


@dataclass(frozen=True, slots=True)
class HeadShape:
    """Half axes (cm), exponent, bumps and waves of one head."""

    half_width_cm: float
    front_cm: float
    back_cm: float
    up_cm: float
    chin_cm: float
    nape_cm: float
    exponent: float
    hairline_arc_cm: float
    bumps: tuple[Bump, ...]
    wave_vectors: tuple[tuple[float, float, float], ...]
    wave_heights_cm: tuple[float, ...]
    wave_phases: tuple[float, ...]


def sample_head_shape(rng: np.random.Generator) -> HeadShape:
    """Draw a head; the ranges are those of adult heads (width 14.4-16.2 cm)."""

    def bump(
        x: float, y: float, z: float, height: float, across: float, along: float
    ) -> tuple[Bump, ...]:
        height = height * float(rng.uniform(0.75, 1.25))
        sides = (x, -x) if x else (0.0,)
        bumps = []
        for side in sides:
            unit = np.array([side, y, z]) / np.linalg.norm([side, y, z])
            bumps.append(Bump((unit[0], unit[1], unit[2]), height, across, along))
        return tuple(bumps)

    bumps = (
        *bump(0.0, 1.0, -0.37, 1.8, 0.095, 0.13),  # nose
        *bump(0.0, 1.0, -0.45, 0.6, 0.16, 0.07),  # nostrils
        *bump(0.28, 1.0, 0.10, 0.40, 0.20, 0.07),  # brow ridge
        *bump(0.34, 1.0, -0.12, -0.75, 0.13, 0.10),  # eye sockets
        *bump(0.55, 0.8, -0.33, 0.45, 0.16, 0.14),  # cheekbones
        *bump(0.0, 1.0, -0.80, 0.45, 0.22, 0.06),  # lips
        *bump(0.0, 0.9, -1.25, 0.9, 0.20, 0.13),  # chin
        *bump(0.0, -1.0, -0.05, 0.55, 0.38, 0.25),  # occipital bulge
        *bump(0.72, -0.45, 0.70, 0.25, 0.32, 0.30),  # parietal eminences
        *bump(0.0, -0.55, 0.90, float(rng.uniform(-0.5, 0.4)), 0.45, 0.25),  # flat or high crown
    )
    waves = 7
    vectors = rng.normal(0.0, 1.0, (waves, 3))
    vectors *= (rng.uniform(2.0, 4.5, waves) / np.linalg.norm(vectors, axis=1))[:, None]
    return HeadShape(
        half_width_cm=float(rng.uniform(7.15, 7.95)),
        front_cm=float(rng.uniform(8.9, 9.7)),
        back_cm=float(rng.uniform(8.9, 9.9)),
        up_cm=float(rng.uniform(8.8, 9.9)),
        chin_cm=float(rng.uniform(11.6, 12.8)),
        nape_cm=float(rng.uniform(6.8, 7.6)),
        exponent=float(rng.uniform(2.08, 2.4)),
        hairline_arc_cm=float(rng.uniform(6.2, 7.8)),
        bumps=bumps,
        wave_vectors=tuple((float(v[0]), float(v[1]), float(v[2])) for v in vectors),
        wave_heights_cm=tuple(float(h) for h in rng.normal(0.0, 0.07, waves)),
        wave_phases=tuple(float(p) for p in rng.uniform(0.0, 2.0 * np.pi, waves)),
    )


def radius(shape: HeadShape, directions: FloatArray) -> FloatArray:
    """Distance of the surface from the centre along unit `directions` ((N, 3)), in cm."""
    x, y, z = directions.T
    p = shape.exponent
    front_weight = _smoothstep(-0.35, 0.75, y)
    down = shape.nape_cm + (shape.chin_cm - shape.nape_cm) * front_weight
    c = np.where(z >= 0.0, shape.up_cm, down)
    b = np.where(y >= 0.0, shape.front_cm, shape.back_cm)
    jaw = _smoothstep(0.15, 1.0, -z)
    a = shape.half_width_cm * (1.0 - 0.22 * jaw)
    r = (np.abs(x / a) ** p + np.abs(y / b) ** p + np.abs(z / c) ** p) ** (-1.0 / p)
    for bump in shape.bumps:
        r = r + _bump_height(bump, directions)
    for vector, height, phase in zip(
        shape.wave_vectors, shape.wave_heights_cm, shape.wave_phases, strict=True
    ):
        r = r + height * np.cos(directions @ np.asarray(vector) + phase)
    return np.asarray(r, dtype=np.float64)


def _bump_height(bump: Bump, directions: FloatArray) -> FloatArray:
    u = np.asarray(bump.direction)
    across = np.cross(u, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    along = np.cross(across, u)
    s, t = directions @ across, directions @ along
    g = np.exp(-0.5 * ((s / bump.width_across) ** 2 + (t / bump.width_along) ** 2))
    return np.asarray(bump.height_cm * g * _smoothstep(0.0, 0.3, directions @ u))


def _smoothstep(low: float, high: float, value: FloatArray) -> FloatArray:
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def unit(vectors: FloatArray) -> FloatArray:
    """Vectors (N, 3) scaled to length one."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def surface_normals(shape: HeadShape, directions: FloatArray) -> FloatArray:
    """Outward unit normals (N, 3) of the head along unit `directions` (N, 3)."""
    helper = np.where(np.abs(directions[:, :1]) > 0.9, [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])
    e1 = unit(np.cross(directions, helper))
    e2 = np.cross(directions, e1)
    h = 2e-3
    tangents = []
    for e in (e1, e2):
        ahead, behind = unit(directions + h * e), unit(directions - h * e)
        tangents.append(
            ahead * radius(shape, ahead)[:, None] - behind * radius(shape, behind)[:, None]
        )
    normals = unit(np.cross(tangents[0], tangents[1]))
    flip = np.sign(np.sum(normals * directions, axis=1, keepdims=True))
    return np.asarray(normals * flip)


@dataclass(frozen=True, slots=True)
class RadiusTable:
    """The radius on a half-degree grid, for the many look-ups of growing hair."""

    table: FloatArray

    @classmethod
    def of(cls, shape: HeadShape) -> RadiusTable:
        """Tabulate `shape` (361 x 721 values)."""
        elevation = np.radians(np.linspace(-90.0, 90.0, 361))
        azimuth = np.radians(np.linspace(-180.0, 180.0, 721))
        el, az = np.meshgrid(elevation, azimuth, indexing="ij")
        d = np.stack([np.cos(el) * np.sin(az), np.cos(el) * np.cos(az), np.sin(el)], axis=-1)
        return cls(radius(shape, d.reshape(-1, 3)).reshape(el.shape))

    def __call__(self, directions: FloatArray) -> FloatArray:
        """Radius (N,) in cm along unit `directions` (N, 3), linearly interpolated."""
        el = np.degrees(np.arcsin(np.clip(directions[:, 2], -1.0, 1.0)))
        az = np.degrees(np.arctan2(directions[:, 0], directions[:, 1]))
        rows, columns = (el + 90.0) * 2.0, (az + 180.0) * 2.0
        return np.asarray(map_coordinates(self.table, [rows, columns], order=1, mode="nearest"))


def azimuth_elevation(directions: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Degrees from the front (0-180, either side) and degrees above the equator."""
    azimuth = np.degrees(np.arctan2(np.abs(directions[:, 0]), directions[:, 1]))
    elevation = np.degrees(np.arcsin(np.clip(directions[:, 2], -1.0, 1.0)))
    return azimuth, elevation


def border_elevation(shape: HeadShape, azimuth: FloatArray) -> FloatArray:
    """Elevation (degrees) of the mature hair border at `azimuth` (degrees from front)."""
    border = _BORDER_ELEVATION.copy()
    shift = _hairline_elevation(shape) - border[0]
    border[:3] += shift
    border[3] += 0.5 * shift
    return np.asarray(PchipInterpolator(_BORDER_AZIMUTH, border)(np.clip(azimuth, 0.0, 180.0)))


def _hairline_elevation(shape: HeadShape) -> float:
    elevation = np.radians(np.linspace(-5.0, 85.0, 361))
    d = np.stack([np.zeros_like(elevation), np.cos(elevation), np.sin(elevation)], axis=1)
    points = d * radius(shape, d)[:, None]
    above_brow = points[:, 2] >= BROW_HEIGHT_CM
    arc = np.cumsum(np.linalg.norm(np.diff(points, axis=0, prepend=points[:1]), axis=1))
    arc -= arc[np.argmax(above_brow)]
    return float(np.degrees(np.interp(shape.hairline_arc_cm, arc, elevation)))


def is_scalp(shape: HeadShape, directions: FloatArray) -> NDArray[np.bool_]:
    """Whether unit `directions` (N, 3) lie inside the mature hair border, whatever is lost."""
    azimuth, elevation = azimuth_elevation(directions)
    return np.asarray(elevation > border_elevation(shape, azimuth))


def scalp_zone(directions: FloatArray) -> NDArray[np.uint8]:
    """Index into ZONE_NAMES for unit `directions` (N, 3) that are known to be scalp."""
    azimuth, elevation = azimuth_elevation(directions)
    zone = np.full(len(directions), ZONE_NAMES.index("mid-scalp"), dtype=np.uint8)
    y = directions[:, 1]
    zone[y > 0.34] = ZONE_NAMES.index("frontal")
    zone[y < -0.12] = ZONE_NAMES.index("vertex")
    side = (elevation < 40.0) & (azimuth > 35.0) & (azimuth < 128.0)
    zone[side & (directions[:, 0] > 0)] = ZONE_NAMES.index("right-temporal")
    zone[side & (directions[:, 0] <= 0)] = ZONE_NAMES.index("left-temporal")
    zone[(azimuth >= 128.0) & (elevation < 30.0)] = ZONE_NAMES.index("occipital")
    return zone


@dataclass(frozen=True, slots=True)
class Part:
    """One closed or open triangle mesh: vertices (V, 3) cm, triangles (T, 3), normals (V, 3)."""

    name: str
    vertices: FloatArray
    triangles: NDArray[np.int64]
    normals: FloatArray
    label: int


def build_parts(shape: HeadShape, *, rows: int = 360, columns: int = 620) -> tuple[Part, ...]:
    """Meshes of head, ears, neck and clothed shoulders."""
    head = _sphere_grid(rows, columns)
    directions, triangles = head
    vertices = directions * radius(shape, directions)[:, None]
    parts = [Part("head", vertices, triangles, surface_normals(shape, directions), FACE)]
    parts.extend(_ear(shape, side) for side in (1.0, -1.0))
    parts.append(_loft("neck", _neck_rings(shape), NECK))
    parts.append(_loft("shoulders", _shoulder_rings(shape), CLOTHES))
    return tuple(parts)


def _sphere_grid(rows: int, columns: int) -> tuple[FloatArray, NDArray[np.int64]]:
    """Unit sphere with its poles on the x axis (they lie under the ears)."""
    latitude = np.radians(np.linspace(-90.0, 90.0, rows))[1:-1]
    longitude = np.linspace(0.0, 2.0 * np.pi, columns, endpoint=False)
    lat, lon = np.meshgrid(latitude, longitude, indexing="ij")
    grid = np.stack([np.sin(lat), np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon)], axis=-1)
    vertices = np.concatenate([grid.reshape(-1, 3), [[-1.0, 0, 0], [1.0, 0, 0]]])
    index = np.arange(lat.size).reshape(lat.shape)
    triangles = _grid_triangles(index, wrap=True)
    south, north = lat.size, lat.size + 1
    first, last = index[0], index[-1]
    caps = [
        np.stack([np.full(columns, south), np.roll(first, -1), first], axis=1),
        np.stack([np.full(columns, north), last, np.roll(last, -1)], axis=1),
    ]
    return vertices, np.concatenate([triangles, *caps])


def _grid_triangles(index: NDArray[np.int64], *, wrap: bool) -> NDArray[np.int64]:
    nxt = np.roll(index, -1, axis=1) if wrap else index[:, 1:]
    cur = index if wrap else index[:, :-1]
    a, b, c, d = cur[:-1].ravel(), nxt[:-1].ravel(), nxt[1:].ravel(), cur[1:].ravel()
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])


def _vertex_normals(vertices: FloatArray, triangles: NDArray[np.int64]) -> FloatArray:
    corners = vertices[triangles]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, triangles[:, k], face)
    centre = vertices.mean(axis=0)
    if np.sum(normals * (vertices - centre)) < 0:
        normals = -normals
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))


def _ear(shape: HeadShape, side: float) -> Part:
    """A leaf with a rim and a hollow, standing off the head by about 30 degrees."""
    directions, triangles = _sphere_grid(60, 90)
    x, y, z = directions.T
    rim = np.sqrt(y**2 + z**2)
    hollow = 0.35 * np.exp(-(((rim - 0.55) / 0.22) ** 2)) * (x > 0)
    narrow = 1.0 - 0.25 * _smoothstep(0.0, 1.0, -z)
    local = np.stack([0.55 * x - hollow, 1.75 * y * narrow, 3.2 * z], axis=1)
    local[:, 0] += 0.4 * rim**2
    angle = np.radians(-32.0)
    lean = np.array(
        [[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    local = (local + np.array([0.0, -1.4, 0.0])) @ lean.T
    vertices = local * [side, 1.0, 1.0] + [side * (shape.half_width_cm - 0.35), -0.1, -1.6]
    if side < 0:
        triangles = triangles[:, ::-1]
    return Part("ear", vertices, triangles, _vertex_normals(vertices, triangles), EAR)


def _neck_rings(shape: HeadShape) -> list[tuple[float, float, float, float]]:
    """(height, half width, half depth, y of the centre) of each ring."""
    back = -shape.back_cm
    return [
        (-2.0, 5.0, 4.2, back + 6.2),
        (-5.0, 5.6, 5.2, back + 6.0),
        (-8.0, 5.7, 5.6, back + 6.4),
        (-12.0, 5.65, 5.75, back + 6.5),
        (-16.0, 6.3, 6.2, back + 6.4),
        (-20.0, 8.0, 7.0, back + 6.0),
    ]


def _shoulder_rings(shape: HeadShape) -> list[tuple[float, float, float, float]]:
    y = -shape.back_cm + 6.0
    return [
        (-12.6, 5.95, 6.0, y + 0.45),
        (-13.2, 6.25, 6.3, y + 0.35),
        (-14.4, 7.2, 7.0, y + 0.1),
        (-16.0, 9.5, 8.0, y),
        (-17.5, 14.0, 9.2, y - 0.2),
        (-19.5, 18.5, 10.2, y - 0.3),
        (-22.5, 21.5, 11.2, y),
        (-28.0, 23.0, 12.0, y + 0.5),
        (-45.0, 23.0, 13.0, y + 1.0),
    ]


def _loft(name: str, rings: list[tuple[float, float, float, float]], label: int) -> Part:
    table = np.asarray(rings)[::-1]
    z = np.linspace(table[0, 0], table[-1, 0], 90)
    wide, deep, y0 = (PchipInterpolator(table[:, 0], table[:, k])(z) for k in (1, 2, 3))
    angle = np.linspace(0.0, 2.0 * np.pi, 160, endpoint=False)
    squareness = 0.88
    cos = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** squareness
    sin = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** squareness
    vertices = np.stack(
        [
            wide[:, None] * cos,
            y0[:, None] + deep[:, None] * sin,
            np.broadcast_to(z[:, None], (len(z), len(angle))),
        ],
        axis=-1,
    ).reshape(-1, 3)
    index = np.arange(len(vertices)).reshape(len(z), len(angle))
    triangles = _grid_triangles(index, wrap=True)
    return Part(name, vertices, triangles, _vertex_normals(vertices, triangles), label)
