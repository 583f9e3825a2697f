"""The merging screen as text, compared with what it looked like when somebody last looked at it.

After a change that is meant, run with ``QNET_UPDATE_SNAPSHOTS=1``, read the difference, and keep it.
"""

from __future__ import annotations

import pytest

from tests.tui.merge_campaign import FIRST, make_merge_workspace, merging
from tests.tui.test_snapshots import compare


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("merge") / "ws"
    make_merge_workspace(folder)
    return folder


@pytest.mark.parametrize("size", [(80, 24), (120, 35)])
async def test_a_conflict_with_the_vote_of_the_minority_lit(root, size):
    async with merging(root, size=size) as it:
        await it.press("j", "j")
        shown = it.whole()
    assert len(shown.splitlines()) == size[1]
    compare(f"merge-{size[0]}x{size[1]}", shown)


async def test_a_conflict_without_an_offer_in_ascii(root):
    async with merging(root, charset="ascii") as it:
        await it.press("n")
        await it.until(lambda: it.title == str(FIRST + 1))
        shown = it.whole()
    assert shown.isascii()
    compare("merge-80x24-ascii", shown)
