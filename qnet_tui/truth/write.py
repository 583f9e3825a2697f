"""Labels -> the truth CSV that QuasarNET's training reads (``TARGETID,VI_Z,VI_QUALITY,VI_CLASS,…``).

What upstream has no column for follows in columns of ours, written only where some label needs them:
THING_ID, PLATE, MJD, FIBERID of SDSS objects and BAL (+1, -1, 0). ``read_truth`` gives back the labels
that were written.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from qnet_tui.truth.cells import comment
from qnet_tui.truth.dialects import column_key
from qnet_tui.truth.labels import Label
from qnet_tui.whole_files import write_whole

TRUTH_COLUMNS = (
    "TARGETID",
    "VI_Z",
    "VI_QUALITY",
    "VI_CLASS",
    "all_VI_issues",
    "all_VI_comments",
    "merger_comment",
    "N_VI",
)
SDSS_COLUMNS = ("THING_ID", "PLATE", "MJD", "FIBERID")
BAL_COLUMN = "BAL"
_NO_ID = -1  # a blank would make readers that go through floats lose the digits of all other ids
_OURS = frozenset(column_key(name) for name in (*TRUTH_COLUMNS, *SDSS_COLUMNS, BAL_COLUMN, "BI_CIV", "BAL_FLAG_VI"))


def truth_csv(labels: Sequence[Label], extra: Mapping[str, Sequence[object]] | None = None) -> str:
    """The CSV text of ``labels``, in their order, one line each; the same labels give the same text.

    ``extra`` are further columns, as many values as labels. Redshifts and qualities are written with all
    their digits. Raises ValueError for an extra column of another length or with a name that means
    something in a truth table.
    """
    more = dict(extra or {})
    for name, values in more.items():
        if column_key(name) in _OURS or len(values) != len(labels):
            raise ValueError(f"extra column {name} clashes with ours or has not {len(labels)} values")
    sdss = any(label.thing_id is not None or label.plate_mjd_fiber is not None for label in labels)
    with_bal = any(label.bal for label in labels)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*TRUTH_COLUMNS, *(SDSS_COLUMNS if sdss else ()), *([BAL_COLUMN] if with_bal else []), *more])
    for index, label in enumerate(labels):
        fields: list[object] = [
            _NO_ID if label.targetid is None else label.targetid,
            "" if label.z is None else repr(float(label.z)),
            repr(float(label.quality)),
            label.spectype,
            label.issues,
            comment(label.comment),
            "",
            "" if label.n_vi is None else label.n_vi,
        ]
        if sdss:
            place = label.plate_mjd_fiber or (_NO_ID, _NO_ID, _NO_ID)
            fields += [_NO_ID if label.thing_id is None else label.thing_id, *place]
        if with_bal:
            fields.append(label.bal)
        writer.writerow([*fields, *(values[index] for values in more.values())])
    return text.getvalue()


def write_truth(path: str | Path, labels: Sequence[Label], extra: Mapping[str, Sequence[object]] | None = None) -> None:
    """Write :func:`truth_csv` to ``path`` (gzipped when it ends in .gz), whole or not at all.

    Raises QnetError when the folder cannot be written to or the disk is full; nothing of the new file
    stays behind.
    """
    write_whole(Path(path), truth_csv(labels, extra).encode("utf-8"))
