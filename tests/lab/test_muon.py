"""The optimiser of lab.training.muon: orthogonal steps for kernels, Adam's for the rest."""

import copy

import pytest

torch = pytest.importorskip("torch")

from lab.training.muon import RMS, Muon, orthogonal  # noqa: E402


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (16, 16)])
def test_all_directions_count_alike(shape) -> None:
    torch.manual_seed(1)
    found = orthogonal(torch.randn(shape) @ torch.diag(torch.logspace(0, -1, shape[1])))
    sizes = torch.linalg.svdvals(found)
    assert found.shape == shape
    assert sizes.min() > 0.5
    assert sizes.max() < 1.3


def test_directions_stay_those_of_the_matrix() -> None:
    torch.manual_seed(2)
    matrix = torch.randn(6, 20)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonal(matrix).flatten()
    assert torch.nn.functional.cosine_similarity(found, (u @ v).flatten(), dim=0) > 0.97


def test_a_step_is_about_as_large_as_adams() -> None:
    torch.manual_seed(3)
    kernel, bias = torch.nn.Parameter(torch.randn(16, 8, 3, 3)), torch.nn.Parameter(torch.zeros(9))
    before = kernel.detach().clone()
    kernel.grad, bias.grad = 1e-4 * torch.randn_like(kernel), torch.full_like(bias, -3.0)
    Muon([kernel, bias], 0.01, 0.0).step()
    rms = (kernel - before).square().mean().sqrt().item()
    assert rms == pytest.approx(0.01 * RMS, rel=0.25)
    torch.testing.assert_close(bias, torch.full_like(bias, 0.01))


def test_a_convolution_is_learned_and_a_stop_changes_nothing() -> None:
    torch.manual_seed(4)
    images, true = torch.randn(8, 6, 12, 12), torch.nn.Conv2d(6, 6, 3)
    with torch.no_grad():
        wanted = true(images)

    def steps(layer, optimiser, count):
        for _ in range(count):
            optimiser.zero_grad()
            loss = (layer(images) - wanted).square().mean()
            loss.backward()
            optimiser.step()
        return loss.item()

    layer = torch.nn.Conv2d(6, 6, 3)
    optimiser = Muon(layer.parameters(), 0.02, 1e-3)
    first = steps(layer, optimiser, 1)
    saved = copy.deepcopy((layer.state_dict(), optimiser.state_dict()))
    again = torch.nn.Conv2d(6, 6, 3)
    again.load_state_dict(saved[0])
    resumed = Muon(again.parameters(), 0.02, 1e-3)
    resumed.load_state_dict(saved[1])
    last = steps(layer, optimiser, 60)
    assert last < first / 20
    assert steps(again, resumed, 60) == pytest.approx(last, rel=1e-3)
