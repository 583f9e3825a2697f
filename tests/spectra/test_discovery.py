import gzip
import os

import h5py
import numpy as np
import pytest

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.spectra.discovery import find_files
from qnet_tui.spectra.read import read_spectra
from qnet_tui.spectra.recognise import recognise
from tests.spectra.written_files import (
    PRIMARY,
    desi_images,
    image,
    table,
    write_desi,
    write_redrock,
    write_sdss,
)


@pytest.fixture
def folder(tmp_path):
    """A release in small: two folders, spectra, and what lies beside them."""
    root = tmp_path / "release"
    (root / "1" / "deep").mkdir(parents=True)
    write_desi(root / "1" / "coadd-1-2.fits")
    write_redrock(root / "1" / "redrock-1-2.fits", {"TARGETID": [11], "Z": [1.0], "SPECTYPE": ["QSO"]})
    write_sdss(root / "1" / "deep" / "spec-3655-55240-0256.fits")
    packed = gzip.compress((root / "1" / "coadd-1-2.fits").read_bytes())
    (root / "spectra-1-2.fits.gz").write_bytes(packed)
    (root / "notes.txt").write_text("observed in rain")
    return root


def names(paths):
    return [path.name for path in paths]


def test_a_folder_with_everything_below_it(folder):
    found = find_files([folder])
    assert names(found.spectra) == ["coadd-1-2.fits", "spec-3655-55240-0256.fits", "spectra-1-2.fits.gz"]
    assert {path.name: what for path, what in found.left} == {
        "notes.txt": "a text file",
        "redrock-1-2.fits": "redrock redshifts (read with the coadd file beside it)",
    }
    assert all(path.is_absolute() for path in found.spectra)
    assert found.spectra == sorted(found.spectra)


def test_everything_real_is_read_or_left_with_what_it_is(shared_data):
    found = find_files([shared_data / "desi", shared_data / "sdss"])
    desi = sorted(path.name for path in found.spectra if "/desi/" in str(path))
    assert desi == [
        "coadd-1-80693-thru20210204.fits",
        "coadd-2-80693-thru20210204.fits",
        "coadd-4-80613-thru20210324.fits",
        "coadd-5-169-thru20210419.fits",
        "coadd-special-dark-27247.fits",
        "coadd-sv3-dark-26065.fits",
        "coadd-sv3-dark-9144.fits",
        "spectra-5-169-thru20210419.fits",
        "spectra-sv3-dark-26065.fits",
        "test_coadd.fits",
    ]
    assert len(found.spectra) - len(desi) == 97
    left = {path.name: what for path, what in found.left}
    assert len(left) == len(found.left) == 20
    assert left["test_weights.h5"] == left["test_weights_6_layer.h5"] == "network weights"
    assert left["rrdetails-test.h5"] == "redrock's details (rrdetails)"
    assert left["rrarchetype-galaxy-test.fits"] == "redrock archetypes"
    assert left["redrock-test.fits"].startswith("redrock redshifts")
    assert left["coadd_rebinned.fits"] == "rebinned spectra without wavelengths"
    assert left["coadd_x.npy"] == "a NumPy array"
    assert left["tiles-iron.csv"] == "a text file"
    assert left["QSO_cat_fuji_dark_healpix.fits.gz"].startswith("a quasar catalogue")
    assert left["drq_catalogue_plate3655.fits.gz"].startswith("a catalogue")
    others = find_files([shared_data / "templates", shared_data / "prospect", shared_data / "reference"])
    assert others.spectra == []
    what = {path.name: reason for path, reason in others.left}
    assert what["rrtemplate-QSO-HIZ-v1.1.fits"] == "a redrock template"
    assert what["std_templates.fits"] == "a FITS file without spectra of DESI or SDSS"
    assert what["picca-coadd-1-80693.npz"] == "a zip or npz archive"


def test_the_same_file_by_any_way_is_listed_once(folder, monkeypatch):
    coadd = folder / "1" / "coadd-1-2.fits"
    link = folder / "link.fits"
    link.symlink_to(coadd)
    monkeypatch.chdir(folder)
    found = find_files([coadd, str(coadd), "1/coadd-1-2.fits", folder, "1/../1/*.fits", link])
    assert names(found.spectra).count("coadd-1-2.fits") == 1
    assert "link.fits" not in names(found.spectra)
    assert names(path for path, _ in found.left).count("redrock-1-2.fits") == 1


