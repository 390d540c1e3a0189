"""What the cells of the matrix share."""

from collections.abc import Iterator

import pytest
from fix_postgres import SETTINGS, apart

from migrations.server import ThrowawayServer
from tests.matrix.stage import Home

# The engine's asserts tell what they compared, as those of a test do.
pytest.register_assert_rewrite("tests.matrix.engine")


@pytest.fixture(scope="module")
def shared(server: ThrowawayServer) -> Iterator[Home]:
    """On the server of all tests."""
    home = Home.make(server)
    yield home
    home.drop()


@pytest.fixture(scope="module")
def alone(server: ThrowawayServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """On a server that may be harmed."""
    folder = tmp_path_factory.mktemp("matrix") / "pg"
    own = apart(ThrowawayServer.start(folder, bin=server.bin, settings=SETTINGS))
    try:
        yield Home.make(own)
    finally:
        apart(own.stop())
