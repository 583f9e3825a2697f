"""No data is never drawn as a flux of zero: hatched, named where there is room, and marked on the axis."""

import numpy as np
import pytest

from qnet_tui.plotting.absence import columns_of, stretch_words
from qnet_tui.plotting.canvas import CHARSETS, Ink, glyphs
from qnet_tui.plotting.frame_layout import Layout
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.plotting.ranges import Window
from qnet_tui.plotting.smoothing import smooth
from qnet_tui.plotting.spectrum_data import DESI_COVERAGE, SpectrumData, Stretch
from qnet_tui.plotting.spectrum_frame import framed, with_markers
from qnet_tui.plotting.spectrum_text import data_text

WINDOW = Window(4000.0, 5000.0, 0.0, 2.0)


def data(arms="brz", masked=None):
    made = []
    for name, low, high in DESI_COVERAGE:
        wave = np.arange(low, high, 0.8)
        hidden = (wave >= masked[0]) & (wave < masked[1]) if masked else np.zeros(wave.size, bool)
        made.append((name, wave, np.ones(wave.size), np.where(hidden, 0.0, 25.0)))
    return SpectrumData.of_arms([arm for arm in made if arm[0] in arms], DESI_COVERAGE)


def test_a_stretch_takes_the_columns_that_it_covers_by_half():
    assert columns_of(4100, 4200, WINDOW, 10) == (1, 2)
    assert columns_of(4149, 4251, WINDOW, 10) == (1, 3)
    assert columns_of(4151, 4249, WINDOW, 10) == (2, 2)
    assert columns_of(3000, 9000, WINDOW, 10) == (0, 10)
    assert columns_of(3000, 3500, WINDOW, 10) == (0, 0)


def test_words_shrink_with_the_room():
    arm = Stretch(1, 2, "missing", "z")
    assert [stretch_words(arm, room) for room in (20, 9, 5, 3)] == [" no Z arm ", "no Z arm", "no Z", ""]
    assert [stretch_words(Stretch(1, 2, "masked"), room) for room in (20, 6, 5)] == [" masked ", "masked", ""]


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize(("arms", "words"), [("rz", "no B arm"), ("bz", "no R arm"), ("br", "no Z arm")])
@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_missing_arm_is_named_at_every_size(arms, words, width, charset):
    drawn = data_text(data(arms), width=width, height=14, charset=charset)
    assert any(words in row for row in drawn), "\n".join(drawn)
    assert glyphs(charset).hatch in "\n".join(drawn)
    assert glyphs(charset).no_data_axis in drawn[-1]


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_masked_stretch_is_hatched_named_and_marked(charset):
    drawn = data_text(data(masked=(8000.0, 9000.0)), width=80, height=14, charset=charset)
    assert sum("masked" in row for row in drawn) == 1
    assert sum(row.count(glyphs(charset).hatch) for row in drawn) > 10
    assert drawn[-1].count(glyphs(charset).no_data_axis) > 6
    whole = data_text(data(), width=80, height=14, charset=charset)
    assert not any("masked" in row or "/" in row or "╱" in row for row in whole)


def test_no_flux_and_no_noise_stand_in_a_hatched_column():
    made = data(masked=(8000.0, 9000.0))
    trace = smooth(made.wavelength, made.flux, made.ivar, 3)
    window, layout = Window(3600.0, 9824.0, 0.0, 2.0), Layout(14, 80)
    cells = framed(trace, window, layout, absent=made.stretches(40))
    first, stop = columns_of(8000, 9000, window, layout.plot_columns)
    plot = cells.inks[layout.lanes : layout.lanes + layout.plot_rows, layout.gutter :]
    assert set(plot[:, first + 1 : stop - 1].ravel().tolist()) <= {int(Ink.BLANK), int(Ink.ABSENT)}


def test_a_marker_goes_through_hatching_but_not_through_words():
    made = data(masked=(8000.0, 9000.0))
    trace = smooth(made.wavelength, made.flux, made.ivar, 3)
    window, layout = Window(3600.0, 9824.0, 0.0, 2.0), Layout(14, 80)
    base = framed(trace, window, layout, absent=made.stretches(40))
    row = next(row for row in range(layout.rows) if "masked" in base.text()[row])
    for at in range(8100, 8900, 50):
        drawn = with_markers(base, window, layout, [Marker("", float(at), 0, lit=True)])
        assert " masked " in drawn.text()[row]
        assert (drawn.inks == Ink.LIT).sum() >= layout.plot_rows - 1


@pytest.mark.parametrize("charset", CHARSETS)
def test_what_two_arms_share_is_marked_on_the_axis_however_narrow(charset):
    sign = glyphs(charset).overlap_axis
    assert data_text(data(), width=80, height=14, charset=charset)[-1].count(sign) >= 2
    close = data_text(data(), width=80, height=14, charset=charset, x_range=(5700, 5900))[-1]
    assert 10 <= close.count(sign) <= 15
    assert sign not in data_text(data("bz"), width=80, height=14, charset=charset)[-1]
