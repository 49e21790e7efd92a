"""The timeline chart: numbers that are already computed, drawn so that they can't be misread.

Points are not joined: a line through noise looks like progress. What a change has to exceed is
drawn as a band around the baseline, a visit without a number as a numbered cross in a lane of its
own, and every verdict has a colour *and* a shape.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation

from scalptrack.chart.plan import (
    BAND,
    INK,
    LANE_GAP_IN,
    LANE_HEIGHT_IN,
    LEFT_IN,
    LINE_IN,
    MARGIN_IN,
    PLOT_HEIGHT_IN,
    QUIET_INK,
    WIDTH_IN,
    MarkStyle,
    Plan,
    band_steps,
    baseline_of,
    event_label,
    percent_range,
    plan_of,
    style_of,
    time_ticks,
)
from scalptrack.lettering import missing_letters, type_style
from scalptrack.records import Tier, Timeline
from scalptrack.translation import tr
from scalptrack.wording import LESS_SURE

PAPER = "#ffffff"
GRID = "#e4e7eb"
LANE = "#f5f7fa"
EVENT = "#6b3fa0"
BODY_PT = 9.5
TICK_PT = 10.0
TITLE_PT = 13.0
RASTER_DPI = 240

# Where a reader's machine has no DejaVu Sans, its close relative Verdana keeps the layout.
_OUR_FONT = re.compile(rb"(font(?:-family)?:[^;\"]*)'DejaVu Sans'")


def draw_timeline(timeline: Timeline, *, heading: bool = True) -> Figure:
    """Draw one timeline.

    Parameters
    ----------
    timeline : Timeline
        What `scalptrack.longitudinal.build_timelines` said about a subject and view.
    heading : bool
        Whether to write subject, view and summary above the plot; a page that says both next to
        the chart leaves them out.

    Returns
    -------
    matplotlib.figure.Figure
        Without any state in pyplot. Its first axes show coverage in percent over time; where a
        visit has no number, its second axes are the lane of numbered crosses.
    """
    plan = plan_of(timeline, heading=heading)
    figure = Figure(figsize=(WIDTH_IN, plan.height_in), facecolor=PAPER)
    FigureCanvasAgg(figure)
    draw_timeline_on(figure, timeline, heading=heading)
    return figure


def chart_height_in(timeline: Timeline, *, heading: bool = False) -> float:
    """Height in inches that the chart of a timeline needs; its width is `WIDTH_IN`."""
    return plan_of(timeline, heading=heading).height_in


def draw_timeline_on(
    figure: Figure | SubFigure, timeline: Timeline, *, heading: bool = True
) -> None:
    """Draw one timeline on a figure, or on a part of one, of `WIDTH_IN` by `chart_height_in`."""
    plan = plan_of(timeline, heading=heading)
    with mpl.rc_context(chart_style()):
        _write_header(figure, plan)
        axes, lane = _place_axes(figure, plan)
        draw_band(axes, timeline, plan.last_day)
        draw_visits(figure, axes, timeline)
        _draw_events(axes, plan)
        if lane is not None:
            _draw_missing(lane, plan)
        _finish_axes(axes, lane, timeline, plan)
        _write_below(figure, plan)


def timeline_png(timeline: Timeline, *, heading: bool = True) -> bytes:
    """Encode the chart as PNG, 1152 px wide; the same timeline gives the same bytes."""
    return encoded_png(draw_timeline(timeline, heading=heading))


def timeline_svg(timeline: Timeline, *, heading: bool = True) -> bytes:
    """Encode the chart as SVG with its text kept as text; the same timeline gives the same bytes.

    Text stays text so that it can be searched, read aloud and shown in any script that the
    reader's machine has a font for.
    """
    return encoded_svg(draw_timeline(timeline, heading=heading))


def encoded_png(figure: Figure) -> bytes:
    """Encode a figure as PNG without a trace of when and by what it was made."""
    return _encoded(figure, "png", {"Software": None})


def encoded_svg(figure: Figure) -> bytes:
    """Encode a figure as SVG without a trace of when and by what it was made."""
    source = _encoded(figure, "svg", {"Date": None, "Creator": None})
    return _OUR_FONT.sub(rb"\1'DejaVu Sans', Verdana, sans-serif", source)


def _encoded(figure: Figure, file_format: str, metadata: dict[str, None]) -> bytes:
    """Write a figure to bytes. Names in scripts without an installed font show empty boxes."""
    stream = io.BytesIO()
    with mpl.rc_context(chart_style()), missing_letters():
        figure.savefig(stream, format=file_format, dpi=RASTER_DPI, metadata=metadata)
    return stream.getvalue()


def chart_style() -> dict[Any, Any]:
    """Build the settings of matplotlib that the chart depends on, whatever the user's own are."""
    return type_style() | {
        "font.size": BODY_PT,
        "text.color": INK,
        "axes.unicode_minus": True,
        "svg.fonttype": "none",
        "svg.hashsalt": "scalptrack",
        "path.simplify": True,
    }


