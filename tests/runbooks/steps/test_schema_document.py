"""The schema document: all of a schema, the same for the same schema, and never over what a person wrote."""

from pathlib import Path

import psycopg
import pytest

from migrations.catalog.document import MARK
from migrations.problem import Problem
from tests.runbooks.steps_context import StepContext

FILE = "docs/db/SCHEMA.md"
SCHEMA = """
CREATE TYPE state AS ENUM ('new', 'it''s | done');
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL DEFAULT 'x|`y`');
CREATE TABLE orders (
    id int PRIMARY KEY,
    customer bigint REFERENCES customers (id),
    state state DEFAULT 'new',
    total numeric(9, 2) CHECK (total > 0),
    double numeric GENERATED ALWAYS AS (total * 2) STORED
);
CREATE INDEX orders_by_customer ON orders (customer);
COMMENT ON TABLE orders IS E'what <b>people</b>\nbuy';
COMMENT ON COLUMN orders.total IS 'key hunter2-hunter2';
CREATE VIEW big AS SELECT id FROM orders WHERE total > 100;
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE _prisma_migrations (id text);
"""


@pytest.fixture
def ctx(database: str, tmp_path: Path) -> StepContext:
    with psycopg.connect(database) as conn:
        conn.execute(SCHEMA)  # type: ignore[arg-type]
    return StepContext(database, tmp_path)


async def test_it_tells_all_of_the_schema_and_is_written_again_only_if_that_changes(
    ctx: StepContext, database: str, tmp_path: Path
) -> None:
    path = tmp_path / FILE
    first = await ctx.run("schema.document")
    text = path.read_text()
    assert text.startswith(f"{MARK}\n\n# Schema of shop\n") and first.added == len(text.splitlines())
    for words in (
        "## public.orders\n\nwhat \\<b\\>people\\</b\\> buy\n\n| column | type | null | default | what it is |",
        "| `id` | `bigint` | no | identity always |  |",
        "| `name` | `text` | no | `` 'x\\|`y`'::text `` |  |",
        "| `total` | `numeric(9,2)` | yes |  | key «redacted:TOKEN» |",
        "| `double` | `numeric` | yes | generated: `(total * (2)::numeric) stored` |",
        "- constraint `orders_customer_fkey`: `FOREIGN KEY (customer) REFERENCES public.customers(id)`",
        "- index `public.orders_by_customer`: `ON public.orders USING btree (customer)`",
        "A view: `id integer`",
        "- enum `public.state`: `'new', 'it''s \\| done'`",
        "- function `public.f(a integer)`: `integer`",
    ):
        assert words in text, words
    assert "_prisma_migrations" not in text and path.stat().st_mode & 0o777 == 0o644
    before = path.stat().st_ino
    again = await ctx.run("schema.document")
    assert (again.added, again.removed, path.stat().st_ino) == (0, 0, before)
    assert ctx.found("document").evidence == f"{FILE}: as it was"
    with psycopg.connect(database) as conn:
        conn.execute("ALTER TABLE orders ADD note text")
    changed = await ctx.run("schema.document")
    assert (changed.added, changed.removed) == (1, 0) and "+| `note` | `text` | yes |  |  |" in ctx.text()
    assert list(path.parent.iterdir()) == [path]


async def test_what_a_person_wrote_is_not_lost(ctx: StepContext, tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.parent.mkdir(parents=True)
    path.write_text("# By hand\n")
    with pytest.raises(Problem, match="was not made by this step"):
        await ctx.run("schema.document")
    assert path.read_text() == "# By hand\n"
    await ctx.run("schema.document", replace=True)
    assert path.read_text().startswith(MARK)
