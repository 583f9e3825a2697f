"""qnet bench screen as it is typed, in its quick form: it runs, and what is exact keeps its promise."""

import importlib.util
import json

import pytest
from typer.testing import CliRunner

from qnet_tui.cli.main import app
from qnet_tui.workflows.bench_campaign import make_campaign, quasars_of, sample_quasars
from qnet_tui.workflows.demo import sample_folder


@pytest.mark.e2e
def test_the_quick_bench_names_every_figure_and_its_exact_ones_are_met():
    done = CliRunner().invoke(app, ["bench", "screen", "--quick", "--json"])
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert {"name", "ours", "peer", "ratio", "unit", "exact", "detail"} <= set(found[0])
    missed = [one for one in found if one["exact"] and one["met"] is False]
    assert not missed
    names = " ".join(one["name"] for one in found)
    for part in (
        "coarse step",
        "fine step",
        "template",
        "next spectrum",
        "save",
        "fit",
        "held",
        "memory",
        "first paint",
    ):
        assert part in names
    assert "heavy modules loaded" in names
    # Redrawing the whole plot for every key costs more, whichever library does it.
    bytes_beside = [one for one in found if one["unit"] == "bytes" and one["peer"] is not None]
    assert any("plotext" in one["name"] for one in bytes_beside)
    assert all(one["ratio"] < 0.5 for one in bytes_beside)
    assert all(one["ratio"] == pytest.approx(one["ours"] / one["peer"]) for one in bytes_beside)
    if importlib.util.find_spec("textual_plot") is None:
        assert [one for one in found if one["name"] == "peer textual-plot" and "left out" in one["detail"]]


def test_the_bench_takes_quasars_of_the_sample_or_spectra_of_a_file(tmp_path):
    quasars = sample_quasars(4)
    assert len({one.spectrum.identity for one in quasars}) == 4
    assert all(2.1 <= one.z < 2.9 and one.z == round(one.z, 4) for one in quasars)
    own = quasars_of(sample_folder() / "coadd-1-80002-thru20260315.fits.gz", 3)
    assert len(own) == 3
    make_campaign(tmp_path / "ws", own)
    assert len(list((tmp_path / "ws" / "rounds" / "001" / "spectra").glob("*.npz"))) == 3