def _write_header(figure: Figure | SubFigure, plan: Plan) -> None:
    """Title and summary, from the top down."""
    top = plan.height_in - MARGIN_IN
    x = MARGIN_IN / WIDTH_IN
    if plan.title:
        figure.text(
            x, top / plan.height_in, plan.title, size=TITLE_PT, weight="bold", va="top", gid="title"
        )
        top -= 0.3
    for line in plan.subtitle:
        figure.text(x, top / plan.height_in, line, size=BODY_PT, color=QUIET_INK, va="top")
        top -= LINE_IN


def _place_axes(figure: Figure | SubFigure, plan: Plan) -> tuple[Axes, Axes | None]:
    """Axes of the plot and of the lane below it, placed in inches."""
    height = plan.height_in
    top = height - MARGIN_IN - plan.header_in - plan.events_in
    left, width = LEFT_IN / WIDTH_IN, (WIDTH_IN - LEFT_IN - MARGIN_IN) / WIDTH_IN
    bottom = top - PLOT_HEIGHT_IN
    axes = figure.add_axes((left, bottom / height, width, PLOT_HEIGHT_IN / height))
    if not plan.lane:
        return axes, None
    lane_bottom = bottom - LANE_GAP_IN - LANE_HEIGHT_IN
    lane = figure.add_axes((left, lane_bottom / height, width, LANE_HEIGHT_IN / height))
    return axes, lane


def draw_band(axes: Axes, timeline: Timeline, last_day: date) -> None:
    """Draw the band around baseline: the limit that was applied at each visit."""
    baseline = baseline_of(timeline)
    if baseline is None:
        return
    days, limits = band_steps(timeline, last_day)
    centre = baseline.coverage_fraction
    axes.fill_between(
        days,
        [100 * max(centre - limit, 0.0) for limit in limits],
        [100 * min(centre + limit, 1.0) for limit in limits],
        color=BAND,
        linewidth=0,
        zorder=1,
        gid="band",
    )
    axes.plot(
        [days[0], days[-1]],
        [100 * centre] * 2,
        color=QUIET_INK,
        linewidth=0.8,
        linestyle=(0, (1, 3)),
        zorder=2,
        gid="baseline",
    )


def draw_visits(figure: Figure | SubFigure, axes: Axes, timeline: Timeline) -> None:
    """Interval bars, single photographs as faint dots beside them, and the visits' means."""
    aside = axes.transData + ScaledTranslation(8.5 / 72, 0, figure.dpi_scale_trans)
    for visit in timeline.visits:
        day = visit.visit_date.toordinal()
        style = style_of(visit, timeline)
        low, high = 100 * visit.low_fraction, 100 * visit.high_fraction
        name = visit.visit_date.isoformat()
        axes.vlines(day, low, high, color=style.colour, linewidth=1.6, zorder=4)
        axes.plot([day, day], [low, high], "_", color=style.colour, markersize=7, zorder=4)
        if visit.replicates > 1:
            axes.plot(
                [day] * visit.replicates,
                [100 * fraction for fraction in visit.replicate_fractions],
                ".",
                color=QUIET_INK,
                markersize=4,
                alpha=0.7,
                transform=aside,
                zorder=6,
                gid=f"replicates-{name}",
            )
        axes.plot(
            [day],
            [100 * visit.coverage_fraction],
            marker=style.marker,
            color=style.colour,
            markerfacecolor=PAPER if visit.tier is Tier.B else style.colour,
            markeredgewidth=1.5,
            markersize=style.size_pt,
            linestyle="none",
            zorder=5,
            clip_on=False,
            gid=f"visit-{name}",
        )


