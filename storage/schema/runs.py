"""Tables of executions: runs, the tasks of a run, what was measured, and which run drives the workspace."""

VERSION_1 = (
    """
    CREATE TABLE run (
        id TEXT PRIMARY KEY,
        number INTEGER NOT NULL UNIQUE,
        verb TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('RUNNING', 'DONE', 'FAILED', 'STOPPED')),
        stage TEXT NOT NULL DEFAULT '',
        done INTEGER NOT NULL DEFAULT 0,
        total INTEGER NOT NULL DEFAULT 0,
        started_at TEXT NOT NULL,
        ended_at TEXT,
        round INTEGER,
        seed INTEGER,
        settings TEXT NOT NULL,
        versions TEXT NOT NULL,
        command TEXT NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        job TEXT NOT NULL DEFAULT '',
        heartbeat REAL NOT NULL,
        truth_hash TEXT NOT NULL DEFAULT '',
        log TEXT NOT NULL DEFAULT '',
        note TEXT NOT NULL DEFAULT '',
        hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),
        result TEXT NOT NULL DEFAULT '{}'
    ) STRICT
    """,
    """
    CREATE TABLE driver (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        run_id TEXT NOT NULL REFERENCES run (id)
    ) STRICT
    """,
    """
    CREATE TABLE task (
        run_id TEXT NOT NULL REFERENCES run (id),
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        path TEXT NOT NULL,
        crc32 INTEGER,
        seconds REAL,
        detail TEXT NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (run_id, name)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE metric (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES run (id),
        dataset TEXT NOT NULL,
        epoch INTEGER,
        name TEXT NOT NULL,
        value REAL,
        n INTEGER
    ) STRICT
    """,
    "CREATE INDEX metric_run ON metric (run_id)",
)

VERSION_3 = (
    "ALTER TABLE run ADD COLUMN step TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE run ADD COLUMN step_at REAL NOT NULL DEFAULT 0",
)
