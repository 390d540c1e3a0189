"""What the demo's runbook tells the keeper: `python -P -m runbooks.demo.control deploy 2`. Exit 1 if it failed."""

import os
import socket
import sys


def tell(words: str) -> str:
    """Send a command, and wait for what came of it. Raises OSError."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ["SHOP_CONTROL"])
        connection.sendall(words.encode())
        return connection.makefile().read()


def main() -> None:
    answer = tell(" ".join(sys.argv[1:]))
    sys.stdout.write(f"{answer}\n")
    sys.exit(1 if answer.startswith("failed") else 0)


if __name__ == "__main__":
    main()
