"""The binary tables of DESI files: FIBERMAP, EXP_FIBERMAP, SCORES, and redrock's REDSHIFTS and TSNR2.

Names and types as desispec and redrock write them (algorithm.md 8), without the columns of target selection and
of the focal plane that nothing downstream of a spectrum reads.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.simulation.airglow import photon_variance
from qnet_tui.simulation.catalogue import tile_centre
from qnet_tui.simulation.observation import ArmData
from qnet_tui.simulation.petal import Petal

_EXPTIME_PER_DEPTH = 1150.0
"""Seconds of real time for an effective 1,000 s."""


def _table(columns: dict[str, tuple[str, Any]], n_rows: int) -> NDArray[np.void]:
    """A structured array from {name: (type, values)}."""
    table = np.zeros(n_rows, dtype=[(name, kind) for name, (kind, _) in columns.items()])
    for name, (_, values) in columns.items():
        table[name] = values
    return table


def _targets(petal: Petal) -> dict[str, tuple[str, Any]]:
    """The columns that coadds and exposures share, one entry per coadd row."""
    things = petal.objects.table
    sky = things["spectral_class"] == "SKY"
    device = petal.fibre % 500 + 13
    columns: dict[str, tuple[str, Any]] = {
        "TARGETID": ("i8", things["targetid"]),
        "PETAL_LOC": ("i2", petal.petal),
        "DEVICE_LOC": ("i4", device),
        "LOCATION": ("i8", petal.petal * 1000 + device),
        "FIBER": ("i4", petal.fibre),
        "STATUS": ("i4", 0),
        "TARGET_RA": ("f8", things["ra"]),
        "TARGET_DEC": ("f8", things["dec"]),
        "PMRA": ("f4", 0.0),
        "PMDEC": ("f4", 0.0),
        "REF_EPOCH": ("f4", 2015.5),
        "FA_TYPE": ("u1", np.where(sky, 4, 1)),
        "OBJTYPE": ("S3", np.where(sky, "SKY", "TGT")),
        "PRIORITY": ("i4", np.where(sky, 0, 3400)),
        "OBSCONDITIONS": ("i4", 1),
        "MORPHTYPE": ("S4", np.where(sky, "", np.where(things["spectral_class"] == "GALAXY", "REX", "PSF"))),
        "EBV": ("f4", things["ebv"]),
    }
    for prefix, name in (("FLUX", "flux"), ("FIBERFLUX", "fiberflux")):
        for band, letter in enumerate("GRZ"):
            columns[f"{prefix}_{letter}"] = ("f4", things[name][:, band])
    for letter in "GRZ":
        columns[f"FLUX_IVAR_{letter}"] = ("f4", np.where(sky, 0.0, 1e4))
    columns |= {
        "PHOTSYS": ("S1", np.where(sky, "", "N")),
        "DESI_TARGET": ("i8", things["desi_target"]),
        "BGS_TARGET": ("i8", 0),
        "MWS_TARGET": ("i8", 0),
        "SCND_TARGET": ("i8", 0),
        "PLATE_RA": ("f8", tile_centre(petal.tile)[0]),
        "PLATE_DEC": ("f8", tile_centre(petal.tile)[1]),
        "TILEID": ("i4", petal.tile),
    }
    return columns


def coadd_fibermap(petal: Petal) -> NDArray[np.void]:
    """FIBERMAP of a coadd, one row per spectrum."""
    columns = _targets(petal)
    columns = {("COADD_FIBERSTATUS" if name == "STATUS" else name): value for name, value in columns.items()}
    n_exposures = petal.conditions.n_exposures
    columns |= {
        "COADD_NUMEXP": ("i2", n_exposures),
        "COADD_EXPTIME": ("f4", petal.conditions.depth * n_exposures * _EXPTIME_PER_DEPTH),
        "COADD_NUMNIGHT": ("i2", 1),
        "COADD_NUMTILE": ("i2", 1),
        "MEAN_FIBER_RA": ("f8", petal.objects.table["ra"]),
        "MEAN_FIBER_DEC": ("f8", petal.objects.table["dec"]),
    }
    return _table(columns, petal.n_rows)


def exposure_fibermap(petal: Petal, night: int) -> NDArray[np.void]:
    """FIBERMAP of a spectra- file, one row per target and exposure, exposure by exposure."""
    n_exposures = petal.conditions.n_exposures
    columns = {
        ("FIBERSTATUS" if name == "STATUS" else name): (kind, _per_exposure(value, petal))
        for name, (kind, value) in _targets(petal).items()
    }
    columns |= {name: value for name, value in _exposure_columns(petal, night).items() if name not in columns}
    return _table(columns, petal.n_rows * n_exposures)


def exp_fibermap(petal: Petal, night: int) -> NDArray[np.void]:
    """EXP_FIBERMAP of a coadd: which exposures went into which target."""
    wanted = ("TARGETID", "TILEID", "PETAL_LOC", "DEVICE_LOC", "LOCATION", "FIBER")
    columns = {
        name: (kind, _per_exposure(value, petal)) for name, (kind, value) in _targets(petal).items() if name in wanted
    }
    columns["FIBERSTATUS"] = ("i4", 0)
    columns |= _exposure_columns(petal, night)
    return _table(columns, petal.n_rows * petal.conditions.n_exposures)


def _per_exposure(values: Any, petal: Petal) -> Any:
    """Values of the coadd rows repeated for every exposure; a single value stays one."""
    return np.tile(values, petal.conditions.n_exposures) if isinstance(values, np.ndarray) else values


def _exposure_columns(petal: Petal, night: int) -> dict[str, tuple[str, Any]]:
    expid = np.repeat(petal.expids, petal.n_rows)
    return {
        "NIGHT": ("i4", night),
        "EXPID": ("i4", expid),
        "MJD": ("f8", 61000.0 + (expid - expid[0]) * 0.02),
        "EXPTIME": ("f8", petal.conditions.depth * _EXPTIME_PER_DEPTH),
    }


def scores(targetid: NDArray[np.int64], arms: Sequence[ArmData], *, coadd: bool) -> NDArray[np.void]:
    """SCORES: summed and median flux and S/N per arm, and the template S/N for quasars and the Lyα forest."""
    columns: dict[str, tuple[str, Any]] = {"TARGETID": ("i8", targetid)}
    kind = "COADD" if coadd else "CALIB"
    for arm in arms:
        letter = arm.camera.name.upper()
        columns[f"INTEG_{kind}_FLUX_{letter}"] = ("f4", arm.flux.sum(axis=1) * 0.8)
        columns[f"MEDIAN_{kind}_FLUX_{letter}"] = ("f4", np.median(arm.flux, axis=1))
        columns[f"MEDIAN_{kind}_SNR_{letter}"] = ("f4", np.median(arm.flux * np.sqrt(arm.ivar), axis=1))
    columns |= _template_snr(arms)
    return _table(columns, len(targetid))


def template_scores(targetid: NDArray[np.int64], arms: Sequence[ArmData]) -> NDArray[np.void]:
    """TSNR2 of a redrock file."""
    return _table({"TARGETID": ("i8", targetid), **_template_snr(arms)}, len(targetid))


def _template_snr(arms: Sequence[ArmData]) -> dict[str, tuple[str, Any]]:
    """Σ (δF)² ivar for what a typical target varies by: 0.05 units anywhere (QSO), 0.3 below 4500 Å (LYA)."""
    columns: dict[str, tuple[str, Any]] = {}
    for name, change in (("LYA", 0.3), ("QSO", 0.05)):
        total = np.zeros(len(arms[0].flux))
        for arm in arms:
            used = arm.camera.wave < 4500.0 if name == "LYA" else photon_variance(arm.camera) > 0
            value = change**2 * arm.ivar[:, used].sum(axis=1)
            columns[f"TSNR2_{name}_{arm.camera.name.upper()}"] = ("f4", value)
            total += value
        columns[f"TSNR2_{name}"] = ("f4", total)
    return columns


def redshifts(petal: Petal) -> NDArray[np.void]:
    """REDSHIFTS of a redrock file, in the order of the coadd; the coefficients of the fit are not simulated."""
    found = petal.redrock
    columns: dict[str, tuple[str, Any]] = {
        "TARGETID": ("i8", petal.objects.table["targetid"]),
        "Z": ("f8", found.z),
        "ZERR": ("f8", found.zerr),
        "ZWARN": ("i8", found.zwarn),
        "CHI2": ("f8", found.chi2),
        "COEFF": ("(10,)f8", 0.0),
        "NPIXELS": ("i8", found.npixels),
        "SPECTYPE": ("S6", found.spectral_class),
        "SUBTYPE": ("S20", found.subtype),
        "NCOEFF": ("i8", np.where(found.spectral_class == "STAR", 5, 10)),
        "DELTACHI2": ("f8", found.deltachi2),
    }
    return _table(columns, petal.n_rows)
