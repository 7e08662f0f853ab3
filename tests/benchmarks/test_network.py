import pytest
import torch

from benchmarks.pointer.learn import Batch, Item, learn
from benchmarks.pointer.network import Network
from benchmarks.pointer.pieces import END

VOCABULARY = 50
SHORT = Item((11, 12, 13), (0, 1, 0), (21, 22))
LONG = Item((14, 15, 16, 17, 18), (0, 0, 1, 1, 0), (23, 16, 24, 25))


@pytest.fixture(scope="module")
def network() -> Network:
    """With weights that are not those of the beginning, where every layer is the identity."""
    torch.manual_seed(1)
    network = Network(VOCABULARY, dropout=0.0).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight) * 0.05)
    return network


def likelihood(network: Network, *items: Item) -> list[list[float]]:
    """log p of the pieces of each item's translation and its end."""
    batch = Batch.of(items)
    with torch.no_grad():
        read = network.encode(batch.source, batch.hint)
        states = network.decode(batch.before, read, batch.source)
        found, _ = network.log_likelihood(states, read, batch.source, batch.pieces)
    return [row[: len(item.target) + 1] for row, item in zip(found.tolist(), items, strict=True)]


def test_what_stands_beside_an_item_in_a_batch_changes_nothing(network: Network) -> None:
    together = likelihood(network, SHORT, LONG)
    for item, found in zip((SHORT, LONG), together, strict=True):
        assert likelihood(network, item)[0] == pytest.approx(found, abs=1e-5)


def test_probabilities_sum_to_one_and_are_those_of_the_likelihood(network: Network) -> None:
    batch = Batch.of([LONG])
    with torch.no_grad():
        read = network.encode(batch.source, batch.hint)
        found = network.probabilities(network.decode(batch.before, read, batch.source), read, batch.source)[0]
    assert found.sum(-1).tolist() == pytest.approx([1.0] * 5, abs=1e-5)
    pieces = [*LONG.target, END]
    assert [found[place, piece].log().item() for place, piece in enumerate(pieces)] == pytest.approx(likelihood(network, LONG)[0], abs=1e-4)


def test_no_piece_sees_those_behind_it(network: Network) -> None:
    other = Item(LONG.source, LONG.hint, (*LONG.target[:2], 30, 31))
    assert likelihood(network, LONG)[0][:2] == pytest.approx(likelihood(network, other)[0][:2], abs=1e-5)
    assert likelihood(network, LONG)[0][3:] != pytest.approx(likelihood(network, other)[0][3:], abs=1e-5)


def test_hints_are_read_as_hints(network: Network) -> None:
    plain = Item(LONG.source, (0,) * 5, LONG.target)
    assert likelihood(network, plain)[0] != pytest.approx(likelihood(network, LONG)[0], abs=1e-5)


def test_training_is_the_same_each_time_and_the_loss_falls() -> None:
    def trained(tokens: int) -> float:
        torch.manual_seed(1)
        return learn(Network(VOCABULARY, dropout=0.1), [SHORT, LONG] * 30, tokens, seed=1)

    assert trained(6_000) == trained(6_000)
    assert trained(30_000) < trained(6_000)
