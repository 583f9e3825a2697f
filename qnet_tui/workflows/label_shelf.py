"""Spectra that are read before they are asked for, so that the next one is on the screen at once.

Nothing is leased by it: whether a spectrum is really the next one is decided when it is asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from qnet_tui.workflows.label_item import Item, load_item
from storage.rounds import SelectionRecord
from storage.workspace import Workspace

# As many as a person may leaf through in the time that reading one takes.
AHEAD = 5
_KEPT = 8


class Shelf:
    """A few items as somebody sees them who is blind to nothing, the latest used kept longest."""

    def __init__(self, ws: Workspace, totals: dict[int, int]) -> None:
        """Read from the rounds of ``ws``; ``totals`` are the objects that each round asks for."""
        self._ws, self._totals = ws, totals
        self._items: OrderedDict[tuple[int, int], Item] = OrderedDict()

    def take(self, record: SelectionRecord) -> Item:
        """Return the item of ``record``, read now unless it lies here."""
        key = (record.round, record.object_id)
        if key not in self._items:
            path = self._ws.round_dir(record.round) / "spectra" / f"{record.object_id}.npz"
            item = load_item(path, record, total=self._totals.get(record.round, 0), blind=False)
            if item.problem:
                return item  # and look again next time: the file may be there by then
            self._items[key] = item
        self._items.move_to_end(key)
        while len(self._items) > _KEPT:
            self._items.popitem(last=False)
        return self._items[key]

    def fetch_one(self, records: Iterable[SelectionRecord]) -> bool:
        """Read the first of ``records`` that does not lie here yet; False when there is none."""
        missing = (record for record in records if (record.round, record.object_id) not in self._items)
        return any(not self.take(record).problem for record in missing)
