"""Train the network with pictures of both renderers; resumable, with averaged weights."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from lab.training.aims import AIMS
from lab.training.batches import draw_batch
from lab.training.cycles import Photographs
from lab.training.dataset import Pictures
from lab.training.losses import TERMS, Targets, losses
from lab.training.muon import Muon
from lab.training.network import WIDTHS, Segmenter, network_of, parameter_count, widened

SIZES = ((320, 4), (192, 9))
"""Side in pixels and pictures of the batches, in turn: whole heads, and parts at their scale."""

REFRESH_EVERY = 200

WEIGHT_DECAY = 1e-3

OPTIMISERS: dict[str, Callable[[Iterable[nn.Parameter], float], torch.optim.Optimizer]] = {
    "adamw": lambda parameters, rate: torch.optim.AdamW(
        parameters, lr=rate, weight_decay=WEIGHT_DECAY
    ),
    "muon": lambda parameters, rate: Muon(parameters, rate, WEIGHT_DECAY),
}
"""By name, given what is trained and the learning rate."""


def half_precision_is_fast() -> bool:
    """Whether this processor computes bfloat16 itself; emulated, it takes ten times as long."""
    return torch.backends.cpu.get_cpu_capability().startswith("AVX512")


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to train.

    Attributes
    ----------
    iterations : int
        Batches in all.
    pairs : int
        How many pictures of a batch show a scene a second time.
    rate : float
        Learning rate; constant after the warm-up, falling to zero over the last `decay` share.
    warm_up : int
        Batches over which the rate rises.
    decay : float
        Share of the iterations over which the rate falls.
    cycles_share : float
        Share of a batch that comes from Cycles, where there are such photographs.
    seed : int
        Of weights and batches.
    aim : str
        Name of what is trained for (`lab.training.aims.AIMS`).
    widths : tuple of int
        Channels of the network, see `Segmenter`.
    optimiser : str
        ``adamw`` or ``muon``.
    """

    iterations: int
    pairs: int = 1
    rate: float = 2e-3
    warm_up: int = 100
    decay: float = 0.4
    cycles_share: float = 0.5
    seed: int = 0
    aim: str = "heads"
    widths: tuple[int, ...] = WIDTHS
    optimiser: str = "adamw"

    def rate_at(self, iteration: int) -> float:
        """Learning rate of an iteration."""
        left = (self.iterations - iteration) / max(1.0, self.decay * self.iterations)
        return self.rate * min(1.0, (iteration + 1) / self.warm_up, max(left, 0.01))


class _Batches(Dataset[tuple[Tensor, ...]]):
    """The batch of each iteration, drawn in a process of its own while the network learns."""

    def __init__(self, shards: list[Path], cycles: list[Path], plan: Plan) -> None:
        self._pictures = Pictures(shards, held_out=False)
        self._photographs = Photographs(cycles)
        self._plan = plan

    @property
    def counts(self) -> tuple[int, int]:
        """Strand pictures and Cycles photographs that were there at the start."""
        return len(self._pictures.items), len(self._photographs.items)

    def __getitem__(self, iteration: int) -> tuple[Tensor, ...]:
        if iteration % REFRESH_EVERY == 0:
            self._pictures.refresh()
            self._photographs.refresh()
        plan = self._plan
        rng = np.random.default_rng([plan.seed, iteration])
        size, count = SIZES[iteration % len(SIZES)]
        images, truth = draw_batch(
            rng,
            self._pictures,
            self._photographs,
            size,
            count,
            plan.pairs,
            plan.cycles_share,
            AIMS[plan.aim],
        )
        maps = (
            np.stack([getattr(each, name) for each in truth])
            for name in ("classes", "fraction", "region", "cosine")
        )
        return torch.from_numpy(images), *(torch.from_numpy(each) for each in maps)


