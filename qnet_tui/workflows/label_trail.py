"""The spectra that were passed over without a commit, and where among them the inspector stands."""

from __future__ import annotations

from collections.abc import Iterator

from storage.rounds import SelectionRecord


class Trail:
    """Selected objects in the order in which they were shown; an object that is answered or put off leaves it."""

    def __init__(self) -> None:
        """Begin nowhere."""
        self._records: list[SelectionRecord] = []
        self._at = -1

    def __len__(self) -> int:
        return len(self._records)

    @property
    def object_ids(self) -> list[int]:
        """The objects passed over, oldest first."""
        return [record.object_id for record in self._records]

    def ahead(self) -> Iterator[SelectionRecord]:
        """Yield what was shown after the place where the inspector stands."""
        yield from self._records[self._at + 1 :]

    def behind(self, *, including_here: bool) -> Iterator[SelectionRecord]:
        """Yield what was shown before, latest first; ``including_here`` when nothing is shown now."""
        stop = self._at + 1 if including_here else self._at
        yield from reversed(self._records[: max(stop, 0)])

    def stand_at(self, record: SelectionRecord) -> None:
        """Go to a record of the trail."""
        self._at = self._records.index(record)

    def add(self, record: SelectionRecord) -> None:
        """Show something new, after everything else."""
        self._records.append(record)
        self._at = len(self._records) - 1

    def put_before(self, record: SelectionRecord, *, something_shown: bool) -> None:
        """Show ``record`` now; what was shown, if anything, follows it."""
        if record in self._records:
            before = self._records.index(record)
            self._records.remove(record)
            self._at -= before <= self._at
        at = max(self._at if something_shown else self._at + 1, 0)
        self._records.insert(at, record)
        self._at = at

    def leave(self, object_id: int) -> None:
        """Take away the object that is shown; the one before it is then where the inspector stands."""
        self._records = [record for record in self._records if record.object_id != object_id]
        self._at = min(self._at - 1, len(self._records) - 1)

    def clear(self) -> None:
        """Forget everything: the queue has come round."""
        self._records, self._at = [], -1
