"""The mean of the weights of two networks, of which one went on from the other.

What a training goes on to learn it partly pays for with what it forgets. Halfway between the
weights before and after, both are largely kept [1]_.

References
----------
.. [1] Wortsman M, Ilharco G, Kim JW, et al. Robust fine-tuning of zero-shot models. CVPR 2022.
   doi:10.1109/CVPR52688.2022.00780
"""

from __future__ import annotations

from pathlib import Path

import torch


def average(before: Path, after: Path, out: Path, share: float = 0.5) -> Path:
    """Write a checkpoint between two.

    Parameters
    ----------
    before, after : Path
        Checkpoints of `lab.training.train` or `lab.training.restore`; their averaged weights count.
    out : Path
        Checkpoint to write.
    share : float
        Weight of `after`, in [0, 1].

    Returns
    -------
    Path
        The checkpoint.

    Raises
    ------
    ValueError
        When the networks are not of one shape.
    """
    first, second = (torch.load(each, weights_only=True)["average"] for each in (before, after))
    unlike = [
        name for name, value in second.items()
        if name not in first or first[name].shape != value.shape
    ]  # fmt: skip
    if unlike or len(first) != len(second):
        message = f"{before.name} and {after.name} are not of one shape: {unlike[:3]}"
        raise ValueError(message)
    between = {
        name: (1 - share) * first[name] + share * value if value.is_floating_point() else value
        for name, value in second.items()
    }
    torch.save({"average": between}, out)
    return out
