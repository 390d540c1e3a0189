"""Connection strings as Prisma reads them, translated into what libpq understands."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, quote_plus, unquote

from psycopg import pq
from pydantic import SecretStr

from migrations.problem import Misuse

SCHEMES = ("postgresql", "postgres")
TAKEN_OUT = frozenset(
    (
        *("schema", "connection_limit", "pool_timeout", "pgbouncer", "statement_cache_size", "socket_timeout"),
        *("max_connection_lifetime", "max_idle_connection_lifetime", "single_use_connections", "sslaccept"),
        *("sslidentity", "sslpassword", "sslcert", "uselibpqcompat"),
    )
)
"""Prisma's own parameters: libpq refuses them, or means something else by them."""
PASSED_ON = frozenset(
    (
        *("application_name", "options", "channel_binding", "connect_timeout", "require_auth", "gssencmode"),
        *("sslmode", "sslrootcert", "sslnegotiation", "sslsni", "krbsrvname", "tcp_user_timeout"),
        *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
    )
)
CONNECT_TIMEOUT = "5"
PARTS = re.compile(
    r"(?P<userinfo>[^/?#]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]]*|[^/?#@]*,[^/?#@]*)(?::(?P<port>[0-9]{1,5})?)?"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?"
)


@dataclass(frozen=True, slots=True)
class Url:
    """A connection string, understood. `shown` never holds a password; neither does the repr."""

    variable: str
    user: str
    host: str
    port: int
    database: str
    schema: str | None
    parameters: dict[str, str] = field(repr=False)
    ignored: tuple[str, ...]
    """Parameters that have no effect here, by name."""
    looks_pooled: str | None
    """Why it looks like a pooler's address, in words."""
    password: SecretStr
    text: SecretStr
    """The whole string, for the environment of a child program."""
    written: SecretStr = field(default_factory=lambda: SecretStr(""))
    """The password as it stands in the string."""

    @classmethod
    def parse(cls, text: str, *, variable: str) -> "Url":
        """Read the value of `variable`. Raises Misuse in words that never repeat the value."""
        text = text.strip().strip("'\"").strip()
        _check_scheme(text, variable)
        userinfo, host, port, path, query = _split(text, variable)
        user, _, written = userinfo.partition(":")
        given = dict(parse_qsl(query, keep_blank_values=True))
        host, port = _where(host, port, given, variable)
        url = cls(
            variable=variable,
            user=_decoded(user, "user", variable),
            host=host,
            port=port,
            database=_decoded(path.strip("/").partition("/")[0], "database", variable) or "postgres",
            schema=given.get("schema") or None,
            parameters=_translated(given, variable),
            ignored=tuple(sorted(set(given) - TAKEN_OUT - PASSED_ON - {"host"})),
            looks_pooled=_looks_pooled(host, port, given),
            password=SecretStr(_decoded(written, "password", variable)),
            text=SecretStr(text),
            written=SecretStr(written),
        )
        if any("\0" in value for value in (url.schema or "", url.host, *url.parameters.values())):
            raise Misuse(f"{variable} holds a zero byte.", advice="Take %00 out of it.", code="P1013")
        return url

    @property
    def shown(self) -> str:
        """Database and address: `orders@db-1.prod:5432`."""
        return f"{self.database}@{self.host}:{self.port}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every form in which the password may turn up, longest first."""
        word = self.password.get_secret_value()
        forms = {word, self.written.get_secret_value(), quote(word, safe=""), quote(word), quote_plus(word)}
        return tuple(sorted(forms - {""}, key=lambda form: (-len(form), form)))

    def conninfo(self, **over: str) -> dict[str, str]:
        """Parameters for libpq. `over` wins; `options` are added to the string's own."""
        known = {"host": self.host, "port": str(self.port), "dbname": self.database, "user": self.user}
        known["password"] = self.password.get_secret_value()
        options = " ".join(o for o in (self.parameters.get("options"), over.get("options")) if o)
        merged = {
            "connect_timeout": CONNECT_TIMEOUT,
            "client_encoding": "UTF8",
            **known,
            **self.parameters,
            **over,
            "options": options,
        }
        return {key: value for key, value in merged.items() if value}

    def libpq_environment(self) -> dict[str, str]:
        """The same as variables, for pg_dump and its like: nothing of it has to stand on a command line."""
        names = {d.keyword.decode(): d.envvar.decode() for d in pq.Conninfo.get_defaults() if d.envvar}
        return {names[key]: value for key, value in self.conninfo().items() if key in names}


