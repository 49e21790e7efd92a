"""Is a photograph good enough to be measured, and what to do differently when retaking it."""

from scalptrack.quality.check import check_quality, quality_reason
from scalptrack.quality.view import RecognisedView, judge_view, recognise_view

__all__ = ["RecognisedView", "check_quality", "judge_view", "quality_reason", "recognise_view"]
