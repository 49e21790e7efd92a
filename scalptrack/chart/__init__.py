"""Timeline charts as figures, PNG and SVG."""

from scalptrack.chart.drawing import (
    chart_height_in,
    draw_timeline,
    draw_timeline_on,
    timeline_png,
    timeline_svg,
)
from scalptrack.chart.zones import draw_zones, zones_png, zones_svg

__all__ = [
    "chart_height_in",
    "draw_timeline",
    "draw_timeline_on",
    "draw_zones",
    "timeline_png",
    "timeline_svg",
    "zones_png",
    "zones_svg",
]
