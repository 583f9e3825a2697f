"""What a key costs on the wire: the reason for tiles, cached pictures and lean styles."""

from __future__ import annotations

from pathlib import Path

import pytest

from qnet_tui.spectra.single import load_spectrum
from tests.tui.campaign import desi_spectrum, make_workspace
from tests.tui.terminal import Terminal

FINE, COARSE = "\x1b[C", ">"


@pytest.fixture
def root(tmp_path):
    make_workspace(tmp_path / "ws", [desi_spectrum(39627000000000310, 2.3042)]).close()
    return tmp_path / "ws"


@pytest.mark.parametrize(("columns", "rows", "most"), [(80, 24, 4096), (120, 35, 4096), (200, 50, 8192)])
@pytest.mark.parametrize("template", [False, True], ids=["flux", "flux and template"])
def test_a_redshift_step_is_cheap_and_one_that_moves_no_marker_costs_next_to_nothing(
    root, columns, rows, most, template
):
    terminal = Terminal(root, columns, rows)
    try:
        terminal.wait_for("all keys")
        terminal.quiet()
        if template:
            terminal.press("t", "quasar")
        costs = [len(terminal.press(COARSE, f"{2.3042 + 0.01 * step:.4f}")) for step in range(1, 6)]
        assert max(costs) <= most, costs
        # Of three fine steps at most one moves a marker by a cell.
        fine = sorted(len(terminal.press(FINE, f"{2.3542 + 0.0001 * step:.4f}")) for step in range(1, 4))
        assert fine[1] <= 400, fine
        terminal.press("\x1b[21~")
        assert terminal.wait_for_exit() == 0
    finally:
        terminal.close()


@pytest.mark.parametrize("name", ["galaxy", "star"])
@pytest.mark.parametrize(("columns", "rows", "most"), [(80, 24, 4096), (120, 35, 4096), (200, 50, 8192)])
def test_the_many_lines_of_a_galaxy_or_a_star_are_cheap_too(tmp_path, name, columns, rows, most):
    spectrum = load_spectrum(Path(__file__).parent / "real_spectra" / f"{name}.npz")
    make_workspace(tmp_path / "ws", [spectrum]).close()
    terminal = Terminal(tmp_path / "ws", columns, rows)
    try:
        terminal.wait_for("all keys")
        terminal.quiet()
        z = float(spectrum.row["pipeline_z"])
        costs = [len(terminal.press(COARSE, f"{z + 0.01 * step:.4f}"[:6])) for step in range(1, 4)]
        assert max(costs) <= most, costs
    finally:
        terminal.close()


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "linux"}, {"TERM": "screen"}])
def test_any_terminal_can_show_it(root, environment):
    terminal = Terminal(root, 80, 24, env=environment)
    try:
        shown = terminal.wait_for("all keys") + terminal.quiet()
        assert b"Mg II" in shown
        assert b"Traceback" not in shown
        if "NO_COLOR" in environment:
            assert b"\x1b[36m" not in shown
            assert b"\x1b[33" not in shown
        assert b"?1000h" not in shown, "no mouse"
        assert b"GALAXY" not in shown
        terminal.press("q4")
        terminal.press("\x1b[21~")
        assert terminal.wait_for_exit() == 0
    finally:
        terminal.close()


def test_a_dropped_line_keeps_the_draft_and_gives_the_spectrum_back(root):
    import storage.votes as store
    from storage.workspace import Workspace

    terminal = Terminal(root, 80, 24)
    try:
        terminal.wait_for("all keys")
        terminal.quiet()
        terminal.press("g2")
        terminal.hang_up()
        terminal.wait_for_exit()
    finally:
        terminal.close()
    with Workspace.open(root) as ws:
        assert store.leases(ws) == []
        assert store.drafts(ws, "ABC")[0].body["item"]["answer"]["quality"] == 2
