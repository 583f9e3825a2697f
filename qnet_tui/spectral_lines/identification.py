"""From a feature at some wavelength to a redshift: name the line, and 1 + z = observed / rest."""

from __future__ import annotations

from dataclasses import dataclass

Z_LOWEST, Z_HIGHEST = -0.01, 7.0


@dataclass(frozen=True)
class Nameable:
    """A line that a person names with one ``letter``; ``rest`` (Å, vacuum) is where its observed peak lies.

    ``window`` is the stretch of rest wavelengths (Å) that shows the line with its surroundings.
    """

    letter: str
    name: str
    plain: str
    rest: float
    window: tuple[float, float]


# Ordered as an inspector of quasar candidates would guess. [O II] is the middle of its doublet, Mg II the blend.
# The windows of Ly alpha, C IV, C III], Mg II, H beta and H alpha are those of SDSS-V's inspectors.
NAMEABLE: tuple[Nameable, ...] = (
    Nameable("c", "C IV", "C IV", 1549.480, (1500.0, 1700.0)),
    Nameable("v", "C III]", "C III]", 1908.734, (1700.0, 1970.0)),
    Nameable("m", "Mg II", "Mg II", 2799.1, (2700.0, 2900.0)),
    Nameable("l", "Lyα", "Lya", 1215.670, (1150.0, 1290.0)),
    Nameable("b", "Hβ", "Hb", 4862.683, (4640.0, 5100.0)),
    Nameable("i", "[O III]", "[O III]", 5008.240, (4640.0, 5100.0)),
    Nameable("a", "Hα", "Ha", 6564.614, (6400.0, 6800.0)),
    Nameable("o", "[O II]", "[O II]", 3728.484, (3628.0, 3828.0)),
)
BY_LETTER: dict[str, Nameable] = {line.letter: line for line in NAMEABLE}
BY_NAME: dict[str, Nameable] = {line.name: line for line in NAMEABLE}


def implied_redshift(observed: float, rest: float) -> float:
    """Return z = observed / rest - 1 for wavelengths in Å."""
    return observed / rest - 1.0


def candidates(observed: float) -> tuple[tuple[Nameable, float], ...]:
    """Return the lines that a feature at ``observed`` Å could be, with the redshift each implies.

    Only redshifts that an answer may have (-0.01 to 7) are kept; the order is that of :data:`NAMEABLE`.
    """
    pairs = ((line, implied_redshift(observed, line.rest)) for line in NAMEABLE)
    return tuple((line, z) for line, z in pairs if Z_LOWEST <= z <= Z_HIGHEST)


def cycled(observed: float, current: str | None, step: int) -> tuple[Nameable, float] | None:
    """Return the next (``step`` 1) or previous (-1) candidate after the one named ``current``, going round.

    None when a feature at ``observed`` Å can be no line of the list.
    """
    found = candidates(observed)
    if not found:
        return None
    names = [line.name for line, _ in found]
    if current not in names:
        return found[0 if step > 0 else -1]
    return found[(names.index(current) + step) % len(found)]
