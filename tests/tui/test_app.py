"""The door: what is refused before any screen opens, and that labelling loads nothing heavy."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from qnet_tui.errors import BadInput
from qnet_tui.plotting import canvas
from qnet_tui.tui import app
from qnet_tui.tui.app import check_terminal, run_label
from qnet_tui.workflows.label import LabelOptions
from tests.tui.campaign import desi_spectrum, make_workspace


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch, **streams):
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(app.sys, name, streams.get(name, Tty()))


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_a_stream_that_is_no_terminal_is_refused_in_one_line(monkeypatch, stream):
    terminal(monkeypatch, **{stream: io.StringIO()})
    monkeypatch.setenv("TERM", "xterm")
    with pytest.raises(BadInput, match="--plain") as refusal:
        check_terminal()
    assert refusal.value.exit_code == 2
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("term", ["dumb", "", "unknown"])
def test_a_dumb_terminal_is_refused(monkeypatch, term, tmp_path):
    terminal(monkeypatch)
    monkeypatch.setenv("TERM", term)
    with pytest.raises(BadInput, match="TERM is"):
        run_label(tmp_path, LabelOptions())


def test_a_real_terminal_is_taken(monkeypatch):
    terminal(monkeypatch)
    monkeypatch.setenv("TERM", "screen")
    check_terminal()


def test_the_charset_follows_the_locale_unless_it_is_named(monkeypatch):
    monkeypatch.setattr(canvas.locale, "getpreferredencoding", lambda _: "UTF-8")
    assert canvas.charset_for(None) == "braille"
    monkeypatch.setattr(canvas.locale, "getpreferredencoding", lambda _: "ANSI_X3.4-1968")
    assert canvas.charset_for(None) == "ascii"
    assert canvas.charset_for("block") == "block"
    with pytest.raises(BadInput, match="braille, block, ascii"):
        canvas.charset_for("emoji")


@pytest.mark.parametrize(("asked", "in_file", "fast"), [(None, True, True), (None, False, False), (False, True, False)])
def test_a_persons_own_keys_and_ways_reach_the_screen(monkeypatch, tmp_path, asked, in_file, fast):
    terminal(monkeypatch)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "qnet" / "keys.toml"
    file.parent.mkdir()
    file.write_text(f'[label]\nfit = ["F"]\n[options]\nfast_commit = {str(in_file).lower()}\n')
    make_workspace(tmp_path / "ws", [desi_spectrum(1)]).close()
    given = {}

    def screen(_desk, _charset, **named):
        given.update(named)
        raise KeyboardInterrupt

    monkeypatch.setattr("qnet_tui.tui.screens.label.LabelScreen", screen)
    with pytest.raises(KeyboardInterrupt):
        run_label(tmp_path / "ws", LabelOptions(inspector="ABC", fast_commit=asked))
    assert given["fast_commit"] is fast
    assert given["user"].screens["label"]["fit"] == ("F",)


def test_a_bad_file_of_keys_is_refused_before_anything_is_opened(monkeypatch, tmp_path):
    terminal(monkeypatch)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "qnet").mkdir()
    (tmp_path / "qnet" / "keys.toml").write_text('[label]\nfit = ["q"]\n')
    with pytest.raises(BadInput, match="q is fit and class_quasar"):
        run_label(tmp_path / "no workspace", LabelOptions())


def test_labelling_loads_neither_tensorflow_nor_dask_nor_fitsio_nor_plotext():
    """And the plain dialogue loads no Textual."""
    heavy = "{'tensorflow', 'keras', 'h5py', 'fitsio', 'dask', 'distributed', 'minisom', 'plotext', 'astropy'}"
    code = (
        "import sys, qnet_tui.workflows.label_plain\n"
        f"print(sorted(({heavy} | {{'textual'}}) & set(sys.modules)))\n"
        "import qnet_tui.tui.app\nprint(sorted({'textual'} & set(sys.modules)))\n"
        f"import qnet_tui.tui.qnet_app, qnet_tui.tui.screens.label\nprint(sorted({heavy} & set(sys.modules)))\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.split("\n")[:3] == ["[]", "[]", "[]"]
