"""An optimiser that turns the step of each kernel into an orthogonal one; AdamW for all else."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
BETAS = (0.9, 0.999)
RMS = 0.2
"""Root mean square of a step relative to the rate: about that of AdamW, so that rates agree."""

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5
_EPSILON = 1e-8
_KERNEL_DIMS = 4
_LEAST = 4


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest matrix whose singular values are all equal, near one.

    Parameters
    ----------
    matrix : Tensor, shape (R, C)
        Any matrix but zero.

    Returns
    -------
    Tensor, shape (R, C)
        Singular values between about 0.7 and 1.2: five rounds of a polynomial (Newton-Schulz), in
        half precision.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    found = (matrix.T if tall else matrix).bfloat16()
    found = found / (found.norm() + _EPSILON)
    first, third, fifth = _COEFFICIENTS
    for _ in range(_ROUNDS):
        square = found @ found.T
        found = first * found + (third * square + fifth * square @ square) @ found
    return (found.T if tall else found).float()


class Muon(torch.optim.Optimizer):
    """Momentum whose step is made orthogonal, for kernels; Adam for biases, norms and thin kernels.

    Parameters
    ----------
    parameters : iterable of Parameter
        What to train.
    rate : float
        Learning rate, as of AdamW.
    weight_decay : float
        Decay of kernels, relative to the rate.

    References
    ----------
    Liu et al., "Muon is scalable for LLM training", 2025, arXiv:2502.16982.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], rate: float, weight_decay: float
    ) -> None:
        super().__init__(list(parameters), {"lr": rate, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One step along the gradients that are there."""
        for group in self.param_groups:
            rate, decay = float(group["lr"]), float(group["weight_decay"])
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                if parameter.ndim == _KERNEL_DIMS and min(parameter.shape[:2]) > _LEAST:
                    parameter.mul_(1 - rate * decay)
                    parameter.add_(self._kernel_step(parameter), alpha=-rate)
                else:
                    parameter.add_(self._small_step(parameter), alpha=-rate)

    def _kernel_step(self, kernel: nn.Parameter) -> Tensor:
        state, gradient = self.state[kernel], kernel.grad
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(kernel)
        state["momentum"].lerp_(gradient, 1 - MOMENTUM)
        ahead = gradient.lerp(state["momentum"], MOMENTUM).flatten(1)
        size = RMS * max(ahead.shape) ** 0.5
        return (size * orthogonal(ahead)).view_as(kernel)

    def _small_step(self, parameter: nn.Parameter) -> Tensor:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if not state:
            state["mean"], state["square"] = (torch.zeros_like(parameter) for _ in range(2))
            state["count"] = torch.zeros(())
        state["count"] += 1
        count = float(state["count"])
        state["mean"].lerp_(gradient, 1 - BETAS[0])
        state["square"].lerp_(gradient.square(), 1 - BETAS[1])
        spread = (state["square"] / (1 - BETAS[1] ** count)).sqrt() + _EPSILON
        return state["mean"] / (1 - BETAS[0] ** count) / spread
