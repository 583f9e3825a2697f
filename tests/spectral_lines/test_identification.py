"""A feature, a name, a redshift."""

import pytest

from qnet_tui.spectral_lines.identification import (
    BY_LETTER,
    NAMEABLE,
    candidates,
    cycled,
    implied_redshift,
)


def test_implied_redshift():
    assert implied_redshift(5120.0, 1549.48) == pytest.approx(2.304334, abs=1e-6)
    assert implied_redshift(1549.48, 1549.48) == 0.0


def test_the_letters_are_those_of_the_key_map():
    assert {letter: line.name for letter, line in BY_LETTER.items()} == {
        "l": "Lyα", "c": "C IV", "v": "C III]", "m": "Mg II", "o": "[O II]", "b": "Hβ", "i": "[O III]", "a": "Hα",
    }  # fmt: skip
    for line in NAMEABLE:
        assert line.window[0] < line.rest < line.window[1]
        assert line.plain.isascii()


def test_candidates_keep_to_possible_redshifts():
    assert [line.name for line, _ in candidates(3800.0)] == ["C IV", "C III]", "Mg II", "Lyα", "[O II]"]
    assert all(-0.01 <= z <= 7 for _, z in candidates(9700.0))
    assert candidates(500.0) == ()


def test_cycling_goes_round_both_ways():
    names = []
    current = None
    for _ in range(len(candidates(5120.0)) + 1):
        line, z = cycled(5120.0, current, 1)
        assert z == pytest.approx(5120.0 / line.rest - 1)
        current = line.name
        names.append(current)
    assert names[0] == "C IV"
    assert names[-1] == names[0]
    assert len(set(names)) == len(names) - 1
    assert cycled(5120.0, "C III]", -1)[0].name == "C IV"
    assert cycled(5120.0, None, -1)[0].name == "[O II]"
    assert cycled(500.0, None, 1) is None
