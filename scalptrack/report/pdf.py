"""The report as a PDF on A4: one subject and view after the other, summary first."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from scalptrack.chart import chart_height_in, draw_timeline_on
from scalptrack.chart.drawing import PAPER, chart_style
from scalptrack.chart.plan import INK, QUIET_INK, WIDTH_IN
from scalptrack.lettering import missing_letters
from scalptrack.records import (
    Change,
    ImageArray,
    SaltEstimate,
    Status,
    Tier,
    Timeline,
    Verdict,
    ZoneTimeline,
)
from scalptrack.report.context import FollowUpPictures, ReportContext, TimelineSection
from scalptrack.report.hair_index import hair_index_rows, hair_index_rule
from scalptrack.report.precision import precision_rows, precision_rule, precision_words
from scalptrack.report.view import VERDICT_WORDS, change_words
from scalptrack.report.words import status_words
from scalptrack.translation import ENGLISH, current_language, marked, tr
from scalptrack.wording import (
    VERDICT_NAMES,
    less_sure,
    percent,
    points,
    printable,
    sentence_case,
    short_date,
    shortened,
)

A4_IN = (8.27, 11.69)
SIDE_IN, TOP_IN, FOOT_IN = 0.6, 0.85, 0.75
FULL_WIDTH = (SIDE_IN, A4_IN[0] - 2 * SIDE_IN)
FOOTNOTE_WIDTH = (SIDE_IN, A4_IN[0] - 2 * SIDE_IN - 0.5)
"""For small type, whose letters are wider than `CHARACTER` says."""
GAP_IN = 0.14
PICTURE_IN = 2.2
POINTS_PER_IN = 72.0
CHARACTER = 0.51
"""Mean width of a character of DejaVu Sans, relative to the size of the type."""

FOOT = marked(
    "Visible hair coverage of the scalp that all photographs of a view show. Not a diagnosis; it "
    "says nothing about why a coverage changed."
)
VERDICT_COLOUR = {Verdict.INCREASE: "#0072b2", Verdict.DECREASE: "#b34700"}

WIDER = 1.07
"""How much wider a character of another language than English may be: German has more capitals."""

ReadPicture = Callable[[str], ImageArray | None]


@dataclass(slots=True)
class _Sheet:
    """Pages that are written from the top down; a new one where the last is full."""

    pages: list[Figure] = field(default_factory=list)
    below_in: float = 0.0

    def turn(self) -> None:
        """Begin a page."""
        page = Figure(figsize=A4_IN, facecolor=PAPER)
        FigureCanvasAgg(page)
        self.pages.append(page)
        self.below_in = A4_IN[1] - TOP_IN

    def reserve(self, height_in: float) -> Figure:
        """The page that has room for so much; a new one where this has none."""
        if not self.pages or self.below_in - height_in < FOOT_IN:
            self.turn()
        return self.pages[-1]

    def text(
        self,
        words: str,
        *,
        size: float = 9.5,
        weight: str = "normal",
        colour: str = INK,
        column: tuple[float, float] = FULL_WIDTH,
    ) -> None:
        """Write a paragraph, wrapped into a column (left edge and width in inches).

        It may run on over the page.
        """
        left_in, width_in = column
        line_in = 1.38 * size / POINTS_PER_IN
        characters = int(width_in * POINTS_PER_IN / (size * character_width()))
        together = printable(words).replace(" %", "\u00a0%")
        lines = textwrap.wrap(together, characters, break_on_hyphens=False) or [""]
        for line in lines:
            page = self.reserve(line_in)
            place = (left_in / A4_IN[0], self.below_in / A4_IN[1])
            page.text(*place, line, size=size, weight=weight, color=colour, va="top")
            self.below_in -= line_in

    def gap(self, times: float = 1.0) -> None:
        """Leave some room."""
        self.below_in -= times * GAP_IN


def character_width() -> float:
    """Mean width of a character in the language of the run, relative to the size of the type."""
    return CHARACTER if current_language() == ENGLISH else WIDER * CHARACTER


def build_pdf(context: ReportContext, read_picture: ReadPicture) -> bytes:
    """Write the report of a run as PDF.

    Parameters
    ----------
    context : ReportContext
        As for `scalptrack.report.build_report`.
    read_picture : callable
        Pixels, uint8 (H, W, 3), of the picture at an address; None where there is none.

    Returns
    -------
    bytes
        The same for the same context and pictures.
    """
    stream = io.BytesIO()
    with mpl.rc_context(chart_style() | {"pdf.fonttype": 42}), missing_letters():
        no_trace = {"CreationDate": None, "Creator": None, "Producer": None}
        titled = no_trace | {
            "Title": printable(tr("{title} - scalptrack report", title=context.title))
        }
        with PdfPages(stream, metadata=titled) as document:
            for page in draw_pages(context, read_picture):
                document.savefig(page)
    return stream.getvalue()


def draw_pages(context: ReportContext, read_picture: ReadPicture) -> list[Figure]:
    """Draw the pages of `build_pdf` as A4 figures, each with its number."""
    sheet = _Sheet()
    with mpl.rc_context(chart_style()):
        for section in context.sections:
            _write_section(sheet, section, read_picture)
        _write_files(sheet, context)
        for number, page in enumerate(sheet.pages, start=1):
            _frame(page, context.title, number, len(sheet.pages))
    return sheet.pages


def _frame(page: Figure, title: str, number: int, count: int) -> None:
    """Head and foot of a page."""
    top, left = 1 - 0.45 / A4_IN[1], SIDE_IN / A4_IN[0]
    head = shortened(printable(tr("scalptrack report · {title}", title=title)), 80)
    page.text(left, top, head, size=8.5, color=QUIET_INK, va="top")
    place = tr("{number} of {count}", number=number, count=count)
    page.text(1 - left, top, place, size=8.5, color=QUIET_INK, va="top", ha="right")
    # A longer translation takes two lines.
    width = round((A4_IN[0] - 2 * SIDE_IN) * POINTS_PER_IN / (7.2 * character_width()))
    foot = "\n".join(textwrap.wrap(tr(FOOT), width))
    page.text(left, 0.4 / A4_IN[1], foot, size=7.2, color=QUIET_INK, va="bottom")


def _write_section(sheet: _Sheet, section: TimelineSection, read_picture: ReadPicture) -> None:
    """One subject and view, from a new page on."""
    timeline = section.timeline
    sheet.turn()
    sheet.text(f"{timeline.subject} · {timeline.view}", size=16, weight="bold")
    sheet.gap()
    sheet.text(timeline.summary, size=11)
    for note in timeline.notes:
        sheet.gap(0.5)
        sheet.text(note, size=9, colour=QUIET_INK)
    sheet.gap()
    _write_chart(sheet, timeline)
    _write_pictures(sheet, section.follow_ups, read_picture)
    _write_zones(sheet, section)
    _write_precision(sheet, timeline)
    _write_hair_index(sheet, timeline)
    if timeline.trend_words:
        _heading(sheet, tr("Straight-line trend"))
        sheet.text(timeline.trend_words, size=8.5)
    if timeline.gaps:
        _heading(sheet, tr("Photographs without a number"))
        for gap in timeline.gaps:
            sheet.text(f"{gap.name}: {gap.reason.message}", size=8.5)


def _write_precision(sheet: _Sheet, timeline: Timeline) -> None:
    """How far one photograph may be off, and what that is made of."""
    rows = precision_rows(timeline)
    if not rows:
        return
    _heading(sheet, tr("Precision"))
    sheet.text(precision_words(timeline), size=8.5)
    sheet.gap(0.5)
    for row in rows:
        degrees = tr(", {degrees} degrees of freedom", degrees=row.degrees) if row.degrees else ""
        line = tr(
            "{part}: {points} points{degrees}; {source}",
            part=row.part,
            points=row.sd,
            degrees=degrees,
            source=row.source,
        )
        sheet.text(line, size=7.6, column=FOOTNOTE_WIDTH)
    sheet.gap(0.5)
    sheet.text(precision_rule(timeline), size=7.6, colour=QUIET_INK, column=FOOTNOTE_WIDTH)


def _write_hair_index(sheet: _Sheet, timeline: Timeline) -> None:
    """Every visit on the scale of the hair index."""
    if not timeline.visits:
        return
    _heading(sheet, tr("The same on the scale of the hair index"))
    for row in hair_index_rows(timeline):
        difference = "" if row.change == "–" else tr("; difference {change}", change=row.change)
        sheet.text(f"{short_date(row.visit_date)}: {row.level}{difference}", size=8.5)
    sheet.gap(0.5)
    sheet.text(hair_index_rule(), size=7.6, colour=QUIET_INK, column=FOOTNOTE_WIDTH)


def _heading(sheet: _Sheet, words: str) -> None:
    sheet.gap()
    sheet.reserve(0.6)
    sheet.text(words, size=10.5, weight="bold")


def _write_chart(sheet: _Sheet, timeline: Timeline) -> None:
    """The timeline chart, and beside it what each visit says."""
    height = chart_height_in(timeline)
    page = sheet.reserve(height)
    width = A4_IN[0]
    above = A4_IN[1] - sheet.below_in
    grid = page.add_gridspec(
        3,
        3,
        width_ratios=[SIDE_IN - 0.14, WIDTH_IN, width - WIDTH_IN - SIDE_IN + 0.14],
        height_ratios=[above, height, A4_IN[1] - above - height],
    )
    draw_timeline_on(page.add_subfigure(grid[1, 1]), timeline, heading=False)
    top, left = sheet.below_in, SIDE_IN + WIDTH_IN
    column = (left, width - SIDE_IN - left)
    sheet.gap()
    for visit in timeline.visits[:1]:
        sheet.text(short_date(visit.visit_date), size=8.5, weight="bold", column=column)
        level = tr("{percent}, baseline", percent=percent(visit.coverage_fraction))
        sheet.text(level, size=8.5, column=column)
    for change in timeline.changes[-9:]:
        sheet.gap(0.4)
        _write_change(sheet, change, column)
    sheet.below_in = (
        min(sheet.below_in, top - height) if sheet.pages[-1] is page else sheet.below_in
    )


def _write_change(sheet: _Sheet, change: Change, column: tuple[float, float]) -> None:
    words = VERDICT_WORDS[change.verdict]
    sheet.text(short_date(change.visit_date), size=8.5, weight="bold", column=column)
    if change.verdict is not Verdict.NOT_COMPARABLE:
        sheet.text(change_words(change), size=7.6, column=column)
    if change.tier is Tier.B:
        sheet.text(less_sure(change.aligned_by), size=7.6, colour=QUIET_INK, column=column)
    colour = VERDICT_COLOUR.get(change.verdict, QUIET_INK)
    sheet.text(f"{words.sign} {tr(words.words)}", size=8.5, colour=colour, column=column)


def _write_pictures(
    sheet: _Sheet, follow_ups: Sequence[FollowUpPictures], read_picture: ReadPicture
) -> None:
    """Reference, latest visit seen from the same place, and where hair was gained and lost."""
    if not follow_ups:
        return
    latest = max(follow_ups, key=lambda each: (each.visit_date, -(each.replicate or 0)))
    labelled = (
        (latest.baseline, tr("reference")),
        (latest.aligned, short_date(latest.visit_date)),
        (latest.gain_loss, tr("blue: more hair, orange: less")),
    )
    shown = [(read_picture(name), label) for name, label in labelled if name]
    pictures = [(_halved(pixels), label) for pixels, label in shown if pixels is not None]
    if not pictures:
        return
    sheet.gap()
    tallest = max(pixels.shape[0] / pixels.shape[1] for pixels, _ in pictures) * PICTURE_IN
    page = sheet.reserve(tallest + 0.25)
    for index, (pixels, label) in enumerate(pictures):
        left = SIDE_IN + index * (PICTURE_IN + 0.23)
        height = PICTURE_IN * pixels.shape[0] / pixels.shape[1]
        place = (left / A4_IN[0], sheet.below_in / A4_IN[1])
        page.text(*place, label, size=8.5, color=QUIET_INK, va="top")
        bottom = sheet.below_in - 0.2 - height
        axes = page.add_axes(
            (left / A4_IN[0], bottom / A4_IN[1], PICTURE_IN / A4_IN[0], height / A4_IN[1])
        )
        axes.imshow(pixels, interpolation="none", aspect="auto")
        axes.set_axis_off()
    sheet.below_in -= tallest + 0.25


def _halved(pixels: ImageArray) -> ImageArray:
    """The picture at half its size: 200 dpi on paper."""
    height, width = (side // 2 * 2 for side in pixels.shape[:2])
    blocks = pixels[:height, :width].reshape(height // 2, 2, width // 2, 2, 3)
    return np.asarray(np.rint(blocks.mean(axis=(1, 3))), dtype=np.uint8)


def _write_zones(sheet: _Sheet, section: TimelineSection) -> None:
    """The latest coverage and change of each zone that is given."""
    given = [(each, each.timeline) for each in section.zones if each.timeline is not None]
    if not given:
        return
    _heading(sheet, tr("Zones of the scalp (borders are estimated from an average head)"))
    for zone, timeline in given:
        if timeline.visits:
            sheet.text(_zone_words(zone, timeline), size=8.5)


def _zone_words(zone: ZoneTimeline, timeline: Timeline) -> str:
    """Write the latest coverage and change of a zone."""
    visit = timeline.visits[-1]
    line = tr(
        "{zone}, {day}: {percent} ({low} to {high} %)",
        zone=zone.zone,
        day=short_date(visit.visit_date),
        percent=percent(visit.coverage_fraction),
        low=points(visit.low_fraction),
        high=points(visit.high_fraction),
    )
    change = next((c for c in timeline.changes if c.visit_date == visit.visit_date), None)
    if change is not None:
        verdict = tr(VERDICT_NAMES[change.verdict])
        words = tr(
            "{change} from baseline: {verdict}", change=change_words(change), verdict=verdict
        )
        line += f", {words}"
    least_sure = visit if change is None or change.tier is None else change
    if least_sure.tier is Tier.B:
        line += f", {less_sure(least_sure.aligned_by)}"
    seen = tr("{percent} % of the zone is seen.", percent=f"{100 * zone.seen_fraction:.0f}")
    return f"{line}; {seen}"


def _rough_salt(estimate: SaltEstimate) -> str:
    """Say that an estimate rests on an alignment of tier B."""
    if estimate.tier is not Tier.B:
        return ""
    return f" {sentence_case(less_sure(estimate.aligned_by))}."


def _write_files(sheet: _Sheet, context: ReportContext) -> None:
    """Counts, SALT estimates and where the numbers come from."""
    sheet.turn()
    sheet.text(tr("About this report"), size=16, weight="bold")
    sheet.gap()
    for each in context.salt:
        words = tr(
            "SALT estimate, {subject}, {day}: {salt} ({low} to {high}). Every part of the scalp "
            "without visible hair counts as loss; it is no clinician's score.",
            subject=each.subject,
            day=short_date(each.visit_date),
            salt=f"{each.salt:.0f}",
            low=f"{each.low:.0f}",
            high=f"{each.high:.0f}",
        )
        sheet.text(f"{words}{_rough_salt(each)}")
    counts = [
        f"{sum(outcome.status is status for outcome in context.outcomes)} {status_words(status)}"
        for status in Status
    ]
    total = len(context.outcomes)
    sheet.text(tr("{files} files: {counts}.", files=total, counts=", ".join(counts)))
    for note in context.notes:
        sheet.text(note)
    _heading(sheet, tr("Where the numbers come from"))
    for label, value in context.provenance:
        sheet.text(f"{label}: {value}", size=8.5)
