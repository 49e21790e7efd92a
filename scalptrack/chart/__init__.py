"""Timeline charts as figures, PNG and SVG."""

from scalptrack.chart.drawing import draw_timeline, timeline_png, timeline_svg

__all__ = ["draw_timeline", "timeline_png", "timeline_svg"]
