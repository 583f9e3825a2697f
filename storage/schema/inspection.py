"""Tables of people and what they say: inspectors, leases, drafts, votes, merged labels, and the event log."""

VERSION_1 = (
    """
    CREATE TABLE inspector (
        code TEXT PRIMARY KEY COLLATE NOCASE,
        os_user TEXT NOT NULL,
        name TEXT NOT NULL,
        added_at TEXT NOT NULL,
        position TEXT NOT NULL DEFAULT ''
    ) STRICT
    """,
    """
    CREATE TABLE lease (
        object_id INTEGER PRIMARY KEY REFERENCES object (id),
        inspector TEXT NOT NULL REFERENCES inspector (code),
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        taken_at TEXT NOT NULL,
        expires REAL NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE draft (
        inspector TEXT NOT NULL REFERENCES inspector (code),
        object_id INTEGER NOT NULL REFERENCES object (id),
        body TEXT NOT NULL,
        at TEXT NOT NULL,
        PRIMARY KEY (inspector, object_id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE deferral (
        inspector TEXT NOT NULL REFERENCES inspector (code),
        object_id INTEGER NOT NULL REFERENCES object (id),
        at TEXT NOT NULL,
        PRIMARY KEY (inspector, object_id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE vote (
        uid TEXT PRIMARY KEY,
        round INTEGER NOT NULL,
        object_id INTEGER NOT NULL REFERENCES object (id),
        inspector TEXT NOT NULL REFERENCES inspector (code),
        spectype TEXT,
        z REAL,
        quality INTEGER NOT NULL CHECK (quality BETWEEN 0 AND 4),
        issues TEXT NOT NULL,
        comment TEXT NOT NULL,
        z_source TEXT NOT NULL,
        active_seconds REAL NOT NULL,
        blind_peers INTEGER NOT NULL,
        blind_model INTEGER NOT NULL,
        tags TEXT NOT NULL,
        app_version TEXT NOT NULL,
        committed_at TEXT NOT NULL,
        superseded_by TEXT NOT NULL DEFAULT '',
        withdrawn_at TEXT NOT NULL DEFAULT ''
    ) STRICT, WITHOUT ROWID
    """,
    # The database itself keeps "one person, one vote on one object".
    """
    CREATE UNIQUE INDEX vote_current ON vote (object_id, inspector)
    WHERE superseded_by = '' AND withdrawn_at = ''
    """,
    "CREATE INDEX vote_round ON vote (round, object_id)",
    """
    CREATE TABLE merge (
        uid TEXT PRIMARY KEY,
        round INTEGER NOT NULL,
        object_id INTEGER NOT NULL REFERENCES object (id),
        spectype TEXT,
        z REAL,
        quality REAL NOT NULL CHECK (quality BETWEEN 0 AND 4),
        issues TEXT NOT NULL,
        comment TEXT NOT NULL,
        n_votes INTEGER NOT NULL,
        rule TEXT NOT NULL,
        by TEXT NOT NULL,
        unseen INTEGER NOT NULL CHECK (unseen IN (0, 1)),
        vote_uids TEXT NOT NULL,
        at TEXT NOT NULL,
        superseded_by TEXT NOT NULL DEFAULT '',
        reopened_at TEXT NOT NULL DEFAULT ''
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE UNIQUE INDEX merge_current ON merge (object_id) WHERE superseded_by = '' AND reopened_at = ''",
    "CREATE INDEX merge_round ON merge (round, object_id)",
    """
    CREATE TABLE event (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        uid TEXT NOT NULL UNIQUE,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        by TEXT NOT NULL,
        object_id INTEGER,
        round INTEGER,
        body TEXT NOT NULL,
        previous TEXT NOT NULL,
        hash TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX event_object ON event (object_id)",
    """
    CREATE TABLE journal_mark (
        name TEXT PRIMARY KEY,
        bytes INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)

# Since schema 2: the error of a fitted redshift, where an imported vote came from, whether the merger saw who
# is who, stars, which agreed cases a merger looked at, and the order of the log that no clock can disturb.
VERSION_2 = (
    "ALTER TABLE vote ADD COLUMN z_error REAL",
    "ALTER TABLE vote ADD COLUMN origin TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE merge ADD COLUMN names_shown INTEGER NOT NULL DEFAULT 0 CHECK (names_shown IN (0, 1))",
    "ALTER TABLE event ADD COLUMN ordered_at TEXT NOT NULL DEFAULT ''",
    # Up to now the times were the order. The migration puts the trigger back.
    "DROP TRIGGER IF EXISTS event_no_update",
    "UPDATE event SET ordered_at = at",
    "CREATE INDEX event_order ON event (ordered_at)",
    # A star taken back keeps its row, so that an older entry that arrives late does not set it again.
    """
    CREATE TABLE star (
        inspector TEXT NOT NULL REFERENCES inspector (code),
        object_id INTEGER NOT NULL REFERENCES object (id),
        starred INTEGER NOT NULL CHECK (starred IN (0, 1)),
        note TEXT NOT NULL,
        uid TEXT NOT NULL UNIQUE,
        at TEXT NOT NULL,
        PRIMARY KEY (inspector, object_id)
    ) STRICT, WITHOUT ROWID
    """,
    # vote_uids says which votes were looked at: after a change it is another case.
    """
    CREATE TABLE look (
        round INTEGER NOT NULL,
        object_id INTEGER NOT NULL REFERENCES object (id),
        inspector TEXT NOT NULL REFERENCES inspector (code),
        vote_uids TEXT NOT NULL,
        uid TEXT NOT NULL UNIQUE,
        at TEXT NOT NULL,
        PRIMARY KEY (round, object_id, inspector)
    ) STRICT, WITHOUT ROWID
    """,
)

# The log guards against accidents, not against a hostile hand. INSERT OR REPLACE deletes without firing a
# delete trigger on connections that do not set recursive_triggers, hence the third one.
TRIGGERS = (
    """
    CREATE TRIGGER event_no_update BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END
    """,
    """
    CREATE TRIGGER event_no_delete BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END
    """,
    """
    CREATE TRIGGER event_no_replace BEFORE INSERT ON event
    WHEN EXISTS (SELECT 1 FROM event WHERE id = NEW.id OR uid = NEW.uid)
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END
    """,
)
