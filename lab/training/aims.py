"""What a network is trained for: which crops it sees, and what it is asked to get right of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Aim:
    """Shares of the crops, and weights of the terms of the loss.

    Attributes
    ----------
    nobody : float
        Share of crops that show wood, fur, cloth or balls, and no head.
    skin : float
        Share of the crops around a face, a neck or a hand, as they are seen when taken for a head.
    loose : float
        Share of the crops anywhere around a person, of any size, as a search for a head sees them.
    everything : float
        Share of the others that show the whole picture.
    portraits : float
        Share of the draws that come from the portraits alone.
    least_scalp : float
        Share of a picture that must be scalp for it to be drawn.
    careless : float
        Share of the crops that are photographed with one fault or two.
    rough : float
        Share of the others in which all that a camera does is drawn from far.
    weights : mapping of str to float
        Factors of the terms of `lab.training.losses`; one where nothing is said.
    """

    nobody: float = 0.06
    skin: float = 0.08
    loose: float = 0.12
    everything: float = 0.2
    portraits: float = 0.2
    least_scalp: float = 0.0
    careless: float = 0.3
    rough: float = 0.15
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


AIMS = {
    "heads": Aim(),
    "hair": Aim(
        nobody=0.0,
        skin=0.01,
        loose=0.02,
        everything=0.03,
        portraits=0.0,
        least_scalp=0.03,
        careless=0.08,
        rough=0.08,
        weights=MappingProxyType(
            {"classes": 0.3, "region": 0.2, "cosine": 0.2, "coverage": 2.0, "patches": 2.0}
        ),
    ),
}
"""``heads`` finds heads in any picture and tells all parts; ``hair`` tells hair from scalp where a
head was found, in photographs that were taken with some care."""
