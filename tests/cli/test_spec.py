"""qnet spec: text in a pipe, JSON, the screen on a terminal, and one line for what is wrong."""

import json

import pytest
from typer.testing import CliRunner

from qnet_tui.cli import spectrum
from qnet_tui.cli.main import app
from qnet_tui.workflows.demo import sample_folder

COADD = str(sample_folder() / "coadd-0-80001-thru20260315.fits.gz")


class Screens:
    def __init__(self):
        self.asked = []

    def spec(self, path, options):
        self.asked.append((path, options))
        return 0


def run(*arguments, screens=None):
    return CliRunner().invoke(app, ["spec", *arguments], obj=screens or Screens())


def test_in_a_pipe_it_is_text():
    done = run(COADD, "--targetid", "412466729548251209", "--charset", "ascii", "--width", "60", "--height", "10")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("412466729548251209  row 1 of 0-79")
    assert len(lines) == 2 + 10 + 1


def test_json_is_one_document():
    body = json.loads(run(COADD, "--row", "0", "--json").stdout)
    assert body["targetid"] == 412466729548251168
    assert body["pipeline"]["spectype"] == "QSO"
    assert {"file", "rows", "row", "z", "fit", "peaks", "lines", "plot", "snr", "frac_masked"} <= set(body)
    assert len(body["plot"]) == 20


def test_on_a_terminal_it_is_a_screen(monkeypatch):
    monkeypatch.setattr(spectrum, "_can_show_screens", lambda: True)
    screens = Screens()
    done = run(COADD, "--z", "2.3", "--fit", "--lines", "all", screens=screens)
    assert (done.exit_code, done.stdout) == (0, "")
    (path, options), *rest = screens.asked
    assert str(path) == COADD
    assert (options.z, options.fit, options.lines, options.row) == (2.3, True, "all", None)
    assert not rest
    assert "row 0" in run(COADD, "--plain", screens=screens).stdout
    assert len(screens.asked) == 1


def test_a_terminal_that_is_dumb_gets_text(monkeypatch):
    class Tty:
        def isatty(self):
            return True

    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(spectrum.sys, name, Tty())
    for term, can in (("xterm", True), ("dumb", False), ("", False)):
        monkeypatch.setenv("TERM", term)
        assert spectrum._can_show_screens() is can


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["absent.fits"], "no such file"),
        ([COADD, "--row", "80"], "rows are 0 to 79"),
        ([COADD, "--targetid", "5"], "is not in this file"),
        ([COADD, "--targetid", "5", "--row", "1"], "two ways"),
        ([COADD, "--z", "nan"], "--z"),
        ([COADD, "--lines", "blue"], "choice of lines"),
        ([COADD, "--charset", "emoji"], "charset"),
        ([COADD, "--width", "3"], "--width 3"),
        ([__file__], "not a FITS file"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(arguments, says):
    done = run(*arguments)
    assert done.exception is not None
    assert says in str(done.exception)
    assert getattr(done.exception, "exit_code", None) == 2
    assert "\n" not in str(done.exception)
