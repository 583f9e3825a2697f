"""The lines that a person looks for in a spectrum, as vacuum rest wavelengths in Å.

The list is the one that DESI's inspectors know (prospect's emission and absorption lists; its air values above
2000 Å converted to vacuum), with what is wrong or missing there put right:

* Mg II 2796.354 and 2803.532 are vacuum values already and are not converted a second time (that would draw them
  88 km/s too red); a marker at 2799.1 stands for the blend that a broad-line quasar shows.
* He I 3889 is named so, not 3389. Fe II 2389 is a fine-structure line (Fe II*). The resonance lines Fe II 2586,
  2600 and Mg I 2853, the Lyman limit and O VI 1033.8 are added.
* G 4309 and Mg I 5176 are centres of bands, not lines; ``band`` says from where to where.
* Night-sky lines are in the observed frame; no redshift moves them.

A list of its own shows where the network looked, so that a person can see what it saw.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

Kind = Literal["emission", "absorption", "sky"]
LineChoice = Literal["off", "major", "all", "network"]
KindChoice = Literal["emission", "absorption", "both"]
LINE_CHOICES: tuple[LineChoice, ...] = ("off", "major", "all", "network")
KIND_CHOICES: tuple[KindChoice, ...] = ("emission", "absorption", "both")


@dataclass(frozen=True)
class Line:
    """One line: ``name`` for the screen, ``plain`` in ASCII, vacuum ``rest`` wavelength in Å.

    ``major`` lines are shown by default; ``broad`` ones are the broad emission lines of a quasar, shown with them.
    ``rank`` orders lines when names compete for room, 0 first. For sky lines ``rest`` is the observed wavelength.
    ``band`` are the edges (low, high) Å of what is a band or a blend and no single line.
    """

    name: str
    plain: str
    rest: float
    kind: Kind = "emission"
    major: bool = False
    broad: bool = False
    band: tuple[float, float] | None = None
    rank: int = 50


# The order in which names get their place on the screen; lines that are not named here come last.
_RANKS: tuple[str, ...] = (
    *("Lyα", "C IV", "C III]", "Mg II", "Hβ", "Hα", "[O III]", "[O II]", "Si IV", "He II", "N V", "O VI"),
    *("Ly lim", "Lyβ", "K", "H", "Hγ", "Hδ", "[Ne III]", "Mg I", "G", "D2", "D1", "[N II]", "[S II]"),
)

_GREEK = str.maketrans({"α": "a", "β": "b", "γ": "g", "δ": "d", "ε": "e", "ζ": "z"})

# name, vacuum wavelengths
_EMISSION: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("Ly lim", (911.75,)),
    ("Lyβ", (1025.180,)),
    ("O VI", (1033.8,)),
    ("Lyα", (1215.670,)),
    ("N V", (1240.810,)),
    ("Si II*", (1264.738, 1309.276, 1533.431)),
    ("Si IV", (1393.750, 1402.770)),
    ("C IV", (1549.480,)),
    ("He II", (1640.420,)),
    ("O III]", (1660.809, 1666.150)),
    ("Si III]", (1882.468, 1892.030)),
    ("C III]", (1907.640, 1908.734)),
    ("C II]", (2324.214, 2325.404)),
    ("[Ne IV]", (2422.536, 2425.236)),
    ("Mg II", (2796.354, 2799.1, 2803.532)),
    ("Ne V", (3346.790, 3426.850)),
    ("[O II]", (3727.092, 3729.875)),
    ("[Ne III]", (3869.857, 3968.593)),
    ("He I", (3889.752,)),
    ("Hζ", (3890.151,)),
    ("Hε", (3971.195,)),
    ("Hδ", (4102.892,)),
    ("Hγ", (4341.684,)),
    ("[O III]", (4364.435, 4960.295, 5008.240)),
    ("He II", (4686.991, 5413.024)),
    ("Hβ", (4862.683,)),
    ("[O I]", (5578.888, 6302.046, 6365.535)),
    ("[N II]", (5756.186, 6549.859, 6585.269)),
    ("He I", (5877.309,)),
    ("[S III]", (6313.806, 9071.100, 9533.200)),
    ("Hα", (6564.614,)),
    ("[S II]", (6718.294, 6732.678)),
    ("[Ar III]", (7137.757, 7753.190)),
)
_EMISSION_MAJOR = frozenset(
    {
        *(1215.670, 1549.480, 1908.734, 2799.1, 3727.092, 3729.875, 3869.857, 4102.892, 4341.684),
        *(4862.683, 4960.295, 5008.240, 6564.614, 6585.269, 6718.294, 6732.678),
    }
)
# Broad in quasars, and what an inspector looks for beside the major ones.
_BROAD = frozenset(
    {
        *(1033.8, 1215.670, 1240.810, 1393.750, 1402.770, 1549.480, 1640.420, 1908.734, 2799.1),
        *(4341.684, 4862.683, 6564.614),
    }
)

_ABSORPTION: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("Ly lim", (911.75,)),
    ("Si II", (1260.422, 1304.370, 1526.707, 1808.013)),
    ("O I", (1302.168,)),
    ("C II", (1334.532,)),
    ("Si IV", (1393.750, 1402.770)),
    ("S V", (1501.760,)),
    ("C IV", (1549.480,)),
    ("Fe II", (1608.451, 2344.213, 2374.460, 2382.764, 2586.65, 2600.17)),
    ("Al II", (1670.788,)),
    ("Al III", (1854.718, 1862.791)),
    ("Mg I", (2026.477, 2852.96, 5176.441)),
    ("Fe II*", (2389.240,)),
    ("Mg II", (2796.354, 2803.532)),
    ("Hζ", (3890.151,)),
    ("K", (3934.814,)),
    ("H", (3969.623,)),
    ("Hε", (3971.195,)),
    ("Hδ", (4102.892,)),
    ("G", (4308.952,)),
    ("Hγ", (4341.684,)),
    ("Hβ", (4862.683,)),
    ("D2", (5891.582,)),
    ("D1", (5897.554,)),
    ("Hα", (6564.614,)),
    ("Ca II", (8500.360, 8544.440, 8664.520)),
)
_ABSORPTION_MAJOR = frozenset((3934.814, 3969.623, 4308.952, 5176.441, 5891.582, 5897.554))
# The bandpasses of the Lick indices G4300 and Mg b (Worthey et al. 1994), in vacuum.
_BANDS = {4308.952: (4282.6, 4317.6), 5176.441: (5161.6, 5194.1)}

_SKY = (5578.9, 6302.0, 6365.5)

# The lines that QuasarNET looks for, at the wavelengths from which its redshifts are made (quasarnet/lines.py; a test
# holds the two equal). C IV and Mg II are the blue lines of their doublets there, H alpha is the wavelength in air.
_NETWORK: tuple[tuple[str, float], ...] = (
    ("Lyα", 1215.67),
    ("C IV", 1548.2049),
    ("C III]", 1908.734),
    ("Mg II", 2796.3511),
    ("Hβ", 4862.68),
    ("Hα", 6562.8),
)


@cache
def emission_lines() -> tuple[Line, ...]:
    """Return the emission lines in order of wavelength."""
    return _lines(_EMISSION, "emission", _EMISSION_MAJOR, _BROAD)


@cache
def absorption_lines() -> tuple[Line, ...]:
    """Return the absorption lines in order of wavelength."""
    return _lines(_ABSORPTION, "absorption", _ABSORPTION_MAJOR, frozenset())


@cache
def sky_lines() -> tuple[Line, ...]:
    """Return the brightest lines of the night sky, observed vacuum wavelengths."""
    return tuple(Line("sky", "sky", wavelength, "sky") for wavelength in _SKY)


@cache
def network_lines() -> tuple[Line, ...]:
    """Return the lines that QuasarNET looks for, in order of wavelength."""
    every = frozenset(rest for _, rest in _NETWORK)
    return _lines(tuple((name, (rest,)) for name, rest in _NETWORK), "emission", every, every)


@cache
def shown_lines(choice: LineChoice, kind: KindChoice) -> tuple[Line, ...]:
    """Return the lines of a choice in order of wavelength.

    None, the major and broad ones, or all of a kind; the network's lines are what they are whatever the kind.
    """
    if choice == "off":
        return ()
    if choice == "network":
        return network_lines()
    lines: list[Line] = []
    if kind in ("emission", "both"):
        lines += emission_lines()
    if kind in ("absorption", "both"):
        lines += absorption_lines()
    if choice == "major":
        lines = [line for line in lines if line.major or line.broad]
    return tuple(sorted(lines, key=lambda line: line.rest))


def lines_in_window(lines: Iterable[Line], z: float, low: float, high: float) -> tuple[tuple[Line, float], ...]:
    """Return the lines whose observed wavelength rest x (1 + z) is in [low, high) Å, each with that wavelength.

    Sky lines keep their wavelength whatever ``z`` is.
    """
    observed = ((line, line.rest if line.kind == "sky" else line.rest * (1.0 + z)) for line in lines)
    return tuple((line, wavelength) for line, wavelength in observed if low <= wavelength < high)


def _lines(
    table: tuple[tuple[str, tuple[float, ...]], ...], kind: Kind, major: frozenset[float], broad: frozenset[float]
) -> tuple[Line, ...]:
    made = [
        Line(
            name,
            name.translate(_GREEK),
            rest,
            kind,
            major=rest in major,
            broad=rest in broad,
            band=_BANDS.get(rest),
            rank=_rank(name, rest, kind, major),
        )
        for name, wavelengths in table
        for rest in wavelengths
    ]
    return tuple(sorted(made, key=lambda line: line.rest))


def _rank(name: str, rest: float, kind: Kind, major: frozenset[float]) -> int:
    """Majors before the rest; among emission and absorption of one place, emission first."""
    place = _RANKS.index(name) if name in _RANKS else len(_RANKS)
    return 2 * place + (0 if rest in major else 2 * len(_RANKS)) + (1 if kind == "absorption" else 0)