def test_patterns(folder, monkeypatch):
    assert names(find_files([f"{folder}/*/coadd-*.fits"]).spectra) == ["coadd-1-2.fits"]
    assert len(find_files([f"{folder}/**/*.fits*"]).spectra) == 3
    assert len(find_files([f"{folder}/[0-9]"]).spectra) == 2
    monkeypatch.chdir(folder)
    assert len(find_files(["*.gz"]).spectra) == 1
    with pytest.raises(BadInput, match="no file matches this pattern"):
        find_files([f"{folder}/nothing-*.fits"])


def test_a_file_with_brackets_in_its_name_is_itself(tmp_path):
    odd = write_desi(tmp_path / "plain.fits").rename(tmp_path / "coadd[1].fits")
    assert find_files([str(odd)]).spectra == [odd]


def test_lists(folder, tmp_path, monkeypatch):
    list_file = folder / "list.txt"
    list_file.write_text("# my files\n\n1/coadd-1-2.fits  # the first\n" + f"{folder}/1/deep\n" + "*.gz\nnotes.txt\n")
    monkeypatch.chdir(folder)
    found = find_files(["@list.txt"])
    assert len(found.spectra) == 3
    assert names(path for path, _ in found.left) == ["notes.txt"]
    # Seen from elsewhere, relative entries are looked for beside the list.
    list_file.write_text("1/coadd-1-2.fits\n")
    monkeypatch.chdir(tmp_path)
    assert names(find_files([f"@{list_file}"]).spectra) == ["coadd-1-2.fits"]


def test_a_list_that_names_what_is_not_there(folder):
    list_file = folder / "list.txt"
    list_file.write_text("# one\n1/coadd-1-2.fits\n1/coadd-9-9.fits\n")
    with pytest.raises(BadInput, match=r"list\.txt: row 3: 1/coadd-9-9\.fits: no such file"):
        find_files([f"@{list_file}"])


def test_lists_that_are_none(folder, tmp_path, monkeypatch):
    for name, message in ((f"@{tmp_path}/absent.txt", "no such list"), (f"@{folder}", "no such list")):
        with pytest.raises(BadInput, match=message):
            find_files([name])
    with pytest.raises(BadInput, match="is not a text file"):
        find_files([f"@{folder}/spectra-1-2.fits.gz"])
    (tmp_path / "closed.txt").touch()

    def refuse(self, encoding):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_text", refuse)
    with pytest.raises(QnetError, match="Permission denied") as error:
        find_files([f"@{tmp_path}/closed.txt"])
    assert error.value.exit_code == 1


