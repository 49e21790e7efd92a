"""Intervals, detectable change and verdicts: numbers in, records out."""

from scalptrack.longitudinal.components import MEASURED_VISIT_SD_FRACTION, ErrorModel
from scalptrack.longitudinal.timeline import build_timelines

__all__ = ["MEASURED_VISIT_SD_FRACTION", "ErrorModel", "build_timelines"]
