"""Errors that a person can act on."""


class Problem(Exception):
    """Something went wrong that the operator can act on: what happened, then what to do.

    `code` is the code that the field knows it by (an SQLSTATE, or Prisma's `P3009`), or empty.
    `detail` is what the server or the program said itself.
    """

    exit_code = 1

    def __init__(self, what: str, *, advice: str = "", code: str = "", detail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.what} {self.advice}".strip()


class Misuse(Problem):
    """Wrong use or configuration. Nothing was started."""

    exit_code = 2


class Unavailable(Problem):
    """The environment failed: no database, no disk, no program."""

    exit_code = 3
