"""Small multiples: the coverage of each zone over time, on one time axis and one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from scalptrack.chart.drawing import (
    GRID,
    LANE,
    PAPER,
    TICK_PT,
    TITLE_PT,
    chart_style,
    draw_band,
    draw_legend,
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
    MarkStyle,
    legend_of,
    percent_range,
    plan_of,
    rough_lines,
    time_ticks,
)
from scalptrack.records import Timeline, ZoneTimeline
from scalptrack.translation import tr
from scalptrack.wording import printable, shortened

PANEL_IN = 1.3
PANEL_GAP_IN = 0.36
LANE_IN = 0.18
"""Height of the lane of crosses below a panel, where any zone has a visit without a number."""
LANE_BELOW_IN = 0.1


@dataclass(frozen=True, slots=True)
class _Layout:
    """What stands around the panels, sizes in inches from the bottom up, and their common axes."""

    footer: tuple[str, ...]
    legend: tuple[MarkStyle, ...]
    head_in: float
    lane_in: float
    panels: int
    scale: tuple[float, float, float]
    first_day: date
    last_day: date

    @property
    def panel_in(self) -> float:
        """Height of a panel with its label and its lane."""
        return PANEL_GAP_IN + PANEL_IN + self.lane_in

    @property
    def legend_in(self) -> float:
        """Height of the legend, two entries per row."""
        return 0.2 * -(-len(self.legend) // 2) + 0.06

    @property
    def footer_in(self) -> float:
        """Height of the lines below the legend."""
        return LINE_IN * len(self.footer) + (0.06 if self.footer else 0.0)

    @property
    def height_in(self) -> float:
        """Height of the figure."""
        below = TICKS_HEIGHT_IN + self.legend_in + self.footer_in
        return 2 * MARGIN_IN + self.head_in + self.panels * self.panel_in + below


def draw_zones(zones: Sequence[ZoneTimeline], *, heading: bool = True) -> Figure:
    """Draw one panel per zone that is given.

    Parameters
    ----------
    zones : sequence of ZoneTimeline
        Zones of one subject and view; those without a timeline are left out.
    heading : bool
        Whether to write subject and view above the panels.

    Returns
    -------
    matplotlib.figure.Figure
        One axes per zone, followed by its lane of crosses where any zone has a visit without a
        number. What hollow marks are aligned by stands below.

    Raises
    ------
    ValueError
        If no zone has a timeline.
    """
    given = [(each, each.timeline) for each in zones if each.timeline is not None]
    if not given:
        raise ValueError("no zone has a timeline; draw only zones that are given")
    timelines = [timeline for _, timeline in given]
    layout = _layout(timelines, heading=heading)
    height = layout.height_in
    with mpl.rc_context(chart_style()):
        figure = Figure(figsize=(WIDTH_IN, height), facecolor=PAPER)
        FigureCanvasAgg(figure)
        if heading:
            name = f"{printable(given[0][0].subject)} · {printable(given[0][0].view)}"
            title = tr("{name}: zones", name=name)
            place = (MARGIN_IN / WIDTH_IN, (height - MARGIN_IN) / height)
            figure.text(*place, shortened(title, 44), size=TITLE_PT, weight="bold", va="top")
        top = height - MARGIN_IN - layout.head_in
        for zone, timeline in given:
            lowest = _draw_panel(figure, zone, timeline, layout, top)
            top -= layout.panel_in
        _draw_time(lowest, layout)
        _write_below(figure, layout)
    return figure


def _layout(timelines: Sequence[Timeline], *, heading: bool) -> _Layout:
    """Decide what stands where."""
    first_day, last_day = _span(timelines)
    missing = any(gap.visit_date is not None for each in timelines for gap in each.gaps)
    return _Layout(
        footer=tuple(rough_lines(timelines)),
        legend=legend_of(timelines),
        head_in=0.34 if heading else 0.0,
        lane_in=LANE_BELOW_IN + LANE_IN if missing else 0.0,
        panels=len(timelines),
        scale=_range(timelines),
        first_day=first_day,
        last_day=last_day,
    )


def _draw_panel(
    figure: Figure,
    zone: ZoneTimeline,
    timeline: Timeline,
    layout: _Layout,
    top_in: float,
) -> Axes:
    """Label, coverages and lane of one zone from ``top_in`` down; the lowest axes of them."""
    height = layout.height_in
    low, high, step = layout.scale
    left, width = LEFT_IN / WIDTH_IN, (WIDTH_IN - LEFT_IN - MARGIN_IN) / WIDTH_IN
    top_in -= PANEL_GAP_IN
    label = (MARGIN_IN / WIDTH_IN, (top_in + 0.06) / height)
    figure.text(*label, zone_label(zone), color=INK, va="bottom")
    bottom_in = top_in - PANEL_IN
    axes = figure.add_axes((left, bottom_in / height, width, PANEL_IN / height))
    axes.set_gid(f"zone-{zone.zone}")
    draw_band(axes, timeline, layout.last_day)
    draw_visits(figure, axes, timeline)
    axes.set_ylim(low, high)
    axes.set_yticks([low + step * i for i in range(round((high - low) / step) + 1)])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")
    axes.yaxis.grid(visible=True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    _plain(axes, layout)
    if not layout.lane_in:
        return axes
    lane = figure.add_axes((left, (bottom_in - layout.lane_in) / height, width, LANE_IN / height))
    lane.set_gid(f"none-{zone.zone}")
    days = sorted({gap.visit_date.toordinal() for gap in timeline.gaps if gap.visit_date})
    lane.plot(days, [0.5] * len(days), "x", color=INK, markersize=5, markeredgewidth=1.4)
    lane.set_ylim(0, 1)
    lane.set_yticks([0.5], [tr("none")])
    lane.patch.set_facecolor(LANE)
    _plain(lane, layout)
    return lane


def _plain(axes: Axes, layout: _Layout) -> None:
    """One time axis for all, without a frame."""
    axes.set_xlim(layout.first_day.toordinal(), layout.last_day.toordinal())
    axes.tick_params(labelsize=TICK_PT, length=0, pad=5, labelcolor=QUIET_INK)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])


def _draw_time(lowest: Axes, layout: _Layout) -> None:
    """Ticks of the common time axis, below the last panel."""
    ticks = time_ticks(layout.first_day, layout.last_day)
    lowest.spines["bottom"].set(visible=True, color=QUIET_INK, linewidth=0.8)
    lowest.set_xticks([day.toordinal() for day, _ in ticks], [label for _, label in ticks])
    lowest.tick_params(axis="x", length=3.5, color=QUIET_INK)


def _write_below(figure: Figure, layout: _Layout) -> None:
    """Legend, and below it what hollow marks are aligned by."""
    height = layout.height_in
    y = MARGIN_IN + LINE_IN * (len(layout.footer) - 1)
    for line in layout.footer:
        figure.text(MARGIN_IN / WIDTH_IN, y / height, line, color=QUIET_INK, va="bottom")
        y -= LINE_IN
    draw_legend(figure, layout.legend, (MARGIN_IN + layout.footer_in) / height)


def zone_label(zone: ZoneTimeline) -> str:
    """Name of a zone and how much of it is seen, e.g. ``"vertex (83 % of the zone is seen)"``."""
    return tr(
        "{zone} ({percent} % of the zone is seen)",
        zone=zone.zone,
        percent=f"{100 * zone.seen_fraction:.0f}",
    )


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
