"""Secrets planted wherever one may be: none of them is in what a session writes, says, or has on a command line."""

import base64
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psutil
import psycopg
import pytest
from fix_command import Gonogo, SmallProject, ours
from fix_walks import Start, resume, runner_of, running, sessions

from runbooks.journal import verify

pytestmark = pytest.mark.soak

NAMES = (
    *("URL", "API_KEY", "PGPASSWORD", "STAGING", "ROLE", "MAPPING", "CODE", "SETTING", "DBLINK", "COMMENT"),
    *("EMAIL", "DETAIL", "RAISED", "CAPTURED", "HEADER", "EVIDENCE", "WAIVER", "TYPED", "REMOTE", "VERIFY", "NOTICE"),
    *("PGPASS", "SERVICE", "UNDO", "UNDO_TEXT"),
)
PLAIN = ("DBLINK", "COMMENT", "CAPTURED", "HEADER")
"""Where a quote or an accent cannot stand."""
SECRET = {
    name: f"pl4nt/{number:02d}+{name.lower()}{'' if name in PLAIN else chr(39) + 'é'}"
    for number, name in enumerate(NAMES)
}

RUNBOOK = """# Planted

```toml runbook
name = "planted"
```

## Backup

```sh run id="says" title="Says it all"
echo "$SMALL_URL"; echo "$API_KEY" >&2; env
printf 'half: %s' "$(printf %s "$API_KEY" | cut -c1-7)"; sleep 0.3; printf '%s\\n' "$(printf %s "$API_KEY" | cut -c8-)"
printf 'user:%s' "$API_KEY" | base64 -w0; printf %s "$API_KEY" | od -An -tx1 | tr -d ' \\n'; echo
PGPASSWORD="$API_KEY" psql -h 127.0.0.1 -p 1 -c 'SELECT 1' || true
psql "nonsense://" || true
pg_dump --no-such-option 2>&1 "$(printf %s "$API_KEY" | head -c 0)" || true
```

```toml step
id = "login"
uses = "http.check"
url = "${env.app}/login"
capture = { token = "$.token", cookie = "header:X-Cookie" }
retries = 0
```

```toml step
id = "echo"
uses = "http.check"
url = "${env.app}/echo"
headers = { Authorization = "Bearer ${login.token}", Cookie = "${login.cookie}" }
status = 500
retries = 0
```

- [ ] Somebody looked <!-- id=looked evidence="where" -->

## Preflight

```toml step
id = "activity"
uses = "activity.inspect"
```

```toml step
id = "undone"
uses = "rollback.plan"
```

- [ ] Which data is lost? <!-- id=lost facts=loss evidence="which" -->

## Migrate

```toml step
id = "apply"
uses = "migrations.apply"
```

## Verify
## Deploy
## Smoke
## Rollback
"""


def quoted(text: str) -> str:
    return text.replace("'", "''")


S = {name: quoted(secret) for name, secret in SECRET.items()}
FIRST = f"""-- once postgres://ana:{SECRET["COMMENT"].replace("/", "%2F")}@db/shop
CREATE ROLE planted_app PASSWORD '{S["ROLE"]}';
DROP ROLE planted_app;
SET app.secret = '{S["SETTING"]}';
DO $$ BEGIN
  RAISE NOTICE 'it is %', current_setting('app.secret');
  EXECUTE 'CREATE ROLE planted_code PASSWORD ''{quoted(S["CODE"])}''';
  DROP ROLE planted_code;
  PERFORM set_config('app.token', '{S["NOTICE"]}', true);
  RAISE NOTICE 'and %', current_setting('app.token');
END $$;
CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE);
INSERT INTO users (id, email) VALUES (1, '{S["EMAIL"]}');
CREATE FUNCTION link() RETURNS text LANGUAGE sql AS $$ SELECT 'host=h password=x{SECRET["DBLINK"]}' $$;
SELECT pg_sleep(4);
"""
SECOND = f"""INSERT INTO users (id, email) VALUES (2, '{S["DETAIL"]}');
SET app.password = '{S["RAISED"]}';
DO $$ BEGIN
  RAISE EXCEPTION 'no: % and {S["DETAIL"]}', current_setting('app.password') USING DETAIL = '{S["RAISED"]}';
END $$;
"""


class App(BaseHTTPRequestHandler):
    """Gives the token, and echoes whatever it was sent."""

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("X-Cookie", SECRET["HEADER"])
        self.end_headers()
        answer = {"token": SECRET["CAPTURED"]} if self.path == "/login" else dict(self.headers)
        self.wfile.write(json.dumps(answer).encode())


