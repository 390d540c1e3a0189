"""A schema and the migrations that should come with it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.check.schema import tables
from tests.runbooks.clones import SCHEMA, Clone, said

NEW = "20250101000000_new"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


@pytest.mark.parametrize(
    ("old", "new", "model"),
    [
        ("email String", "email String?", "User"),
        ("authorId Int\n", "authorId Int\n  title String\n", "Post"),
        ("model Post {", "enum Kind {\n  A\n}\n\nmodel Post {", "Kind"),
        ("references: [id])", "references: [id], onDelete: Cascade)", "Post"),
        ("authorId Int\n", "authorId Int\n  @@index([authorId])\n", "Post"),
        ("authorId Int\n", 'authorId Int\n  @@map("posts")\n', "posts"),
    ],
)
def test_a_schema_that_changed_without_a_migration(clone: Clone, old: str, new: str, model: str) -> None:
    changed = SCHEMA.replace(old, new)
    assert changed != SCHEMA
    clone.write("prisma/schema.prisma", changed)
    report = clone.check()
    (remark,) = report.open
    assert remark.code == "schema-without-migration" and remark.finding.message.startswith(model)
    line = changed.splitlines()[remark.finding.line - 1]
    assert line.startswith(("model", "enum"))
    clone.script(NEW)
    assert "schema-without-migration" not in said(clone.check())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("// where the mails go", "// elsewhere {"),
        ('env("DATABASE_URL")', 'env("OTHER_URL")'),
        ("posts Post[]", "writings Post[]"),
        ("  id       Int  @id", "  id Int @id"),
        ("model Post {", 'generator client {\n  provider = "prisma-client"\n}\n\nmodel Post {'),
        ("author   User @", "writer   User @"),
        ("email String @unique", 'mail String @unique @map("email")'),
    ],
    ids=["comment", "datasource", "other side", "spaces", "generator", "name of a relation", "mapped"],
)
def test_what_no_database_would_show_needs_no_migration(clone: Clone, old: str, new: str) -> None:
    changed = SCHEMA.replace(old, new)
    assert changed != SCHEMA
    clone.write("prisma/schema.prisma", changed)
    assert said(clone.check()) == {}


def test_a_schema_in_several_files_may_be_rearranged(clone: Clone) -> None:
    head, user, post = SCHEMA.split("\n\n")
    clone.write("prisma/schema.prisma", head)
    clone.write("prisma/models/user.prisma", user)
    clone.write("prisma/models/deep/post.prisma", post)
    assert said(clone.check()) == {}
    clone.write("prisma/models/user.prisma", user.replace("email", "mail"))
    assert list(said(clone.check())) == ["schema-without-migration"]


@pytest.mark.parametrize(
    ("sql", "unknown"),
    [
        ('CREATE TABLE "Tag" (id int);', "Tag"),
        ('ALTER TABLE "User" ADD COLUMN "nick" text;', "nick"),
        ('ALTER TABLE "User" ADD COLUMN email text;', None),
        ("CREATE TEMP TABLE scratch (a int);", None),
        ('CREATE INDEX CONCURRENTLY i ON "Post" ("authorId");', None),
        ('DROP TABLE "Gone";', None),
        ("UPDATE \"User\" SET email = '' WHERE email IS NULL;", None),
    ],
)
def test_a_migration_that_makes_what_no_schema_shows(clone: Clone, sql: str, unknown: str | None) -> None:
    clone.script(NEW, sql)
    lines = said(clone.check()).get("migration-without-schema", [])
    assert bool(lines) is (unknown is not None) and all(str(unknown) in line for line in lines)
    clone.write("prisma/schema.prisma", SCHEMA.replace("email String", "email String?"))
    assert "migration-without-schema" not in said(clone.check())


def test_without_a_schema_nothing_is_said_of_it(clone: Clone) -> None:
    clone.git("rm", "--quiet", "prisma/schema.prisma")
    clone.commit()
    clone.script(NEW, "CREATE TABLE x (a int);")
    clone.commit()
    clone.git("branch", "--force", "base", "HEAD~1")
    assert said(clone.check(ref="base")) == {}


@given(st.text(alphabet='model {}\n"/@map()[]?aB_ '), st.text())
def test_any_text_is_some_schema(one: str, other: str) -> None:
    assert all(isinstance(name, str) for name in tables([one, other]))
