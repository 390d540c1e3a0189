"""Claims about indexes and partitions."""

from migrations.locks.claims.claim import Claim, Claims
from migrations.locks.lock import Lock

AE, SRE, S, SUE = Lock.ACCESS_EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE, Lock.SHARE, Lock.SHARE_UPDATE_EXCLUSIVE
WRITER = "LOCK TABLE t IN ROW EXCLUSIVE MODE"
INVALID = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 'z'::regclass"

CLAIMS: Claims = {
    "CREATE INDEX": (
        Claim("CREATE INDEX z ON t (n)", {"t": S}, scans=("t",)),
        Claim("CREATE INDEX z ON pt (k)", {"pt": S, "p1": S, "p2": S, "pd": S}, scans=("p1", "p2", "pd")),
        Claim("CREATE INDEX z ON ONLY pt (k)", {"pt": S}),
        Claim("CREATE INDEX z ON mv (n)", {"mv": S}, scans=("mv",)),
        Claim("CREATE INDEX IF NOT EXISTS ti ON alone (id)", {"alone": S}, milder=("alone",)),
    ),
    "CREATE INDEX CONCURRENTLY": (
        Claim("CREATE INDEX CONCURRENTLY z ON t (n)", {"t": SUE}, holding=WRITER),
        Claim(
            "CREATE INDEX CONCURRENTLY z ON t (n)",
            {"t": SUE},
            setup="SET lock_timeout = '200ms'",
            holding="SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT FROM alone",
            fails="55P03",
            shows=INVALID,
        ),
        Claim("CREATE INDEX CONCURRENTLY z ON t (n)", fails="25001"),
    ),
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS, run again": (
        Claim(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS z ON t (n)",
            {"t": SUE},
            setup="CREATE INDEX z ON t (n); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'z'::regclass",
            holding="LOCK TABLE t IN SHARE MODE",
            shows=INVALID,
        ),
    ),
    "DROP INDEX": (
        Claim("DROP INDEX ti", {"t": AE}),
        Claim("DROP INDEX pti", {"pt": AE, "p1": AE, "p2": AE, "pd": AE}),
    ),
    "DROP INDEX CONCURRENTLY": (Claim("DROP INDEX CONCURRENTLY ti", {"t": SUE}, holding=WRITER),),
    "REINDEX INDEX, REINDEX TABLE": (
        Claim("REINDEX INDEX ti", {"t": S, "ti": AE}, scans=("t",)),
        Claim("REINDEX TABLE t", {"t": S, "ti": AE, "t_pkey": AE}, scans=("t",)),
    ),
    "REINDEX CONCURRENTLY": (
        Claim("REINDEX TABLE CONCURRENTLY t", {"t": SUE}, holding=WRITER),
        Claim("REINDEX INDEX CONCURRENTLY ti", {"t": SUE}, holding=WRITER),
        Claim("REINDEX TABLE CONCURRENTLY t", fails="25001"),
        Claim(
            "REINDEX TABLE CONCURRENTLY t",
            {"t": SUE},
            setup="SET lock_timeout = '200ms'",
            holding=WRITER,
            fails="55P03",
            shows="SELECT count(*) > 0 FROM pg_index WHERE NOT indisvalid AND indexrelid::regclass::text ~ '_ccnew'",
        ),
    ),
    "REINDEX SCHEMA": (
        Claim("REINDEX SCHEMA public", {"alone": S}, holding="LOCK TABLE alone IN ROW EXCLUSIVE MODE"),
    ),
    "ALTER INDEX": (
        Claim("ALTER INDEX ti RENAME TO z"),
        Claim("ALTER INDEX ti SET (fillfactor = 50)"),
        Claim("ALTER INDEX ti SET TABLESPACE pg_default", {"ti": AE}),
        Claim("ALTER TABLE ti RENAME TO z", {"ti": AE}),
        Claim("COMMENT ON INDEX ti IS 'x'"),
    ),
    "ATTACH PARTITION": (
        Claim(
            "ALTER TABLE plain_pt ATTACH PARTITION spare FOR VALUES IN (3)",
            {"plain_pt": SUE, "spare": AE},
            setup="CREATE TABLE spare (k int); INSERT INTO spare VALUES (3)",
            scans=("spare",),
        ),
        Claim(
            "ALTER TABLE plain_pt ATTACH PARTITION spare FOR VALUES IN (3)",
            {"plain_pt": SUE, "spare": AE},
            setup="CREATE TABLE spare (k int, CHECK (k IS NOT NULL AND k = 3)); INSERT INTO spare VALUES (3)",
        ),
        Claim(
            "ALTER TABLE pt ATTACH PARTITION p3 FOR VALUES IN (3)",
            {"pt": SUE, "p3": AE, "pd": AE, "o": SRE},
            scans=("p3", "pd", "o"),
        ),
    ),
    "DETACH PARTITION": (
        Claim("ALTER TABLE plain_pt DETACH PARTITION plain_p1", {"plain_pt": AE, "plain_p1": AE}),
        Claim("ALTER TABLE pt DETACH PARTITION p1", {"pt": AE, "p1": AE, "pd": AE, "o": SRE}),
    ),
    "DETACH PARTITION CONCURRENTLY": (
        Claim(
            "ALTER TABLE plain_pt DETACH PARTITION plain_p1 CONCURRENTLY",
            {"plain_pt": SUE, "plain_p1": AE},
            holding="LOCK TABLE plain_p1 IN ACCESS SHARE MODE",
            since=14,
        ),
        Claim(
            "ALTER TABLE plain_pt DETACH PARTITION plain_p1 CONCURRENTLY",
            setup="SET lock_timeout = '200ms'",
            holding="LOCK TABLE plain_pt IN ACCESS SHARE MODE",
            fails="55P03",
            shows="SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 'plain_p1'::regclass",
            since=14,
        ),
        Claim("ALTER TABLE pt DETACH PARTITION p1 CONCURRENTLY", fails="25001", since=14),
    ),
    "CREATE TABLE … PARTITION OF": (
        Claim("CREATE TABLE z PARTITION OF plain_pt FOR VALUES IN (9)", {"plain_pt": AE}),
        Claim(
            "CREATE TABLE z PARTITION OF pt FOR VALUES IN (9)",
            {"pt": AE, "pd": AE, "o": SRE},
            scans=("pd",),
        ),
    ),
}  # fmt: skip
