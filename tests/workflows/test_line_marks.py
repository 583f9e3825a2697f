"""Lines of the list as markers: where, how wide, and which one is lit."""

import pytest

from qnet_tui.spectral_lines.identification import BY_NAME
from qnet_tui.workflows.line_marks import line_marks


def test_without_a_redshift_there_are_no_lines():
    assert line_marks(None, 3600, 9800) == []


def test_lines_lie_at_their_observed_wavelength_inside_the_window():
    marks = line_marks(2.0, 3600, 9800)
    assert all(3600 <= mark.wavelength < 9800 for mark in marks)
    assert next(mark for mark in marks if mark.name == "C IV").wavelength == pytest.approx(3 * 1549.48)


def test_a_band_has_its_observed_edges_and_a_line_has_none():
    marks = {mark.name: mark for mark in line_marks(0.5, 3600, 9800, kind="absorption")}
    assert marks["G"].extent == (pytest.approx(1.5 * 4282.6), pytest.approx(1.5 * 4317.6))
    assert marks["G"].extent[0] < marks["G"].wavelength < marks["G"].extent[1]
    assert marks["K"].extent is None


def test_both_lines_of_a_doublet_are_lit_and_in_the_network_list_too():
    doublet = [mark for mark in line_marks(0.5, 3600, 9800, lit=BY_NAME["[O II]"]) if mark.lit]
    assert len(doublet) == 2
    network = line_marks(2.0, 3600, 9800, choice="network", lit=BY_NAME["C IV"])
    assert [mark.name for mark in network if mark.lit] == ["C IV"]
    assert [mark.name for mark in network] == ["Lyα", "C IV", "C III]", "Mg II"]
    assert all(mark.name.isascii() for mark in line_marks(2.0, 3600, 9800, plain=True))
