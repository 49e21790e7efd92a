"""The weights of a shipped ONNX file as a checkpoint, so that it can be trained on or joined.

Export folds batch normalisation into the convolutions before it. Here the kernels are brought back
to the size of those that no normalisation was folded into, with a normalisation that takes that out
again, so that the network answers the same. Without it they are a tenth as large, and a step of the
optimiser, which does not depend on their size, spoils in a few hundred batches what they knew.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from lab.training.export import HALF
from lab.training.network import Segmenter

_FOLDED = (
    ["stem.0", "stem.3.0"]
    + [f"down.{level}.{part}.0" for level in range(4) for part in (0, 1)]
    + ["around.0.0", "around.1.0"]
    + [f"join.{level}.0" for level in range(4)]
)
"""Convolutions with a normalisation folded into them, in the order of the graph."""

EPSILON = 1e-5

KERNEL_SD = 0.25
"""Standard deviation of each kernel: about that of the shipped file's transposed convolutions, into
which nothing was folded."""


def restore(path: Path, checkpoint: Path) -> Path:
    """Write the weights of a single network's ONNX file as a checkpoint of `lab.training.train`.

    Parameters
    ----------
    path : Path
        Written by `lab.training.export` from one checkpoint.
    checkpoint : Path
        Where the averaged weights go.

    Returns
    -------
    Path
        The checkpoint.

    Raises
    ------
    ValueError
        When the file isn't a network of this shape.
    """
    graph = onnx.load(str(path)).graph
    stored = {
        each.name.removesuffix(HALF): torch.from_numpy(
            np.array(numpy_helper.to_array(each), np.float32)
        )
        for each in graph.initializer
    }
    convolutions = [
        node.input
        for node in graph.node
        if node.op_type == "Conv" and node.input[1].startswith("onnx::")
    ]
    if len(convolutions) != len(_FOLDED):
        raise ValueError(
            f"{path} holds {len(convolutions)} folded convolutions, not {len(_FOLDED)}"
        )
    weights = dict(zip(_FOLDED, (stored[each[1]] for each in convolutions), strict=True))
    levels = ("stem.0", *(f"down.{level}.0.0" for level in range(4)))
    maps = stored["network.answer.weight"].shape[1]
    network = Segmenter(tuple(len(weights[name]) for name in levels), maps)
    state = network.state_dict()
    # The coarse answers, which guide training only, are not in the file: they begin at nothing, so
    # that what they have yet to learn does not disturb the layers that they guide.
    for name in state:
        if name.startswith("coarse."):
            state[name] = torch.zeros_like(state[name])
    for name, (_, weight, bias) in zip(_FOLDED, convolutions, strict=True):
        stem, last = name.rsplit(".", 1)
        norm = f"{stem}.{int(last) + 1}"
        larger = KERNEL_SD / stored[weight].flatten(1).std(1).clamp(min=1e-4)
        state[f"{name}.weight"] = stored[weight] * larger[:, None, None, None]
        state[f"{norm}.weight"] = torch.sqrt(larger**2 + EPSILON) / larger
        state[f"{norm}.bias"] = stored[bias]
        state[f"{norm}.running_mean"] = torch.zeros_like(stored[bias])
        state[f"{norm}.running_var"] = larger**2
    for name, value in stored.items():
        if name.startswith("network."):
            state[name.removeprefix("network.")] = value
    network.load_state_dict(state)
    torch.save({"average": network.state_dict()}, checkpoint)
    return checkpoint
