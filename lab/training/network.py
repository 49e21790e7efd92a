"""The segmentation network: a U-Net that works at half size and answers at full size."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CLASS_NAMES = ("background", "scalp skin", "hair", "other skin", "object")
MAPS = 9
"""Channels of the answer: five classes, hair fraction, scalp region, cosine of incidence, doubt."""

COARSE_MAPS = 7
"""Channels that the deep layers answer too: five classes, hair fraction, scalp region."""

DOUBT = 8
"""Channel of the doubt: how far the coverage around a pixel is expected to be from the truth."""

WIDTHS = (32, 64, 96, 144, 176)
"""Channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size."""

Weights = dict[str, Tensor]


def _block(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Segmenter(nn.Module):
    """Image (N, 3, H, W) in [0, 1] to raw maps (N, K, H, W); H and W multiples of 32.

    Parameters
    ----------
    widths : tuple of int
        Channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size.
    maps : int
        K; networks from before the doubt have one less.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS, maps: int = MAPS) -> None:
        super().__init__()
        self.widths = widths
        first, *deeper = widths
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, 4, 2, 1, bias=False), nn.BatchNorm2d(first), nn.ReLU(inplace=True),
            _block(first, first),
        )  # fmt: skip
        self.down = nn.ModuleList(
            nn.Sequential(_block(a, b, 2), _block(b, b))
            for a, b in zip(widths[:-1], deeper, strict=True)
        )
        deep = widths[-1]
        # Sees about the whole head: the colour of light, skin and hair, where the face is.
        # (A global mean would say as much, but OpenCV 5.0 can't add it back.)
        self.around = nn.Sequential(
            _block(deep, deep, dilation=2), _block(deep, deep, dilation=4),
            nn.Conv2d(deep, deep, 1),
        )  # fmt: skip
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(b, a, 2, 2, bias=False), nn.BatchNorm2d(a), nn.ReLU(inplace=True)
            )
            for a, b in reversed(list(zip(widths[:-1], deeper, strict=True)))
        )
        self.join = nn.ModuleList(_block(2 * a, a) for a in reversed(widths[:-1]))
        self.answer = nn.ConvTranspose2d(first, maps, 4, 2, 1)
        self.coarse = nn.ModuleList(nn.Conv2d(w, COARSE_MAPS, 1) for w in reversed(widths[1:]))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.around[2].weight)

    def forward(self, image: Tensor) -> Tensor:
        return self.answers(image)[0]

    def answers(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The answer, and coarse ones (no cosine) at 1/32 to 1/4 that guide training only."""
        x = self.stem((image - 0.45) * 4.0)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        x = x + self.around(x)
        coarse = []
        for up, join, skip, head in zip(
            self.up, self.join, reversed(skips), self.coarse, strict=True
        ):
            coarse.append(head(x))
            x = join(torch.cat([up(x), skip], 1))
        return self.answer(x), coarse


class Answer(nn.Module):
    """The network with its activations, as it is shipped."""

    def __init__(self, network: Segmenter) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        raw = self.network(image)
        return torch.cat([torch.softmax(raw[:, :5], 1), torch.sigmoid(raw[:, 5:])], 1)


def network_of(weights: Weights) -> Segmenter:
    """The network that some weights belong to, whatever its widths and maps are."""
    levels = [weights["stem.0.weight"], *(weights[f"down.{k}.0.0.weight"] for k in range(4))]
    network = Segmenter(tuple(len(level) for level in levels), weights["answer.weight"].shape[1])
    # Checkpoints from before the coarse answers lack those layers, which guide training only.
    network.load_state_dict(weights, strict=False)
    return network


def widened(narrow: Segmenter, wide: Segmenter) -> Segmenter:
    """Put the weights of a narrower network into a wider one, which then answers the same.

    The channels that are new are computed from all others, with the weights that the wide network
    began with; nothing that was there listens to them yet, but training can change that.

    Parameters
    ----------
    narrow, wide : Segmenter
        What to begin with, and what to fill, in place.

    Returns
    -------
    Segmenter
        `wide`.

    Raises
    ------
    ValueError
        When a level of `wide` is narrower than that of `narrow`.
    """
    if any(a > b for a, b in zip(narrow.widths, wide.widths, strict=True)):
        raise ValueError(f"{wide.widths} is not wider than {narrow.widths}")
    modules = dict(wide.named_modules())
    with torch.no_grad():
        for name, old in narrow.named_modules():
            new = modules[name]
            if isinstance(old, nn.BatchNorm2d) and isinstance(new, nn.BatchNorm2d):
                given, held = old.state_dict(), new.state_dict()
                for part in ("weight", "bias", "running_mean", "running_var"):
                    held[part][: old.num_features] = given[part]
            elif isinstance(old, nn.ConvTranspose2d) and isinstance(new, nn.ConvTranspose2d):
                _place(new, old, outputs=1)
            elif isinstance(old, nn.Conv2d) and isinstance(new, nn.Conv2d):
                halves = 2 if name.startswith("join") and name.endswith(".0") else 1
                _place(new, old, outputs=0, halves=halves)
    return wide


def _place(
    new: nn.Conv2d | nn.ConvTranspose2d,
    old: nn.Conv2d | nn.ConvTranspose2d,
    *,
    outputs: int,
    halves: int = 1,
) -> None:
    """Copy a kernel into the first channels; the inputs of a joint come in two halves."""
    to = new.weight.transpose(0, outputs)
    given = old.weight.transpose(0, outputs)
    count = len(given)
    to[:count] = 0
    wide, narrow = to.shape[1] // halves, given.shape[1] // halves
    for half in range(halves):
        part = given[:, half * narrow : (half + 1) * narrow]
        to[:count, half * wide : half * wide + narrow] = part
    if old.bias is not None and new.bias is not None:
        new.bias[:count] = old.bias


def parameter_count(network: nn.Module) -> int:
    """Number of trained parameters."""
    return sum(p.numel() for p in network.parameters())