def test_a_file_whose_name_begins_with_an_at_sign(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_desi(tmp_path / "@coadd.fits")
    assert names(find_files(["@coadd.fits"]).spectra) == ["@coadd.fits"]


def test_what_is_named_must_exist(tmp_path):
    with pytest.raises(BadInput, match=r"coadd-1\.fits: no such file or folder"):
        find_files([tmp_path / "coadd-1.fits"])
    assert find_files([]).spectra == []
    assert find_files([tmp_path]).left == []


def test_home_is_expanded(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert names(find_files(["~/1/coadd-1-2.fits"]).spectra) == ["coadd-1-2.fits"]


def test_damaged_files_are_left_in_folders_and_refused_by_name(tmp_path):
    empty, text = tmp_path / "coadd-1.fits", tmp_path / "coadd-2.fits"
    empty.touch()
    text.write_text("<html>404</html>")
    cut = write_desi(tmp_path / "coadd-3.fits")
    cut.write_bytes(cut.read_bytes()[:3000])
    packed = tmp_path / "coadd-4.fits.gz"
    packed.write_bytes(b"\x1f\x8b\x08\x00")
    broken = tmp_path / "coadd-5.fits.gz"
    broken.write_bytes(gzip.compress(bytes(5000))[:-10] + b"garbage-at-the-end")
    found = find_files([tmp_path])
    assert found.spectra == []
    assert {path.name: what for path, what in found.left} == {
        "coadd-1.fits": "an empty file",
        "coadd-2.fits": "a text file",
        "coadd-3.fits": "a damaged FITS file (truncated in the header of HDU number 1)",
        "coadd-4.fits.gz": "a truncated gzip file",
        "coadd-5.fits.gz": "not a FITS file",
    }
    for path in (empty, text, cut, packed, broken):
        with pytest.raises(BadInput, match=path.name):
            find_files([path])


def test_a_file_cut_behind_its_first_spectra_is_found_and_refused_by_the_reader(tmp_path):
    path = tmp_path / "coadd-1.fits.gz"
    path.write_bytes(gzip.compress(write_desi(tmp_path / "c.fits").read_bytes())[:-50])
    assert find_files([f"{tmp_path}/*.gz"]).spectra == [path]
    with pytest.raises(BadInput, match="truncated"):
        read_spectra(path)


def test_links_pipes_and_loops(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_desi(elsewhere / "coadd-1.fits")
    (root / "linked").symlink_to(elsewhere)
    (root / "loop").symlink_to(root)
    (root / "broken.fits").symlink_to(root / "nothing")
    (root / "itself.fits").symlink_to(root / "itself.fits")
    os.mkfifo(root / "pipe.fits")
    found = find_files([root])
    assert names(found.spectra) == ["coadd-1.fits"]
    assert {path.name: what for path, what in found.left} == {
        "broken.fits": "a link to a file that is not there",
        "itself.fits": "cannot be read (Too many levels of symbolic links)",
        "pipe.fits": "not a regular file",
    }


def test_what_is_closed_to_us_is_left(folder, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", refuse)
    found = find_files([folder])
    assert (folder / "1" / "deep", "a folder that cannot be read") in found.left
    assert len(found.spectra) == 2


def test_a_file_closed_to_us_is_left(folder, monkeypatch):
    def refuse(path):
        raise QnetError("cannot be read (Permission denied)", file=path)

    monkeypatch.setattr("qnet_tui.spectra.discovery.recognise", refuse)
    found = find_files([folder])
    assert found.spectra == []
    assert {what for _, what in found.left} == {"cannot be read (Permission denied)"}


def fits_of(path, *hdus):
    path.write_bytes(PRIMARY + b"".join(hdus))
    return path


def test_fits_files_are_named_by_their_parts(tmp_path):
    path = tmp_path / "x.fits"
    for parts, what in (
        (["BASIS_VECTORS", "REDSHIFTS"], "a redrock template"),
        (["BRZ_WAVELENGTH", "BRZ_FLUX"], "spectra whose three arms are coadded into one"),
        (["WAVELENGTH", "FLUX", "IVAR"], "the frame of one camera and exposure"),
        (["QN_RR"], "the afterburner's quasar table"),
        (["PRIORS"], "a redrock prior table"),
        (["ZBEST"], "redrock redshifts (read with the coadd file beside it)"),
        (["R_FLUX", "R_IVAR"], "rebinned spectra without wavelengths"),
        (["ANYTHING"], "a FITS file without spectra of DESI or SDSS"),
    ):
        kind = recognise(fits_of(path, *(image(3, name=part) for part in parts)))
        assert (kind.survey, kind.what, kind.damaged) == ("", what, False)
    assert recognise(fits_of(path, image(3, name="Z_WAVELENGTH"), image(3, 2, name="Z_FLUX"))).survey == "desi"


def test_lower_case_names_are_names(tmp_path):
    images = {name.lower(): data for name, data in desi_images(2).items()}
    assert find_files([write_desi(tmp_path / "c.fits", images=images)]).spectra


def test_hdf5_files_are_named_by_their_groups(tmp_path):
    for groups, what in (
        (["model_weights"], "network weights"),
        (["zscan", "zfit"], "redrock's details (rrdetails)"),
        (["other"], "an HDF5 file"),
    ):
        path = tmp_path / "x.h5"
        with h5py.File(path, "w") as file:
            for group in groups:
                file.create_group(group)
        assert recognise(path).what == what
    path.write_bytes(path.read_bytes()[:200])
    assert recognise(path).what == "a damaged HDF5 file"


def test_other_files_are_named_by_their_first_bytes(tmp_path):
    path = tmp_path / "x"
    np.save(tmp_path / "x.npy", np.zeros(3))
    assert recognise(tmp_path / "x.npy").what == "a NumPy array"
    for content, what in (
        (b"%PDF-1.7", "a PDF file"),
        (b"PK\x03\x04....", "a zip or npz archive"),
        (b"plain\ttext\n", "a text file"),
        ("Wellenlänge in Å\n".encode(), "a text file"),
        (bytes(range(256)), "not a FITS file"),
        (b"", "an empty file"),
        (gzip.compress(b"text", mtime=0), "a text file"),
        (gzip.compress(b"text" * 9, mtime=0)[:-9] + b"123456789", "a damaged gzip file"),
    ):
        path.write_bytes(content)
        assert recognise(path).what == what, content


def test_tables_are_no_spectra(tmp_path):
    path = write_desi(tmp_path / "x.fits", {}, {"ZCATALOG": table({"TARGETID": [1]})})
    assert recognise(path).what == "a redshift catalogue"
