"""The presets hold what the paper and the issue of each say."""

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.workflows.presets import PRESETS, round_settings


def test_paper():
    s = round_settings("paper")
    assert (s.networks, s.layers, s.filters, s.epochs, s.select) == (200, 6, 100, 10, 1000)
    assert (s.learning_rate, s.batch, s.dropout) == (2e-4, 256, 0.2)
    assert (s.map_side, s.percentile, s.c_threshold, s.z_split, s.strategy) == (45, 15.0, 0.95, 2.1, "entropy")


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_given_wins_and_the_rest_stays(preset):
    changed = round_settings(preset, networks=17, epochs=None)
    assert changed.networks == 17
    assert changed.epochs == round_settings(preset).epochs


def test_unknown():
    with pytest.raises(BadInput, match="paper, laptop, smoke"):
        round_settings("desktop")
