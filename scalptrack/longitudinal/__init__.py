"""Intervals, detectable change and verdicts: numbers in, records out."""

from scalptrack.longitudinal.components import MEASURED_ERRORS, ErrorModel
from scalptrack.longitudinal.timeline import build_timelines

__all__ = ["MEASURED_ERRORS", "ErrorModel", "build_timelines"]
