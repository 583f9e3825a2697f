"""The numbered steps from an empty file to the present schema, safe when several programs open at once."""

import sqlite3
from pathlib import Path

import sqlite_utils

from storage.connection import fetch, path_of, transaction
from storage.errors import NewerSchema, NotAWorkspace, StorageError
from storage.schema import inspection, rounds, runs, settings, spectra, truth

APPLICATION_ID = 0x714E4554
"""``PRAGMA application_id`` of a workspace database: "qNET" in ASCII."""

MIGRATIONS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (
        1,
        (
            *settings.VERSION_1,
            *spectra.VERSION_1,
            *runs.VERSION_1,
            *truth.VERSION_1,
            *rounds.VERSION_1,
            *inspection.VERSION_1,
        ),
    ),
    (2, inspection.VERSION_2),
    (3, runs.VERSION_3),
)
SCHEMA_VERSION = MIGRATIONS[-1][0]


def schema_version(db: sqlite_utils.Database) -> int:
    """Return the schema number that the database carries (0 for an empty file)."""
    return int(fetch(db, "PRAGMA user_version")[0][0])


def check_readable(db: sqlite_utils.Database, path: Path) -> int:
    """Return the schema number after making sure that this program may use the database.

    Raises:
        NotAWorkspace: the file is a database of another program.
        NewerSchema: a newer program wrote it.

    """
    version = schema_version(db)
    application = int(fetch(db, "PRAGMA application_id")[0][0])
    empty = version == 0 and not fetch(db, "SELECT 1 FROM sqlite_master LIMIT 1")
    if application != APPLICATION_ID and not empty:
        raise NotAWorkspace("this database belongs to another program", file=path)
    if version > SCHEMA_VERSION:
        raise NewerSchema(
            f"written by a newer program (schema {version}, this one knows {SCHEMA_VERSION})",
            file=path,
            mend="update qnet",
        )
    return version


def migrate(db: sqlite_utils.Database, migrations: tuple[tuple[int, tuple[str, ...]], ...] = MIGRATIONS) -> int:
    """Bring the database to the last schema number in one transaction; return that number.

    What is pending is read inside ``BEGIN IMMEDIATE``: of several programs that open an old database at the
    same moment, one migrates and the others find it done. The append-only triggers are recreated, because
    rebuilding a table drops them without a word.
    """
    last = migrations[-1][0]
    if schema_version(db) >= last:
        return last
    with transaction(db) as connection:
        present = schema_version(db)
        if present >= last:
            return last
        for number, statements in migrations:
            if number > present:
                for statement in statements:
                    connection.execute(statement)
        recreate_triggers(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {last}")
    if schema_version(db) != last:
        raise StorageError("the schema could not be brought up to date", file=path_of(db.conn))
    return last


def recreate_triggers(connection: sqlite3.Connection) -> None:
    """Put the append-only triggers of the event log back as they must be."""
    for name in ("event_no_update", "event_no_delete", "event_no_replace"):
        connection.execute(f"DROP TRIGGER IF EXISTS {name}")
    for statement in inspection.TRIGGERS:
        connection.execute(statement)
