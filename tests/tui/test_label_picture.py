"""What the panes show of lines, arms and models, that fine steps are seen, and that nothing is drawn twice."""

import numpy as np
import pytest

from qnet_tui.inspection.item import Facts, ItemState
from qnet_tui.plotting import spectrum_frame
from qnet_tui.plotting.canvas import CHARSETS, Ink
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.plotting.spectrum_data import DESI_COVERAGE, SpectrumData
from qnet_tui.spectral_lines.templates import own_templates
from qnet_tui.tui import label_picture
from qnet_tui.tui.label_actions import Moment, Scene, apply
from qnet_tui.tui.label_picture import Picture, focus, notice, other_focuses
from qnet_tui.tui.view import DEEPEST_ZOOM, View
from tests.tui.campaign import desi_spectrum

FULL = (3600.0, 9824.0)
SCENE = Scene(FULL, (), 80.0)


@pytest.fixture(scope="module")
def data():
    return spectrum()


def spectrum(**made):
    arms = [(arm.name, arm.wavelength, arm.flux[0], arm.ivar[0]) for arm in desi_spectrum(1, **made).arms]
    return SpectrumData.of_arms(arms, DESI_COVERAGE)


@pytest.fixture
def picture(data):
    return Picture(data, "braille", own_templates())


def at(z=2.3042, cursor=5120.0, named=None, **view):
    state = ItemState.start(Facts(0, "QSO", z) if z is not None else Facts(), cursor)
    if named is not None:
        state = state.with_line(named, z)
    return Moment(state, View(**view))


def test_the_first_pane_follows_the_line_under_the_cursor():
    assert focus(at(), FULL).line.name == "C IV"
    assert focus(at(cursor=6300.0), FULL).line.name == "C III]"
    assert focus(at(cursor=6300.0, named="Mg II"), FULL).line.name == "Mg II"
    assert focus(at(zoom_line="Lyα"), FULL).line.name == "Lyα"
    assert focus(at(cursor=None), FULL).line is not None
    assert focus(at(z=None), FULL).line is None
    assert focus(at(z=None), FULL).low < 5120 < focus(at(z=None), FULL).high
    assert focus(at(z=None, cursor=None), FULL).low < 6712 < focus(at(z=None, cursor=None), FULL).high


def test_the_window_of_a_line_is_the_inspectors_own_and_stands_still_for_fine_steps():
    here = focus(at(), FULL)
    assert here.high - here.low == pytest.approx(200 * 3.3042, rel=0.026)  # in steps of 5 %
    assert here.low < here.centre < here.high
    windows = {(round(focus(at(z=2.3042 + step * 1e-4), FULL).low, -1)) for step in range(10)}
    assert len(windows) <= 2


def test_ten_fine_steps_move_the_marker_in_the_narrowest_pane(picture):
    moment = at(depth=DEEPEST_ZOOM)
    before = picture.small(moment, 7, 35, 0, 1)
    for _ in range(10):
        moment = apply("z_fine_up", moment, SCENE)
    after = picture.small(moment, 7, 35, 0, 1)
    assert (before.codes != after.codes).any()
    assert (picture.main(at(), 14, 80).codes == picture.main(moment, 14, 80).codes).mean() > 0.99


def test_the_other_panes_show_other_lines_inside_the_data():
    first = focus(at(), FULL)
    assert [each.line.name for each in other_focuses(at(), FULL, first, 2)] == ["Lyα", "C III]"]
    assert other_focuses(at(z=None), FULL, focus(at(z=None), FULL), 2) == []
    low = at(z=0.05, cursor=6890.0)
    assert [each.line.name for each in other_focuses(low, FULL, focus(low, FULL), 2)] == ["Hβ", "[O II]"]


def test_no_two_panes_show_the_same_window():
    low = at(z=0.05, cursor=5258.0)
    first = focus(low, FULL)
    assert first.line.name == "[O III]"
    assert "Hβ" not in [each.line.name for each in other_focuses(low, FULL, first, 5)]


def test_a_pane_prefers_a_line_where_there_are_data():
    halved = spectrum(masked=(5000.0, 5240.0))
    assert focus(at(), FULL).line.name == "C IV"
    assert focus(at(), FULL, halved).line.name != "C IV"
    others = other_focuses(at(cursor=6300.0), FULL, focus(at(cursor=6300.0), FULL, halved), 3, halved)
    assert "C IV" not in [each.line.name for each in others]
    assert focus(at(zoom_line="C IV"), FULL, halved).line.name == "C IV"


def test_a_step_of_the_redshift_draws_no_spectrum_again(picture, monkeypatch):
    calls = []
    real = spectrum_frame.framed
    monkeypatch.setattr(label_picture, "framed", lambda *a, **k: calls.append(1) or real(*a, **k))
    moment = at()
    picture.main(moment, 14, 80)
    first = picture.main(moment, 14, 80)
    moved = picture.main(apply("z_coarse_up", moment, SCENE), 14, 80)
    assert len(calls) == 1
    assert (first.codes != moved.codes).any()
    picture.main(apply("smooth_more", moment, SCENE), 14, 80)
    assert len(calls) == 2