def _draw_events(axes: Axes, plan: Plan) -> None:
    """Vertical lines at the events, their labels in rows above the plot."""
    first, last = plan.first_day.toordinal(), plan.last_day.toordinal()
    for row, events in enumerate(plan.event_rows):
        height_in = PLOT_HEIGHT_IN + 0.05 + LINE_IN * (len(plan.event_rows) - 1 - row)
        for event in events:
            day = event.event_date.toordinal()
            axes.vlines(
                day,
                0,
                height_in / PLOT_HEIGHT_IN + 0.04,
                transform=axes.get_xaxis_transform(),
                color=EVENT,
                linewidth=1.0,
                linestyle=(0, (4, 2)),
                clip_on=False,
                zorder=3,
            )
            fits = (last - day) / (last - first) > 0.0172 * len(event_label(event))
            axes.annotate(
                event_label(event),
                (day, height_in / PLOT_HEIGHT_IN),
                xycoords=axes.get_xaxis_transform(),
                xytext=(4 if fits else -4, 0),
                textcoords="offset points",
                ha="left" if fits else "right",
                va="bottom",
                color=EVENT,
                size=BODY_PT,
                annotation_clip=False,
                bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8},
                zorder=7,
            )


def _draw_missing(lane: Axes, plan: Plan) -> None:
    """Numbered crosses for the visits without a number."""
    for missing in plan.missing:
        if missing.day is None:
            continue
        day = missing.day.toordinal()
        lane.plot([day], [0.5], "x", color=INK, markersize=6, markeredgewidth=1.6, clip_on=False)
        lane.annotate(
            str(missing.number),
            (day, 0.5),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            size=BODY_PT,
        )


def _finish_axes(axes: Axes, lane: Axes | None, timeline: Timeline, plan: Plan) -> None:
    """Limits, ticks, grid and frame."""
    low, high, step = percent_range(timeline)
    axes.set_ylim(low, high)
    axes.set_yticks([low + step * index for index in range(round((high - low) / step) + 1)])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")
    axes.yaxis.grid(visible=True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for shown in (axes,) if lane is None else (axes, lane):
        shown.set_xlim(plan.first_day.toordinal(), plan.last_day.toordinal())
        shown.tick_params(labelsize=TICK_PT, length=0, pad=5, labelcolor=QUIET_INK)
        shown.spines[:].set_visible(False)
        shown.set_xticks([])
    if lane is not None:
        lane.set_ylim(0, 1)
        lane.set_yticks([0.5], [tr("none")])
        lane.patch.set_facecolor(LANE)
    bottom = axes if lane is None else lane
    ticks = time_ticks(plan.first_day, plan.last_day)
    bottom.spines["bottom"].set(visible=True, color=QUIET_INK, linewidth=0.8)
    bottom.set_xticks([day.toordinal() for day, _ in ticks], [label for _, label in ticks])
    bottom.tick_params(axis="x", length=3.5, color=QUIET_INK)
    if not timeline.visits:
        axes.text(
            0.5,
            0.5,
            tr("No coverage can be stated"),
            transform=axes.transAxes,
            ha="center",
            va="center",
            color=QUIET_INK,
            size=TITLE_PT,
            bbox={"facecolor": PAPER, "edgecolor": "none"},
            zorder=7,
        )


def _handle(style: MarkStyle) -> Line2D | Patch:
    """Legend entry of a mark."""
    label = tr(style.label, less_sure=tr(LESS_SURE))
    if not style.marker:
        return Patch(facecolor=style.colour, label=label)
    return Line2D(
        [],
        [],
        marker=style.marker,
        color=style.colour,
        markerfacecolor=PAPER if style.hollow else style.colour,
        markeredgewidth=1.5,
        markersize=style.size_pt - 1,
        linestyle="none",
        label=label,
    )


def _write_below(figure: Figure | SubFigure, plan: Plan) -> None:
    """Legend and footer, from the bottom up."""
    height = plan.height_in
    y = MARGIN_IN + LINE_IN * (len(plan.footer) - 1)
    for line in plan.footer:
        weight = "bold" if line in plan.bold else "normal"
        figure.text(
            MARGIN_IN / WIDTH_IN, y / height, line, size=BODY_PT, weight=weight, va="bottom"
        )
        y -= LINE_IN
    if plan.legend:
        draw_legend(figure, plan.legend, (MARGIN_IN + plan.footer_in) / height)


def draw_legend(figure: Figure | SubFigure, styles: Sequence[MarkStyle], bottom: float) -> None:
    """Draw the legend, two entries per row, from a height (share of the figure's) up."""
    figure.legend(
        handles=[_handle(style) for style in styles],
        loc="lower left",
        bbox_to_anchor=(MARGIN_IN / WIDTH_IN, bottom),
        ncols=2,
        frameon=False,
        fontsize=BODY_PT,
        borderpad=0,
        borderaxespad=0,
        handletextpad=0.4,
        columnspacing=1.6,
        labelspacing=0.35,
        labelcolor=QUIET_INK,
    )
