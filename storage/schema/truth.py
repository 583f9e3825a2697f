"""Table of labels, every one ever given, and of the objects withdrawn from training."""

VERSION_1 = (
    """
    CREATE TABLE truth (
        id INTEGER PRIMARY KEY,
        version INTEGER NOT NULL,
        object_id INTEGER NOT NULL REFERENCES object (id),
        spectype TEXT NOT NULL,
        z REAL,
        quality REAL NOT NULL,
        bal INTEGER NOT NULL CHECK (bal IN (-1, 0, 1)),
        issues TEXT NOT NULL,
        comment TEXT NOT NULL,
        n_vi INTEGER,
        origin TEXT NOT NULL,
        source_kind TEXT NOT NULL CHECK (source_kind IN ('people', 'pipeline', 'catalogue')),
        round INTEGER NOT NULL,
        run_id TEXT REFERENCES run (id),
        at TEXT NOT NULL,
        superseded_by INTEGER REFERENCES truth (id)
    ) STRICT
    """,
    "CREATE UNIQUE INDEX truth_current ON truth (object_id) WHERE superseded_by IS NULL",
    "CREATE INDEX truth_history ON truth (object_id)",
    """
    CREATE TABLE exclusion (
        object_id INTEGER PRIMARY KEY REFERENCES object (id),
        reason TEXT NOT NULL,
        by TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT
    """,
)
