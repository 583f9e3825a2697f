"""Tables of files, their rows, what was observed, and the shards that hold the vectors."""

VERSION_1 = (
    """
    CREATE TABLE file (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL UNIQUE,
        survey TEXT NOT NULL CHECK (survey IN ('desi', 'sdss')),
        kind TEXT NOT NULL CHECK (kind IN ('coadd', 'exposure')),
        program TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        n_rows INTEGER NOT NULL,
        fingerprint TEXT NOT NULL UNIQUE,
        redrock_path TEXT NOT NULL,
        added_at TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE object (
        id INTEGER PRIMARY KEY,
        survey TEXT NOT NULL CHECK (survey IN ('desi', 'sdss')),
        identity TEXT NOT NULL CHECK (identity <> ''),
        targetid INTEGER NOT NULL,
        ra REAL,
        dec REAL,
        role TEXT NOT NULL DEFAULT '' CHECK (role IN ('', 'train', 'validation')),
        UNIQUE (survey, identity)
    ) STRICT
    """,
    """
    CREATE TABLE shard (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        grid TEXT NOT NULL,
        n_rows INTEGER NOT NULL,
        n_pixels INTEGER NOT NULL,
        crc32 INTEGER NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE row (
        id INTEGER PRIMARY KEY,
        object_id INTEGER REFERENCES object (id),
        file_id INTEGER NOT NULL REFERENCES file (id),
        hdu_row INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('coadd', 'exposure')),
        survey TEXT NOT NULL,
        targetid INTEGER NOT NULL,
        thing_id INTEGER NOT NULL,
        plate INTEGER NOT NULL,
        mjd INTEGER NOT NULL,
        fiberid INTEGER NOT NULL,
        tileid INTEGER NOT NULL,
        night INTEGER NOT NULL,
        expid INTEGER NOT NULL,
        objtype TEXT NOT NULL,
        ra REAL,
        dec REAL,
        flux_g REAL,
        flux_r REAL,
        flux_z REAL,
        ebv REAL,
        desi_target INTEGER NOT NULL,
        arms TEXT NOT NULL,
        arms_missing TEXT NOT NULL,
        frac_masked REAL,
        snr REAL,
        pipeline TEXT NOT NULL,
        pipeline_class TEXT NOT NULL,
        pipeline_z REAL,
        pipeline_zerr REAL,
        pipeline_zwarn INTEGER NOT NULL,
        pipeline_deltachi2 REAL,
        shard_id INTEGER REFERENCES shard (id),
        shard_row INTEGER,
        dropped TEXT NOT NULL DEFAULT '',
        UNIQUE (file_id, hdu_row),
        CHECK ((shard_id IS NULL) = (shard_row IS NULL)),
        CHECK ((shard_id IS NULL) = (dropped <> ''))
    ) STRICT
    """,
    # The workspace's own grid is in table row; this is for comparing with another.
    """
    CREATE TABLE vector (
        grid TEXT NOT NULL,
        row_id INTEGER NOT NULL REFERENCES row (id),
        shard_id INTEGER NOT NULL REFERENCES shard (id),
        shard_row INTEGER NOT NULL,
        PRIMARY KEY (grid, row_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX row_object ON row (object_id) WHERE object_id IS NOT NULL",
    "CREATE INDEX row_plate ON row (plate, mjd, fiberid) WHERE plate > 0",
    "CREATE INDEX row_dropped ON row (file_id, hdu_row) WHERE dropped <> ''",
)
