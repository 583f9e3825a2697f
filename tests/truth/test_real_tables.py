"""The real tables: how many labels each gives, and that their numbers are those in the file."""

from pathlib import Path

import fitsio
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.truth.labels import TruthTable
from qnet_tui.truth.pipeline import pipeline_label
from qnet_tui.truth.read import read_truth

pytestmark = pytest.mark.shared


def summary(table: TruthTable) -> tuple[str, str, int, int, int, int]:
    return (
        table.dialect,
        table.origin,
        table.rows,
        len(table.labels),
        len(table.rejected),
        table.duplicates,
    )


@pytest.mark.parametrize("name", ["drq_catalogue_plate3655.fits.gz", "drq_catalogue_plate3655_zvi.fits.gz"])
def test_dr12q_quasars_of_plate_3655(shared_data: Path, name: str) -> None:
    path = shared_data / "sdss" / name
    table = read_truth(path)
    assert summary(table) == ("catalogue", "catalogue", 79, 79, 0, 0)
    rows = fitsio.read(str(path), ext=1)
    z_column = "Z_VI" if "zvi" in name else "Z"
    for label, row in zip(table.labels, rows, strict=True):
        assert label.identities() == [
            ("sdss", f"T{row['THING_ID']}"),
            ("sdss", f"P{row['PLATE']}-{row['MJD']}-{row['FIBERID']}"),
        ]
        assert (label.z, label.spectype, label.quality) == (row[z_column], "QSO", 3.0)
        assert label.bal == (1 if row["BI_CIV"] > 0 else -1)
    assert sum(label.bal == 1 for label in table.labels) == 2


def test_edr_quasar_catalogues(shared_data: Path) -> None:
    folder = shared_data / "desi" / "picca"
    tile = read_truth(folder / "QSO_cat_fuji_dark_tile.fits.gz")
    healpix = read_truth(folder / "QSO_cat_fuji_dark_healpix.fits.gz")
    assert summary(tile) == ("catalogue", "catalogue", 10, 10, 0, 0)
    assert summary(healpix) == ("catalogue", "catalogue", 175, 175, 0, 0)
    assert tile.labels[0].targetid == 39633559463397282
    assert {label.bal for label in (*tile.labels, *healpix.labels)} == {0}


def test_quasar_catalogue_names_the_quasars_of_the_coadds(shared_data: Path) -> None:
    folder = shared_data / "desi" / "picca"
    known = {
        label.targetid
        for name in ("tile", "healpix")
        for label in read_truth(folder / f"QSO_cat_fuji_dark_{name}.fits.gz").labels
    }
    found = set()
    for path in folder.glob("coadd-*.fits"):
        found |= known & set(fitsio.read(str(path), ext="FIBERMAP")["TARGETID"].tolist())
    assert len(found) == 12


def test_prospects_own_example(shared_data: Path) -> None:
    table = read_truth(shared_data / "prospect" / "test_read_vi.csv")
    assert summary(table) == ("prospect", "people", 2, 2, 0, 0)
    first, second = table.labels
    assert (first.targetid, first.spectype, first.z, first.quality, first.issues) == (123456789, "QSO", 0.23, 1, "R")
    assert first.comment == "This is a comment containing a , comma."
    assert (second.targetid, second.spectype, second.z, second.line) == (987654321, "STAR", 0.0004, 3)


def test_redrock_files_are_pipeline_truth(shared_data: Path) -> None:
    table = read_truth(shared_data / "desi" / "redrock" / "redrock-test.fits")
    assert summary(table) == ("pipeline", "pipeline", 3, 3, 0, 0)
    for path in (shared_data / "desi" / "fastspecfit").glob("redrock-*.fits"):
        assert summary(read_truth(path)) == ("pipeline", "pipeline", 1, 1, 0, 0)


def test_specobj_of_all_sdss_spectra(shared_data: Path) -> None:
    kinds = {"STAR": 0, "GALAXY": 0, "QSO": 0}
    paths = sorted((shared_data / "sdss" / "spectra").glob("spec-*.fits"))
    for path in paths:
        table = read_truth(path)
        assert summary(table) == ("pipeline", "pipeline", 1, 1, 0, 0), path
        (label,) = table.labels
        kinds[label.spectype] += 1
        if kinds[label.spectype] % 10 != 1:
            continue  # the numbers themselves, of every tenth object of a class: headers of 200 columns are slow
        columns = ["CLASS", "Z", "ZWARNING", "PLATE", "MJD", "FIBERID"]
        row = fitsio.read(str(path), ext=2, columns=columns)[0]
        assert (label.spectype, label.z, label.quality) == pipeline_label(
            str(row["CLASS"]), float(row["Z"]), int(row["ZWARNING"])
        )
        assert label.plate_mjd_fiber == (row["PLATE"], row["MJD"], row["FIBERID"])
    assert len(paths) == sum(kinds.values()) == 97
    assert kinds["QSO"] > 50


@pytest.mark.parametrize(
    "name",
    [
        "desi/fastspecfit/tiles-iron.csv",
        "desi/fastspecfit/coadd-4-80613-thru20210324.fits",
        "desi/quasarnp/test_weights.h5",
        "desi/quasarnp/predict_bal.npy",
        "desi/quasarnp/test_coadd.fits",
        "templates/redrock/rrtemplate-STAR-A-v0.1.fits",
    ],
)
def test_other_files_are_refused_in_one_line(shared_data: Path, name: str) -> None:
    with pytest.raises(BadInput) as error:
        read_truth(shared_data / name)
    assert "\n" not in str(error.value)
    assert error.value.mend