def _average(average: nn.Module, network: nn.Module, keep: float) -> None:
    """Move averaged weights towards the present ones; running statistics as well."""
    with torch.no_grad():
        for old, new in zip(
            average.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if old.dtype.is_floating_point:
                old.lerp_(new, 1 - keep)
            else:
                old.copy_(new)


def train(
    shards: list[Path],
    cycles: list[Path],
    out: Path,
    plan: Plan,
    *,
    start_from: Path | None = None,
    save_every: int = 200,
    compiled: bool = False,
    fixed_norms: bool = False,
) -> Path:
    """Train, saving the state as it goes; continues from `out` when it is there.

    Parameters
    ----------
    shards, cycles : list of Path
        Folders of strand shards and of Cycles photographs; what is added while training runs is
        picked up.
    out : Path
        Checkpoint file.
    plan : Plan
        Length, batch, rate and seed.
    start_from : Path, optional
        Checkpoint whose averaged weights a new training begins with; its network may be narrower.
    save_every : int
        Iterations between checkpoints.
    compiled : bool
        Compile the step first, which takes two minutes and a C++ compiler, and then saves a fifth
        to a third of the time.
    fixed_norms : bool
        Normalise with the running statistics that the network began with instead of those of each
        small batch, whose noise the finished network does not see.

    Returns
    -------
    Path
        The checkpoint.
    """
    torch.manual_seed(plan.seed)
    network = Segmenter(plan.widths)
    if start_from is not None and not out.exists():
        given = network_of(torch.load(start_from, weights_only=True)["average"])
        network = widened(given, network)
        print(f"from {start_from.name}: {given.widths} to {network.widths}")
    half = half_precision_is_fast()
    layout = torch.channels_last if half else torch.contiguous_format
    network = network.to(memory_format=layout)  # type: ignore[call-overload]
    average = copy.deepcopy(network)
    optimiser = OPTIMISERS[plan.optimiser](network.parameters(), plan.rate)
    start = 0
    if out.exists():
        state = torch.load(out, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        start = int(state["iteration"])
    weights = AIMS[plan.aim].weights
    shares = torch.tensor([weights.get(name, 1.0) for name in TERMS])
    if not any(head.weight.any() for head in network.coarse):
        # What untaught coarse answers ask of the deeper layers would spoil those.
        shares[TERMS.index("coarse")] = 0
    batches = _Batches(shards, cycles, plan)
    pictures, photographs = batches.counts
    print(
        f"{parameter_count(network)} parameters, {pictures} strand pictures, "
        f"{photographs} Cycles photographs, from {start}",
        flush=True,
    )
    network.train()
    if fixed_norms:
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()

    def terms_of(images: Tensor, targets: Targets) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            raw, coarse = network.answers(images)
        return losses(raw.float(), [each.float() for each in coarse], targets, plan.pairs)

    step = torch.compile(terms_of, dynamic=False) if compiled else terms_of
    sums = torch.zeros(len(TERMS))
    clock = time.perf_counter()
    order = range(start, plan.iterations)
    loader = DataLoader(batches, batch_size=None, sampler=order, num_workers=1, prefetch_factor=6)
    for iteration, (images, *maps) in zip(order, loader, strict=True):
        batch = images.to(memory_format=layout)
        for group in optimiser.param_groups:
            group["lr"] = plan.rate_at(iteration)
        terms = step(batch, Targets(*maps))
        optimiser.zero_grad()
        (shares * terms).sum().backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        _average(average, network, min(0.998, (iteration + 1) / (iteration + 10)))
        sums += terms.detach()
        done = iteration + 1
        if done % 100 == 0:
            means = zip(TERMS, (sums / 100).tolist(), strict=True)
            line = " ".join(f"{name} {value:.3f}" for name, value in means)
            print(f"{done} {(time.perf_counter() - clock) / 100:.2f} s/it {line}", flush=True)
            sums, clock = torch.zeros(len(TERMS)), time.perf_counter()
        if done % save_every == 0 or done == plan.iterations:
            temporary = out.with_suffix(".part")
            state = {
                "network": network.state_dict(),
                "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
                "iteration": done,
                "plan": asdict(plan),
                "pictures": pictures,
                "photographs": photographs,
            }
            torch.save(state, temporary)
            temporary.rename(out)
    return out
