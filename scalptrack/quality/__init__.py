"""Is a photograph good enough to be measured, and what to do differently when retaking it."""

from scalptrack.quality.check import check_quality

__all__ = ["check_quality"]
