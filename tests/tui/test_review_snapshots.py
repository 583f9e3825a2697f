"""Every review tab as text, compared with what it looked like when somebody last looked at it.

After a change that is meant, run with ``QNET_UPDATE_SNAPSHOTS=1``, read the difference, and keep it.
"""

from __future__ import annotations

import pytest

from qnet_tui.inspection.review_keys import REVIEW_ACTIONS
from qnet_tui.tui.screens.help import help_lines
from qnet_tui.workflows.review.tabs import TABS
from tests.tui.review_tabs import reviewing
from tests.tui.test_snapshots import compare


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)])
async def test_every_tab(size):
    names = list(TABS) if size[0] < 200 else ["completeness", "outliers"]
    async with reviewing(size=size) as it:
        for name in names:
            await it.go(str(list(TABS).index(name) + 1))
            shown = it.whole()
            rows = shown.splitlines()
            assert len(rows) == size[1]
            assert max(map(len, rows)) <= size[0]
            assert all(each in rows[0] for each in TABS), "every tab can be found"
            compare(f"review-{name}-{size[0]}x{size[1]}", shown)


async def test_in_ascii_nothing_else_is_sent():
    async with reviewing(charset="ascii") as it:
        for number, name in enumerate(TABS, start=1):
            await it.go(str(number))
            assert it.whole().isascii(), name
            if name in ("completeness", "map", "outliers"):
                compare(f"review-{name}-80x24-ascii", it.whole())


@pytest.mark.parametrize("columns", [2, 3])
def test_help_of_the_review_screen(columns):
    lines = help_lines(REVIEW_ACTIONS, "braille", columns)
    assert not any("IN THE PLOT" in line for line in lines), "there is no spectrum to explain"
    compare(f"help-review-{columns}", "\n".join(lines) + "\n")
