"""Connection strings: what Prisma means by them reaches libpq, and nothing of a password reaches a person."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from migrations.problem import Misuse
from migrations.target.url import Url

PRINTABLE = st.characters(min_codepoint=0x20, exclude_characters="\x7f", exclude_categories=["Cs", "Cc"])


def parse(text: str) -> Url:
    return Url.parse(text, variable="DATABASE_URL")


@given(st.text(PRINTABLE, min_size=1), st.text(PRINTABLE, min_size=1), st.text(PRINTABLE, min_size=1))
def test_what_is_percent_encoded_arrives_as_it_was(user: str, password: str, database: str) -> None:
    database = database.replace("/", "x")
    url = parse(f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@db:6000/{quote(database, safe='')}")
    assert (url.user, url.password.get_secret_value(), url.database) == (user, password, database)
    read = conninfo_to_dict(make_conninfo("", **url.conninfo()))
    assert (read["user"], read["password"], read["dbname"]) == (user, password, database)


@given(st.text(PRINTABLE.filter(lambda c: c not in "/?#%"), min_size=1))
def test_a_bare_at_sign_or_colon_in_a_password_is_read_as_prisma_reads_it(password: str) -> None:
    url = parse(f"postgresql://ana:{password}@db/orders")
    assert (url.password.get_secret_value(), url.host) == (password, "db")


@given(st.text(st.sampled_from("ab1@/?#%:[]"), min_size=1, max_size=8))
def test_a_password_is_never_taken_for_a_host(password: str) -> None:
    text = f"postgresql://ana:{password}@db.prod/orders"
    try:
        url = parse(text)
    except Misuse as error:
        assert len(password) < 3 or password not in str(error)
    else:
        assert (url.host, url.database) == ("db.prod", "orders")


def test_a_password_with_percent_at_and_slash() -> None:
    url = parse("postgresql://ana:p%25%40%2Fw@db/orders")
    assert url.password.get_secret_value() == "p%@/w"
    assert set(url.secrets) == {"p%@/w", "p%25%40%2Fw", "p%25%40/w"}
    assert "p%" not in repr(url) and "p%" not in url.shown


def test_prismas_parameters_are_translated() -> None:
    url = parse(
        ' "postgresql://ana:x@db:5433/orders?schema=my+app&connection_limit=3&pool_timeout=2&pgbouncer=true'
        '&sslmode=require&sslaccept=strict&sslcert=/ca.pem&application_name=shop&statement_cache_size=0&x=1" '
    )
    assert (url.schema, url.looks_pooled, url.ignored) == ("my app", "it says pgbouncer=true", ("x",))
    assert url.conninfo(application_name="gonogo") == {
        "host": "db",
        "port": "5433",
        "dbname": "orders",
        "user": "ana",
        "password": "x",
        "connect_timeout": "5",
        "client_encoding": "UTF8",
        "sslmode": "verify-full",
        "sslrootcert": "/ca.pem",
        "application_name": "gonogo",
    }
    environment = url.libpq_environment()
    assert (environment["PGHOST"], environment["PGSSLROOTCERT"], environment["PGPASSWORD"]) == ("db", "/ca.pem", "x")


@pytest.mark.parametrize(
    ("text", "host", "port", "database"),
    [
        ("postgres://ana@db", "db", 5432, "postgres"),
        ("postgresql://ana@localhost/orders?host=/run/postgresql", "/run/postgresql", 5432, "orders"),
        ("postgresql://ana@[::1]:6000/orders", "::1", 6000, "orders"),
        ("postgresql://ana@db:6543/orders#note", "db", 6543, "orders"),
        ("postgresql:///orders", "localhost", 5432, "orders"),
    ],
)
def test_where_it_leads(text: str, host: str, port: int, database: str) -> None:
    url = parse(text)
    assert (url.host, url.port, url.database) == (host, port, database)
    assert url.shown == f"{database}@{host}:{port}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prisma+postgres://accelerate.example/?api_key=sk_secret", "Prisma's own service"),
        ("prisma://accelerate.example/?api_key=sk_secret", "Prisma's own service"),
        ("mysql://ana:sk_secret@db/orders", "must begin with postgresql://"),
        ("host=db password=sk_secret", "does not hold a connection string"),
        ("", "does not hold a connection string"),
        ("postgresql://ana:sk_secret@db-1,db-2/orders", "more than one host"),
        ("postgresql://ana:sk_secret@db-1:1,db-2:2/orders", "more than one host"),
        ("postgresql://ana:sk_secret@db/orders?host=/a,/b", "more than one host"),
        ("postgresql://ana:sk_secret@db:port/orders", "cannot be read"),
        ("postgresql://ana:sk_secret%ff@db/orders", "not UTF-8"),
        ("postgresql://ana:sk_secret@db/ord\ners", "cannot be read"),
        ("postgresql://ana:sk_secret@db/orders?schema=a%00b", "zero byte"),
        ("postgresql://ana:sk_secret@db/orders?sslidentity=c.p12", "PKCS#12"),
    ],
)
def test_what_is_refused_is_refused_in_our_own_words(text: str, words: str) -> None:
    with pytest.raises(Misuse, match="DATABASE_URL") as caught:
        parse(text)
    assert words in str(caught.value)
    assert "sk_secret" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__ | (caught.value.__context__ is None)


@pytest.mark.parametrize("host", ["ep-x-pooler.eu.neon.tech", "pooler.example.org", "aws-0.pooler.supabase.com"])
def test_a_poolers_host_is_known_by_its_name(host: str) -> None:
    assert parse(f"postgresql://ana@{host}/orders").looks_pooled
    assert not parse(f"postgresql://ana@{host.replace('pooler', 'db')}/orders").looks_pooled
