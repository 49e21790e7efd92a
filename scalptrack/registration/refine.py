"""Robust refinement of pose, cameras and surface together, each held by a prior.

Gauss-Newton steps with Levenberg's damping on Cauchy-weighted distances in the moving photograph
[1]_. Every parameter is measured in units of its prior's standard deviation, so that what two
photographs don't determine (the depth of the head, when the camera did not move) stays where
anatomy and the outline put it.

References
----------
.. [1] B. Triggs et al., "Bundle adjustment: a modern synthesis", 2000,
   doi:10.1007/3-540-44480-7_21.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from scalptrack.records import BoolArray, FloatArray
from scalptrack.registration.surface import N_CORRECTIONS, HeadShape
from scalptrack.registration.transform import HeadPose, HeadTransform

N_POSE = 6
POSE = np.arange(N_POSE)
"""Indices of rotation (3), centre in the moving photograph (2) and log distance."""

_POSE_SCALE = np.array([0.1, 0.1, 0.1, 0.03, 0.03, 0.05])
_FOCAL_SD_KNOWN, _FOCAL_SD_UNKNOWN = 0.03, 0.25
_SHAPE_SD = np.array([0.03, 0.03, 0.06, 0.06, 0.06, 0.15, 0.15, 0.15])
_CORRECTION_SD = 0.012
N_PARAMETERS = N_POSE + 2 + len(_SHAPE_SD) + N_CORRECTIONS
ALL = np.arange(N_PARAMETERS)

_OUTLINE_SD = np.array([0.03, 0.03, 0.06, 0.06, 0.06])
"""Centre and half axes of an outline: hair of another length and the segmentation move it by
that much (shares of the head's width)."""

SIGMA_FRACTION = 0.0025
"""Scatter of a good match (share of the head's width): localisation and what the surface can't
follow. Scale of the Cauchy weights and of the priors against the data."""


@dataclass(frozen=True, slots=True)
class Prior:
    """Where the refinement starts, and how far each parameter may be expected to go.

    Attributes
    ----------
    start : HeadTransform
        Parameters zero.
    moving_outline : HeadShape
        The outline that was fitted in the moving photograph.
    outline_sd : float
        How far it may be off, in units of `_OUTLINE_SD`; infinite: ignore it.
    reference_focal_known, moving_focal_known : bool
        Whether the file said the focal length.
    sigma_fraction: float
        Scatter of the matched points (share of the head's width).
    """

    start: HeadTransform
    moving_outline: HeadShape
    outline_sd: float
    reference_focal_known: bool
    moving_focal_known: bool
    sigma_fraction: float = SIGMA_FRACTION

    @property
    def moving_width_px(self) -> float:
        """Width of the head in the moving photograph."""
        return self.moving_outline.width_px

    def outline_residuals(self, transform: HeadTransform) -> FloatArray:
        """Seen minus expected outline (5,) in the moving photograph, in standard deviations."""
        centre, outline = transform.moving_outline()
        seen, width = self.moving_outline, self.moving_width_px
        shift = (np.array(seen.centre_px) - centre) / width
        s11, s12, s22 = seen.outline
        form = [
            np.log(s11 / outline[0]),
            (s12 - outline[1]) * width / 2.0,
            np.log(s22 / outline[2]),
        ]
        residuals = np.array([*shift, *form]) / (_OUTLINE_SD * self.outline_sd)
        return np.asarray(np.nan_to_num(residuals, nan=10.0))

    @property
    def sigma_px(self) -> float:
        """Scatter of a good match in pixels of the moving photograph."""
        return self.sigma_fraction * self.moving_width_px

    def focal_sd(self) -> tuple[float, float]:
        """SD of the logarithm of the moving and of the reference focal length."""
        known = (self.moving_focal_known, self.reference_focal_known)
        moving, reference = (_FOCAL_SD_KNOWN if k else _FOCAL_SD_UNKNOWN for k in known)
        return moving, reference

    def transform(self, parameters: FloatArray) -> HeadTransform:
        """The transform of a parameter vector (`N_PARAMETERS`,)."""
        p = parameters
        start = self.start
        shift = p[3:5] * _POSE_SCALE[3:5] * self.moving_width_px
        turn = p[:3] * _POSE_SCALE[:3]
        pose = HeadPose(
            _composed(turn, start.pose.rotation),
            (start.pose.centre_px[0] + shift[0], start.pose.centre_px[1] + shift[1]),
            start.pose.distance * float(np.exp(p[5] * _POSE_SCALE[5])),
        )
        moving_sd, reference_sd = self.focal_sd()
        moving = start.moving_camera.scaled(float(np.exp(p[6] * moving_sd)))
        reference = start.reference_camera.scaled(float(np.exp(p[7] * reference_sd)))
        return HeadTransform(reference, moving, _shape(start.shape, p[8:]), pose)


def _composed(turn: FloatArray, rotation: tuple[float, ...]) -> tuple[float, float, float]:
    """Rotation vector of `turn` after `rotation`."""
    if not turn.any():
        return float(rotation[0]), float(rotation[1]), float(rotation[2])
    vector = (Rotation.from_rotvec(turn) * Rotation.from_rotvec(rotation)).as_rotvec()
    return float(vector[0]), float(vector[1]), float(vector[2])


def _shape(start: HeadShape, p: FloatArray) -> HeadShape:
    sd = _SHAPE_SD
    width = start.width_px
    m11, m12, m22 = start.outline
    return HeadShape(
        (
            float(start.centre_px[0] + p[0] * sd[0] * width),
            float(start.centre_px[1] + p[1] * sd[1] * width),
        ),
        (
            float(m11 * np.exp(p[2] * sd[2])),
            float(m12 + p[3] * sd[3] * 2.0 / width),
            float(m22 * np.exp(p[4] * sd[4])),
        ),
        float(start.depth * np.exp(p[5] * sd[5])),
        (float(start.shear[0] + p[6] * sd[6]), float(start.shear[1] + p[7] * sd[7])),
        tuple(
            float(c)
            for c in np.asarray(start.corrections) + p[8 : 8 + N_CORRECTIONS] * _CORRECTION_SD
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A refined transform with what is needed to resample it.

    Attributes
    ----------
    transform : HeadTransform
        At the optimum.
    parameters : float (P,)
        All parameters, in prior standard deviations.
    distances_px : float (N,)
        Distance of each match in the moving photograph; infinite where not visible.
    """

    prior: Prior
    active: NDArray[np.intp]
    transform: HeadTransform
    parameters: FloatArray
    distances_px: FloatArray


def refine(
    prior: Prior,
    reference_points: FloatArray,
    moving_points: FloatArray,
    *,
    active: NDArray[np.intp],
    start: FloatArray | None = None,
    weights: FloatArray | None = None,
    cut_px: float | None = None,
    steps: int = 8,
) -> Fit:
    """Fit the active parameters to matches (N, 2) each.

    Parameters
    ----------
    active : int (A,)
        Which parameters may change; the others stay at `start`.
    start : float (P,), optional
        Parameters to start from; zeros by default.
    weights : float (N,), optional
        Multiplicity of each match, for resampling.
    cut_px : float, optional
        Matches farther than this are ignored in each step.
    """
    parameters = np.zeros(N_PARAMETERS) if start is None else start.copy()
    weights = np.ones(len(reference_points)) if weights is None else weights
    damping = 1e-3
    errors = _errors(prior, parameters, reference_points, moving_points)
    cost = _cost(prior, parameters, errors, weights, cut_px)
    for _ in range(steps):
        slopes = _jacobian(prior, parameters, reference_points, errors, active)
        step = _step(
            prior,
            parameters,
            errors,
            slopes,
            weights=weights,
            active=active,
            cut_px=cut_px,
            damping=damping,
        )
        trial = parameters.copy()
        trial[active] += step
        trial_errors = _errors(prior, trial, reference_points, moving_points)
        trial_cost = _cost(prior, trial, trial_errors, weights, cut_px)
        if trial_cost <= cost:
            converged = cost - trial_cost < 1e-6 * cost
            parameters, errors, cost = trial, trial_errors, trial_cost
            damping = max(damping * 0.2, 1e-6)
            if converged:
                break
        else:
            damping *= 20.0
            if damping > 1e4:
                break
    distances = np.linalg.norm(errors, axis=1)
    distances[~np.isfinite(distances)] = np.inf
    return Fit(prior, active, prior.transform(parameters), parameters, distances)


def resample(
    fit: Fit,
    reference_points: FloatArray,
    moving_points: FloatArray,
    weights: NDArray[np.float64],
) -> list[HeadTransform]:
    """One Gauss-Newton step from the optimum for each row of `weights` (K, N).

    The Jacobian is shared: to first order that is what a full refit gives.
    """
    errors = _errors(fit.prior, fit.parameters, reference_points, moving_points)
    slopes = _jacobian(fit.prior, fit.parameters, reference_points, errors, fit.active)
    transforms = []
    for row in weights:
        step = _step(
            fit.prior,
            fit.parameters,
            errors,
            slopes,
            weights=row,
            active=fit.active,
            cut_px=None,
            damping=1e-9,
        )
        parameters = fit.parameters.copy()
        parameters[fit.active] += step
        transforms.append(fit.prior.transform(parameters))
    return transforms


def drawn(
    fit: Fit,
    reference_points: FloatArray,
    moving_points: FloatArray,
    *,
    rng: np.random.Generator,
    count: int,
    scale: float,
) -> list[HeadTransform]:
    """Transforms that points and priors allow as well: draws from the normal around the optimum.

    Parameters
    ----------
    count : int
        How many.
    scale : float
        Factor of their scatter, for points that err more than `Prior.sigma_fraction` says.
    """
    errors = _errors(fit.prior, fit.parameters, reference_points, moving_points)
    slopes, outline_slopes = _jacobian(
        fit.prior, fit.parameters, reference_points, errors, fit.active
    )
    design = slopes.reshape(-1, len(fit.active)) / fit.prior.sigma_px
    normal = design.T @ design + outline_slopes.T @ outline_slopes
    normal += np.diag((fit.active >= N_POSE).astype(np.float64) + 1e-9)
    # The transposed inverse of the Cholesky factor turns unit scatter into that of the optimum.
    factor = np.linalg.inv(np.linalg.cholesky(normal)).T
    transforms = []
    for step in rng.normal(0.0, scale, (count, len(fit.active))) @ factor.T:
        parameters = fit.parameters.copy()
        parameters[fit.active] += step
        transforms.append(fit.prior.transform(parameters))
    return transforms


def _errors(
    prior: Prior, parameters: FloatArray, reference_points: FloatArray, moving_points: FloatArray
) -> FloatArray:
    """Moving minus mapped points (N, 2), NaN where not visible."""
    mapped = prior.transform(parameters).map_points(reference_points)
    return np.asarray(moving_points - mapped)


def _jacobian(
    prior: Prior,
    parameters: FloatArray,
    reference_points: FloatArray,
    errors: FloatArray,
    active: NDArray[np.intp],
) -> tuple[FloatArray, FloatArray]:
    """Derivatives (N, 2, A) of the mapped points, 0 where not visible, and (5, A) of the outline.

    By forward differences of the closed forms: of the projection where only the pose changes, and
    of the surface's equation at the unchanged position (implicit function) where the shape does.
    """
    width = 1e-5
    here = prior.transform(parameters)
    rays = here.reference_camera.rays(reference_points)
    surface = here.surface
    positions, _, _ = surface.intersect(np.zeros(3), rays)
    relative = positions - surface.centre
    slope = np.einsum("ij,ij->i", surface.gap_gradients(positions), rays)
    slope = np.where(slope < -1e-9, slope, np.nan)
    gaps = surface.gaps(positions)
    mapped = _projected(here, relative)
    jacobian = np.empty((*errors.shape, len(active)))
    outline = prior.outline_residuals(here)
    outline_slopes = np.zeros((len(outline), len(active)))
    for column, index in enumerate(active):
        trial = parameters.copy()
        trial[index] += width
        there = prior.transform(trial)
        if index <= N_POSE:
            moved = _projected(there, relative)
        elif index == N_POSE + 1:
            moved = there.map_points(reference_points)
        else:
            along = -(there.surface.gaps(positions) - gaps) / slope
            moved = _projected(
                there, relative + along[:, None] * rays + (surface.centre - there.surface.centre)
            )
        jacobian[:, :, column] = (moved - mapped) / width
        if np.isfinite(prior.outline_sd):
            outline_slopes[:, column] = (outline - prior.outline_residuals(there)) / width
    usable = np.isfinite(errors[:, :1, None]) & np.isfinite(jacobian)
    return np.where(usable, jacobian, 0.0), outline_slopes


def _projected(transform: HeadTransform, relative: FloatArray) -> FloatArray:
    """Moving points (N, 2) of positions (N, 3) relative to the head's centre."""
    camera, pose = transform.moving_camera, transform.pose
    return camera.project(relative @ pose.matrix.T + pose.centre(camera))


def _robust(
    prior: Prior, errors: FloatArray, cut_px: float | None
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Distances in sigmas (N,), their Cauchy weights (N,), and which count (N,)."""
    distances = np.linalg.norm(errors, axis=1)
    counted = np.isfinite(distances)
    if cut_px is not None:
        counted &= np.where(counted, distances, np.inf) < cut_px
    scaled = np.where(counted, distances, 0.0) / prior.sigma_px
    return scaled, np.where(counted, 1.0 / (1.0 + (scaled / 2.0) ** 2), 0.0), counted


def _cost(
    prior: Prior,
    parameters: FloatArray,
    errors: FloatArray,
    weights: FloatArray,
    cut_px: float | None,
) -> float:
    scaled, _, counted = _robust(prior, errors, cut_px)
    limit = 40.0 if cut_px is None else cut_px / prior.sigma_px
    each = 4.0 * np.log1p((np.where(counted, scaled, limit) / 2.0) ** 2)
    outline = prior.outline_residuals(prior.transform(parameters))
    return float(weights @ each + np.sum(parameters[N_POSE:] ** 2) + outline @ outline)


def _step(
    prior: Prior,
    parameters: FloatArray,
    errors: FloatArray,
    slopes: tuple[FloatArray, FloatArray],
    *,
    weights: FloatArray,
    active: NDArray[np.intp],
    cut_px: float | None,
    damping: float,
) -> FloatArray:
    """Damped Gauss-Newton step (A,) of the active parameters."""
    _, robust, counted = _robust(prior, errors, cut_px)
    weight = np.repeat(weights * robust, 2) / prior.sigma_px**2
    target = np.where(counted[:, None], errors, 0.0).reshape(-1)
    jacobian, outline_slopes = slopes
    outline = prior.outline_residuals(prior.transform(parameters))
    design = jacobian.reshape(-1, len(active))
    has_prior = (active >= N_POSE).astype(np.float64)
    normal = design.T @ (design * weight[:, None]) + np.diag(has_prior)
    normal += outline_slopes.T @ outline_slopes
    gradient = design.T @ (weight * target) - has_prior * parameters[active]
    gradient += outline_slopes.T @ outline
    normal += damping * np.diag(np.diag(normal) + 1e-6)
    return np.asarray(np.linalg.solve(normal, gradient))
