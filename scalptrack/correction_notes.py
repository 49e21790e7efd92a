"""What a reader of the results has to know of a reviewer's corrections: used, and left unused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scalptrack.corrections import Corrections, drawn_mask
from scalptrack.pipeline import Series
from scalptrack.records import Timeline
from scalptrack.translation import tr
from scalptrack.wording import printable


def with_correction_notes(
    timelines: Sequence[Timeline], series: Sequence[Series], corrections: Corrections
) -> tuple[Timeline, ...]:
    """Timelines with a note where the compared region is one that a person drew."""
    notes = {(each.subject, each.view): _region_note(each, corrections) for each in series}
    return tuple(
        replace(each, notes=(*each.notes, note))
        if (note := notes.get((each.subject, each.view)))
        else each
        for each in timelines
    )


def _region_note(series: Series, corrections: Corrections) -> str:
    """Say whose region is compared and how much of it all photographs show; empty without one."""
    if series.reference is None or series.region is None:
        return ""
    member = series.photographs[series.reference].member
    drawn = corrections.regions.get(member.photograph.sha256)
    if drawn is None or member.analysis.segmentation is None:
        return ""
    mask = drawn_mask(drawn, member.analysis.segmentation.grid)
    share = float(series.region.sum() / mask.sum()) if mask.any() else 0.0
    return tr(
        "Coverage is of the region that {who} drew on {name}; "
        "{share:.0%} of it can be measured in all photographs of this "
        "series. It is given no part in a SALT estimate, which needs "
        "the whole scalp of a view.",
        who=printable(drawn.who),
        name=printable(member.photograph.name),
        share=share,
    )


def without_drawn_regions(
    timelines: Sequence[Timeline], series: Sequence[Series], corrections: Corrections
) -> tuple[Timeline, ...]:
    """Timelines whose coverage is of all scalp that is seen, not of a part that a person drew."""
    drawn = {(each.subject, each.view) for each in series if _region_note(each, corrections)}
    return tuple(each for each in timelines if (each.subject, each.view) not in drawn)


def lost_corrections(series: Sequence[Series], corrections: Corrections) -> tuple[str, ...]:
    """Sentences on regions and points that no number rests on, each with the cause."""
    sentences = []
    for one in series:
        reference = None if one.reference is None else one.photographs[one.reference].member
        used = None if reference is None else reference.photograph.sha256
        for each in one.photographs:
            sha256 = each.member.photograph.sha256
            name = printable(each.member.photograph.name)
            if sha256 in corrections.regions and sha256 != used:
                sentences.append(
                    tr(
                        "The region drawn on {name} was not used, because {name} is "
                        "not the reference.",
                        name=name,
                    )
                )
            points = corrections.points.get(sha256)
            if points is None or sha256 in corrections.excluded:
                continue
            if points.reference_sha256 != used:
                sentences.append(
                    tr(
                        "The points set on {name} were not used: the photograph that "
                        "they were set against is not the reference.",
                        name=name,
                    )
                )
            elif each.member.analysis.features is None:
                sentences.append(
                    tr(
                        "The points set on {name} were not used: this photograph can't "
                        "be measured.",
                        name=name,
                    )
                )
    return tuple(sentences)
