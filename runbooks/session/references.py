"""`${dump.path}` and `${env.key}` in step parameters, and the same as variables for shell blocks."""

import re
from collections.abc import Callable, Iterator, Mapping

from pydantic import JsonValue

from migrations.problem import Misuse
from runbooks.session.runbook import Runbook

REFERENCE = re.compile(r"\$\{([^{}]*)\}")
VALID = re.compile(r"([a-z][a-z0-9-]*)\.([A-Za-z_][A-Za-z0-9_-]*)", re.ASCII)
ENVIRONMENT = "env"
SECRET = "secret"
"""What stands before the name of a variable that `secrets` in gonogo.toml names."""
LONGEST_VARIABLE = 8192
LONGEST_SHOWN = 200
LITERAL = "script"
"""The parameter that holds shell text, whose `${…}` are the shell's own."""

_ENV_VARIABLE = re.compile(r"GONOGO_ENV_[A-Z0-9_]+")
_WITH_DEFAULT = re.compile(r"\$\{(GONOGO_ENV_[A-Z0-9_]+):?-")
_LOGIN = re.compile(r"[^\s/]*@")
_PASSWORD = re.compile(r"(://[^\s/@:]*):[^\s/@]*(?=@)")
_QUERY = re.compile(r"(://[^\s?]*)\?\S*")

Results = Mapping[str, Mapping[str, JsonValue]]


def with_captured(result: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """A result, and what is public of what its step captured, by the names that a document uses."""
    captured = result.get("captured")
    return {**captured, **result} if isinstance(captured, dict) else result


def texts(value: JsonValue) -> Iterator[str]:
    """Every string inside a parameter."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)


def referring(params: Mapping[str, JsonValue]) -> dict[str, tuple[str, ...]]:
    """The parameters that refer to something, each with its references as they are written."""
    found = {key: references(value) for key, value in params.items() if key != LITERAL}
    return {key: names for key, names in found.items() if names}


def references(value: JsonValue) -> tuple[str, ...]:
    """What stands between `${` and `}` in a parameter, as it is written."""
    return tuple(found for text in texts(value) for found in REFERENCE.findall(text))


def resolve(params: Mapping[str, JsonValue], results: Results, values: Mapping[str, str]) -> dict[str, JsonValue]:
    """The parameters with each reference replaced by its text. Raises Misuse with what is missing."""
    return _replaced(params, lambda found: _value(found, results, values))


def resolve_values(params: Mapping[str, JsonValue], values: Mapping[str, str]) -> dict[str, JsonValue]:
    """The parameters with what the environment gives; every other reference is left as it is written."""

    def value(found: str) -> str:
        name, _, key = found.partition(".")
        return values[key] if name == ENVIRONMENT and key in values else f"${{{found}}}"

    return _replaced(params, value)


def shown(text: str, results: Results) -> str:
    """A text for people to read, with what earlier steps have found; what is not known yet is left as it is written.

    So is what stands for the login of an address; of other addresses, password and query are left out.
    """

    def value(found: re.Match[str]) -> str:
        name, _, key = found[1].partition(".")
        known = _text(results.get(name, {}).get(key))
        return found[0] if known is None or _LOGIN.match(text, found.end()) else _harmless(known)

    return REFERENCE.sub(value, text)


def check_values(runbook: Runbook, environment: str, values: Mapping[str, str]) -> None:
    """Raises Misuse if a step refers to an `${env.key}` that the environment does not give."""
    wanted = {
        (key, step.id)
        for step in runbook.steps()
        for written in referring(step.params).values()
        for found in written
        for name, _, key in [found.partition(".")]
        if name == ENVIRONMENT and key not in values
    }
    given = env_variables(values)
    wanted |= {
        (variable.removeprefix("GONOGO_ENV_").lower(), step.id)
        for step in runbook.steps()
        for script in [step.params.get(LITERAL)]
        if isinstance(script, str)
        for variable in set(_ENV_VARIABLE.findall(script)) - set(_WITH_DEFAULT.findall(script))
        if variable not in given
    }
    if wanted:
        missing = ", ".join(f"`{key}` (step {step})" for key, step in sorted(wanted))
        raise Misuse(
            f"The runbook needs values that the environment {environment} does not have: {missing}.",
            advice=f"Write them under [environments.{environment}.values] in gonogo.toml.",
        )


def env_variables(values: Mapping[str, str]) -> dict[str, str]:
    """The environment's values as run blocks get them: `app` is `GONOGO_ENV_APP`."""
    return shell_variables({ENVIRONMENT: dict(values)})


def env_named(script: str, values: Mapping[str, str]) -> dict[str, str]:
    """The variables of `env_variables` that a run block names, with what they hold."""
    named = set(_ENV_VARIABLE.findall(script))
    return {name: text for name, text in env_variables(values).items() if name in named}


def shell_variables(results: Results) -> dict[str, str]:
    """Single values of every result as `GONOGO_<STEP>_<KEY>`. Without lists, tables, and texts over 8192 characters."""
    return {
        re.sub(r"[^A-Z0-9_]", "_", f"GONOGO_{step}_{key}".upper()): text
        for step, result in results.items()
        for key, value in result.items()
        if (text := _text(value)) is not None and "\0" not in text and len(text) <= LONGEST_VARIABLE
    }


def _replaced(params: Mapping[str, JsonValue], text_of: Callable[[str], str]) -> dict[str, JsonValue]:
    return {key: value if key == LITERAL else _resolved(value, text_of) for key, value in params.items()}


def _resolved(value: JsonValue, text_of: Callable[[str], str]) -> JsonValue:
    if isinstance(value, str):
        return REFERENCE.sub(lambda found: text_of(found[1]), value)
    if isinstance(value, list):
        return [_resolved(item, text_of) for item in value]
    if isinstance(value, dict):
        return {key: _resolved(item, text_of) for key, item in value.items()}
    return value


def _value(reference: str, results: Results, values: Mapping[str, str]) -> str:
    name, _, key = reference.partition(".")
    if name == ENVIRONMENT:
        if key not in values:
            raise Misuse(
                f"This environment has no value `{key}`.",
                advice="Write it under [environments.NAME.values] in gonogo.toml.",
            )
        return values[key]
    if name == SECRET and key not in results.get(SECRET, {}):
        raise Misuse(
            f"`${{{reference}}}`: {key} is not set, or is no secret of this project.",
            advice="Name it in `secrets` under [project] in gonogo.toml, and set it where the session is started.",
        )
    if name not in results or not results[name]:
        raise Misuse(f"`${{{reference}}}`: the step `{name}` has no result yet.", advice=f"Run `{name}` first.")
    text = _text(results[name].get(key))
    if text is None:
        raise Misuse(
            f"`${{{reference}}}`: the result of `{name}` has no single value `{key}`.",
            advice=f"It has: {', '.join(k for k, v in results[name].items() if _text(v) is not None) or 'none'}. "
            f"What is captured is kept until the runner ends: run `{name}` again.",
        )
    return text


def _text(value: JsonValue) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None


def _harmless(text: str) -> str:
    bare = _QUERY.sub(r"\1?…", _PASSWORD.sub(r"\1", text))
    return bare if len(bare) <= LONGEST_SHOWN else f"{bare[:LONGEST_SHOWN]}…"
