"""What the file viewer writes, at any width: facts that need no screen."""

from dataclasses import replace

import pytest

from qnet_tui.inspection.spec_keys import SPEC_ACTIONS
from qnet_tui.tui.label_actions import Moment
from qnet_tui.tui.spec_words import FileWords, Told, facts_rows, header_rows, hint_row
from qnet_tui.tui.tones import Tone, plain, width
from qnet_tui.tui.view import View
from qnet_tui.workflows.demo import sample_folder
from qnet_tui.workflows.spectrum_file import SpectrumFile, started

WORDS = FileWords("coadd-0-80001-thru20260315.fits.gz", "DESI coadd dark", 80)


@pytest.fixture(scope="module")
def shown():
    return SpectrumFile.open(sample_folder() / WORDS.name).show(0)


def facts(shown, rows=7, columns=44, charset="braille", message=None):
    moment = Moment(started(shown.item, None), View())
    told = Told(moment.view.words(), message, SPEC_ACTIONS)
    return [plain(row) for row in facts_rows(shown, moment, told, rows, columns, charset)]


@pytest.mark.parametrize("columns", [80, 100, 120, 200])
@pytest.mark.parametrize("charset", ["braille", "ascii"])
def test_every_row_is_as_wide_as_its_pane(shown, columns, charset):
    moment = Moment(started(shown.item, None), View())
    rows = [*header_rows(WORDS, shown, columns, charset), hint_row(moment, SPEC_ACTIONS, 80, columns, charset)]
    assert [width(row) for row in rows] == [columns] * 3
    for height in (7, 10, 16):
        assert {len(row) for row in facts(shown, height, 52, charset)} == {52}
        assert len(facts(shown, height, 52, charset)) == height
    if charset == "ascii":
        assert all(plain(row).isascii() for row in rows)
        assert all(row.isascii() for row in facts(shown, 16, 52, charset))


def test_a_sky_fibre_and_a_masked_spectrum_are_warned_of(shown):
    record = shown.record.copy()
    record["objtype"] = "SKY"
    item = replace(shown.item, frac_masked=0.4, arms_missing="r", arms_words="arms B - Z, no R")
    second = header_rows(WORDS, replace(shown, record=record, item=item), 120, "braille")[1]
    warned = " ".join(text for text, tone in second if tone is Tone.WARN)
    assert "SKY" in warned
    assert "no R" in warned
    assert "40 % masked" in warned


def test_a_file_of_one_row_has_no_row_number(shown):
    first = header_rows(FileWords("spec-1.fits", "SDSS coadd", 1), shown, 80, "braille")[0]
    assert "row" not in plain(first)


def test_the_pipeline_the_place_and_the_peaks_are_said_where_there_is_room(shown):
    low, high = "\n".join(facts(shown)), "\n".join(facts(shown, 12, 52))
    for text in (low, high):
        assert "redrock  QSO 1.6561" in text
        assert "tile 80001" in text
    assert "peaks" in high
    assert "peaks" not in low
    bare = replace(shown, item=replace(shown.item, pipeline_z=None, pipeline_class=""))
    assert "no answer beside the file" in "\n".join(facts(bare))


def test_a_message_takes_the_last_row(shown):
    assert facts(shown, message=("that was the last row", Tone.DIM))[-1].strip() == "that was the last row"


def test_without_a_redshift_the_keys_that_find_one_come_first(shown):
    state = started(shown.item, None).with_z_typed("")
    row = plain(hint_row(Moment(state, View()), SPEC_ACTIONS, 1, 80, "braille"))
    assert "type z" in row
    assert "rows" not in row
