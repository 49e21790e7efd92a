"""How far a number may be off, and what that is made of: in words, and in a table."""

from __future__ import annotations

from dataclasses import dataclass

from scalptrack.longitudinal.components import TIER_B_SD_FACTOR
from scalptrack.records import ErrorParts, Timeline
from scalptrack.translation import marked, number, tr
from scalptrack.wording import points

SD_SOURCE_WORDS = {
    "subject": marked("from repeated photographs of this view"),
    "pooled": marked("from repeated photographs of the whole run"),
    "prior": marked("assumed, because there are too few repeated photographs"),
}
FLOOR_WORDS = marked(
    "from copies of each photograph in other light, colour, sharpness and size, and from how "
    "surely it is aligned, which move the number more than repeated photographs say"
)


@dataclass(frozen=True, slots=True)
class PrecisionRow:
    """One part of the error: one SD and its degrees of freedom as text, and where it is from."""

    part: str
    sd: str
    degrees: str
    source: str


def precision_words(timeline: Timeline) -> str:
    """Write how far one photograph may be off, why, and which change can be told."""
    parts = timeline.error_parts
    if parts is None:
        return ""
    return tr(
        "Compared with other photographs of this view, one photograph may be off by {photograph} "
        "points (one standard deviation). Two things make that up: how much photographs of one "
        "visit differ ({within} points, {source}), and how surely hair can be told from skin in "
        "these photographs ({shared} points). Taking more photographs per visit makes the first "
        "smaller, and not the second. Between two single photographs, looked at once, a change of "
        "{mdc} points is the smallest that can be told from measurement error (MDC95); it is "
        "itself known to lie between {low} and {high} points.",
        photograph=points(parts.photograph_sd_fraction),
        within=points(timeline.within_sd_fraction),
        source=_within_source(timeline, parts),
        shared=points(parts.shared_sd_fraction),
        mdc=points(timeline.mdc_fraction),
        low=points(timeline.mdc_low_fraction),
        high=points(timeline.mdc_high_fraction),
    )


def precision_rows(timeline: Timeline) -> tuple[PrecisionRow, ...]:
    """What intervals and detectable changes are made of, part by part; points, one SD each."""
    parts = timeline.error_parts
    if parts is None:
        return ()
    return (
        PrecisionRow(
            tr("a: replicates of one visit"),
            points(parts.replicate_sd_fraction),
            number(timeline.sd_degrees_of_freedom, "g"),
            tr(SD_SOURCE_WORDS[timeline.sd_source]),
        ),
        PrecisionRow(
            tr("b: perturbed copies"),
            points(parts.perturbation_sd_fraction),
            "",
            tr(
                "each photograph in other exposure, white balance, blur and size (root mean square)"
            ),
        ),
        PrecisionRow(
            tr("c: alignment"),
            points(parts.registration_sd_fraction),
            "",
            tr("the region carried by other transforms that fit as well (root mean square)"),
        ),
        PrecisionRow(
            tr("d: within a visit"),
            points(timeline.within_sd_fraction),
            number(timeline.sd_degrees_of_freedom, "g"),
            tr("the larger of a, and of b and c together"),
        ),
        PrecisionRow(
            tr("e: shared by a visit"),
            points(parts.shared_sd_fraction),
            number(parts.shared_degrees_of_freedom, "g"),
            tr(
                "from the network’s doubt about what is hair, scaled to errors of changes on "
                "rendered people (root mean square)"
            ),
        ),
        PrecisionRow(
            tr("one photograph"),
            points(parts.photograph_sd_fraction),
            "",
            tr("d and e together; 1.96·√2 times it is the smallest detectable change (MDC95)"),
        ),
    )


def precision_rule(timeline: Timeline) -> str:
    """Write how the parts become the interval of a visit and the limit of a change."""
    degrees = timeline.effective_degrees_of_freedom or timeline.sd_degrees_of_freedom
    return tr(
        "In percentage points of coverage, one standard deviation each; variances add up. A "
        "visit’s variance is d² divided by its photographs, and e² of its own photographs. A "
        "photograph whose own b and c are larger than d has those in its place; of one that is "
        "aligned by the outline or by hand (tier B) this part is {factor} times as large. "
        "Intervals are Student’s t with {degrees} degrees of freedom (of d and e by their shares) "
        "around a visit or a change. “Detectable from” is the standard error of that change times "
        "the many-to-one (Dunnett) limit for all visits compared with the baseline. An error that "
        "is the same at every visit cancels in a change and is in none of these.",
        factor=number(TIER_B_SD_FACTOR, "g"),
        degrees=number(degrees, "g"),
    )


def _within_source(timeline: Timeline, parts: ErrorParts) -> str:
    """Where the part that photographs of one visit don't share is known from."""
    if timeline.within_sd_fraction > parts.replicate_sd_fraction:
        return tr(FLOOR_WORDS)
    return tr(SD_SOURCE_WORDS[timeline.sd_source])
