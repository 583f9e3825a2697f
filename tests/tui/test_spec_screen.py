"""The file viewer: rows, redshifts, fits and commands by key, on the sample's first file."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.inspection.answer import Refused
from qnet_tui.spectra.rrdetails import PipelineFit
from qnet_tui.spectral_lines.local_fit import LocalFit
from qnet_tui.tui.desk import Desk
from qnet_tui.tui.screens import spec as spec_module
from qnet_tui.tui.screens.help import HelpScreen
from qnet_tui.tui.screens.spec import SpecScreen
from qnet_tui.workflows.demo import sample_folder
from qnet_tui.workflows.spectrum_file import SpecOptions, SpectrumFile
from tests.tui.open_screen import OpenScreen, at_desk
from tests.tui.test_snapshots import compare

COADD = sample_folder() / "coadd-0-80001-thru20260315.fits.gz"
FIT = LocalFit(1.6571, 0.0003, 110.0, 25.0, "quasar")


class Viewer(OpenScreen[SpecScreen]):
    @property
    def state(self):
        return self.screen.moment.state


@pytest.fixture(scope="module")
def sample():
    return SpectrumFile.open(COADD)


@asynccontextmanager
async def opened(file, size=(80, 24), charset="braille", **options):
    def make_screen(desk):
        return SpecScreen(desk, SpecOptions(**options), charset)

    async with at_desk(Viewer, lambda: file, make_screen, size) as found:
        await found.pilot.pause()
        yield found


async def test_rows_are_walked_and_nothing_of_one_is_left_at_the_next(sample):
    async with opened(sample) as it:
        assert "row 0 of 0-79" in it.text("header")
        await it.press("k")
        assert "this is the first row" in it.text("facts")
        await it.press("z", "ctrl+u", *"2.5", "enter", "w", "j")
        assert "row 1 of 0-79" in it.text("header")
        assert "412466729548251209" in it.text("header")
        assert it.screen.moment.view.smoothing == 3.0
        assert it.state.answer.z == pytest.approx(0.381, abs=1e-3)
        await it.press("colon", *"79", "enter", "j")
        assert "row 79" in it.text("header")
        assert "that was the last row" in it.text("facts")
        await it.press("colon", *"80", "enter")
        assert "rows are 0 to 79" in it.text("facts")
        await it.press("slash", *"412466729548251209", "enter")
        assert "row 1 of" in it.text("header")
        await it.press("slash", *"17", "enter")
        assert "'17' is not in this file" in it.text("facts") + it.text("hint")


async def test_a_locked_view_stays(sample):
    async with opened(sample) as it:
        await it.press("w", "K", "j")
        assert it.screen.moment.view.smoothing == 4.0


async def test_what_was_asked_for_on_the_command_line_is_for_the_first_row_but_the_lines_stay(sample):
    async with opened(sample, z=2.5, lines="all") as it:
        assert (it.state.answer.z, it.state.answer.spectype) == (2.5, None)
        await it.press("j")
        assert it.state.answer.z == pytest.approx(0.381, abs=1e-3)
        assert it.screen.moment.view.lines == "all"


async def test_a_redshift_is_typed_stepped_and_named(sample):
    async with opened(sample) as it:
        await it.press("z", "ctrl+u", *"2.31", "enter", "right", "greater_than_sign")
        assert it.state.answer.z == pytest.approx(2.3201)
        assert "2.3201" in it.text("facts")
        await it.press("z", "ctrl+u", *"9", "enter")
        assert it.screen.line is not None
        assert "outside" in it.text("facts") + it.text("hint")
        await it.press("escape", "x", "m")
        assert it.state.named == "Mg II"
        assert "Mg II at" in it.text("facts")
        await it.press("a")
        assert it.state.answer.z_source == "pipeline"
        assert "[QSO]" in it.text("facts")


async def test_a_fit_is_offered_taken_or_left(sample, monkeypatch):
    asked = []

    def fitted(item, state):
        asked.append(state.answer.spectype)
        return FIT

    monkeypatch.setattr(spec_module, "fitted", fitted)
    async with opened(sample, fit=True) as it:
        await it.until(lambda: it.screen.offer is not None)
        assert asked == ["QSO"]
        before = it.state.answer.z
        assert "1.6571" in it.text("hint")
        assert "+110 km/s" in it.text("hint")
        await it.press("escape")
        assert it.screen.offer is None
        assert it.state.answer.z == before
        await it.press("f", "enter")
        assert (it.state.answer.z, it.state.answer.z_source) == (1.6571, "fit")
        await it.press("enter")
        assert "fits the redshift first" in it.text("facts") + it.text("hint")
        await it.press("f", "l")
        assert it.screen.offer is None


async def test_a_fit_that_cannot_be_says_why(sample, monkeypatch):
    def refused(item, state):
        raise Refused("no fit: {fit} found nothing")

    monkeypatch.setattr(spec_module, "fitted", refused)
    async with opened(sample) as it:
        await it.press("f")
        assert "no fit: f found nothing" in it.text("facts")


async def test_the_pipeline_s_fits_are_walked(sample):
    fits = tuple(
        PipelineFit(rank, spectype, "", z, 1e-4, 0, 100.0 + rank, 9.0 - rank)
        for rank, (spectype, z) in enumerate([("QSO", 1.656), ("GALAXY", 0.61), ("STAR", 0.0001)])
    )
    show = sample.show

    class WithFits(SpectrumFile):
        def show(self, row):
            found = show(row)
            return replace(found, item=replace(found.item, fits=fits))

    file = WithFits(sample.path, sample.rows, "desi", "coadd", "")
    async with opened(file, size=(120, 35)) as it:
        assert "▸1 QSO" in it.text("facts")
        await it.press("o")
        assert it.state.answer.z == 0.61
        assert "▸2 GALAXY  0.6100" in it.text("facts")
        await it.press("o", "o")
        assert "last fit" in it.text("facts")
        await it.press("i", "a")
        assert it.state.answer.spectype == "GALAXY"


async def test_a_row_without_data_is_passed(sample):
    show = sample.show

    class Empty(SpectrumFile):
        def show(self, row):
            found = show(row)
            return found if row else replace(found, item=replace(found.item, problem="no pixel of it holds data"))

    file = Empty(sample.path, sample.rows, "desi", "coadd", "")
    async with opened(file, row=0) as it:
        assert "no pixel of it holds data" in it.text("spectrum")
        await it.press("f", "right", "z")
        assert it.screen.line is None
        await it.press("j")
        assert "⣿" in it.text("spectrum")


async def test_what_is_asked_for_is_checked_before_a_screen_opens(sample):
    desk = Desk(lambda: sample)
    try:
        for options in (SpecOptions(row=99), SpecOptions(identity="5"), SpecOptions(z=77.0)):
            with pytest.raises(BadInput):
                SpecScreen(desk, options, "braille")
    finally:
        desk.close()


async def test_help_commands_and_the_ways_out(sample):
    async with opened(sample) as it:
        await it.press("colon", *"what", "enter")
        assert ":what is no command" in it.text("hint") + it.text("facts")
        await it.press("question_mark")
        assert isinstance(it.screen.app.screen, HelpScreen)
        await it.press("escape", "colon", "q", "enter")
        assert it.screen.app.return_value == 0


async def test_a_small_terminal_says_so(sample):
    async with opened(sample, size=(79, 24)) as it:
        assert it.screen.has_class("small")
        await it.pilot.resize_terminal(80, 24)
        await it.pilot.pause()
        assert not it.screen.has_class("small")


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)])
async def test_it_looks_as_when_somebody_last_looked(sample, size):
    async with opened(sample, size=size, row=0) as it:
        await it.press("down")
        shown = it.whole()
        assert len(shown.splitlines()) == size[1]
        assert max(map(len, shown.splitlines())) <= size[0]
        compare(f"spec-{size[0]}x{size[1]}", shown)


async def test_ascii_is_ascii(sample):
    async with opened(sample, charset="ascii", row=1) as it:
        await it.press("full_stop")
        for pane in ("header", "spectrum", "facts", "zoom0", "hint"):
            assert it.text(pane).isascii(), it.text(pane)
