"""Statements one after another: what is told of them all is what the server holds at the end."""

from collections.abc import Iterator
from random import Random

import pytest
from proving.observed import Observed, observe
from proving.stage import Stage, staged
from proving.told import told_locks

from migrations.locks.claims import Claim, claims
from migrations.server import ThrowawayServer

# In each, a later statement leads to a relation that it does not name, by a name or a link of the script's own.
STORIES = """
ALTER TABLE t RENAME TO z; ALTER TABLE z DROP CONSTRAINT fk
ALTER TABLE t RENAME TO z; DROP TABLE z CASCADE
ALTER TABLE t SET SCHEMA s2; ALTER SCHEMA s2 RENAME TO s3; ALTER TABLE s3.t DROP COLUMN o_id
ALTER TABLE t RENAME o_id TO z; ALTER TABLE t DROP COLUMN z
ALTER TABLE t RENAME CONSTRAINT fk TO z; ALTER TABLE t DROP CONSTRAINT z
CREATE TABLE z (id int, o_id int REFERENCES o); DROP TABLE z
CREATE TABLE z (id int PRIMARY KEY); ALTER TABLE alone ADD FOREIGN KEY (id) REFERENCES z NOT VALID; DROP TABLE z CASCADE
CREATE TABLE z (id int PRIMARY KEY); ALTER TABLE alone ADD FOREIGN KEY (id) REFERENCES z NOT VALID; TRUNCATE z CASCADE
CREATE INDEX z ON alone (id); DROP INDEX z
CREATE INDEX z ON alone (id); ALTER INDEX z RENAME TO y; DROP INDEX y
ALTER INDEX alone_n RENAME TO z; DROP INDEX z
ALTER INDEX ti RENAME TO z; REINDEX INDEX z
CREATE TABLE z PARTITION OF plain_pt FOR VALUES IN (9); ALTER TABLE plain_pt RENAME TO y; DROP TABLE z
CREATE TABLE z (k int); ALTER TABLE plain_pt ATTACH PARTITION z FOR VALUES IN (9); DROP TABLE z
ALTER TABLE alone ADD CONSTRAINT z FOREIGN KEY (id) REFERENCES o NOT VALID; ALTER TABLE alone DROP CONSTRAINT z
ALTER TABLE child ADD CONSTRAINT z FOREIGN KEY (id) REFERENCES o; ALTER TABLE child RENAME CONSTRAINT z TO y; \
ALTER TABLE child DROP CONSTRAINT y
ALTER TABLE alone ADD FOREIGN KEY (id) REFERENCES child NOT VALID; ALTER TABLE child ALTER id TYPE bigint
ALTER TABLE alone ADD CONSTRAINT z CHECK (id > 0); ALTER TABLE alone RENAME CONSTRAINT z TO y; TRUNCATE alone
ALTER TABLE alone ADD COLUMN z int REFERENCES o; ALTER TABLE alone RENAME z TO y; ALTER TABLE alone DROP COLUMN y
ALTER VIEW vw RENAME TO z; UPDATE z SET c = 2
ALTER TABLE child RENAME TO z; TRUNCATE z CASCADE
ALTER TABLE pt RENAME TO z; ALTER TABLE z ADD COLUMN y int
ALTER TABLE heirs RENAME TO z; ALTER TABLE z ADD CHECK (a > 0)
ALTER TABLE heir NO INHERIT heirs; ALTER TABLE heir RENAME TO z; ALTER TABLE z INHERIT heirs
CREATE SCHEMA z; ALTER TABLE alone SET SCHEMA z; DROP SCHEMA z CASCADE
ALTER TYPE mood RENAME TO z; DROP TYPE z CASCADE
ALTER DOMAIN plain RENAME TO z; ALTER DOMAIN z ADD CHECK (VALUE <> '')
ALTER TABLE alone RENAME TO z; CREATE TABLE alone (id int); DROP TABLE alone
DROP TABLE grandchild; CREATE TABLE grandchild (id int); DROP TABLE child
DROP VIEW vv; CREATE VIEW vv AS SELECT id FROM o; LOCK TABLE vv IN SHARE MODE
ALTER STATISTICS st RENAME TO z; DROP STATISTICS z
"""
ALONE = [c.sql for _, c in claims() if not (c.holding or c.fails or c.setup or c.milder or "SET LOCAL" in c.sql)]


@pytest.fixture(scope="module")
def stage(server: ThrowawayServer) -> Iterator[Stage]:
    with staged(server) as stage:
        yield stage


def held_after(stage: Stage, script: str) -> Observed:
    return observe(stage.world, Claim(script))


@pytest.mark.parametrize("story", STORIES.strip().splitlines())
def test_names_and_links_of_the_script_are_followed(stage: Stage, story: str) -> None:
    seen = held_after(stage, story)
    assert seen.failure is None
    assert not list(told_locks(Claim(story), seen))


@pytest.mark.parametrize("seed", range(10))
def test_what_is_told_of_any_script_is_what_the_server_holds(stage: Stage, seed: int) -> None:
    random = Random(seed)
    for _ in range(50):
        script = "; ".join(random.sample(ALONE, 3))
        seen = held_after(stage, script)
        if seen.failure is None:
            break
    assert seen.failure is None
    assert not list(told_locks(Claim(script), seen)), script
