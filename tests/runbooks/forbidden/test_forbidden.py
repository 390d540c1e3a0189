"""Commands that no protected target may see are found in run blocks and in what those call, and refused each time."""

import json
from pathlib import Path

import pytest
from fix_command import Gonogo
from fix_live import Live, shell, write

from migrations.ledger import create, finish, start
from migrations.problem import Problem
from runbooks.forbidden import faults_of, forbidden_in
from runbooks.session import events as e
from runbooks.session.runbook import Phase, Runbook, Step
from tests.runbooks.document.test_document import document
from tests.runbooks.steps_context import TARGET, StepContext

SCRIPTS = {
    "db:reset": "prisma migrate reset --force",
    "db:migrate": "npm run p -- migrate dev",
    "p": "prisma",
    "deploy": "prisma migrate deploy",
    "db:seed": "tsx prisma/seed.ts",
    "pretest": "bunx prisma db push",
    "test": "vitest",
    "loop": "npm run loop",
}
NOWHERE = "postgresql://nobody@localhost:1/none"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "package.json").write_text(json.dumps({"scripts": SCRIPTS}))
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops/again.sh").write_text("#!/bin/sh\nset -e\nnpm run db:reset\n")
    (tmp_path / "ops/wipe").write_text("npm run db:reset\n")
    (tmp_path / "ops/strict").write_text("#!/usr/bin/env -S bash -eu\nnpm run db:reset\n")
    (tmp_path / "ops/fine").write_text('cat "$1"\n')
    (tmp_path / "packages/a").mkdir(parents=True)
    (tmp_path / "packages/a/package.json").write_text(
        '{"scripts": {"wipe": "prisma db push", "deploy": "prisma migrate reset", "postinstall": "npm run wipe"}}'
    )
    return tmp_path


@pytest.mark.parametrize(
    ("script", "command", "line"),
    [
        ("npx prisma migrate dev --create-only", "prisma migrate dev", 0),
        ("bunx prisma@6 --schema x migrate reset", "prisma migrate reset", 0),
        ("node node_modules/prisma/build/index.js db push", "prisma db push", 0),
        ("A=1 pnpm exec prisma db execute --file x # why", "prisma db execute", 0),
        ("$PRISMA migrate reset", "prisma migrate reset", 0),
        ('X="$(npx prisma migrate dev)"', "prisma migrate dev", 0),
        ('echo "this: $(npx prisma migrate dev)" >said', "prisma migrate dev", 0),
        ("X=$(npx prisma migrate dev)", "prisma migrate dev", 0),
        ("echo 'prisma migrate reset' | tee said | sh", "prisma migrate reset", 0),
        ("sh <<EOF\nprisma migrate reset\nEOF", "prisma migrate reset", 1),
        ("# as in <<EOF\nprisma migrate reset", "prisma migrate reset", 1),
        ("wc <<<word\nprisma migrate reset\nword", "prisma migrate reset", 1),
        ("X=$((1<<size))\nprisma migrate reset", "prisma migrate reset", 1),
        ("cd app\n\nif true; then npx prisma \\\n migrate reset; fi", "prisma migrate reset", 2),
        ("docker compose run app sh -c 'set -e; npx prisma db push'", "prisma db push", 0),
        ("npm run db:reset", "prisma migrate reset", 0),
        ("pnpm db:reset", "prisma migrate reset", 0),
        ("yarn run db:migrate", "prisma migrate dev", 0),
        ("npm test", "prisma db push", 0),
        ("pnpm --filter a wipe", "prisma db push", 0),
        ("cd packages/a\nnpm run deploy", "prisma migrate reset", 1),
        ("cd packages/a && npm ci", "prisma db push", 0),
        ("./ops/again.sh now", "prisma migrate reset", 0),
        ("true; sh -eu ops/wipe", "prisma migrate reset", 0),
        (". ops/wipe", "prisma migrate reset", 0),
        ("./ops/wipe now", "prisma migrate reset", 0),
        ("./ops/strict now", "prisma migrate reset", 0),
        ("pnpm prisma:migrate:dev", "pnpm run prisma:migrate:dev", 0),
        ("npx prisma db seed", "prisma db seed", 0),
        ("bun run db:seed", "tsx prisma/seed.ts", 0),
        ('psql "$DATABASE_URL" < prisma/seed.sql', 'psql $DATABASE_URL < prisma/seed.sql', 0),
    ],
)  # fmt: skip
def test_what_must_not_run_is_found(project: Path, script: str, command: str, line: int) -> None:
    assert [(found.command, found.line) for found in forbidden_in(script, project)] == [(command, line)]


@pytest.mark.parametrize(
    "script",
    [
        "npx prisma migrate deploy && npx prisma migrate status",
        "npx prisma migrate resolve --applied dev",
        "echo never npx prisma migrate reset; sh ops/none.sh",
        "echo 'never `prisma migrate reset`' \"in $HOME\"",
        "git commit -m 'say why prisma db push is not for us'",
        "cat <<EOF > told.txt\nprisma migrate reset\nEOF",
        "# npx prisma migrate reset",
        "cp ops/wipe kept; node ops/wipe; sh ops/fine ops/wipe",
        "npm run deploy; npm ci; npm run loop; npm run other",
        "curl https://app.example.org/seed.ts; cp prisma/seed.sql kept/",
    ],
)
def test_what_may_run_is_left_alone(project: Path, script: str) -> None:
    assert forbidden_in(script, project) == ()


