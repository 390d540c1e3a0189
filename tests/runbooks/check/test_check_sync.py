"""Whether schema, migrations and client agree, as the project's own CLI tells it.

The CLI here answers with what Prisma 6.19.3 and 7.10.1 were seen to say; the replay under it is real.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from migrations.problem import Misuse
from runbooks.check.client import about_client
from runbooks.check.proofs import named_in, prove
from runbooks.check.report import More
from runbooks.check.sources import find_sources
from runbooks.check.sync import find_prisma, sync
from runbooks.check.wanted import Wanted
from tests.runbooks.clones import SCHEMA, Clone

VALID = "echo 'The schema at prisma/schema.prisma is valid'"
INVALID = """cat >&2 <<'END'
Loaded Prisma config from prisma.config.mjs.

Error: Prisma schema validation - (validate wasm)
Error code: P1012
error: Type "Intt" is neither a built-in type, nor refers to another model, composite type, or enum.
  -->  prisma/schema.prisma:9
   |
 8 | model customers {
 9 |   id Intt @id
   |

Validation Error Count: 1
END
exit 1"""
STATUS = """name=${DATABASE_URL##*/}
echo "Datasource \\"db\\": PostgreSQL database \\"${name%%\\?*}\\", schema \\"public\\" at \\"localhost:5432\\""
echo '1 migration found in prisma/migrations'
echo 'Database schema is up to date!'"""
ELSEWHERE = """echo 'Datasource "db": PostgreSQL database "prod", schema "public" at "db-1:5432"'"""
AGREE = "echo 'No difference detected.'"
DIFFER = """echo '[*] Changed the `User` table'; echo '  [+] Added column `nick`'; exit 2"""
NO_ENGINE = "printf 'Error: \\nrequest to https://binaries.prisma.sh failed\\n\\n' >&2; exit 1"


class Project(Clone):
    """A clone with a CLI."""

    def install(self, version: str = "6.19.3", **answers: str) -> None:
        """Install a CLI of a version that answers to each of its commands with a piece of shell."""
        answers = {"validate": VALID, "status": STATUS, "diff": AGREE, **answers}
        self.write("package.json", "{}")
        self.write("node_modules/prisma/package.json", json.dumps({"version": version}))
        cases = "\n".join(f"*{word}*)\n{text}\n;;" for word, text in answers.items())
        text = f'#!/bin/sh\necho "$*" >> "{self.top}/asked"\ncase "$*" in\n{cases}\nesac\n'
        self.write("node_modules/.bin/prisma", text).chmod(0o755)
        self.write("node_modules/.prisma/client/schema.prisma", SCHEMA)

    @property
    def asked(self) -> list[str]:
        """How the CLI was called."""
        return (self.top / "asked").read_text().splitlines()

    def sync(self) -> More:
        """What the CLI says of a database that has every migration, as far as it can know."""
        env = {**os.environ, "DATABASE_URL": "postgresql://localhost/replayed_1?host=%2Ftmp"}
        return asyncio.run(sync(find_prisma(self.folder), "replayed_1", env))

    def prove(self, environ: Mapping[str, str] = os.environ) -> More:
        """What `--sync` adds, with the replay that it needs."""
        sources = find_sources((), self.folder)
        return asyncio.run(prove(sources, Wanted(replay=False, sync=True), environ))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def messages(more: More) -> list[str]:
    return [remark.finding.message for remark in more.remarks]


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("5.22.0", "--from-schema-datasource SCHEMA --to-schema-datamodel SCHEMA --exit-code"),
        ("6.19.3", "--from-schema-datasource SCHEMA --to-schema-datamodel SCHEMA --exit-code"),
        ("7.10.1", "--from-config-datasource --to-schema SCHEMA --exit-code"),
    ],
)
def test_all_agree(project: Project, version: str, words: str) -> None:
    project.install(version)
    more = project.sync()
    assert (more.remarks, more.not_checked) == ((), ())
    assert any(f"Prisma {version} finds schema and migrations in agreement" in line for line in more.proven)
    assert more.settles == {"schema-without-migration", "migration-without-schema"}
    schema = str(project.top / "prisma" / "schema.prisma")
    assert project.asked[-1] == f"migrate diff {words.replace('SCHEMA', schema)}"


def test_it_is_asked_about_a_replay(project: Project) -> None:
    project.install()
    more = project.prove({**os.environ, "DATABASE_URL": "postgresql://elsewhere/prod"})
    assert (more.remarks, more.not_checked) == ((), ()) and len(more.proven) == 2


def test_a_difference_is_a_stop(project: Project) -> None:
    project.install(diff=DIFFER)
    more = project.sync()
    assert messages(more) == [
        "schema and migrations do not agree: [*] Changed the `User` table; [+] Added column `nick`"
    ]
    assert more.remarks[0].finding.severity == "stop" and not more.settles


def test_a_schema_that_is_not_valid_is_told_with_its_line(project: Project) -> None:
    project.install(validate=INVALID)
    (remark,) = project.sync().remarks
    assert remark.finding.line == 9 and 'Type "Intt"' in remark.finding.message
    assert remark.path == project.top / "prisma" / "schema.prisma"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"validate": NO_ENGINE}, "request to https://binaries.prisma.sh failed"),
        ({"diff": NO_ENGINE}, "request to https://binaries.prisma.sh failed"),
        ({"status": ELSEWHERE}, "did not come to the throw-away database"),
        ({"diff": "exit 7"}, "it said nothing"),
    ],
)
def test_what_the_cli_cannot_tell_is_not_checked(project: Project, answers: dict[str, str], words: str) -> None:
    project.install(**answers)
    more = project.sync()
    assert more.remarks == () and words in more.not_checked[0] and not more.settles


def test_a_ledger_that_prisma_reads_otherwise_is_a_stop(project: Project) -> None:
    project.install(status=STATUS.replace("Database schema is up to date!", "not yet been applied"))
    assert "another history" in messages(project.sync())[0]


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda p: (p.top / "node_modules/.bin/prisma").unlink(), "is not installed"),
        (lambda p: p.write("node_modules/prisma/package.json", "{"), "cannot be read"),
        (lambda p: p.write("node_modules/prisma/package.json", '{"version": "8.0.0"}'), "Prisma 8.0.0"),
        (lambda p: (p.top / "prisma/schema.prisma").unlink(), "no schema"),
    ],
    ids=["no CLI", "broken package", "another version", "no schema"],
)
def test_without_a_cli_that_can_be_asked_nothing_is_checked(project: Project, harm: object, words: str) -> None:
    project.install()
    harm(project)  # type: ignore[operator]
    more = project.prove()
    assert more.remarks == () and more.proven == () and words in more.not_checked[0]


def test_migrations_that_do_not_apply_are_told_instead(project: Project) -> None:
    project.install()
    project.script("20250101000000_bad", "SELECT nowhere;\n")
    more = project.prove()
    assert [remark.code for remark in more.remarks] == ["replay-failed"]
    assert project.asked == [f"validate --schema {project.top}/prisma/schema.prisma"]


def test_a_client_of_another_schema_is_told(project: Project) -> None:
    project.install()
    project.write("node_modules/.prisma/client/schema.prisma", SCHEMA.replace("email", "mail"))
    generator = 'generator client {\n  provider = "prisma-client-js"\n}\n'
    schema = project.write("prisma/schema.prisma", generator + SCHEMA)
    remarks, unknown = about_client(schema, project.top)
    assert len(remarks) == 1 and "generated from another schema" in remarks[0].finding.message and not unknown
    project.write("node_modules/.prisma/client/schema.prisma", f"// generated\n{SCHEMA}")
    assert about_client(schema, project.top) == ((), ())


@pytest.mark.parametrize("same", [True, False])
def test_a_client_with_an_output_of_its_own(project: Project, same: bool) -> None:
    generator = 'generator client {\n  provider = "prisma-client"\n  output = "../gen"\n}\n'
    schema = project.write("prisma/schema.prisma", generator + SCHEMA)
    assert "none is generated" in about_client(schema, project.top)[1][0]
    text = generator + (SCHEMA if same else SCHEMA.replace("Int  @id", "BigInt @id"))
    project.write("gen/internal/class.ts", f'const config = {{\n  "inlineSchema": {json.dumps(text)},\n}}\n')
    assert bool(about_client(schema, project.top)[0]) is not same


def test_the_variables_that_lead_to_a_database_are_found(project: Project) -> None:
    project.write("prisma/schema.prisma", SCHEMA + '// directUrl = env("DIRECT_URL"), env("LOG_LEVEL")')
    project.write("prisma.config.ts", "url: process.env.POSTGRES_PRISMA_URL, x: process.env['MY_DSN'], y: env('Z')")
    assert named_in(project.folder) == ("DATABASE_URL", "DIRECT_URL", "POSTGRES_PRISMA_URL", "MY_DSN")


def test_it_needs_one_folder(project: Project) -> None:
    sources = find_sources((project.folder / "20240101000000_init",), None)
    with pytest.raises(Misuse, match="one migrations folder"):
        asyncio.run(prove(sources, Wanted(replay=True, sync=True), os.environ))


def test_the_cli_of_a_folder_above_is_found(project: Project) -> None:
    project.install()
    found = find_prisma(project.folder)
    assert (found.version, found.folder) == ("6.19.3", project.top)
