"""Arms apart: colour by arm, letters where two arms share pixels, names on the axis."""

import numpy as np
import pytest

from qnet_tui.plotting.canvas import CHARSETS
from qnet_tui.plotting.spectrum_data import DESI_COVERAGE, SpectrumData
from qnet_tui.plotting.spectrum_text import data_text

LEVELS = {"b": 2.0, "r": 6.0, "z": 4.0}


@pytest.fixture(scope="module")
def data():
    arms = []
    for name, low, high in DESI_COVERAGE:
        wave = np.arange(low, high, 0.8)
        arms.append((name, wave, np.full(wave.size, LEVELS[name]), np.full(wave.size, 25.0)))
    return SpectrumData.of_arms(arms, DESI_COVERAGE)


@pytest.mark.parametrize("charset", CHARSETS)
def test_arms_that_disagree_are_read_apart_where_they_overlap(data, charset):
    drawn = data_text(data, width=100, height=20, charset=charset, x_range=(5740, 5820), arms=True, sigma=0)
    rows = {letter: [row for row, text in enumerate(drawn[:-2]) if letter in text] for letter in "brz"}
    assert len(rows["b"]) == len(rows["r"]) == 1
    assert rows["r"][0] < rows["b"][0]
    assert rows["z"] == []
    both = drawn[rows["b"][0]]
    # Half of the columns that they share: the other half is the other arm's.
    assert 20 <= both.count("b") <= 26
    joined = data_text(data, width=100, height=20, charset=charset, x_range=(5740, 5820), sigma=0)
    assert not any(letter in row for row in joined[:-1] for letter in "brz")


def test_one_arm_is_drawn_as_ever(data):
    wave = np.arange(3600.0, 9000.0, 1.0)
    one = SpectrumData.of_arms([("sdss", wave, np.ones(wave.size), np.ones(wave.size))])
    joined, apart = (data_text(one, width=80, height=14, arms=arms) for arms in (False, True))
    assert joined[:-1] == apart[:-1]