def test_how_it_is_reached_is_told(project: Path) -> None:
    (found,) = forbidden_in("./ops/again.sh", project)
    assert found.words.startswith("`./ops/again.sh` leads to `npm run db:reset` leads to `prisma migrate reset`, which")


def test_what_the_values_of_an_environment_hold_is_found_in_the_block_that_names_them(project: Path) -> None:
    step = Step(id="x", title="", uses="shell", effect="outside", params={"script": '\neval "$GONOGO_ENV_APPLY"'})
    runbook = Runbook(name="x", phases=(Phase(name="deploy", title="Deploy", steps=(step,)),))
    (fault,) = faults_of(runbook, project, {"apply": "npm run db:reset"})
    assert fault.line == 2
    assert fault.what.startswith("`$GONOGO_ENV_APPLY` leads to `npm run db:reset` leads to `prisma migrate reset`")
    assert list(faults_of(runbook, project, {"apply": "npm run deploy", "other": "npx prisma db push"})) == []


def protected(ctx: StepContext, **conditions: tuple[str, ...]) -> StepContext:
    plan = e.PlanMade.model_validate(
        {"hash": "ab" * 32, "target": TARGET, "protected": True, "scripts": (), "conditions": conditions}
    )
    ctx.events.append(plan)
    return ctx


async def test_a_step_reads_again_what_its_block_calls(project: Path) -> None:
    ctx, script = StepContext(NOWHERE, project, environ={"PATH": f"{project}:/usr/bin:/bin"}), "npm run deploy >told"
    (project / "npm").write_text("#!/bin/sh\necho ran\n")
    (project / "npm").chmod(0o755)
    await protected(ctx).run("shell", script=script)
    assert (project / "told").read_text() == "ran\n"
    (project / "package.json").write_text(json.dumps({"scripts": SCRIPTS | {"deploy": "prisma migrate reset"}}))
    (project / "told").unlink()
    with pytest.raises(Problem, match=r"`npm run deploy` leads to `prisma migrate reset`.*nothing was run"):
        await ctx.run("shell", script=script)
    assert not (project / "told").exists()
    ctx.events[:] = ctx.events[:1]
    await ctx.run("shell", script=script)
    assert (project / "told").exists(), "what is not protected may"


async def test_seeding_is_typed_in_a_first_run_and_refused_else(project: Path, database: str) -> None:
    ctx = StepContext(database, project, answers={"seed": "staging"})
    (project / "seed.sh").write_text("touch seeded\n")
    await protected(ctx, first_run=("no ledger",)).run("shell", when="first_run", script="sh seed.sh")
    assert (project / "seeded").exists() and "Type the environment's name: staging" in ctx.asked[0]
    with pytest.raises(Problem, match="writes seed data, must not run here"):
        await ctx.run("shell", script="sh seed.sh")
    async with ctx.connect("ledger") as conn:
        await create(conn)
        await finish(conn, await start(conn, "20250101000000_old", "ab" * 32))
    with pytest.raises(Problem, match="has been migrated before: 20250101000000_old"):
        await ctx.run("shell", when="first_run", script="sh seed.sh")


async def test_the_opening_reads_them_again(live: Live) -> None:
    write(live, deploy=shell("again", "exit 9\nnpx prisma migrate reset"))
    live.small.toml(protected=True, notify=["true"])
    await live.start(emergency="nobody is there")
    assert await live.over() == 2
    view = live.client.view
    assert view.plan is None and view.step("opening").checks[-1].outcome == "fail"
    assert "`prisma migrate reset`, which drops all" in view.step("opening").checks[-1].evidence


def test_a_document_of_a_protected_environment_is_refused_with_the_line(gonogo: Gonogo, project: Path) -> None:
    block = '```sh run id="again"\ntrue\nnpm run db:reset\n```\n'
    (project / "book.md").write_text(document(deploy=block))
    toml = '[project]\nname = "shop"\n[environments.here]\nrunbook = "book.md"\nprotected = '
    told = gonogo("runbook", "check", "book.md", cwd=project)
    assert told.code == 0 and "! line 12: `npm run db:reset` leads to `prisma migrate reset`" in told.err
    for flag, code in (("true", 2), ("false", 0)):
        (project / "gonogo.toml").write_text(f"{toml}{flag}\n")
        said = gonogo("runbook", "check", "book.md", cwd=project)
        assert (said.code, "line 12" in said.err) == (code, flag == "true"), said.err
    (project / "gonogo.toml").write_text(f"{toml}true\n")
    begun = gonogo("run", "here", "--ticket", "CHG-1", cwd=project, env={"DATABASE_URL": NOWHERE})
    assert begun.code == 2