def _check_scheme(text: str, variable: str) -> None:
    scheme, colon, _ = text.partition("://")
    if not colon:
        raise Misuse(
            f"{variable} does not hold a connection string.",
            advice="It must read postgresql://USER:PASSWORD@HOST:PORT/DATABASE.",
            code="P1013",
        )
    if scheme.lower() in ("prisma", "prisma+postgres"):
        raise Misuse(
            f"{variable} is a {scheme.lower()}:// address, which leads to Prisma's own service.",
            advice="Give the PostgreSQL server's own postgresql:// address.",
            code="P1013",
        )
    if scheme.lower() not in SCHEMES:
        other = scheme if scheme.isalnum() and len(scheme) <= 20 else "something else"
        raise Misuse(
            f"{variable} must begin with postgresql:// (it begins with {other}).",
            advice="Only PostgreSQL is served.",
            code="P1013",
        )


def _split(text: str, variable: str) -> tuple[str, str, int | None, str, str]:
    """The parts still encoded: user and password, host, port, path, query."""
    match = PARTS.fullmatch(text.partition("://")[2])
    # An @ behind the host belongs to a password with a bare / ? or # in it: "host" would be a piece of the password.
    late = match and any("@" in (match[part] or "") for part in ("path", "query", "fragment"))
    if not match or late or any(ord(c) < 0x20 or c == "\x7f" for c in text):
        raise Misuse(
            f"{variable} cannot be read as a connection string.",
            advice="In a password and the like write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25.",
            code="P1013",
        )
    port = int(match["port"]) if match["port"] else None
    return (match["userinfo"] or "")[:-1], match["host"].strip("[]"), port, match["path"] or "", match["query"] or ""


def _where(host: str, port: int | None, given: dict[str, str], variable: str) -> tuple[str, int]:
    host = given.get("host") or _decoded(host, "host", variable) or "localhost"
    if "," in host:
        raise Misuse(
            f"{variable} names more than one host.",
            advice="Name the one server that the session is to act on.",
            code="P1013",
        )
    return host, port or 5432


def _decoded(value: str, what: str, variable: str) -> str:
    try:
        decoded = unquote(value, errors="strict")
    except UnicodeDecodeError:
        decoded = "\0"
    if "\0" in decoded:
        raise Misuse(f"{variable}: the {what} is not UTF-8 text.", advice="Check its %-codes.", code="P1013") from None
    return decoded


def _translated(given: dict[str, str], variable: str) -> dict[str, str]:
    if given.get("sslidentity"):
        raise Misuse(
            f"{variable} uses sslidentity, a PKCS#12 file, which PostgreSQL's own client library cannot read.",
            advice="Use a login without a client certificate for the migration.",
        )
    kept = {key: value for key, value in given.items() if key in PASSED_ON and value}
    if given.get("sslcert"):
        kept["sslrootcert"] = given["sslcert"]
    if given.get("sslaccept") == "strict" and kept.get("sslmode") != "disable":
        kept["sslmode"] = "verify-full"
        kept.setdefault("sslrootcert", "system")
    return kept


def _looks_pooled(host: str, port: int, given: dict[str, str]) -> str | None:
    if given.get("pgbouncer", "").lower() == "true":
        return "it says pgbouncer=true"
    if port == 6543:
        return "its port is 6543"
    if "-pooler" in host or host.startswith("pooler.") or ".pooler." in host:
        return "its host is a pooler's by name"
    return None
