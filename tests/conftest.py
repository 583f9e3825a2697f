"""Fixtures for every test: where the real files are, and an environment that draws the same everywhere."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# Nobody's own keys: a folder that is not there.
os.environ["XDG_CONFIG_HOME"] = str(Path(__file__).with_name("no-config"))

# One simulated campaign for the whole session: every folder copies it.
from tests.every_tab import every_tab  # noqa: F401
from tests.small_campaign import ready, survey, workspace  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("QNET_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real survey files; tests that need it are left out, and counted, when it is absent."""
    if not SHARED.is_dir():
        pytest.skip("real survey files are absent: set QNET_SHARED_DATA")
    return SHARED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were left out for want of the real files."""
    left_out = [r for r in terminalreporter.stats.get("skipped", []) if "QNET_SHARED_DATA" in str(r.longrepr)]
    if left_out:
        terminalreporter.write_line(f"{len(left_out)} tests left out: no real survey files (QNET_SHARED_DATA)")
