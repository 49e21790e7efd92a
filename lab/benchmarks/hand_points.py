"""What an alignment by points set by hand is worth, and which nonsense passes its gates.

    python -m lab.benchmarks.hand_points [--heads 3] [--trials 4]

Heads are the ray-cast ones of tests/registration/synthetic.py, with their exact segmentation: the
network plays no part. Pairs of points are drawn on the scalp that both photographs show and get the
error of a hand (SD per axis, % of the head's width). Printed are how many are accepted, the target
registration error of the accepted ones over the scalp (median over points; median and 95th
percentile over trials, % of the head's width), and how far the resampled transforms scatter at the
same points, which has to be about as much. Then the same for pairs that are wrong in known ways.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from scalptrack.records import FloatArray, Registration
from scalptrack.registration import HeadFeatures, extract_features, register_by_hand
from tests.registration.synthetic import Rendered, Shot, Subject, render, true_points

TURNS = ((4.0, -3.0, 3.0), (9.0, -6.0, 6.0), (-14.0, 8.0, -10.0))
ERRORS_PERCENT = (0.5, 1.0, 2.0)
COUNTS = (4, 6, 10)
NONSENSE = ("shuffled", "two swapped", "random", "mirrored", "one off by 15 %", "clustered")
FOCAL_35MM = 50.0


@dataclass(eq=False)
class Pair:
    """A reference and a moving photograph of one head."""

    reference: Rendered
    moving: Rendered
    features: tuple[HeadFeatures, HeadFeatures]

    @property
    def width_px(self) -> float:
        return self.features[1].head_width_px

    def register(self, here: FloatArray, there: FloatArray, *, resamples: int) -> Registration:
        return register_by_hand(*self.features, here, there, resamples=resamples)

    def spread_points(self, count: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Points as a person would spread them: the widest of a few draws."""
        best: tuple[float, FloatArray, FloatArray] | None = None
        for _ in range(8):
            here, there = true_points(
                self.reference, self.moving, 3 * count, int(rng.integers(1e9))
            )
            here, there = here[:count], there[:count]
            centred = here - here.mean(axis=0)
            spread = float(np.linalg.svd(centred, compute_uv=False)[-1])
            if len(here) == count and (best is None or spread > best[0]):
                best = spread, here, there
        assert best is not None
        return best[1], best[2]


def rendered_pairs(heads: int) -> list[Pair]:
    """Every head in its reference pose and in three others."""
    found = []
    for seed in range(30, 30 + heads):
        reference = render(Subject(seed), Shot())
        before = _features(reference)
        for index, turn in enumerate(TURNS):
            moving = render(
                Subject(seed), Shot(rotation_deg=turn, shift=(0.05, 0.03), noise_seed=index + 5)
            )
            found.append(Pair(reference, moving, (before, _features(moving))))
    return found


def _features(rendered: Rendered) -> HeadFeatures:
    features = extract_features(rendered.image, rendered.segmentation, focal_length_35mm=FOCAL_35MM)
    assert features is not None
    return features


def tre_percent(result: Registration, pair: Pair) -> tuple[float, float]:
    """Median target registration error, and median scatter of the resampled transforms."""
    here, there = true_points(pair.reference, pair.moving, 300, 1)
    assert result.transform is not None
    mapped = result.transform.map_points(here)
    error = np.linalg.norm(mapped - there, axis=1)
    others = np.stack([each.map_points(here) for each in result.resampled])
    apart = np.sum((others - mapped) ** 2, axis=2)
    scatter = np.sqrt(np.nanmean(apart[:, np.isfinite(apart).any(axis=0)], axis=0))
    scale = 100.0 / pair.width_px
    return scale * float(np.nanmedian(error)), scale * float(np.nanmedian(scatter))


def wrong(kind: str, pair: Pair, there: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The moving points, made wrong in one way."""
    moved = there.copy()
    match kind:
        case "shuffled":
            return np.roll(moved, int(rng.integers(1, len(moved))), axis=0)
        case "two swapped":
            moved[[0, 1]] = moved[[1, 0]]
        case "random":
            _, elsewhere = true_points(pair.reference, pair.moving, 200, int(rng.integers(1e9)))
            return elsewhere[rng.choice(len(elsewhere), len(moved), replace=False)]
        case "mirrored":
            centre = pair.features[1].outline.shape.centre_px[0]
            moved[:, 0] = 2 * centre - moved[:, 0]
        case "one off by 15 %":
            angle = rng.uniform(0, 2 * np.pi)
            moved[0] += 0.15 * pair.width_px * np.array([np.cos(angle), np.sin(angle)])
    return moved


def careful(pairs: list[Pair], trials: int, rng: np.random.Generator) -> None:
    print("pairs  error  accepted   TRE median   95 %   scatter")
    for count in COUNTS:
        for error in ERRORS_PERCENT:
            tre, scatter, tried = [], [], 0
            for pair in pairs:
                for _ in range(trials):
                    here, there = pair.spread_points(count, rng)
                    noise = rng.normal(0.0, error / 100 * pair.width_px, (2, count, 2))
                    result = pair.register(here + noise[0], there + noise[1], resamples=6)
                    tried += 1
                    if result.registered:
                        one = tre_percent(result, pair)
                        tre.append(one[0])
                        scatter.append(one[1])
            if tre:
                print(
                    f"{count:5d} {error:5.1f} % {len(tre):4d}/{tried:<4d} {np.median(tre):8.2f} % "
                    f"{np.percentile(tre, 95):6.2f} % {np.median(scatter):7.2f} %"
                )


def nonsense(pairs: list[Pair], trials: int, rng: np.random.Generator) -> None:
    print("nonsense          pairs  accepted   TRE of the accepted (largest)   refused because")
    for kind in NONSENSE:
        for count in COUNTS:
            tre: list[float] = []
            codes: dict[str, int] = defaultdict(int)
            tried = 0
            for pair in pairs:
                for _ in range(trials):
                    here, there = pair.spread_points(count, rng)
                    if kind == "clustered":
                        near = 0.05 * pair.width_px * rng.normal(size=(count, 2))
                        here, there = here[:1] + near, there[:1] + near
                    result = pair.register(here, wrong(kind, pair, there, rng), resamples=2)
                    tried += 1
                    if result.registered:
                        tre.append(tre_percent(result, pair)[0])
                    elif result.reason is not None:
                        codes[result.reason.code] += 1
            worst = f"{max(tre):.1f} %" if tre else "-"
            said = ", ".join(f"{code} {number}" for code, number in sorted(codes.items()))
            print(f"{kind:18s}{count:5d} {len(tre):5d}/{tried:<4d} {worst:>10s}   {said}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=3)
    parser.add_argument("--trials", type=int, default=4)
    arguments = parser.parse_args()
    pairs = rendered_pairs(arguments.heads)
    rng = np.random.default_rng(20260101)
    careful(pairs, arguments.trials, rng)
    nonsense(pairs, arguments.trials, rng)


if __name__ == "__main__":
    main()
