"""Counts with their shares, for the tables of benchmarks."""

from __future__ import annotations

from scalptrack.study.statistics import proportion


def interval(hits: int, count: int) -> tuple[float, float]:
    """Exact 95 % interval of a share (Clopper and Pearson), in percent."""
    found = proportion(hits, count).times(100)
    return found.low, found.high


def share(hits: int, count: int) -> str:
    """A count with its interval."""
    if not count:
        return "0 of 0"
    low, high = interval(hits, count)
    return f"{hits} of {count} ({low:.0f} to {high:.0f} %)"
