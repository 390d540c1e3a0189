"""Why a connection could not be made, in our own words: libpq's may hold pieces of the URL."""

import re

import psycopg

from migrations.problem import Problem, Unavailable
from migrations.target.url import Url

LOGIN = re.compile(
    r"password authentication failed|no password supplied|fe_sendauth|no pg_hba\.conf entry|authentication failed"
    r"|role \".*\" does not exist|is not permitted to log in",
    re.DOTALL,
)


def refused(url: Url, error: Exception) -> Unavailable:
    """What to tell of a failed connection attempt."""
    text, place = str(error), f"{url.host}:{url.port}"
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return Unavailable(
            f"{place} does not answer.",
            advice=f"Check that {url.variable} names the right server and that it can be reached from here.",
            code="P1001",
        )
    if re.search(r"database .* does not exist", text):
        return Unavailable(
            f"There is no database {url.database} on {place}.",
            advice=f"Check the name in {url.variable}.",
            code="P1003",
        )
    if LOGIN.search(text):
        return Unavailable(
            f"{place} does not let {url.user or 'this user'} in to {url.database}.",
            advice=_login_advice(url, text),
            code="P1000",
        )
    return _unreached(url, place, text)


def told(error: psycopg.Error, *, lost: bool, where: str) -> Problem:
    """What to tell of a query that failed on a connection of ours: `lost` with it, or refused by the server."""
    code = error.sqlstate or ""
    if lost:
        return Unavailable(
            f"The connection to {where} was lost.",
            advice="See that the server runs, then start the step again.",
            code=code,
        )
    words = error.diag.message_primary or "the server refused a query"
    return Problem(f"{where}: {words}.", advice="Start the step again once the cause is gone.", code=code)


def _login_advice(url: Url, text: str) -> str:
    if "pg_hba.conf" in text:
        return "The server's pg_hba.conf has no line for this user, database, address and encryption."
    if not url.password.get_secret_value():
        return f"{url.variable} holds no password, and none is taken from PGPASSWORD."
    return f"Check user and password in {url.variable}."


def _unreached(url: Url, place: str, text: str) -> Unavailable:
    if "the database system is" in text:
        words, advice = f"{place} is starting up, shutting down or recovering.", "Try again when it is up."
    elif re.search(r"too many (clients|connections)|remaining connection slots", text):
        words, advice = f"{place} has no connection left.", "Free one, or raise the limit of the role or the server."
    elif re.search(r"\b(SSL|TLS|certificate)\b", text):
        words, advice = (
            f"{place} and gonogo do not agree on encryption.",
            f"Check sslmode and its like in {url.variable}.",
        )
    elif "unsupported startup parameter" in text:
        words = f"{place} is a pooler: it does not take the settings that a migration needs."
        advice = 'Give the server\'s own address as direct_url; or, if it pools sessions, write pooler = "session".'
    elif "failed to resolve host" in text:
        words, advice = f"The name {url.host} is not known here.", f"Check the host in {url.variable}, and the network."
    elif "Connection refused" in text or "No such file" in text:
        words, advice = f"Nothing listens on {place}.", f"Check host and port in {url.variable}, and that it runs."
    else:
        words, advice = f"No connection to {place}.", f"Check {url.variable} and the network."
    return Unavailable(words, advice=advice, code="P1001")
