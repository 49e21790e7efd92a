"""Small multiples: the coverage of each zone over time, on one time axis and one scale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from scalptrack.chart.drawing import (
    GRID,
    PAPER,
    TICK_PT,
    TITLE_PT,
    chart_style,
    draw_band,
    draw_visits,
    encoded_png,
    encoded_svg,
)
from scalptrack.chart.plan import (
    INK,
    LEFT_IN,
    LINE_IN,
    MARGIN_IN,
    QUIET_INK,
    TICKS_HEIGHT_IN,
    WIDTH_IN,
    percent_range,
    plan_of,
    time_ticks,
)
from scalptrack.records import Tier, Timeline, ZoneTimeline
from scalptrack.wording import printable, shortened

PANEL_IN = 1.3
PANEL_GAP_IN = 0.36
ROUGH_NOTE = "Hollow (tier B): aligned by the outline or by hand, less sure."


def draw_zones(zones: Sequence[ZoneTimeline], *, heading: bool = True) -> Figure:
    """Draw one panel per zone that is given.

    Parameters
    ----------
    zones : sequence of ZoneTimeline
        Zones of one subject and view; those without a timeline are left out.
    heading : bool
        Whether to write subject and view above the panels.

    Raises
    ------
    ValueError
        If no zone has a timeline.
    """
    given = [(each, each.timeline) for each in zones if each.timeline is not None]
    if not given:
        raise ValueError("no zone has a timeline; draw only zones that are given")
    head_in = 0.34 if heading else 0.0
    rough = any(visit.tier is Tier.B for _, timeline in given for visit in timeline.visits)
    foot_in = LINE_IN if rough else 0.0
    panels_in = len(given) * (PANEL_IN + PANEL_GAP_IN)
    height = 2 * MARGIN_IN + head_in + panels_in + TICKS_HEIGHT_IN + foot_in
    first_day, last_day = _span([timeline for _, timeline in given])
    low, high, step = _range([timeline for _, timeline in given])
    with mpl.rc_context(chart_style()):
        figure = Figure(figsize=(WIDTH_IN, height), facecolor=PAPER)
        FigureCanvasAgg(figure)
        top = height - MARGIN_IN - head_in
        if heading:
            title = f"{printable(given[0][0].subject)} · {printable(given[0][0].view)}: zones"
            place = (MARGIN_IN / WIDTH_IN, (height - MARGIN_IN) / height)
            figure.text(*place, shortened(title, 44), size=TITLE_PT, weight="bold", va="top")
        width = (WIDTH_IN - LEFT_IN - MARGIN_IN) / WIDTH_IN
        for zone, timeline in given:
            top -= PANEL_GAP_IN
            figure.text(
                MARGIN_IN / WIDTH_IN,
                (top + 0.06) / height,
                zone_label(zone),
                color=INK,
                va="bottom",
            )
            place_in = ((top - PANEL_IN) / height, PANEL_IN / height)
            axes = figure.add_axes((LEFT_IN / WIDTH_IN, place_in[0], width, place_in[1]))
            axes.set_gid(f"zone-{zone.zone}")
            draw_band(axes, timeline, last_day)
            draw_visits(figure, axes, timeline)
            axes.set_ylim(low, high)
            axes.set_xlim(first_day.toordinal(), last_day.toordinal())
            axes.set_yticks([low + step * i for i in range(round((high - low) / step) + 1)])
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")
            axes.yaxis.grid(visible=True, color=GRID, linewidth=0.8)
            axes.set_axisbelow(True)
            axes.tick_params(labelsize=TICK_PT, length=0, pad=5, labelcolor=QUIET_INK)
            axes.spines[:].set_visible(False)
            axes.set_xticks([])
            top -= PANEL_IN
        ticks = time_ticks(first_day, last_day)
        axes.spines["bottom"].set(visible=True, color=QUIET_INK, linewidth=0.8)
        axes.set_xticks([day.toordinal() for day, _ in ticks], [label for _, label in ticks])
        axes.tick_params(axis="x", length=3.5, color=QUIET_INK)
        if rough:
            place = (MARGIN_IN / WIDTH_IN, MARGIN_IN / height)
            figure.text(*place, ROUGH_NOTE, color=QUIET_INK, va="bottom")
    return figure


def zone_label(zone: ZoneTimeline) -> str:
    """Name of a zone and how much of it is seen, e.g. ``"vertex (83 % of the zone is seen)"``."""
    return f"{zone.zone} ({100 * zone.seen_fraction:.0f} % of the zone is seen)"


def zones_png(zones: Sequence[ZoneTimeline], *, heading: bool = True) -> bytes:
    """Encode the panels as PNG; the same zones give the same bytes."""
    return encoded_png(draw_zones(zones, heading=heading))


def zones_svg(zones: Sequence[ZoneTimeline], *, heading: bool = True) -> bytes:
    """Encode the panels as SVG with text kept as text; the same zones give the same bytes."""
    return encoded_svg(draw_zones(zones, heading=heading))


def _span(timelines: Sequence[Timeline]) -> tuple[date, date]:
    """One time axis for all panels."""
    plans = [plan_of(each, heading=False) for each in timelines]
    return min(each.first_day for each in plans), max(each.last_day for each in plans)


def _range(timelines: Sequence[Timeline]) -> tuple[float, float, float]:
    """One vertical scale for all panels: coarse ticks, because the panels are low."""
    ranges = [percent_range(each) for each in timelines]
    low, high = min(each[0] for each in ranges), max(each[1] for each in ranges)
    step = 10.0 if high - low <= 40 else 20.0
    low = step * (low // step)
    high = min(step * -(-high // step), 100.0)
    return low, high, step
