"""The segmentation network: a U-Net that works at half size and answers at full size."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CLASS_NAMES = ("background", "scalp skin", "hair", "other skin", "object")
MAPS = 8
"""Channels of the answer: five classes, hair fraction, scalp region, cosine of incidence."""

FRACTION = 5
"""Channel of the hair fraction."""


def _block(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Segmenter(nn.Module):
    """Image (N, 3, H, W) in [0, 1] to raw maps (N, 8, H, W); H and W multiples of 32.

    Parameters
    ----------
    widths : tuple of int
        Channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size.
    """

    def __init__(self, widths: tuple[int, ...] = (20, 40, 64, 96, 112)) -> None:
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
        self.answer = nn.ConvTranspose2d(first, MAPS, 4, 2, 1)
        self.coarse = nn.ModuleList(nn.Conv2d(w, MAPS - 1, 1) for w in reversed(widths[1:]))
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


class Pair(nn.Module):
    """Two networks as one: the maps of the first, with the mean of both hair fractions.

    Networks that learned from other pictures err in other places; what they agree on is surer.
    """

    def __init__(self, first: Segmenter, second: Segmenter) -> None:
        super().__init__()
        self.first = Answer(first)
        self.second = Answer(second)

    def forward(self, image: Tensor) -> Tensor:
        maps, others = self.first(image), self.second(image)
        hair = 0.5 * (maps[:, FRACTION : FRACTION + 1] + others[:, FRACTION : FRACTION + 1])
        return torch.cat([maps[:, :FRACTION], hair, maps[:, FRACTION + 1 :]], 1)


def parameter_count(network: nn.Module) -> int:
    """Number of trained parameters."""
    return sum(p.numel() for p in network.parameters())
