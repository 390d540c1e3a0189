"""The databases that claims are put to, on one server: the world, copies of it, and empty ones."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from cheap import READY, making
from psycopg import sql

from migrations.locks.claims import WORLD, Claim
from migrations.rules import Rule
from migrations.server import ThrowawayServer
from proving.observed import Pair, paired
from proving.of_rules import put_rule
from proving.verdict import Verdict, put

COPY = "claimed"
SHARED = "shared_world"


class Stage:
    """Puts claims and rules to one server, each in a database where it harms no other."""

    def __init__(self, server: ThrowawayServer, world: Pair) -> None:
        self._server = server
        self._world = world
        self.major = server.major

    def put(self, claim: Claim) -> Verdict:
        """In the world that all claims share, unless this one would change it."""
        if not (claim.setup or claim.holding):
            return put(self.world, claim)
        with self._copy_of("world") as url, paired(url) as pair:
            return put(pair, claim)

    @property
    def world(self) -> Pair:
        """The world that all share, as if nobody had been there before."""
        self._world.one.execute("DISCARD ALL")
        return self._world

    def put_rule(self, rule: Rule) -> Verdict:
        """In an empty database."""
        with self._copy_of(READY) as url:
            return put_rule(url, rule)

    @contextmanager
    def _copy_of(self, template: str) -> Iterator[str]:
        with psycopg.connect(self._server.url(), autocommit=True) as connection:
            connection.execute(making(self._server, COPY, template))
            try:
                yield self._server.url(COPY)
            finally:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(COPY)))


@contextmanager
def staged(server: ThrowawayServer) -> Iterator[Stage]:
    """The stage of a server, which is left as it was. Nobody is connected to the world that is copied."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(making(server, "world"))
        try:
            with psycopg.connect(server.url("world"), autocommit=True) as inside:
                inside.execute(WORLD)
            connection.execute(making(server, SHARED, "world"))
            with paired(server.url(SHARED)) as world:
                yield Stage(server, world)
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {SHARED} WITH (FORCE)")
            connection.execute("DROP DATABASE world WITH (FORCE)")
            connection.execute("DROP ROLE IF EXISTS keeper")
