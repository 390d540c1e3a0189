"""Claims about columns."""

from migrations.locks.claims.claim import Claim, Claims
from migrations.locks.lock import Lock

AE, SRE = Lock.ACCESS_EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE
T = {"t": AE}
ALONE = {"alone": AE}
PARTITIONS = {"pt": AE, "p1": AE, "p2": AE, "pd": AE}

CLAIMS: Claims = {
    "ADD COLUMN without a default, or with a constant or stable one": (
        Claim("ALTER TABLE t ADD COLUMN z int", T),
        Claim("ALTER TABLE t ADD COLUMN z int NOT NULL DEFAULT 5", T),
        Claim("ALTER TABLE t ADD COLUMN z timestamptz DEFAULT now()", T),
        Claim("ALTER TABLE t ADD COLUMN z timestamptz DEFAULT CURRENT_TIMESTAMP", T),
        Claim("ALTER TABLE t ADD COLUMN z mood DEFAULT 'good'", T),
        Claim("ALTER TABLE t ADD COLUMN z plain", T),
        Claim("ALTER TABLE t ADD COLUMN z checked[]", T),
        Claim("ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS (c + 1) VIRTUAL", T, since=18),
        Claim("ALTER TABLE pt ADD COLUMN z int", PARTITIONS),
        Claim("ALTER TABLE heirs ADD COLUMN z int", {"heirs": AE, "heir": AE}),
    ),
    "ADD COLUMN with a volatile default": (
        Claim("ALTER TABLE t ADD COLUMN z timestamptz DEFAULT clock_timestamp()", T, scans=("t",), rewrites=("t",)),
        Claim("ALTER TABLE t ADD COLUMN z uuid DEFAULT gen_random_uuid()", T, scans=("t",), rewrites=("t",)),
        Claim(
            "CREATE DOMAIN made AS uuid DEFAULT gen_random_uuid(); ALTER TABLE t ADD COLUMN z made",
            T,
            scans=("t",),
            rewrites=("t",),
        ),
        Claim(
            "ALTER TABLE t ADD COLUMN z made",
            T,
            setup="CREATE DOMAIN made AS uuid DEFAULT gen_random_uuid()",
            scans=("t",),
            rewrites=("t",),
        ),
        Claim(
            "ALTER TABLE t ADD COLUMN z made DEFAULT NULL",
            T,
            setup="CREATE DOMAIN made AS uuid DEFAULT gen_random_uuid()",
        ),
    ),
    "ADD COLUMN of a serial type, as identity, or generated and stored": (
        Claim("ALTER TABLE t ADD COLUMN z serial", T, scans=("t",), rewrites=("t",)),
        Claim("ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS IDENTITY", T, scans=("t",), rewrites=("t",)),
        Claim("ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS (c + 1) STORED", T, scans=("t",), rewrites=("t",)),
    ),
    "ADD COLUMN of a domain with a constraint": (
        Claim("ALTER TABLE t ADD COLUMN z checked", T, scans=("t",), rewrites=("t",)),
        Claim("ALTER TABLE t ADD COLUMN z checked DEFAULT 'x'", T, scans=("t",), rewrites=("t",)),
        Claim(
            "CREATE DOMAIN few AS int CHECK (VALUE < 9); ALTER TABLE t ADD COLUMN z few",
            T,
            scans=("t",),
            rewrites=("t",),
        ),
    ),
    "ADD COLUMN NOT NULL without a default": (
        Claim("ALTER TABLE t ADD COLUMN z int NOT NULL", fails="23502"),
        Claim("ALTER TABLE t ADD COLUMN z int NOT NULL", T, setup="TRUNCATE t CASCADE"),
    ),
    "ADD COLUMN of type json": (
        Claim("ALTER TABLE t ADD COLUMN z json", T),
        Claim("SELECT DISTINCT z FROM alone", setup="ALTER TABLE alone ADD COLUMN z json", fails="42883"),
        Claim("SELECT z FROM alone GROUP BY z", setup="ALTER TABLE alone ADD COLUMN z json", fails="42883"),
        Claim("SELECT DISTINCT z FROM alone", setup="ALTER TABLE alone ADD COLUMN z jsonb", scans=("alone",)),
    ),
    "ADD COLUMN with REFERENCES": (
        Claim("ALTER TABLE alone ADD COLUMN z int REFERENCES o", {"alone": AE, "o": SRE}),
        Claim(
            "ALTER TABLE alone ADD COLUMN z int DEFAULT 1 REFERENCES o",
            {"alone": AE, "o": SRE},
            scans=("alone", "o"),
        ),
    ),
    "ADD COLUMN with CHECK or UNIQUE": (
        Claim("ALTER TABLE t ADD COLUMN z int CHECK (z > 0)", T, scans=("t",)),
        Claim("ALTER TABLE t ADD COLUMN z int UNIQUE", T, scans=("t",)),
    ),
    "DROP COLUMN": (
        Claim("ALTER TABLE alone DROP COLUMN n", {"alone": AE, "alone_n": AE}),
        Claim("ALTER TABLE t DROP COLUMN o_id", {"t": AE, "o": AE}),
        Claim("ALTER TABLE t DROP COLUMN c", fails="2BP01"),
        Claim("ALTER TABLE t DROP COLUMN c CASCADE", {"t": AE, "vw": AE, "vv": AE}),
        Claim("ALTER TABLE t DROP COLUMN id CASCADE", {"t": AE, "child": AE, "vw": AE, "vv": AE}),
        Claim("ALTER TABLE pt DROP COLUMN o_id", PARTITIONS | {"o": AE}),
    ),
    "SET NOT NULL": (
        Claim("ALTER TABLE t ALTER v SET NOT NULL", T, scans=("t",)),
        Claim("ALTER TABLE t ALTER c SET NOT NULL", T),
        Claim("ALTER TABLE alone ALTER j SET NOT NULL", ALONE),
        Claim("ALTER TABLE pt ALTER o_id SET NOT NULL", PARTITIONS, scans=("p1", "p2", "pd")),
    ),
    "DROP NOT NULL, SET DEFAULT, DROP DEFAULT": (
        Claim("ALTER TABLE alone ALTER j DROP NOT NULL", ALONE),
        Claim("ALTER TABLE t ALTER c SET DEFAULT 3", T),
        Claim("ALTER TABLE t ALTER c DROP DEFAULT", T),
        Claim("ALTER TABLE pt ALTER o_id SET DEFAULT 4", PARTITIONS),
    ),
    "ALTER COLUMN TYPE to one that is stored otherwise, or shorter": (
        Claim("ALTER TABLE alone ALTER id TYPE bigint", ALONE, scans=("alone",), rewrites=("alone",)),
        Claim("ALTER TABLE t ALTER v TYPE varchar(10)", T, scans=("t",), rewrites=("t",)),
        Claim("ALTER TABLE t ALTER v TYPE checked", T, scans=("t",), rewrites=("t",)),
        Claim("ALTER TABLE t ALTER n TYPE numeric(10, 1)", T, scans=("t",), rewrites=("t",)),
        Claim("ALTER TABLE t ALTER v TYPE text USING lower(v)", T, scans=("t",), rewrites=("t",)),
        Claim(
            "ALTER TABLE alone ALTER id TYPE text USING 'x'",
            ALONE,
            scans=("alone",),
            rewrites=("alone",),
            shows="SELECT bool_and(id = 'x') FROM alone",
        ),
        Claim("ALTER TABLE t ALTER v TYPE varchar(40) USING v::text", T, scans=("t",), rewrites=("t",)),
        Claim("ALTER TABLE alone ALTER n TYPE int USING ascii(n) + j", ALONE, scans=("alone",), rewrites=("alone",)),
        Claim("ALTER TABLE t ALTER o_id TYPE bigint", {"t": AE, "o": AE}, scans=("t", "o"), rewrites=("t",)),
        Claim(
            "ALTER TABLE child ALTER id TYPE bigint",
            {"child": AE, "grandchild": AE},
            scans=("child", "grandchild"),
            rewrites=("child",),
        ),
    ),
    "ALTER COLUMN TYPE to a wider varchar, to text, to more digits": (
        Claim("ALTER TABLE t ALTER v TYPE varchar(30)", T),
        Claim("ALTER TABLE t ALTER v TYPE text", T),
        Claim("ALTER TABLE t ALTER v TYPE text USING v::text", T),
        Claim("ALTER TABLE t ALTER n TYPE numeric(12, 2)", T),
        Claim("ALTER TABLE t ALTER p TYPE text", T),
        Claim('ALTER TABLE alone ALTER n TYPE text COLLATE "C"', ALONE, scans=("alone",)),
    ),
    "ALTER COLUMN TYPE from timestamp to timestamptz": (
        Claim("ALTER TABLE alone ALTER ts TYPE timestamptz", ALONE),
        Claim(
            "SET LOCAL timezone = 'Europe/Paris'; ALTER TABLE alone ALTER ts TYPE timestamptz",
            ALONE,
            scans=("alone",),
            rewrites=("alone",),
        ),
    ),
}
