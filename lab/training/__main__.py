"""Train, export, evaluate: ``python -m lab.training --help``."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import torch

from lab.training.aims import AIMS
from lab.training.export import export
from lab.training.network import WIDTHS
from lab.training.recipe import Recipe, make
from lab.training.train import OPTIMISERS, Plan, train
from scalptrack.segmentation.crops import INPUT_PX
from scalptrack.segmentation.network import MODEL_NAMES

MODEL_FOLDER = Path("scalptrack/segmentation/model")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    teach = commands.add_parser("train", help="train; continues when the checkpoint exists")
    teach.add_argument("shards", type=Path, nargs="+")
    teach.add_argument("--out", type=Path, required=True)
    teach.add_argument("--cycles", type=Path, nargs="*", default=[], help="Cycles photographs")
    teach.add_argument("--iterations", type=int, default=14000)
    teach.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    teach.add_argument("--warm-up", type=int, default=100, help="batches until the rate is full")
    teach.add_argument("--decay", type=float, default=0.4)
    teach.add_argument("--cycles-share", type=float, default=0.5)
    teach.add_argument("--start-from", type=Path, help="checkpoint whose weights to begin with")
    teach.add_argument("--compile", action="store_true", help="compile the step first: faster")
    teach.add_argument("--fixed-norms", action="store_true", help="keep the running statistics")
    teach.add_argument("--aim", choices=sorted(AIMS), default="heads", help="what it is to do")
    teach.add_argument("--widths", type=int, nargs=5, default=WIDTHS, help="channels per level")
    teach.add_argument("--optimiser", choices=sorted(OPTIMISERS), default="adamw")
    teach.add_argument("--threads", type=int, default=1)
    teach.add_argument("--seed", type=int, default=0)
    whole = commands.add_parser("all", help="render, train and export in one go; resumable")
    whole.add_argument("work", type=Path)
    whole.add_argument("--bpy", required=True, help="interpreter whose environment has bpy")
    whole.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    ship = commands.add_parser("export", help="write the ONNX file and its checksum")
    ship.add_argument("checkpoint", type=Path)
    ship.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    ship.add_argument("--name", choices=MODEL_NAMES, default=MODEL_NAMES[0])
    back = commands.add_parser("restore", help="an exported network as a checkpoint")
    back.add_argument("file", type=Path)
    back.add_argument("checkpoint", type=Path)
    mean = commands.add_parser("average", help="a network between two, one trained on from another")
    mean.add_argument("before", type=Path)
    mean.add_argument("after", type=Path)
    mean.add_argument("out", type=Path)
    mean.add_argument("--share", type=float, default=0.5, help="weight of the second")
    judge = commands.add_parser("evaluate", help="tables on held-out seeds or on lab/phantom")
    judge.add_argument("--model", type=Path, default=MODEL_FOLDER / "scalpnet.onnx")
    judge.add_argument("--shards", type=Path, nargs="*", default=[])
    judge.add_argument("--phantom", type=Path, nargs="*", default=[])
    judge.add_argument("--limit", type=int, default=300)
    judge.add_argument("--size", type=int, default=INPUT_PX)
    return parser


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if options.command == "train":
        torch.set_num_threads(options.threads)
        plan = Plan(
            options.iterations,
            rate=options.rate,
            warm_up=options.warm_up,
            decay=options.decay,
            cycles_share=options.cycles_share,
            seed=options.seed,
            aim=options.aim,
            widths=tuple(options.widths),
            optimiser=options.optimiser,
        )
        train(
            options.shards,
            options.cycles,
            options.out,
            plan,
            start_from=options.start_from,
            compiled=options.compile,
            fixed_norms=options.fixed_norms,
        )
    elif options.command == "all":
        print(make(Recipe(), options.work, options.bpy, options.folder))
    elif options.command == "export":
        print(export(options.checkpoint, options.folder, options.name))
    elif options.command == "restore":
        from lab.training.restore import restore

        print(restore(options.file, options.checkpoint))
    elif options.command == "average":
        from lab.training.average import average

        print(average(options.before, options.after, options.out, options.share))
    else:
        from lab.training.evaluate import print_tables

        print_tables(options.model, options.shards, options.phantom, options.limit, options.size)


if __name__ == "__main__":
    main()
