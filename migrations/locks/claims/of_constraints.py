"""Claims about constraints."""

from migrations.locks.claims.claim import Claim, Claims
from migrations.locks.lock import Lock

AE, SRE, S = Lock.ACCESS_EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE, Lock.SHARE
SUE, RS, RE = Lock.SHARE_UPDATE_EXCLUSIVE, Lock.ROW_SHARE, Lock.ROW_EXCLUSIVE
T = {"t": AE}
PARTITIONS = {"pt": AE, "p1": AE, "p2": AE, "pd": AE}

CLAIMS: Claims = {
    "ADD CHECK": (
        Claim("ALTER TABLE t ADD CONSTRAINT k CHECK (id > 0)", T, scans=("t",)),
        Claim("ALTER TABLE pt ADD CHECK (id > 0)", PARTITIONS, scans=("p1", "p2", "pd")),
        Claim("ALTER TABLE ONLY heirs ADD CHECK (a > 0) NO INHERIT", {"heirs": AE}, scans=("heirs",)),
        Claim("ALTER TABLE t ADD CONSTRAINT k NOT NULL v", T, scans=("t",), since=18),
    ),
    "ADD CHECK … NOT VALID": (
        Claim("ALTER TABLE t ADD CONSTRAINT k CHECK (id > 0) NOT VALID", T),
        Claim("ALTER TABLE t ADD CONSTRAINT k NOT NULL v NOT VALID", T, since=18),
    ),
    "VALIDATE CONSTRAINT of a CHECK": (
        Claim(
            "ALTER TABLE t VALIDATE CONSTRAINT k",
            {"t": SUE},
            setup="ALTER TABLE t ADD CONSTRAINT k CHECK (id > 0) NOT VALID",
            scans=("t",),
        ),
        Claim("ALTER TABLE t VALIDATE CONSTRAINT ck", {"t": SUE}),
        Claim(
            "ALTER TABLE heirs VALIDATE CONSTRAINT k",
            {"heirs": SUE, "heir": SUE},
            setup="ALTER TABLE heirs ADD CONSTRAINT k CHECK (a > 0) NOT VALID",
            scans=("heirs", "heir"),
        ),
    ),
    "VALIDATE CONSTRAINT of a foreign key": (
        Claim(
            "ALTER TABLE alone VALIDATE CONSTRAINT k",
            {"alone": SUE, "alone_keys": RS},
            setup="CREATE TABLE alone_keys (id int PRIMARY KEY); INSERT INTO alone_keys SELECT id FROM alone;"
            "ALTER TABLE alone ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES alone_keys NOT VALID",
            scans=("alone", "alone_keys"),
        ),
        Claim("ALTER TABLE t VALIDATE CONSTRAINT fk", {"t": SUE}),
    ),
    "ADD FOREIGN KEY": (
        Claim(
            "ALTER TABLE child ADD FOREIGN KEY (id) REFERENCES o",
            {"child": SRE, "o": SRE},
            scans=("child", "o"),
        ),
        Claim(
            "ALTER TABLE pt ADD FOREIGN KEY (id) REFERENCES t",
            {"pt": SRE, "p1": SRE, "p2": SRE, "pd": SRE, "t": SRE},
            scans=("p1", "p2", "pd", "t"),
        ),
        Claim("ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES t", {"t": SRE}, scans=("t",)),
    ),
    "ADD FOREIGN KEY … NOT VALID": (
        Claim("ALTER TABLE child ADD FOREIGN KEY (id) REFERENCES o NOT VALID", {"child": SRE, "o": SRE}),
        Claim("ALTER TABLE child ADD FOREIGN KEY (id) REFERENCES o NOT ENFORCED", {"child": SRE, "o": SRE}, since=18),
    ),
    "DROP CONSTRAINT of a foreign key": (
        Claim("ALTER TABLE t DROP CONSTRAINT fk", {"t": AE, "o": AE}),
        Claim("ALTER TABLE pt DROP CONSTRAINT pt_o_id_fkey", PARTITIONS | {"o": AE}),
    ),
    "DROP CONSTRAINT of another kind": (
        Claim("ALTER TABLE t DROP CONSTRAINT ck", T),
        Claim("ALTER TABLE child DROP CONSTRAINT child_pkey", fails="2BP01"),
        Claim("ALTER TABLE child DROP CONSTRAINT child_pkey CASCADE", {"child": AE, "grandchild": AE}),
    ),
    "ALTER CONSTRAINT": (
        Claim("ALTER TABLE t ALTER CONSTRAINT fk DEFERRABLE", T),
        Claim("ALTER TABLE t ALTER CONSTRAINT fk NOT ENFORCED", {"t": AE, "o": AE}, since=18),
        Claim(
            "ALTER TABLE p3 ALTER CONSTRAINT z ENFORCED",
            {"p3": AE, "o": SRE},
            setup="ALTER TABLE p3 ADD CONSTRAINT z FOREIGN KEY (o_id) REFERENCES o NOT ENFORCED",
            scans=("p3", "o"),
            since=18,
        ),
    ),
    "A foreign key without an index on its columns": (
        Claim("ALTER TABLE alone ADD FOREIGN KEY (id) REFERENCES o NOT VALID", {"alone": SRE, "o": SRE}),
        Claim("DELETE FROM o WHERE id = 5", {"o": RE, "t": RS, "pt": RS, "p1": RS, "p2": RS, "pd": RS},
              scans=("o", "t", "p1", "p2", "pd")),
    ),
    "ADD UNIQUE, PRIMARY KEY or EXCLUDE": (
        Claim("ALTER TABLE t ADD UNIQUE (n)", T, scans=("t",)),
        Claim("ALTER TABLE grandchild ADD PRIMARY KEY (id)", {"grandchild": AE}, scans=("grandchild",)),
        Claim("ALTER TABLE alone ADD EXCLUDE USING btree (id WITH =)", {"alone": AE}, scans=("alone",)),
        Claim("ALTER TABLE pt ADD UNIQUE (id, k)", PARTITIONS, scans=("p1", "p2", "pd"), since=18),
        Claim(
            "ALTER TABLE pt ADD UNIQUE (id, k)",
            {"pt": AE, "p1": S, "p2": S, "pd": S},
            scans=("p1", "p2", "pd"),
            until=17,
            milder=("p1", "p2", "pd"),
        ),
    ),
    "ADD UNIQUE or PRIMARY KEY … USING INDEX": (
        Claim("ALTER TABLE alone ADD CONSTRAINT k UNIQUE USING INDEX alone_n", {"alone": AE}),
        Claim("ALTER TABLE alone ADD CONSTRAINT k PRIMARY KEY USING INDEX alone_j", {"alone": AE}),
        Claim(
            "ALTER TABLE alone ADD CONSTRAINT k PRIMARY KEY USING INDEX alone_n",
            {"alone": AE},
            scans=("alone",),
        ),
    ),
}  # fmt: skip
