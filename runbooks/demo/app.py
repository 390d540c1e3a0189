"""The shop's app: a small HTTP server on the shop's database, in two versions.

Version 2 needs what the pending migrations add; neither version reads what they drop. Run by the keeper as
`python -P -m runbooks.demo.app VERSION FD`, with the database's address in SHOP_URL, and the password of who signs in
to try it out in SMOKE_PASSWORD.
"""

import json
import os
import secrets
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any

import psycopg
from psycopg.rows import dict_row

Answer = tuple[int, dict[str, Any]]

CUSTOMER = {1: "SELECT id, name FROM customers WHERE id = %s", 2: "SELECT id, name, tier FROM customers WHERE id = %s"}
ORDERS = "SELECT id, status, quantity FROM orders WHERE customer_id = %s ORDER BY placed_at DESC LIMIT 5"
ORDER = "SELECT id, status, quantity FROM orders WHERE id = %s"
NEWEST = "SELECT id, status FROM orders ORDER BY id DESC LIMIT 20"
NEW_ORDER = "INSERT INTO orders (customer_id, product_id, quantity, status) VALUES (%s, %s, 1, 'open') RETURNING id"
SHIPMENT = "SELECT id, order_id, carrier FROM shipments WHERE id = %s"
NEW_SHIPMENT = "INSERT INTO shipments (order_id, carrier) VALUES (%s, %s) RETURNING id"


class Shop:
    """What the app can do, by version."""

    def __init__(self, version: int, url: str) -> None:
        self.version = version
        self._url = url
        self._tokens = set[str]()

    def ask(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Rows of one statement, committed."""
        with psycopg.connect(self._url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def health(self) -> Answer:
        self.ask("SELECT 1 AS one")
        return 200, {"status": "ok", "version": self.version}

    def customer(self, number: int) -> Answer:
        found = self.ask(CUSTOMER[self.version], number)
        return (
            (200, {**found[0], "orders": self.ask(ORDERS, number)}) if found else (404, {"error": "no such customer"})
        )

    def order(self, body: dict[str, Any]) -> Answer:
        return 201, self.ask(NEW_ORDER, int(body["customer"]), int(body["product"]))[0]

    def sign_in(self, body: dict[str, Any]) -> Answer:
        if not secrets.compare_digest(str(body["password"]), os.environ.get("SMOKE_PASSWORD", "")):
            return 401, {"error": "who are you?"}
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return 201, {"token": token}

    def orders(self, number: int | None) -> Answer:
        if number is None:
            return 200, {"orders": self.ask(NEWEST)}
        found = self.ask(ORDER, number)
        return (200, found[0]) if found else (404, {"error": "no such order"})

    def shipment(self, number: int) -> Answer:
        found = self.ask(SHIPMENT, number)
        return (200, found[0]) if found else (404, {"error": "no such shipment"})

    def ship(self, body: dict[str, Any]) -> Answer:
        return 201, self.ask(NEW_SHIPMENT, int(body["order"]), str(body["carrier"]))[0]

    def answer(self, method: str, path: str, body: dict[str, Any], token: str = "") -> Answer:
        """What a request gets. Orders are shown to who has signed in."""
        parts = path.strip("/").split("/")
        match (method, *parts):
            case ("GET", "orders", *_) if token not in self._tokens:
                return 401, {"error": "sign in first"}
            case ("GET", "orders", *number):
                return self.orders(int(number[0]) if number else None)
            case ("POST", "sessions"):
                return self.sign_in(body)
            case ("GET", "health"):
                return self.health()
            case ("GET", "customers", number):
                return self.customer(int(number))
            case ("POST", "orders"):
                return self.order(body)
            case ("GET", "shipments", number) if self.version >= 2:
                return self.shipment(int(number))
            case ("POST", "shipments") if self.version >= 2:
                return self.ship(body)
        return 404, {"error": f"version {self.version} has no {path}"}


def handler(shop: Shop) -> type[BaseHTTPRequestHandler]:
    """Requests as the standard library hands them out, answered by the shop."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            try:
                token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
                status, answer = shop.answer(self.command, self.path, body, token)
            except (psycopg.Error, KeyError, ValueError) as error:
                status, answer = 500, {"error": type(error).__name__}
            text = json.dumps(answer, default=str).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


class Server(ThreadingMixIn, HTTPServer):
    """Serves on a socket that the keeper opened, beside the other version, and finishes what it began."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, listening: socket.socket, shop: Shop) -> None:
        super().__init__(("127.0.0.1", 0), handler(shop), bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_address = listening.getsockname()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setblocking(True)
        return connection, address


def main() -> None:
    version, descriptor = int(sys.argv[1]), int(sys.argv[2])
    listening = socket.socket(fileno=descriptor)
    listening.setblocking(False)  # the other version may have taken the connection that woke us
    server = Server(listening, Shop(version, os.environ["SHOP_URL"]))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)
    server.server_close()


if __name__ == "__main__":
    main()
