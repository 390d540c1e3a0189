"""The transcript as one HTML file: nothing is loaded, nothing runs, and the same session gives the same bytes."""

from runbooks.report.html.page import Origin, page
from runbooks.report.html.scripts import KeptScripts

__all__ = ["KeptScripts", "Origin", "page"]
