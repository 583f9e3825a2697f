"""Which comparison of weights files a tab shows: the newest, or the one that was asked for."""

from dataclasses import dataclass
from typing import Any

from qnet_tui.errors import BadInput
from qnet_tui.workflows.weights_comparison import comparisons, read_comparison
from storage.workspace import Workspace

NONE_YET = "no weights files were compared yet: qnet review weights NEW.h5 --against OLD.h5"


@dataclass(frozen=True)
class Compared:
    """One finished comparison: its run, its name, its figures, and the names of all that can be chosen."""

    run: str
    name: str
    figures: dict[str, Any]
    names: tuple[str, ...]

    @property
    def two(self) -> bool:
        """Whether two files were compared, and not one measured."""
        return "old" in self.figures

    def file(self, who: str) -> str:
        """Name of the file "new" or "old"; with its role where both are called the same."""
        names: dict[str, str] = {w: str(self.figures[w]["file"]) for w in ("new", "old") if w in self.figures}
        return f"{names[who]} ({who})" if len(set(names.values())) < len(names) else names[who]

    def notes(self, c_threshold: float) -> tuple[str, ...]:
        """What the figures rest on; says so when another threshold than theirs was asked for."""
        f = self.figures
        files = f"new: {self._described('new')}" + (f"; old: {self._described('old')}" if self.two else "")
        out = [f"{self.name}; {files}"]
        if self.two and f["new"]["sha256"] == f["old"]["sha256"]:
            out.insert(0, "both files are one and the same: nothing can differ")
        left = {why: n for why, n in f["not_compared"].items() if n}
        out.append(
            f"{f['compared']:,} of {f['rows']:,} rows, {f['objects']:,} objects; a quasar has a line with c > "
            f"{f['c_threshold']:g}" + "".join(f"; left out {n:,}: {why}" for why, n in left.items())
        )
        if c_threshold != f["c_threshold"]:
            out.append(
                f"for c > {c_threshold:g} compare anew: qnet weights compare NEW OLD --c-threshold {c_threshold:g}"
            )
        return tuple(out)

    def _described(self, who: str) -> str:
        facts = self.figures[who]
        return f"{facts['file']} ({facts['grid']} grid, sha256 {str(facts['sha256'])[:12]})"


def compared(ws: Workspace, dataset: str) -> Compared | None:
    """The comparison called ``dataset`` (its name, its file or its run), the newest for ""; None without any.

    Errors: :class:`BadInput` when there is none of that name; :class:`QnetError` when its file is damaged.
    """
    names = comparisons(ws)
    if not names:
        return None
    run = next(iter(names))
    if dataset:
        found = [r for r, name in names.items() if dataset in (r, name)]
        if not found:
            raise BadInput(f"there is no comparison {dataset!r}", mend=f"choose one of: {', '.join(names.values())}")
        run = found[0]
    return Compared(run, names[run], read_comparison(ws, run), tuple(names.values()))


def nothing_compared(f: dict[str, Any]) -> str:
    """Why not one row could be compared, "" where some were."""
    if f["compared"]:
        return ""
    why = "; ".join(f"{n:,}: {reason}" for reason, n in f["not_compared"].items() if n)
    return f"none of {f['rows']:,} rows has an answer of every file ({why})"


def number(value: float | None) -> float:
    """A figure as it was computed: what JSON keeps as null is NaN."""
    return float("nan") if value is None else float(value)
