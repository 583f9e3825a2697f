"""How a spectrum is looked at, and that a kept view of any age never hurts."""

import pytest

from qnet_tui.inspection.answer import Refused
from qnet_tui.tui.view import DEEPEST_ZOOM, View

FULL = (3600.0, 9800.0)


def test_zooming_in_and_out_comes_back_to_everything():
    view = View().zoomed(FULL, 5000.0, 0.5)
    assert view.window == (4300.0, 7400.0)
    assert view.zoomed(FULL, 5000.0, 2.0).window is None
    with pytest.raises(Refused, match="whole"):
        View().zoomed(FULL, 5000.0, 2.0)
    assert View().zoomed(FULL, None, 0.5).window == (5150.0, 8250.0)


def test_panning_needs_a_window_and_stops_at_the_end():
    with pytest.raises(Refused, match="zooms in"):
        View().panned(FULL, 0.5)
    view = View(window=(3600.0, 4600.0))
    assert view.panned(FULL, 0.5).window == (4100.0, 5100.0)
    with pytest.raises(Refused, match="end"):
        view.panned(FULL, -0.5)
    with pytest.raises(Refused, match="follows"):
        View(zoom_big=True).panned(FULL, 0.5)


def test_the_big_pane_zooms_its_line():
    view = View(zoom_big=True).zoomed(FULL, 5000.0, 0.5)
    assert (view.depth, view.window) == (1, None)
    with pytest.raises(Refused, match="wider"):
        View(zoom_big=True).zoomed(FULL, 5000.0, 2.0)
    with pytest.raises(Refused, match="closer"):
        View(depth=DEEPEST_ZOOM).deeper(1)


def test_smoothing_has_ends():
    assert View().smoothed(1).smoothing == 4
    assert View(smoothing=0).words().startswith("not smoothed")
    with pytest.raises(Refused, match="stops at 0"):
        View(smoothing=0).smoothed(-1)
    with pytest.raises(Refused, match="stops at 26"):
        View(smoothing=26.0).smoothed(1)


def test_words_say_what_is_not_as_usual():
    assert View().words() == "smooth 3 px · major lines"
    odd = View(lines="all", kind="emission", y_mode="log", noise=False, locked=True)
    assert odd.words() == "locked · smooth 3 px · all lines, emission · log-like · no noise"
    assert View(lines="off").words() == "smooth 3 px · no lines"
    assert View(lines="network").words() == "smooth 3 px · network lines"
    drawn = View(arms=True, model=True).words()
    assert drawn == "smooth 3 px · major lines · arms apart · model"
    assert View(model=True, template="star K").words().endswith(" · model star K")
    assert "star K" not in View(template="star K").words()


def test_a_view_is_kept_in_a_draft_and_a_strange_one_is_put_right():
    view = View((4000.0, 5000.0), 6.0, "log", "all", "emission", False, True, "C IV", True, 2, True)
    assert View.from_json(view.to_json()) == view
    drawn = View(lines="network", arms=True, model=True, template="white dwarf")
    assert View.from_json(drawn.to_json()) == drawn
    strange = {
        "window": [5, "x"], "smoothing": 3.3, "y_mode": "up", "lines": 4, "noise": "yes", "depth": 99,
        "zoom_line": "Fe X", "unknown": 1, "arms": 1, "model": "yes", "template": None,
    }  # fmt: skip
    assert View.from_json(strange) == View()
    assert View.from_json({"window": [5000, 4000]}) == View()
    assert View.from_json({"window": [4000, 5000]}).window == (4000.0, 5000.0)
    assert View.from_json({"window": None}) == View()


def test_the_next_spectrum_starts_afresh_unless_the_view_is_locked():
    view = View(window=(4000.0, 5000.0), smoothing=6.0, zoom_line="C IV")
    assert view.for_next_item() == View()
    locked = View(window=(4000.0, 5000.0), smoothing=6.0, zoom_line="C IV", locked=True).for_next_item()
    assert (locked.window, locked.smoothing, locked.zoom_line) == ((4000.0, 5000.0), 6.0, None)
