"""Keys of people who sign, made by ssh-keygen, and an agent that ends with the test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

Key = Callable[..., Path]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Key:
    """Makes a key pair once for each name, and returns the private half's file. `type` and `passphrase` if wished."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("there is no ssh-keygen here: install openssh-client")
    folder = tmp_path_factory.mktemp("keys")

    def key(name: str, *, type: str = "ed25519", passphrase: str = "") -> Path:
        path = folder / name
        if not path.exists():
            bits = ["-b", "2048"] if type == "rsa" else []
            made = ["ssh-keygen", "-q", "-t", type, *bits, "-N", passphrase, "-C", name, "-f", str(path)]
            subprocess.run(made, check=True, timeout=60)
        return path

    return key


@pytest.fixture
def agent() -> Iterator[dict[str, str]]:
    """A running ssh-agent, as the environment that leads to it; its pid is SSH_AGENT_PID."""
    if shutil.which("ssh-agent") is None:
        pytest.skip("there is no ssh-agent here: install openssh-client")
    with tempfile.TemporaryDirectory(prefix="agent-") as place:
        socket = f"{place}/s"
        process = subprocess.Popen(["ssh-agent", "-d", "-a", socket], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        try:
            assert socket in process.stdout.readline().decode()  # it listens by then
            yield {"PATH": os.environ["PATH"], "SSH_AUTH_SOCK": socket, "SSH_AGENT_PID": str(process.pid)}
        finally:
            process.kill()
            process.wait(10)
            process.stdout.close()


def public(key: Path) -> str:
    """The public half, as a file of signers has it."""
    return key.with_name(f"{key.name}.pub").read_text().strip()


def add(key: Path, agent: Mapping[str, str]) -> None:
    """Give a key to an agent."""
    subprocess.run(["ssh-add", "-q", str(key)], env=agent, check=True, timeout=30)
