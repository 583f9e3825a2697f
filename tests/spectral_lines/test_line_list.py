"""The list and its corrections, compared with the numbers of the specification."""

import pytest

from qnet_tui.spectral_lines.line_list import (
    absorption_lines,
    emission_lines,
    lines_in_window,
    shown_lines,
    sky_lines,
)


def rests(lines, name):
    return [line.rest for line in lines if line.name == name]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Lyα", [1215.670]),
        ("C IV", [1549.480]),
        ("C III]", [1907.640, 1908.734]),
        ("Mg II", [2796.354, 2799.1, 2803.532]),
        ("[O II]", [3727.092, 3729.875]),
        ("[O III]", [4364.435, 4960.295, 5008.240]),
        ("Hα", [6564.614]),
        ("Ly lim", [911.75]),
        ("O VI", [1033.8]),
        ("He I", [3889.752, 5877.309]),
    ],
)
def test_emission_lines_are_vacuum_and_corrected(name, expected):
    assert rests(emission_lines(), name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Mg II", [2796.354, 2803.532]),
        ("Fe II", [1608.451, 2344.213, 2374.460, 2382.764, 2586.65, 2600.17]),
        ("Fe II*", [2389.240]),
        ("Mg I", [2026.477, 2852.96, 5176.441]),
        ("K", [3934.814]),
        ("Ca II", [8500.360, 8544.440, 8664.520]),
    ],
)
def test_absorption_lines_are_vacuum_and_corrected(name, expected):
    assert rests(absorption_lines(), name) == expected


def test_the_blend_of_mg_ii_is_the_major_one():
    assert [line.rest for line in emission_lines() if line.name == "Mg II" and line.major] == [2799.1]


def test_major_lines_are_those_of_the_inspectors():
    major = {line.name for line in emission_lines() if line.major}
    assert {"Lyα", "C IV", "C III]", "Mg II", "[O II]", "Hβ", "[O III]", "Hα", "[N II]", "[S II]"} <= major
    assert "Si II*" not in major
    assert {line.name for line in absorption_lines() if line.major} == {"K", "H", "G", "Mg I", "D2", "D1"}
    assert {line.rest for line in absorption_lines() if line.band} == {4308.952, 5176.441}


def test_lists_are_in_order_and_names_have_an_ascii_form():
    for lines in (emission_lines(), absorption_lines()):
        assert [line.rest for line in lines] == sorted(line.rest for line in lines)
        assert all(line.plain.isascii() and line.plain for line in lines)
    assert {line.plain for line in emission_lines() if line.name == "Lyα"} == {"Lya"}


def test_what_is_shown_follows_the_choice():
    assert shown_lines("off", "both") == ()
    major, everything = shown_lines("major", "both"), shown_lines("all", "both")
    assert set(major) < set(everything)
    assert {"N V", "Si IV", "He II"} <= {line.name for line in major}
    assert {line.kind for line in shown_lines("all", "absorption")} == {"absorption"}
    assert {line.kind for line in shown_lines("all", "emission")} == {"emission"}
    assert [line.rest for line in everything] == sorted(line.rest for line in everything)


def test_names_of_the_great_lines_come_first():
    order = sorted(shown_lines("all", "both"), key=lambda line: line.rank)
    assert [line.name for line in order[:4]] == ["Lyα", "C IV", "C III]", "Mg II"]


def test_redshift_moves_lines_but_not_the_sky():
    inside = lines_in_window([*emission_lines(), *sky_lines()], 2.3042, 5000, 5600)
    names = {line.name: wavelength for line, wavelength in inside}
    assert names["C IV"] == pytest.approx(1549.48 * 3.3042)
    assert names["sky"] == 5578.9
    assert "Lyα" not in names
    assert [round(line.rest, 1) for line in sky_lines()] == [5578.9, 6302.0, 6365.5]


def test_the_network_lines_are_those_of_the_network():
    from qnet_tui.quasarnet.lines import LINES

    shown = shown_lines("network", "absorption")
    assert [line.rest for line in shown] == [rest for _, rest in LINES]
    assert [line.plain for line in shown] == ["Lya", "C IV", "C III]", "Mg II", "Hb", "Ha"]
    assert shown == shown_lines("network", "both")


def test_bands_go_from_one_edge_to_the_other():
    bands = {line.name: line for line in absorption_lines() if line.band}
    assert set(bands) == {"G", "Mg I"}
    for line in bands.values():
        assert line.band[0] < line.rest < line.band[1]
        assert 25 < line.band[1] - line.band[0] < 45
    assert not any(line.band for line in emission_lines())