def test_the_panes_change_places(picture):
    moment = at(zoom_big=True)
    assert "spectrum" in picture.small(moment, 7, 35, 0, 1).text()[0]
    assert "C IV at 5120" in picture.small(at(), 7, 35, 0, 1).text()[0]
    big = "\n".join(picture.main(moment, 14, 80).text())
    assert "5000" in big
    assert "9000" not in big


def test_no_lines_without_a_redshift_or_when_they_are_off(picture):
    for moment in (at(z=None), at(lines="off")):
        assert "┊" not in "\n".join(picture.main(moment, 14, 80).text())


def test_panes_too_small_or_without_a_line_stay_empty(picture):
    assert set("".join(picture.small(at(z=None), 7, 35, 1, 2).text())) == {"─", " "}
    assert picture.small(at(), 2, 35, 0, 1).rows == 2
    assert picture.column_width(at(), 80) == pytest.approx((picture.full[1] - picture.full[0]) / 74)


def test_ascii_pictures_are_ascii(data):
    plain = Picture(data, "ascii")
    for cells in (plain.main(at(), 24, 80), plain.small(at(), 12, 50, 0, 1), plain.small(at(z=None), 12, 50, 0, 1)):
        assert "\n".join(cells.text()).isascii()


def test_a_spectrum_without_any_pixel_is_drawn_as_nothing():
    empty = Picture(SpectrumData.of_arrays([], [], []), "braille", own_templates())
    assert empty.main(at(z=None, cursor=None), 14, 80).rows == 14
    assert empty.main(at(model=True, arms=True), 14, 80).rows == 14


def test_a_notice_is_in_the_middle():
    rows = notice(5, 11, ["abc", "d"]).text()
    assert rows[1] == "    abc    "
    assert rows[2] == "     d     "


@pytest.mark.parametrize("charset", CHARSETS)
def test_the_model_moves_with_the_redshift_and_follows_the_class(data, charset):
    picture = Picture(data, charset, own_templates())
    drawn = picture.main(at(model=True), 14, 80)
    assert (drawn.inks == Ink.MODEL).sum() > 20
    assert not (picture.main(at(), 14, 80).inks == Ink.MODEL).any()
    assert not (picture.main(at(z=None, model=True), 14, 80).inks == Ink.MODEL).any()
    assert (picture.main(at(z=1.5, model=True), 14, 80).codes != drawn.codes).any()
    star = Moment(at(z=0.0).state.with_class("STAR"), View(model=True))
    galaxy = Moment(at(z=0.0).state.with_class("GALAXY"), View(model=True))
    assert picture.model_words(at(model=True)) == "quasar"
    assert picture.model_words(star).startswith("star")
    assert "galaxy" in picture.model_words(galaxy)
    assert picture.model_words(at(model=True, template="star K")) == "star K"


def test_the_words_say_why_there_is_no_model(data, picture):
    assert picture.model_words(at()) == ""
    assert picture.model_words(at(z=None, model=True)).endswith("needs a redshift")
    assert Picture(data, "braille").model_words(at(model=True)) == "no templates are here"
    assert not (Picture(data, "braille").main(at(model=True), 14, 80).inks == Ink.MODEL).any()
    assert picture.template_names()[0] == "quasar"
    assert picture.model_words(at(model=True, template="of another version")) == "quasar"


def test_a_model_at_the_right_redshift_lies_on_the_spectrum(picture):
    """The line of C IV is where the template has it: the distance of the two in rows is small there."""
    right, wrong = (picture.main(at(z=z, model=True, smoothing=6.0), 35, 200) for z in (2.3042, 2.0))

    def apart(cells):
        distance = []
        for column in range(20, 60):
            rows = [np.flatnonzero(cells.inks[:, column] == ink) for ink in (Ink.FLUX, Ink.MODEL)]
            if all(each.size for each in rows):
                distance.append(abs(np.median(rows[0]) - np.median(rows[1])))
        return np.mean(distance)

    assert apart(right) < 0.7 * apart(wrong)


def test_each_arm_has_its_ink_and_its_name_on_the_axis(picture):
    cells = picture.main(at(arms=True), 20, 100)
    inks = [Ink.BLUE_ARM, Ink.RED_ARM, Ink.INFRARED_ARM]
    spans = [np.flatnonzero((cells.inks == ink).any(axis=0)) for ink in inks]
    assert spans[0].min() < spans[1].min() < spans[2].min()
    axis = cells.text()[-2]
    assert axis.index("B") < axis.index("R") < axis.index("Z")
    assert not (cells.inks == Ink.FLUX).any()
    assert not np.isin(picture.main(at(), 20, 100).inks, inks).any()


def test_a_missing_arm_is_said_in_the_picture():
    picture = Picture(spectrum(arms="br"), "braille")
    assert any("no Z arm" in row for row in picture.main(at(), 14, 80).text())
    assert picture.full[1] < 9000


def test_the_ticks_of_other_votes_are_laid_over_every_pane(picture):
    ticks = [Marker("", 5120.0, 60, style="tick", sign="B")]
    assert (picture.main(at(), 14, 80, ticks).inks == Ink.TICK).sum() == 1
    assert (picture.small(at(), 9, 35, 0, 1, ticks).inks == Ink.TICK).sum() == 1
    assert not (picture.main(at(), 14, 80).inks == Ink.TICK).any()
