"""A history of migrations as a large product has one: the same bytes for the same numbers."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

NOUNS = """
    account address article audit_log booking campaign cart category channel comment contract coupon customer
    delivery device document email event feature feedback file folder gateway group hook image import invoice item
    job label lead line_item link location member message note notification order organization page payment plan
    price product profile project quote refund region report review role rule schedule segment session shipment site
    stock store subscription supplier survey tag task team tenant ticket token topic transfer user variant vendor
    visit wallet warehouse webhook workflow workspace
    """.split()  # noqa: SIM905
TYPES = (
    "TEXT", "TEXT NOT NULL", "INTEGER", "INTEGER NOT NULL DEFAULT 0", "BOOLEAN NOT NULL DEFAULT false", "JSONB",
    "TIMESTAMP(3)", "TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP", "DECIMAL(65,30)", "UUID", "VARCHAR(191)",
    "TEXT[] DEFAULT ARRAY[]::TEXT[]", "BIGINT", "DOUBLE PRECISION",
)  # fmt: skip
FUNCTION = """CREATE OR REPLACE FUNCTION "touch_{table}"() RETURNS TRIGGER AS $$
DECLARE
    changed INTEGER := 0;
BEGIN
    -- keeps the search column and the time of the last change
    NEW."updatedAt" := now();
    IF TG_OP = 'UPDATE' AND NEW."name" IS DISTINCT FROM OLD."name" THEN
        UPDATE "{other}" SET "cachedName" = NEW."name" WHERE "{table}Id" = NEW."id";
        GET DIAGNOSTICS changed = ROW_COUNT;
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
"""
LONG = 20_000
START = datetime(2021, 1, 4, 9, tzinfo=UTC)


class History:
    """Writes scripts of about `size` bytes, each of the kind that its number calls for."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._tables = 0

    def script(self, size: int) -> tuple[str, str]:
        """A description and a text. Long ones are first or squashed schemas, functions, and above all data."""
        kinds = ("grow", "change", "code", "data")
        kind = self._random.choices(kinds, (50, 30, 10, 10) if size < LONG else (35, 5, 20, 40))[0]
        parts: list[str] = []
        length = 0
        while length < size:
            part = "\n".join(getattr(self, f"_{kind}")())
            parts.append(part)
            length += len(part) + 2
        return f"{kind}_{self._noun()}", "\n\n".join(parts) + "\n"

    def _noun(self) -> str:
        return self._random.choice(NOUNS)

    def _table(self) -> str:
        return f"{self._noun()}_{self._random.randrange(200)}"

    def _new_table(self) -> str:
        self._tables += 1
        return f"{self._noun()}_{self._tables + 1000}"

    def _columns(self, count: int) -> Iterator[str]:
        for number in range(count):
            yield f'"{self._noun()}{number}" {self._random.choice(TYPES)}'

    def _grow(self) -> Iterator[str]:
        table, parent = self._new_table(), self._table()
        columns = ['"id" TEXT NOT NULL', *self._columns(self._random.randint(4, 20)), f'"{parent}Id" TEXT NOT NULL']
        yield "-- CreateTable"
        yield f'CREATE TABLE "{table}" (\n    ' + ",\n    ".join(columns) + ","
        yield f'\n    CONSTRAINT "{table}_pkey" PRIMARY KEY ("id")\n);'
        yield f'\n-- CreateIndex\nCREATE UNIQUE INDEX "{table}_{parent}Id_key" ON "{table}"("{parent}Id");'
        yield f'\n-- AddForeignKey\nALTER TABLE "{table}" ADD CONSTRAINT "{table}_{parent}Id_fkey" FOREIGN KEY'
        yield f'("{parent}Id") REFERENCES "{parent}"("id") ON DELETE RESTRICT ON UPDATE CASCADE;'

    def _change(self) -> Iterator[str]:
        table = self._table()
        adds = ",\n".join(f"ADD COLUMN     {column}" for column in self._columns(self._random.randint(1, 4)))
        yield f'-- AlterTable\nALTER TABLE "{table}" {adds};'.replace("TEXT NOT NULL", "TEXT NOT NULL DEFAULT ''")
        if self._random.random() < 0.3:
            yield f'\n-- CreateIndex\nCREATE INDEX "{table}_name_idx" ON "{table}"("name");'
        if self._random.random() < 0.1:
            yield f'\n-- AlterTable\nALTER TABLE "{table}" DROP COLUMN "{self._noun()}9";'

    def _code(self) -> Iterator[str]:
        table, other = self._table(), self._table()
        yield FUNCTION.format(table=table, other=other)
        yield f'CREATE TRIGGER "touch_{table}" BEFORE UPDATE ON "{table}"'
        yield f'FOR EACH ROW EXECUTE FUNCTION "touch_{table}"();'

    def _data(self) -> Iterator[str]:
        table = self._table()
        rows = (
            f"({number}, 'the {self._noun()} of {self._noun()}', '{{\"kind\": \"{self._noun()}\"}}', now())"
            for number in range(self._random.randint(5, 120))
        )
        yield f'INSERT INTO "{table}" ("id", "name", "data", "createdAt") VALUES\n    ' + ",\n    ".join(rows) + ";"
        yield f'UPDATE "{table}" SET "name" = \'none\' WHERE "name" IS NULL AND "id" < 1000;'


def write_history(folder: Path, *, scripts: int = 1000, size: int = 15_000_000, seed: int = 7) -> int:
    """Write a migrations folder; returns its bytes. Most scripts are small, a few are very large."""
    made, sizes = History(seed), random.Random(seed)
    weights = [sizes.paretovariate(1.3) for _ in range(scripts)]
    total = 0
    for number, weight in enumerate(weights):
        description, text = made.script(int(size * weight / sum(weights)))
        stamp = START + timedelta(hours=31 * number)
        path = folder / f"{stamp:%Y%m%d%H%M%S}_{description}" / "migration.sql"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        total += len(text)
    (folder / "migration_lock.toml").write_text('provider = "postgresql"\n')
    return total
