"""How much of a scalp's border lies along face and neck: the limit for what may be a scalp.

Run: ``python -m lab.benchmarks.border [--first 930000] [--count 300]``. Renders people of the fast
renderer and prints, per view, percentiles of the share of the border of the (true) visible scalp
along which other skin lies. `scalptrack.segmentation.maps.MAX_SKIN_AROUND` comes from it.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np

from lab.strands.scene import render
from scalptrack.segmentation.maps import skin_around_share

MIN_SCALP_SHARE = 0.01


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--first", type=int, default=930_000)
    parser.add_argument("--count", type=int, default=300)
    options = parser.parse_args()
    shares: dict[str, list[float]] = defaultdict(list)
    for seed in range(options.first, options.first + options.count):
        scene = render(seed, 256)
        if scene.region.mean() < MIN_SCALP_SHARE:
            continue
        inside = np.ones(scene.region.shape, dtype=bool)
        share = skin_around_share(scene.classes, scene.region, inside)
        shares[str(scene.facts["view"])].append(share)
        shares["all"].append(share)
    print("| view | heads | median | 90 % | 95 % | 99 % | largest |\n|---|---|---|---|---|---|---|")
    for view in sorted(shares):
        at = np.percentile(shares[view], [50, 90, 95, 99, 100])
        print(f"| {view} | {len(shares[view])} | " + " | ".join(f"{v:.2f}" for v in at) + " |")


if __name__ == "__main__":
    main()
