"""Whatever stands in the arrays of a spectrum, the picture is drawn, has its size, and keeps to its characters."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qnet_tui.plotting.canvas import CHARSETS
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.plotting.model_raster import Model
from qnet_tui.plotting.ranges import Y_MODES
from qnet_tui.plotting.spectrum_data import DESI_COVERAGE, SpectrumData
from qnet_tui.plotting.spectrum_text import data_text

WILD = st.sampled_from([0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e30, -1e30, 1e-30, 1e300, 5e-324])
VALUES = st.one_of(WILD, st.floats(allow_nan=True, allow_infinity=True, width=32))


@st.composite
def arm(draw, name, start):
    size = draw(st.integers(0, 60))
    step = draw(st.sampled_from([0.8, 1.0, 50.0]))
    wave = start + step * np.arange(size)
    if size and draw(st.booleans()):
        wave = wave + np.where(np.arange(size) > draw(st.integers(0, size)), 500.0, 0.0)
    flux = np.array(draw(st.lists(VALUES, min_size=size, max_size=size)), float)
    ivar = np.array(draw(st.lists(VALUES, min_size=size, max_size=size)), float)
    if draw(st.booleans()):
        ivar = np.ones(size)
    return name, wave, flux, ivar


@st.composite
def spectra(draw):
    names = draw(st.sets(st.sampled_from("brz")))
    starts = {"b": 3600.0, "r": 3620.0, "z": 5000.0}
    return SpectrumData.of_arms([draw(arm(name, starts[name])) for name in sorted(names)], DESI_COVERAGE)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    spectra(),
    st.sampled_from(CHARSETS),
    st.sampled_from(Y_MODES),
    st.tuples(st.integers(8, 130), st.integers(4, 30)),
    st.sampled_from([0.0, 3.0, 26.0]),
    st.booleans(),
    st.one_of(st.none(), st.sampled_from([(3600.0, 9824.0), (3590.0, 3592.0), (9000.0, 9900.0)])),
)
def test_any_arrays_give_a_picture(data, charset, y_mode, size, sigma, arms, x_range):
    lines = [
        Marker("C IV", 3620.0, 0, lit=True),
        Marker("G", 3610.0, 1, "absorption", extent=(3605.0, 3640.0)),
        Marker("", 3620.0, 60, style="tick", sign="B"),
    ]
    model = Model(data.wavelength, np.where(data.ivar > 0, 2.0 * data.flux, np.inf))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = data_text(
            data,
            width=size[0],
            height=size[1],
            charset=charset,
            y_mode=y_mode,
            sigma=sigma,
            arms=arms,
            x_range=x_range,
            markers=lines,
            model=model,
        )
    assert len(drawn) == size[1]
    assert max(map(len, drawn)) <= size[0]
    if charset == "ascii":
        assert all(row.isascii() for row in drawn)
    assert not any(character < " " for row in drawn for character in row)


@pytest.mark.parametrize("y_mode", Y_MODES)
@pytest.mark.parametrize("step", [0.0, 5e-324, 1e-320])
def test_a_spectrum_of_next_to_nothing_is_drawn(y_mode, step):
    wave = np.arange(3600.0, 9824.0, 0.8)
    data = SpectrumData.of_arrays(wave, step * (wave > 6000), np.ones(wave.size))
    assert len(data_text(data, height=14, y_mode=y_mode)) == 14
