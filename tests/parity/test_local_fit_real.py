"""The local fit on real spectra: DR12Q quasars against their visual redshifts, SDSS and DESI against their pipelines.

Visual redshifts of DR12Q follow the peak of Mg II or C IV and scatter by some 300 km/s about the systemic redshift
above z = 2, so the median below is not that of the fit alone. Measured on the 67 quasars of the catalogue that have a
spectrum here (12 have none), five random starts each within 3000 km/s: median |dv| 120 km/s (33 below z = 1.4, 175
above), 76 % within 300, 96 % within 1000, 99 % within 3000 km/s. The spreads of the quasar template were chosen on
these spectra, among others: the figure is not one of spectra never seen.
"""

import contextlib

import fitsio
import numpy as np
import pytest

from qnet_tui.plotting.smoothing import join_arms
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectral_lines.local_fit import NoFit, fit_redshift

LIGHT_KMS = 299792.458


def spectra_of(path):
    """Row, wavelength, flux and ivar of every spectrum of a file."""
    file = read_spectra(path)
    for place, row in enumerate(file.rows):
        yield row, *join_arms([(arm.wavelength, arm.flux[place], arm.ivar[place]) for arm in file.arms])


def off(fit, z):
    return LIGHT_KMS * (fit.z - z) / (1 + z)


@pytest.fixture(scope="module")
def dr12q(shared_data):
    catalogue = fitsio.read(str(shared_data / "sdss/drq_catalogue_plate3655_zvi.fits.gz"), 1)
    found = []
    for one in catalogue:
        path = shared_data / f"sdss/spectra/spec-{one['PLATE']}-{one['MJD']}-{one['FIBERID']:04d}.fits"
        if path.exists():
            ((_, *arrays),) = spectra_of(path)
            found.append((float(one["Z_VI"]), arrays))
    return found


def test_quasars_of_dr12q(dr12q):
    assert len(dr12q) == 67
    rng = np.random.default_rng(1)
    distance, errors = np.full(67, np.inf), np.full(67, np.inf)
    for i, (z, arrays) in enumerate(dr12q):
        start = z + rng.uniform(-3000, 3000) / LIGHT_KMS * (1 + z)
        with contextlib.suppress(NoFit):
            fit = fit_redshift(*arrays, start, spectype="QSO")
            distance[i], errors[i] = abs(off(fit, z)), LIGHT_KMS * fit.z_error / (1 + z)
    z = np.array([one[0] for one in dr12q])
    assert np.median(distance) < 180
    assert np.median(distance[z < 1.4]) < 70
    assert np.mean(distance < 1000) >= 0.93
    assert np.mean(distance < 3000) >= 0.97
    # The errors given are about those made (for a normal distribution the median is 0.67 sigma).
    assert 0.3 < np.median(distance / errors) < 1.2


def test_galaxies_and_a_star_against_their_pipelines(shared_data):
    names = ("sdss/spectra/spec-3655-55240-0660.fits", "sdss/spectra/spec-4055-55359-0006.fits",
             "sdss/spectra/spec-4055-55359-0012.fits", "sdss/spectra/spec-4055-55359-0001.fits",
             "desi/fastspecfit/coadd-4-80613-thru20210324.fits",
             "desi/fastspecfit/coadd-special-dark-27247.fits")  # fmt: skip
    distance = []
    for name in names:
        for row, *arrays in spectra_of(shared_data / name):
            z = float(row["pipeline_z"])
            fit = fit_redshift(*arrays, z + 0.004, spectype=str(row["pipeline_class"]))
            distance.append(abs(off(fit, z)))
    assert len(distance) == 6
    assert max(distance) < 150
    assert np.median(distance) < 50
