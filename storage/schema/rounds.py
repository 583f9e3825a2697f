"""Table of what each round asked people to look at, and why."""

VERSION_1 = (
    # row_id names the row whose vector was scored; it is no foreign key, because a database rebuilt from the
    # journals knows the selection before any file has been read again.
    """
    CREATE TABLE selection (
        round INTEGER NOT NULL CHECK (round >= 1),
        object_id INTEGER NOT NULL REFERENCES object (id),
        row_id INTEGER NOT NULL,
        rank INTEGER NOT NULL,
        score REAL,
        entropy REAL,
        c_not REAL,
        c_qso_lz REAL,
        c_qso_hz REAL,
        n_networks INTEGER NOT NULL,
        bmu INTEGER NOT NULL,
        cell_count INTEGER NOT NULL,
        rejected INTEGER NOT NULL CHECK (rejected IN (0, 1)),
        why TEXT NOT NULL,
        strategy TEXT NOT NULL,
        withdrawn TEXT NOT NULL DEFAULT '',
        withdrawn_by TEXT NOT NULL DEFAULT '',
        at TEXT NOT NULL,
        PRIMARY KEY (round, object_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE UNIQUE INDEX selection_queued ON selection (object_id) WHERE withdrawn = ''",
)
