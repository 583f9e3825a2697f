"""Table of the campaign's settings."""

VERSION_1 = (
    """
    CREATE TABLE setting (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL,
        at TEXT NOT NULL,
        by TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)
