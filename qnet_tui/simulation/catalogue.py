"""The objects of a petal: identities, positions, photometry, and what each is in truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.dust import milky_way
from qnet_tui.simulation.native_grid import N_PIXELS, WAVE
from qnet_tui.simulation.observation import Conditions, scale_to_snr
from qnet_tui.simulation.photometry import nanomaggies
from qnet_tui.simulation.population import Targets

OBJECT_DTYPE = np.dtype(
    [
        ("targetid", "i8"),
        ("spectral_class", "U8"),
        ("subclass", "U12"),
        ("z", "f8"),
        ("bal", "?"),
        ("ra", "f8"),
        ("dec", "f8"),
        ("ebv", "f4"),
        ("flux", "f4", (3,)),
        ("fiberflux", "f4", (3,)),
        ("desi_target", "i8"),
    ]
)
"""One object: class "QSO", "GALAXY", "STAR", "JUNK" or "SKY"; z NaN where there is none; fluxes g, r, z in nMgy."""

# A TARGETID is OBJID (22 bits), BRICKID (20), RELEASE (16) and flags; the flag "mock" says that no telescope saw
# it, so no simulated identity is ever that of a real object.
_MOCK_BIT = 1 << 58
_PLATE_RADIUS = 1.6
_QSO_BIT, _LRG_BIT = 1 << 2, 1 << 0


@dataclass(frozen=True)
class Objects:
    """Objects and their noiseless spectra: ``table`` (n,) of ``OBJECT_DTYPE``, ``flux`` float32 (n, 7781)."""

    table: NDArray[np.void]
    flux: NDArray[np.float32]

    def take(self, index: NDArray[np.int64]) -> "Objects":
        """The objects at the positions given, in that order."""
        return Objects(self.table[index], self.flux[index])


def together(parts: list[Objects]) -> Objects:
    """Several lots of objects as one."""
    return Objects(np.concatenate([p.table for p in parts]), np.concatenate([p.flux for p in parts]))


def tile_centre(tile: int) -> tuple[float, float]:
    """Right ascension and declination (degrees) of a tile, spread over the northern sky by its number."""
    return (tile * 137.50776405) % 360.0, 5.0 + (tile * 7.31) % 55.0


def seed_mark(seed: int) -> int:
    """Bits of a TARGETID that tell surveys of different seeds apart: the RELEASE and the top of the OBJID."""
    state = int(np.random.SeedSequence(seed).generate_state(1)[0])
    return (state & 0xFFFF) << 42 | (state >> 16 & 0x1F) << 17


def describe(
    rng: np.random.Generator,
    targets: Targets,
    place: tuple[int, int],
    mark: int,
    conditions: Conditions,
) -> Objects:
    """Make objects of noiseless targets: redden them, scale them to their S/N, give them a place and a name.

    ``place`` is the number of the tile and of the petal, ``mark`` the survey's :func:`seed_mark`; the wanted S/N
    is reached with all exposures of ``conditions``.
    """
    n = len(targets.z)
    tile, petal = place
    depth = np.full(n, conditions.depth * conditions.n_exposures)
    table = np.zeros(n, dtype=OBJECT_DTYPE)
    table["targetid"] = _MOCK_BIT | mark | tile << 22 | (petal * 10_000 + np.arange(n, dtype=np.int64))
    for name in ("spectral_class", "subclass", "z", "bal"):
        table[name] = getattr(targets, name)
    table["ra"], table["dec"] = _positions(rng, n, tile, petal)
    table["ebv"] = np.clip(rng.gamma(2.0, 0.02, n), 0.003, 0.25)
    dust = milky_way(WAVE, table["ebv"].astype(np.float64))
    flux = scale_to_snr(targets.shape * dust, targets.snr, depth, conditions.airglow)
    table["flux"], table["fiberflux"] = _photometry(rng, flux, targets.spectral_class == "GALAXY")
    red = (targets.subclass == "PASSIVE") & (targets.spectral_class == "GALAXY")
    table["desi_target"] = np.where(red, _LRG_BIT, _QSO_BIT)
    return Objects(table, flux)


def sky_fibres(rng: np.random.Generator, n: int, place: tuple[int, int]) -> Objects:
    """``n`` fibres on blank sky: negative TARGETID -(tile x 10000 + petal x 1000 + device), no flux."""
    tile, petal = place
    table = np.zeros(n, dtype=OBJECT_DTYPE)
    device = np.sort(rng.choice(1000, size=n, replace=False)).astype(np.int64)
    table["targetid"] = -(tile * 10_000 + petal * 1000 + device)
    table["spectral_class"] = "SKY"
    table["z"] = np.nan
    table["ra"], table["dec"] = _positions(rng, n, tile, petal)
    return Objects(table, np.zeros((n, N_PIXELS), dtype=np.float32))


def _positions(
    rng: np.random.Generator, n: int, tile: int, petal: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions (degrees) spread evenly over the petal, a sector of 36 degrees of the focal plane."""
    ra, dec = tile_centre(tile)
    radius = _PLATE_RADIUS * np.sqrt(rng.uniform(0.02, 1.0, n))
    angle = np.deg2rad(36.0 * (petal + rng.random(n)))
    y = dec + radius * np.sin(angle)
    return (ra + radius * np.cos(angle) / np.cos(np.deg2rad(y))) % 360.0, y


def _photometry(
    rng: np.random.Generator, flux: NDArray[np.float32], extended: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Total and fibre fluxes in nanomaggies, (n, 3) each, with 2 % and 0.01 nMgy of imaging noise.

    The spectrum of a point source is calibrated to its total flux; of a galaxy the fibre sees a half or so.
    """
    inside = np.where(extended, rng.uniform(0.35, 0.65, len(flux)), 1.0)[:, None]
    total = nanomaggies(flux) / inside
    total = total * (1.0 + 0.02 * rng.standard_normal(total.shape)) + 0.01 * rng.standard_normal(total.shape)
    return total, total * np.where(extended[:, None], inside, 0.78)
