"""The command line run in this process, as a user types it."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from qnet_tui.cli.main import run


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def qnet(capfd: pytest.CaptureFixture[str]):
    """Call ``qnet("init", "ws")``: exit code, stdout, stderr."""

    def call(*arguments: object) -> Answer:
        capfd.readouterr()
        try:
            run(None, [str(a) for a in arguments])
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        out, err = capfd.readouterr()
        return Answer(code, out, err)

    return call
