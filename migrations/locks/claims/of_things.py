"""Claims about triggers, rules, policies, types, privileges and the like."""

from migrations.locks.claims.claim import Claim, Claims
from migrations.locks.lock import Lock

AE, SRE, S = Lock.ACCESS_EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE, Lock.SHARE
T = {"t": AE}
DOWN = {"pt": SRE, "p1": SRE, "p2": SRE, "pd": SRE}

CLAIMS: Claims = {
    "CREATE TRIGGER": (
        Claim("CREATE TRIGGER z BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()", {"t": SRE}),
        Claim("CREATE TRIGGER z AFTER INSERT ON pt FOR EACH ROW EXECUTE FUNCTION f()", DOWN),
    ),
    "ENABLE TRIGGER, DISABLE TRIGGER": (
        Claim("ALTER TABLE t DISABLE TRIGGER ALL", {"t": SRE}),
        Claim("ALTER TABLE t DISABLE TRIGGER tr", {"t": SRE}),
        Claim("ALTER TABLE t DISABLE TRIGGER tr; ALTER TABLE t ENABLE TRIGGER tr", {"t": SRE}),
        Claim("ALTER TABLE t ENABLE ALWAYS TRIGGER tr", {"t": SRE}),
        Claim("ALTER TABLE pt DISABLE TRIGGER ptr", DOWN, since=15),
    ),
    "DROP TRIGGER, RENAME of a trigger": (
        Claim("DROP TRIGGER tr ON t", T),
        Claim("DROP TRIGGER tr ON t; CREATE TRIGGER tr AFTER INSERT ON t EXECUTE FUNCTION f()", T),
        Claim("ALTER TRIGGER tr ON t RENAME TO z", T),
        Claim("DROP TRIGGER ptr ON pt", {"pt": AE, "p1": AE, "p2": AE, "pd": AE}),
    ),
    "CREATE, ENABLE, DISABLE or DROP RULE": (
        Claim("CREATE RULE z AS ON INSERT TO t DO ALSO NOTHING", T),
        Claim("ALTER TABLE o DISABLE RULE ru", {"o": AE}),
        Claim("DROP RULE ru ON o", {"o": AE}),
    ),
    "CREATE, ALTER or DROP POLICY": (
        Claim("CREATE POLICY z ON t USING (EXISTS (SELECT FROM o))", T),
        Claim("ALTER POLICY po ON t USING (false)", T),
        Claim("DROP POLICY po ON t", T),
    ),
    "ROW LEVEL SECURITY": (
        Claim("ALTER TABLE t ENABLE ROW LEVEL SECURITY", T),
        Claim("ALTER TABLE t FORCE ROW LEVEL SECURITY", T),
        Claim("ALTER TABLE pt DISABLE ROW LEVEL SECURITY", {"pt": AE}),
    ),
    "ALTER TYPE … DROP ATTRIBUTE": (Claim("ALTER TYPE pair DROP ATTRIBUTE x"),),
    "DROP TYPE or DOMAIN … CASCADE": (
        Claim("DROP TYPE mood CASCADE", T),
        Claim("DROP DOMAIN checked CASCADE", T),
        Claim("DROP TYPE mood", fails="2BP01"),
    ),
    "DROP of a function or an extension … CASCADE": (
        Claim("DROP FUNCTION f() CASCADE", {"t": AE, "pt": AE, "p1": AE, "p2": AE, "pd": AE}),
        Claim("DROP EXTENSION plpgsql CASCADE", {"t": AE, "pt": AE, "p1": AE, "p2": AE, "pd": AE}),
    ),
    "ALTER DOMAIN ADD CONSTRAINT, VALIDATE CONSTRAINT, SET NOT NULL": (
        Claim("ALTER DOMAIN checked VALIDATE CONSTRAINT checked_check", {"t": S}, scans=("t",)),
        Claim("ALTER DOMAIN plain ADD CHECK (VALUE <> '')", {"t": S}, scans=("t",)),
        Claim("ALTER DOMAIN checked SET NOT NULL", {"t": S}, scans=("t",)),
    ),
    "ALTER DOMAIN otherwise": (
        Claim("ALTER DOMAIN plain ADD CHECK (VALUE <> '') NOT VALID"),
        Claim("ALTER DOMAIN plain SET DEFAULT 'x'"),
        Claim("ALTER DOMAIN checked DROP CONSTRAINT checked_check"),
    ),
    "ALTER TYPE … ADD VALUE": (
        Claim("ALTER TYPE mood ADD VALUE 'fair'"),
        Claim("ALTER TYPE mood ADD VALUE 'fair'; UPDATE t SET m = 'fair'", fails="55P04"),
    ),
    "ALTER TYPE … RENAME VALUE": (
        Claim("ALTER TYPE mood RENAME VALUE 'good' TO 'fine'"),
        Claim("SELECT FROM t WHERE m = 'good'", setup="ALTER TYPE mood RENAME VALUE 'good' TO 'fine'", fails="22P02"),
    ),
    "GRANT, REVOKE": (
        Claim("GRANT SELECT ON t TO keeper"),
        Claim("REVOKE SELECT ON t FROM keeper"),
        Claim("SET ROLE keeper; GRANT SELECT ON t TO keeper", fails="42501"),
    ),
    "CREATE EXTENSION, CREATE ROLE": (
        Claim("SET ROLE keeper; CREATE EXTENSION file_fdw", fails="42501"),
        Claim("SET ROLE keeper; CREATE ROLE gonogo_claim", fails="42501"),
        Claim("CREATE ROLE gonogo_claim"),
    ),
    "ALTER SYSTEM": (
        Claim("ALTER SYSTEM SET work_mem = '8MB'", fails="25001"),
    ),
    "CREATE or DROP DATABASE": (
        Claim("DROP DATABASE gonogo_nowhere", fails="25001"),
        Claim("CREATE DATABASE gonogo_nowhere", fails="25001"),
    ),
    "CREATE FUNCTION, SCHEMA, TYPE, DOMAIN or SEQUENCE": (
        Claim("CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'"),
        Claim("CREATE SCHEMA s3"),
        Claim("CREATE TYPE z AS ENUM ('a')"),
        Claim("CREATE DOMAIN z AS text CHECK (VALUE <> '')"),
        Claim("CREATE SEQUENCE z OWNED BY t.c"),
    ),
}  # fmt: skip
