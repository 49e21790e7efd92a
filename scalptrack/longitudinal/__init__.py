"""Intervals, detectable change and verdicts: numbers in, records out."""

from scalptrack.longitudinal.components import ErrorModel
from scalptrack.longitudinal.timeline import build_timelines

__all__ = ["ErrorModel", "build_timelines"]
