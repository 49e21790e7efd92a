"""Timeline charts as figures, PNG and SVG."""

from scalptrack.chart.drawing import draw_timeline, timeline_png, timeline_svg
from scalptrack.chart.zones import draw_zones, zones_png, zones_svg

__all__ = [
    "draw_timeline",
    "draw_zones",
    "timeline_png",
    "timeline_svg",
    "zones_png",
    "zones_svg",
]
