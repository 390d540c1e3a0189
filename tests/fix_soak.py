"""What `--soak` changes: long loops run, Hypothesis tries more, a skip is a failure unless a program is missing."""

import shutil
from collections.abc import Generator

import pytest
from hypothesis import settings

LACKS = "this machine lacks the program "
SOAK_SECONDS = 600
"""For a test that names no time of its own: Hypothesis alone tries twenty times as much."""


def needs(program: str) -> str:
    """The path of a program that a test cannot do without; the test is skipped where it is missing, soak or not."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(LACKS + program)
    return path


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="also run the long loops; a skip is then a failure")


def pytest_configure(config: pytest.Config) -> None:
    # No deadline: a busy machine is no finding.
    settings.register_profile("short", max_examples=15, deadline=None)
    settings.register_profile("soak", max_examples=1000, deadline=None)
    settings.load_profile("soak" if config.getoption("--soak") else "short")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    soak = config.getoption("--soak")
    for item in items:
        if not soak and item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="a long loop: run with --soak"))
        elif soak and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SOAK_SECONDS))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--soak"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if LACKS not in reason:
            report.outcome = "failed"
            report.longrepr = f"Skipped under --soak: {reason}"
    return report
