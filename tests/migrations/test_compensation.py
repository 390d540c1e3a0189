"""What takes a migration back leads to the schema that was there before, on a real server."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from _pytest.mark.structures import ParameterSet
from fix_postgres import apart
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from migrations.drafting.beside import Beside, beside
from migrations.drafting.compensation import Draft, compensation
from migrations.drafting.draft_text import scripts
from migrations.problem import Misuse, Problem
from migrations.replay import Source
from migrations.rules import judge
from migrations.server import ThrowawayServer
from migrations.sql import read_script
from migrations.sql.mirrored import mirrored
from tests.migrations.ddl_sequences import Numbers, choices
from tests.migrations.ddl_sequences import scripts as sequences
from tests.migrations.rollback_cases import Case, batches, joined

Chosen = list[tuple[int, Numbers]]
Drafts = Callable[..., Draft]
NAME = "2_x"
CODE = "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DELETE FROM t';"
TABLE = "CREATE TABLE t (id int PRIMARY KEY, a text, b int NOT NULL);"


@pytest.fixture(scope="module")
def draft(replaying: ThrowawayServer) -> Drafts:
    """Drafts what takes a script back: `draft(before, script, *later)`."""

    def make(before: str, script: str, *later: str) -> Draft:
        sources = [Source("1_before", before), Source(NAME, script)]
        sources += [Source(f"{n}_later", text) for n, text in enumerate(later, 3)]
        return apart(compensation(replaying, sources, NAME))

    return make


def tried() -> Iterator[ParameterSet]:
    """Batches: each case by itself would take as long as one of them."""
    for number, batch in enumerate(batches()):
        yield pytest.param(batch, id=f"batch {number}", marks=[pytest.mark.soak] if number else [])


@pytest.mark.parametrize("batch", tried())
def test_a_schema_is_as_it_was(draft: Drafts, batch: list[Case]) -> None:
    found = draft(joined(case.before for case in batch), joined(case.script for case in batch))
    wrong = {case.name: [line for line in found.differs if case.schema.search(line)] for case in batch}
    assert {name: lines for name, lines in wrong.items() if lines} == {}
    unknown = [one.what for one in found.left if "gonogo knows no statement" in one.why]
    assert [case.name for case in batch if any(case.schema.search(what) for what in unknown)] == []


def read(found: Draft) -> str:
    """The head of the first script, without its line ends."""
    return " ".join(scripts(found)[0].replace("\n--", "").split())


LEFT = """
ALTER TYPE mood ADD VALUE 'fine';
UPDATE t SET a = 'x';
DELETE FROM t WHERE b = 1;
TRUNCATE t;
DO $$BEGIN DELETE FROM t; END$$;
ALTER TABLE t DROP COLUMN a, ALTER b TYPE smallint;
CREATE ROLE clerk;
SELECT f();
ANALYZE t;
ALTER TABLE u ADD z int;
DROP TABLE u;
"""


def test_what_cannot_be_taken_back_is_said_with_its_line(draft: Drafts) -> None:
    before = f"CREATE TYPE mood AS ENUM ('ok');{TABLE} {CODE} CREATE TABLE u (id int);"
    found = draft(before, LEFT)
    told = {one.line: one.why for one in found.left}
    whys = {2: "no value out of an enum", 3: "stay as they are", 4: "stay as they are", 5: "only a backup has them"}
    whys |= {
        6: "or elsewhere, is not",
        7: "by a cast",
        8: "changed nothing in the replayed schema",
        9: "not looked into",
    }
    whys |= {12: "comes back empty"}
    assert sorted(told) == sorted(whys) and all(whys[line] in told[line] for line in whys)
    assert [line.partition(" ")[2][:9] for line in found.differs] == ["enum mood"]
    text = read(found)
    assert "line 2, add value 'fine' to type mood: PostgreSQL takes no value" in text
    assert "~ enum mood 'ok' → 'ok', 'fine'" in text


def test_what_takes_locks_has_the_forms_that_the_review_asks_for(draft: Drafts) -> None:
    """But for what loses data, which is what was asked for, and building what was there anew."""
    before = f"""{TABLE} CREATE TABLE r (id int CONSTRAINT k REFERENCES t, a int UNIQUE CHECK (a > 0));
        CREATE INDEX i ON r (a);"""
    script = """ALTER TABLE r DROP CONSTRAINT k, DROP CONSTRAINT r_a_key, DROP CONSTRAINT r_a_check; DROP INDEX i;
        ALTER TABLE t ALTER b DROP NOT NULL, DROP COLUMN a; CREATE INDEX j ON t (b);"""
    found = draft(before, script)
    assert found.differs == ()
    texts = scripts(found)
    codes = [finding.rule for text in texts for finding in judge(read_script(text)) if finding.severity != "note"]
    assert codes == []
    alone = [text for text in texts if "CONCURRENTLY" in text]
    assert len(alone) == 3 and all(len(read_script(text).statements) == 1 for text in alone)
    assert "VALIDATE CONSTRAINT k" in texts[-1] and "SET NOT NULL" in texts[-1]


RENAMES = """ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME a TO z; ALTER TABLE u RENAME CONSTRAINT t_pkey TO k;
CREATE SCHEMA other; ALTER TABLE u SET SCHEMA other; ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';
CREATE TABLE n (id int); CREATE INDEX i ON n (id); COMMENT ON TABLE n IS 'x'; ALTER TABLE n ADD c int;"""
RENAMED = """DROP TABLE public.n
ALTER TYPE mood RENAME VALUE 'fine' TO 'ok'
ALTER TABLE other.u SET SCHEMA public
DROP SCHEMA other
ALTER TABLE u RENAME CONSTRAINT k TO t_pkey
ALTER TABLE u RENAME COLUMN z TO a
ALTER TABLE u RENAME TO t"""


def test_names_are_given_back_and_what_goes_with_a_table_is_left_to_it(draft: Drafts) -> None:
    found = draft(f"CREATE TYPE mood AS ENUM ('ok');{TABLE}", RENAMES)
    assert "\n".join(statement for cut in found.cuts for part in cut for statement in part.statements) == RENAMED


def test_at_once_all_of_it_can_be_in_one_transaction(replaying: ThrowawayServer) -> None:
    script = """ALTER TABLE t DROP COLUMN b; ALTER TABLE t ALTER a DROP NOT NULL; DROP INDEX i;
        ALTER TABLE t DROP CONSTRAINT k"""
    before = f"""{TABLE} ALTER TABLE t ALTER a SET NOT NULL; CREATE INDEX i ON t (a);
        ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)"""
    sources = [Source("1", before), Source(NAME, script)]
    found = apart(compensation(replaying, sources, NAME, at_once=True))
    (cut,) = found.cuts
    assert found.differs == () and [statement for part in cut for statement in part.statements] == [
        "ALTER TABLE public.t ADD CONSTRAINT k UNIQUE (a)",
        "CREATE INDEX i ON public.t USING btree (a)",
        "ALTER TABLE public.t ALTER COLUMN a SET NOT NULL",
        "ALTER TABLE public.t ADD COLUMN b integer",
        "ALTER TABLE public.t ALTER COLUMN b SET NOT NULL",
    ]


def test_migrations_that_came_later_are_counted_with(draft: Drafts) -> None:
    add = "ALTER TABLE t ADD z int;"
    found = draft(TABLE, add, "CREATE TABLE o (id int);")
    assert not found.trouble and "runs behind 1 migration" in read(found)
    found = draft(TABLE, add, "CREATE VIEW v AS SELECT z FROM t;")
    assert "other objects depend on it" in found.trouble and "3_later came after it" in read(found)


OWNED = """CREATE ROLE shopkeeper; CREATE SCHEMA shop AUTHORIZATION shopkeeper; SET ROLE shopkeeper;
SET search_path = shop; CREATE TABLE shop.t (id int PRIMARY KEY, a text NOT NULL, c int);
CREATE INDEX byhand ON shop.t (c); RESET ROLE;"""


def test_a_draft_is_held_against_a_database(replaying: ThrowawayServer, database: str) -> None:
    """Of another owner, under another search_path, and changed by hand."""
    sources = [Source("1", "CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, c int);")]
    sources.append(Source(NAME, "ALTER TABLE t RENAME TO u; ALTER TABLE u DROP COLUMN a;"))

    async def drafted() -> tuple[Draft, Beside]:
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as conn:
            await conn.execute(OWNED)
            try:
                there = await beside(conn, "shop", sources, "shop", applied=False)
            finally:
                await conn.execute("DROP OWNED BY shopkeeper; DROP ROLE shopkeeper")
        return await compensation(replaying, sources, NAME, there), there

    found, there = apart(drafted())
    assert there.given.owner == "shopkeeper" and found.differs == ()
    texts = scripts(found)
    assert "OWNER" not in "".join(texts) and "ALTER TABLE shop.u ADD COLUMN a text" in texts[0]
    assert [line.split(" ON ")[0] for line in found.other] == ["+ index shop.byhand"]
    assert "shop does not have all that the migration changes as it is before it" in read(found)
    same = replace(there, catalog={k: v for k, v in there.catalog.items() if k != "index shop.byhand"})
    found = apart(compensation(replaying, sources, NAME, same))
    assert found.other == () and "shop has all that the migration changes as it is before it." in read(found)


@pytest.mark.parametrize(
    ("before", "script", "words"),
    [
        ("CREATE TABLE t (;", "SELECT 1;", "1_before does not apply"),
        ("", "ALTER TABLE none ADD x int;", "line 1 fails"),
        ("", "CREATE TABLE t (;", "2_x cannot be read"),
        ("", "BEGIN; CREATE TABLE t ();", "never committed"),
        ("", "-- nothing yet", "changes nothing that could be taken back"),
    ],
)
def test_what_cannot_be_replayed_is_said(draft: Drafts, before: str, script: str, words: str) -> None:
    with pytest.raises(Problem, match=words):
        draft(before, script)


def test_a_migration_that_is_not_there_is_misuse(replaying: ThrowawayServer) -> None:
    with pytest.raises(Misuse, match="no migration 9"):
        apart(compensation(replaying, [Source("1", "")], "9"))


@pytest.mark.parametrize(
    ("text", "expected", "at_home"),
    [
        ("ALTER TABLE IF EXISTS a.t RENAME TO u", "ALTER TABLE a.u RENAME TO t", ""),
        ("ALTER TABLE t RENAME a TO b", "ALTER TABLE t RENAME COLUMN b TO a", "ALTER TABLE h.t RENAME COLUMN b TO a"),
        ("ALTER VIEW v RENAME TO w", "ALTER VIEW w RENAME TO v", "ALTER VIEW h.w RENAME TO v"),
        ("ALTER FUNCTION f(int) RENAME TO g", "ALTER FUNCTION g(int) RENAME TO f",
         "ALTER FUNCTION h.g(int) RENAME TO f"),
        ("ALTER TYPE m RENAME VALUE 'a' TO 'b'", "ALTER TYPE m RENAME VALUE 'b' TO 'a'",
         "ALTER TYPE h.m RENAME VALUE 'b' TO 'a'"),
        ("ALTER TABLE t SET SCHEMA z", "ALTER TABLE z.t SET SCHEMA public", "ALTER TABLE z.t SET SCHEMA h"),
        ("ALTER DOMAIN d RENAME CONSTRAINT a TO b", "ALTER DOMAIN d RENAME CONSTRAINT b TO a",
         "ALTER DOMAIN h.d RENAME CONSTRAINT b TO a"),
        ("ALTER PUBLICATION p RENAME TO q", "ALTER PUBLICATION q RENAME TO p", ""),
        ("ALTER SCHEMA a RENAME TO b", "ALTER SCHEMA b RENAME TO a", ""),
        ("ALTER TABLE t ADD c int", "", ""),
        ("not sql", "", ""),
    ],
)  # fmt: skip
def test_a_rename_is_turned_round(text: str, expected: str, at_home: str) -> None:
    assert mirrored(text) == expected and mirrored(text, "h") == (at_home or expected)


@pytest.mark.soak
@settings(max_examples=2, phases=[Phase.generate])
@given(st.lists(st.tuples(choices, choices), min_size=12, max_size=12))
def test_any_sequence_of_changes_is_taken_back(draft: Drafts, drawn: list[tuple[Chosen, Chosen]]) -> None:
    """Twelve at once, each in a schema of its own; twice, as the first that Hypothesis tries are the simplest."""
    all_taken_back(draft, drawn)


@pytest.mark.soak
@given(st.lists(st.tuples(choices, choices), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_many_sequences_of_changes_are_taken_back(draft: Drafts, drawn: list[tuple[Chosen, Chosen]]) -> None:
    all_taken_back(draft, drawn)


def all_taken_back(draft: Drafts, drawn: list[tuple[Chosen, Chosen]]) -> None:
    texts = [sequences(f"s{number}", *each) for number, each in enumerate(drawn)]
    found = draft(joined(before for before, _ in texts), joined(script for _, script in texts))
    assert found.differs == ()
