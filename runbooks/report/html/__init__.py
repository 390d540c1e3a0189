"""The transcript as one HTML file: nothing is loaded, nothing runs, and the same session gives the same bytes."""

from runbooks.report.html.body import Beside
from runbooks.report.html.page import Origin, page, page_beside
from runbooks.report.html.scripts import KeptScripts

__all__ = ["Beside", "KeptScripts", "Origin", "page", "page_beside"]
