"""Servers and databases for tests, made cheaply: in memory where there is room, and files copied as they are."""

import os
import shutil
from pathlib import Path

import psycopg
from psycopg import sql

from migrations.server import ThrowawayServer

MEMORY = Path("/dev/shm")
ROOM = 2 << 30  # bytes
READY = "template1"


def place() -> str | None:
    """The folder for the folders of servers; None: the usual one for temporary files."""
    writable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    return str(MEMORY) if writable and shutil.disk_usage(MEMORY).free > ROOM else None


def prepare(server: ThrowawayServer) -> None:
    """The first connection to a database writes down what each one needs of the catalog; copies have that then."""
    psycopg.connect(server.url(READY)).close()


def making(server: ThrowawayServer, name: str, template: str = READY) -> sql.Composed:
    """SQL that makes a database. On a disk, the server's own way, through its log, costs less than copied files."""
    copied = server.major >= 15 and server.folder.is_relative_to(MEMORY)
    how = sql.SQL(" STRATEGY FILE_COPY" if copied else "")
    made = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    return made + how