@pytest.fixture
def app() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), App)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class CommandLines:
    """What stands on the command lines of our processes, looked at again and again."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            for place in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(place.read_bytes())
                except OSError:
                    continue

    def close(self) -> None:
        self._over.set()
        self._thread.join()


def forms(secret: str) -> set[bytes]:
    """The ways in which it could be found; of long ones what does not hang on what stands beside it."""
    data = secret.encode()
    found = {
        data,
        quote(secret, safe="").encode(),
        quote(secret).encode(),
        data.hex().encode(),
        data.hex().upper().encode(),
    }
    found |= {json.dumps(secret)[1:-1].encode(), json.dumps(secret, ensure_ascii=False)[1:-1].encode()}
    found |= {quoted(secret).encode(), quoted(quoted(secret)).encode()}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + data)
        found.add(encoded[4 * (shift > 0) : len(encoded) - 4])
    return found


def written() -> Iterator[tuple[str, bytes]]:
    for path in Path(os.environ["XDG_STATE_HOME"]).rglob("*"):
        if path.is_file() and "dumps" not in path.parts:
            yield str(path), path.name.encode() + b"\0" + path.read_bytes()


@pytest.fixture
def planted(small: SmallProject, app: str) -> SmallProject:
    with psycopg.connect(small.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE planted SUPERUSER LOGIN PASSWORD '{S['URL']}'")
    parts = urlsplit(small.url)
    netloc = f"planted:{quote(SECRET['URL'], safe='')}@{parts.netloc.rpartition('@')[2]}"
    project = replace(small, url=urlunsplit(parts._replace(netloc=netloc)))
    project.toml(values=f"\0{app}")
    toml = (project.folder / "gonogo.toml").read_text().split("values")[0]
    toml = toml.replace('name = "small"', 'name = "small"\nsecrets = ["API_KEY"]\nredact = ["users.email"]', 1)
    (project.folder / "gonogo.toml").write_text(f'{toml}\n[environments.here.values]\napp = "{app}"\n')
    (project.folder / "small.md").write_text(RUNBOOK)
    project.migration("20260102000000_first", FIRST)
    project.migration("20260103000000_second", SECOND)
    (project.folder / "migrations" / "20260102000000_first" / "verify.sql").write_text(
        f"SELECT email <> '{S['VERIFY']}' FROM users WHERE email = '{S['EMAIL']}'"
    )
    beside = project.folder / "migrations" / "20260102000000_first"
    (beside / "rollback.sql").write_text(
        f"ALTER ROLE planted PASSWORD '{S['UNDO']}'; DELETE FROM users WHERE email = '{S['EMAIL']}';"
    )
    hidden = f"postgresql://ana:{quote(SECRET['UNDO_TEXT'], safe='')}@db/x"
    (beside / "rollback.md").write_text(f"psql {hidden} with {SECRET['API_KEY']}", encoding="utf-8")
    url = f"https://ana:{quote(SECRET['EVIDENCE'], safe='')}@vault/x"
    project.answers(
        items={"looked": f"{url} and {SECRET['API_KEY']}", "lost": "none"},
        waivers={
            "echo/status": f"see {url.replace(quote(SECRET['EVIDENCE'], safe=''), quote(SECRET['WAIVER'], safe=''))}"
        },
    )
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(project.folder)]
    token = quote(SECRET["REMOTE"], safe="")
    for arguments in (
        ["init", "-q"],
        ["remote", "add", "origin", f"https://x:{token}@git/x"],
        ["add", "."],
        ["commit", "-qm", "x"],
    ):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    return project


def test_no_planted_secret_is_written_said_or_on_a_command_line(
    gonogo: Gonogo, start: Start, planted: SmallProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("API_KEY", "PGPASSWORD"):
        monkeypatch.setenv(name, SECRET[name])
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "service"))
    (tmp_path / "pgpass").write_text(f"*:*:*:*:{SECRET['PGPASS']}\n")
    (tmp_path / "pgpass").chmod(0o600)
    (tmp_path / "service").write_text(f"[shop]\npassword={SECRET['SERVICE']}\n")
    lines = CommandLines()
    try:
        walk = start(planted)
        folder = walk.until(running("apply"))
        os.kill(runner_of(folder), signal.SIGKILL)
        talk = [walk.end()[1]]
        code, said = resume(gonogo, planted)
        talk.append(said)
        more = gonogo("transcript", "show", folder.name, cwd=planted.folder, env=planted.env)
        talk += [more.out, more.err]
    finally:
        lines.close()
    assert code == 1, said
    assert not psutil.wait_procs(list(ours()), timeout=30)[1]
    whole = [*written(), ("talk", "\n".join(talk).encode()), ("command lines", b"\n".join(lines.seen))]
    leaks = sorted(
        {(name, where) for name, s in SECRET.items() for f in forms(s) for where, data in whole if f in data}
    )
    assert not leaks
    assert sessions() == [folder] and verify(folder / "journal.jsonl").grade in ("consistent", "open")
    journal = (folder / "journal.jsonl").read_text()
    for name in ("API_KEY", "SMALL_URL password", "users.email", "login.token", "app.secret"):
        assert f"«redacted:{name}»" in journal, name
