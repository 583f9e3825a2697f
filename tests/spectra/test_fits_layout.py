import io

import numpy as np
import pytest

from qnet_tui.spectra.fits_layout import (
    BLOCK,
    DamagedFitsError,
    NotFitsError,
    parse_value,
    scan_headers,
)
from tests.spectra.written_files import PRIMARY, header, image, write_desi


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (" 'dark    '           / program", "dark"),
        (" 'it''s / fine' / note", "it's / fine"),
        (" ''", ""),
        (" 'no end", "no end"),
        ("                    T / yes", True),
        ("                    F", False),
        ("                  -32 / bits", -32),
        ("               1.5D-3", 1.5e-3),
        ("", None),
        ("   / undefined", None),
        (" (1.0, 2.0)", None),
    ],
)
def test_header_values_are_read_by_type(raw, value):
    parsed = parse_value(raw)
    assert parsed == value
    assert type(parsed) is type(value)


def scan(content, size="known"):
    return list(scan_headers(io.BytesIO(content), len(content) if size == "known" else None))


def test_the_parts_of_a_real_layout(tmp_path):
    path = write_desi(tmp_path / "coadd-1-2.fits", header={"SURVEY": "main", "TILEID": 80, "PROGRAM": "dark"})
    content = path.read_bytes()
    hdus = scan(content)
    assert [h.name for h in hdus[:4]] == ["", "FIBERMAP", "B_WAVELENGTH", "B_FLUX"]
    fibermap, flux = hdus[1], hdus[3]
    assert (fibermap.is_table, fibermap.columns, fibermap.n_rows) == (True, ("TARGETID",), 2)
    assert (flux.is_table, flux.shape, flux.bitpix, flux.is_plain_image) == (False, (2, 60), -32, True)
    np.testing.assert_array_equal(np.frombuffer(content, ">f8", 2, hdus[2].start), [3600.0, 3600.8])
    assert hdus[0].text("SURVEY") == "main"
    assert hdus[0].integer("TILEID") == 80
    assert hdus[0].integer("SURVEY") == hdus[0].integer("ABSENT") == -1
    assert hdus[0].text("ABSENT") == ""
    assert (hdus[0].label, flux.label) == ("HDU number 0", "HDU B_FLUX")


def test_integers_written_as_text_count_and_truth_values_do_not():
    primary = PRIMARY.replace(b"END".ljust(160), b"NIGHT   = '20210204'".ljust(80) + b"END".ljust(80))
    primary = primary.replace(b"END".ljust(160), b"TILEID  =                    T".ljust(80) + b"END".ljust(80))
    hdu = scan(primary)[0]
    assert hdu.integer("NIGHT") == 20210204
    assert hdu.integer("TILEID") == -1


def test_a_file_cut_anywhere_is_noticed(tmp_path):
    content = write_desi(tmp_path / "coadd-1-2.fits").read_bytes()
    starts = {hdu.start for hdu in scan(content)}
    boundaries = {0} | {i for i in range(0, len(content), BLOCK) if content[i : i + 8] == b"XTENSION"}
    for cut in range(1, len(content), 997):
        with pytest.raises(DamagedFitsError, match="truncated"):
            scan(content[:cut])
    # A cut between two HDUs leaves a valid file: only what should follow can tell.
    for cut in sorted(boundaries - {0}):
        assert len(scan(content[:cut])) < len(starts)


def test_zeros_behind_the_last_part_are_padding_and_anything_else_is_damage():
    assert len(scan(PRIMARY + bytes(BLOCK))) == 1
    for tail in (b"rubbish", b"XTENSIUM" + bytes(3000), image(3).replace(b"XTENSION", b"YTENSION")):
        with pytest.raises(DamagedFitsError, match="damaged: no HDU begins at byte 2880"):
            scan(PRIMARY + tail)


@pytest.mark.parametrize("content", [b"hello", b"\x89HDF\r\n\x1a\n", bytes(5000)])
def test_other_files_are_no_fits_files(content):
    with pytest.raises(NotFitsError):
        scan(content)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (image(3).replace(b"-32", b"-33"), "BITPIX of HDU number 1"),
        (image(3).replace(b"NAXIS   =", b"NOAXIS  ="), "NAXIS of HDU number 1"),
        (image(3).replace(b"NAXIS1  =                    3", b"NAXIS1  =                   -3"), "NAXIS1"),
        (image(3).replace(b"NAXIS   =                    1", b"NAXIS   =                 1999"), "1999 axes"),
        (image(3, extra=["PCOUNT  =                  1.5"]), "PCOUNT"),
        (image(3).replace(b"'IMAGE   '", b"'BINTABLE'"), "has 1 axes"),
        (image(4, 2, bitpix=8).replace(b"'IMAGE   '", b"'BINTABLE'"), "TFIELDS"),
        (image(4, 2, bitpix=8, extra=[f"TFIELDS = {1000:20d}"]).replace(b"'IMAGE   '", b"'BINTABLE'"), "1000 columns"),
        (header("XTENSION= 'IMAGE   '", end=False), "truncated in the header of HDU number 1"),
    ],
)
def test_headers_that_cannot_be_are_damage(part, message):
    with pytest.raises(DamagedFitsError, match=message):
        scan(PRIMARY + part)


def test_a_header_without_end_is_not_read_for_ever(monkeypatch):
    monkeypatch.setattr("qnet_tui.spectra.fits_layout._MAX_HEADER_BLOCKS", 3)
    with pytest.raises(DamagedFitsError, match="HDU number 0 has no end"):
        scan(header("SIMPLE  =                    T", end=False) * 4)


def test_without_a_known_length_only_headers_are_checked():
    cut = PRIMARY + image(100, 100)[: BLOCK + 10]
    with pytest.raises(DamagedFitsError, match="truncated"):
        scan(cut)
    assert len(scan(cut, size="unknown")) == 2


def test_compressed_and_scaled_images_are_left_to_the_library():
    compressed = image(
        4,
        2,
        bitpix=8,
        extra=[
            "TFIELDS =                    1",
            "ZIMAGE  =                    T",
            "ZNAXIS  =                    2",
            "ZNAXIS1 =                   50",
            "ZNAXIS2 =                    7",
        ],
    ).replace(b"'IMAGE   '", b"'BINTABLE'")
    hdu = scan(PRIMARY + compressed)[1]
    assert (hdu.is_table, hdu.shape, hdu.is_plain_image) == (False, (7, 50), False)
    scaled = scan(PRIMARY + image(3, bitpix=16, extra=["BZERO   =                32768"]))[1]
    assert not scaled.is_plain_image
