"""`python -m lab.phantom`: render one photograph, or a whole set; resumable."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from lab.phantom.datasets import bench_specs, dev_specs, registration_specs
from lab.phantom.publish import publish_samples
from lab.phantom.render import PhotographSpec, render_all
from lab.phantom.samples import sample_specs

SETS = {
    "dev": (dev_specs, "the development set"),
    "samples": (sample_specs, "what sample_images is made of, with its dense truth"),
    "bench": (bench_specs, "the benchmark set: skins, hairs, patterns and views, unseen subjects"),
    "registration": (
        registration_specs,
        "twenty heads, each moved, thinned, lit and combed anew",
    ),
}


def main() -> None:
    """Parse the command line and render what is missing."""
    parser = argparse.ArgumentParser(prog="python -m lab.phantom", description=__doc__)
    parser.add_argument("--threads", type=int, default=2, help="render threads (default 2)")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("render", help="one photograph from a JSON specification")
    one.add_argument("--spec", type=Path, required=True, help="fields of PhotographSpec as JSON")
    for name, (_, about) in SETS.items():
        commands.add_parser(name, help=about)
    publish = commands.add_parser("sample-images", help="assemble sample_images from `samples`")
    publish.add_argument("--work", type=Path, required=True, help="output folder of `samples`")
    for command in commands.choices.values():
        command.add_argument("--out", type=Path, required=True, help="folder to write to")
    options = parser.parse_args()
    if options.command == "sample-images":
        publish_samples(options.work, options.out)
        return
    if options.command == "render":
        specs = [PhotographSpec(**json.loads(options.spec.read_text()))]
    else:
        make_specs, _ = SETS[options.command]
        specs = make_specs()
    render_all(specs, options.out, threads=options.threads)


if __name__ == "__main__":
    main()
