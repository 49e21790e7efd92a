"""The whole way to a network in one command: render with both renderers, train, export.

Run: ``python -m lab.training all FOLDER --bpy PYTHON``, where PYTHON is an interpreter (3.11) whose
environment has ``bpy``. Every step is resumable: run it again after an interruption.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab.strands.scene import SIZE_PX, shows
from lab.strands.shards import generate
from lab.training.export import export
from lab.training.train import Plan, train
from scalptrack.segmentation.network import MODEL_NAMES


@dataclass(frozen=True, slots=True)
class Recipe:
    """How much is rendered and how long is trained.

    Attributes
    ----------
    first_shard, shards : int
        Which shards of lab/strands (their held-out seeds are not rendered).
    first_portrait_shard, portrait_shards : int
        Shards of which only the portraits are rendered.
    photographs : int
        Cycles photographs, one person each (`lab.training.renders`).
    iterations : int
        Batches of the training.
    """

    first_shard: int = 3000
    shards: int = 100
    first_portrait_shard: int = 4000
    portrait_shards: int = 45
    photographs: int = 250
    iterations: int = 36_000


def make(recipe: Recipe, work: Path, bpy_python: str, model_folder: Path) -> Path:
    """Render, train and export.

    Parameters
    ----------
    recipe : Recipe
        What to do.
    work : Path
        Where renders and the checkpoint go; several gigabytes.
    bpy_python : str
        Interpreter that renders with Cycles.
    model_folder : Path
        Where the network and its checksum go.

    Returns
    -------
    Path
        The exported network.
    """
    strands, portraits, cycles = work / "strands", work / "portraits", work / "cycles"
    generate(strands, recipe.first_shard, recipe.shards, SIZE_PX, all_seeds=False)
    first, count = recipe.first_portrait_shard, recipe.portrait_shards
    generate(portraits, first, count, SIZE_PX, all_seeds=False, wanted=partial(shows, "portrait"))
    command = [bpy_python, "-m", "lab.training.renders", "--out", str(cycles)]
    subprocess.run([*command, "--count", str(recipe.photographs)], check=True)
    plan = Plan(recipe.iterations, rate=1e-3, decay=0.5, cycles_share=0.4)
    checkpoint = train([strands, portraits], [cycles], work / "network.pt", plan)
    return export(checkpoint, model_folder, MODEL_NAMES[0])
