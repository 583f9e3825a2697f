"""One row of a file as text and JSON."""

import dataclasses

import numpy as np
import pytest

from qnet_tui.errors import BadInput
from qnet_tui.workflows import spectrum_report
from qnet_tui.workflows.demo import sample_folder
from qnet_tui.workflows.spectrum_file import SpecOptions, SpectrumFile
from qnet_tui.workflows.spectrum_report import report, report_lines

COADD = sample_folder() / "coadd-0-80001-thru20260315.fits.gz"


def test_facts_plot_and_what_the_markers_stand_for():
    made = report(COADD, SpecOptions(charset="ascii"), width=70, height=12)
    lines = report_lines(made, "ascii")
    assert lines[0].startswith("412466729548251168  row 0 of 0-79  arms B R Z  ")
    assert lines[1].startswith("redrock: QSO z 1.656")
    assert len(made.plot) == 12
    assert max(map(len, made.plot)) <= 70
    assert all(line.isascii() for line in lines)
    assert lines[-1].startswith("lines at z 1.656")
    assert lines[-1].endswith("(redrock)")
    assert {"C IV", "C III]", "Mg II"} <= {line.name for line in made.lines}
    assert made.plot[0].strip() or made.plot[1].strip()


def test_a_typed_redshift_moves_the_lines_and_off_draws_none():
    made = report(COADD, SpecOptions(z=2.5, charset="braille"))
    assert (made.z, made.z_source) == (2.5, "typed")
    assert {line.name: line.wavelength for line in made.lines}["C IV"] == pytest.approx(1549.48 * 3.5)
    assert report_lines(made)[-1] == "lines at z 2.5000 (--z)"
    assert not report(COADD, SpecOptions(z=2.5, lines="off", charset="braille")).lines


def test_a_fit_says_from_where_and_how_far():
    made = report(COADD, SpecOptions(fit=True, charset="ascii"))
    assert made.fit is not None
    assert made.z == made.fit.z
    assert made.z_source == "fit"
    assert abs(made.fit.velocity) < 5001
    assert "km/s from 1.656" in report_lines(made, "ascii")[-1]
    assert "+-" in report_lines(made, "ascii")[-1]


def test_a_fit_without_a_start_is_refused(monkeypatch):
    file = SpectrumFile.open(COADD)
    file.rows["pipeline_class"] = ""
    file.rows["pipeline_z"] = np.nan
    monkeypatch.setattr(spectrum_report.SpectrumFile, "open", lambda path: file)
    with pytest.raises(BadInput, match=r"row 0: a fit starts at a redshift .* --z 2.31"):
        report(COADD, SpecOptions(fit=True))
    made = report(COADD, SpecOptions(charset="ascii"))
    assert (made.z, made.pipeline, made.lines) == (None, None, ())
    assert not any(line.startswith(("redrock", "lines at")) for line in report_lines(made, "ascii"))


def test_a_row_without_data_is_said_not_drawn(monkeypatch):
    file = SpectrumFile.open(COADD)
    for arm in file._read.arms:
        arm.ivar[5] = 0
    monkeypatch.setattr(spectrum_report.SpectrumFile, "open", lambda path: file)
    made = report(COADD, SpecOptions(row=5, charset="ascii"))
    assert made.plot == ()
    assert made.problem in report_lines(made)
    with pytest.raises(BadInput, match="nothing to fit"):
        report(COADD, SpecOptions(row=5, fit=True))


@pytest.mark.parametrize(
    "size", [{"width": 10}, {"width": 5000}, {"height": 2}, {"height": 900}, {"smoothing": -1}, {"smoothing": 27}]
)
def test_a_size_that_cannot_be_is_refused(size):
    with pytest.raises(BadInput, match="cannot be"):
        report(COADD, SpecOptions(), **size)


@pytest.mark.parametrize(("width", "height"), [(30, 8), (200, 60)])
@pytest.mark.parametrize("charset", ["braille", "block", "ascii"])
def test_any_size_is_drawn(width, height, charset):
    made = report(COADD, SpecOptions(charset=charset), width=width, height=height)
    assert len(made.plot) == height
    assert max(map(len, made.plot)) <= width


def test_notes_and_sky_fibres_are_said():
    made = dataclasses.replace(report(COADD, SpecOptions()), objtype="SKY", notes=("no FIBERMAP",))
    lines = report_lines(made)
    assert "  SKY  " in lines[0]
    assert lines[-1] == "note: no FIBERMAP"
