"""Plans to review: scripts with what they lock, findings with safer SQL, what scripts allow themselves."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runbooks.session import events as e
from tests.tui import recorded as r

TIER, SHIPMENTS, LEGACY, CODE = (
    "20260301120000_customer_tier",
    "20260301130000_shipments",
    "20260302090000_drop_legacy",
    "20260302100000_backfill",
)
TEXTS = {
    TIER: (
        '-- Every customer has a tier.\nALTER TABLE "customers" ADD COLUMN "tier" TEXT NOT NULL DEFAULT \'standard\';\n'
    ),
    SHIPMENTS: (
        "-- CreateTable\n"
        'CREATE TABLE "shipments" (\n'
        '    "id" SERIAL NOT NULL,\n'
        '    "order_id" INTEGER NOT NULL,\n'
        '    CONSTRAINT "shipments_pkey" PRIMARY KEY ("id")\n'
        ");\n"
        "\n"
        '-- CreateIndex\nCREATE INDEX "orders_placed_at_idx" ON "orders" ("placed_at");\n'
        "\n"
        '-- AddForeignKey\nALTER TABLE "shipments" ADD CONSTRAINT "shipments_order_id_fkey" FOREIGN KEY ("order_id") '
        'REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;\n'
    ),
    LEGACY: (
        "-- Version 1 of the app stopped using these.\n"
        "UPDATE products SET note = E'it\\'s gone' WHERE note IS NULL;\n"
        "\n"
        'ALTER TABLE "orders"\n'
        '  DROP COLUMN "legacy_code";\n'
        "\n"
        "-- gonogo: allow table-drop because the exports are in the vault since January\n"
        'DROP TABLE "legacy_exports";\n'
    ),
    CODE: "DO $$\nBEGIN\n  EXECUTE 'UPDATE orders SET status = lower(status)';\nEND $$;\nSELECT 1;\n",
}
DOCS = "https://www.postgresql.org/docs/current/"
TABLES = (
    e.Table(name="orders", rows=41_000_000, bytes=5_200_000_000, words=("4 indexes, 1.9 GB", "referenced by payments")),
    e.Table(name="customers", rows=120_000, bytes=31_000_000, words=("2 indexes, 6.1 MB",)),
    e.Table(name="products", rows=200, bytes=65_536),
    e.Table(name="legacy_exports", rows=0, bytes=8192),
)
APPLIED = {
    "20251001080000_init": "CREATE TABLE orders (id int);\n",
    "20251102090000_products": "CREATE TABLE products (id int);\n",
}


def touch(
    relation: str, lock: str, blocks: str = "", work: str = "brief", least: int = 200, most: int = 5000
) -> e.Touch:
    """What is done to one relation."""
    return e.Touch(relation=relation, lock=lock, blocks=blocks, work=work, least=least, most=most)


EXCLUSIVE = ("ACCESS EXCLUSIVE", "reads and writes")
_STATEMENTS: dict[str, tuple[dict[str, Any], ...]] = {
    TIER: (
        {
            "at": "ALTER",
            "summary": "add column tier text not null to customers",
            "touches": (touch("customers", *EXCLUSIVE),),
        },
    ),
    SHIPMENTS: (
        {"at": "CREATE TABLE", "summary": "create table shipments"},
        {
            "at": "CREATE INDEX",
            "summary": "create index orders_placed_at_idx on orders (placed_at)",
            "touches": (touch("orders", "SHARE", "writes", "build", 26_000_000, 350_000_000),),
        },
        {
            "at": "ALTER TABLE",
            "summary": "add foreign key on order_id referencing orders to shipments",
            "touches": (touch("orders", "SHARE ROW EXCLUSIVE", "writes"),),
        },
    ),
    LEGACY: (
        {
            "at": "UPDATE",
            "summary": "update note in some rows of products",
            "touches": (touch("products", "ROW EXCLUSIVE", "writes of the same rows", "data", 1_200, 45_000),),
        },
        {
            "at": "ALTER TABLE",
            "summary": "drop column legacy_code of orders",
            "touches": (touch("orders", *EXCLUSIVE), touch("payments", "ACCESS SHARE")),
        },
        {
            "at": "DROP TABLE",
            "summary": "drop table legacy_exports",
            "touches": (touch("legacy_exports", *EXCLUSIVE),),
        },
    ),
    CODE: (
        {
            "at": "DO",
            "summary": "run 3 lines of plpgsql",
            "analysed": False,
            "why_not": "line 3 makes SQL while it runs",
        },
        {"at": "SELECT", "summary": "SELECT 1"},
    ),
}
_FINDINGS = {
    SHIPMENTS: (
        e.Finding(
            rule="index-without-concurrently",
            severity="stop",
            statement=1,
            line=9,
            message="Writes to orders wait until the index is built; orders has 41 million rows, 5.2 GB.",
            lock="SHARE",
            blocks="writes",
            tables=("orders",),
            instead="Build it CONCURRENTLY, in a script of its own.",
            safer_sql='CREATE INDEX CONCURRENTLY "orders_placed_at_idx" ON "orders" ("placed_at")',
            source=DOCS + "sql-createindex.html",
        ),
        e.Finding(
            rule="add-foreign-key",
            severity="note",
            statement=2,
            line=12,
            message="The table is new and empty: held against nothing.",
            lock="SHARE ROW EXCLUSIVE",
            blocks="writes",
            tables=("orders",),
            source=DOCS + "sql-altertable.html",
        ),
    ),
    LEGACY: (
        e.Finding(
            rule="column-drop",
            severity="stop",
            statement=1,
            line=5,
            message="legacy_code of orders and what it holds are gone at COMMIT.",
            loses_data=True,
            lock="ACCESS EXCLUSIVE",
            blocks="reads and writes",
            tables=("orders",),
            instead="Drop it a release after the app stopped reading it.",
            source=DOCS + "sql-altertable.html",
        ),
        e.Finding(
            rule="work-under-exclusive-lock",
            severity="warn",
            statement=1,
            line=4,
            message="orders stays locked until the script's end.",
            tables=("orders",),
            instead="Give it a script of its own.",
            safer_sql="BEGIN;\nSET LOCAL lock_timeout = '3s';\n"
            'ALTER TABLE "orders" DROP COLUMN "legacy_code";\nCOMMIT;',
        ),
        e.Finding(
            rule="table-drop",
            severity="stop",
            statement=2,
            line=8,
            message="legacy_exports and its rows are gone at COMMIT.",
            loses_data=True,
            tables=("legacy_exports",),
            allowed="the exports are in the vault since January",
            source=DOCS + "sql-droptable.html",
        ),
    ),
}


def statements(name: str, text: str) -> tuple[e.Statement, ...]:
    """The statements of a script, found by how they begin."""
    found = []
    for facts in _STATEMENTS[name]:
        start = text.index(str(facts["at"]))
        end = text.find(";\n", start)
        known = {key: value for key, value in facts.items() if key != "at"}
        found.append(e.Statement(line=text.count("\n", 0, start) + 1, start=start, end=end, **known))
    return tuple(found)


def script(name: str, text: str = "", spans: Sequence[e.Statement] = (), **over: Any) -> e.Script:
    """A pending script; without a text, one of ours."""
    data = (text or TEXTS[name]).encode()
    values: dict[str, Any] = {
        "migration": name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "model": "transaction",
        "model_words": "all of it is in one transaction, together with the ledger",
        "statements": spans if text else statements(name, TEXTS[name]),
        "findings": _FINDINGS.get(name, ()),
        **over,
    }
    return e.Script(**values)


def planned(*scripts: e.Script, **over: Any) -> e.PlanMade:
    """A plan of these scripts, or of all of ours."""
    made = scripts or tuple(script(name) for name in TEXTS)
    return r.planned().model_copy(update={"scripts": made, "tables": TABLES, "applied": done(), **over})


def done() -> tuple[e.Applied, ...]:
    """What the ledger has."""
    return tuple(
        e.Applied(migration=name, sha256=hashlib.sha256(text.encode()).hexdigest(), at=f"{name[:4]}-10-01T08:00:00Z")
        for name, text in APPLIED.items()
    )


def to_review(plan: e.PlanMade | None = None, project: Path | None = None) -> list[e.Event]:
    """Preflight, with this plan; of a project that is there, or not."""
    opened = r.opened(project_file=str(project / "gonogo.toml") if project else "")
    swapped: dict[str, e.Event] = {"plan_made": plan or planned(), "session_opened": opened}
    return [swapped.get(event.kind, event) for event in r.to_preflight()]


def keep(folder: Path, *texts: str) -> None:
    """Write scripts where the session keeps them."""
    (folder / "scripts").mkdir(parents=True, exist_ok=True)
    for text in (*TEXTS.values(), *texts):
        data = text.encode()
        (folder / "scripts" / f"{hashlib.sha256(data).hexdigest()}.sql").write_bytes(data)


def make_project(folder: Path) -> Path:
    """A project with the scripts that were applied."""
    (folder / "gonogo.toml").write_text('[project]\nname = "shop"\nmigrations = "sql"\n\n[environments.production]\n')
    for name, text in APPLIED.items():
        (folder / "sql" / name).mkdir(parents=True)
        (folder / "sql" / name / "migration.sql").write_text(text)
    return folder
