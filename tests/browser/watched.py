"""A page whose every request, console message and refused load is on record.

Here belongs what is watched and asked of any page; what one page must show is in its tests.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Route

_LOCAL = {"127.0.0.1"}
_INLINE = ("data", "blob", "about")

# Runs before the page's own scripts: a refused load is reported to the page as an event.
_REPORT_VIOLATIONS = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.refused.push(event.violatedDirective + " " + event.blockedURI));
"""


class Watch:
    """What one page asked for and complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requested: list[str] = []
        self.outside: list[str] = []
        self.errors: list[str] = []
        page.route("**/*", self._judge)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.add_init_script(_REPORT_VIOLATIONS)

    def _judge(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        self.requested.append(route.request.url)
        if address.scheme in _INLINE or address.scheme == "file" or address.hostname in _LOCAL:
            route.continue_()
            return
        self.outside.append(route.request.url)
        route.abort()

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def open_file(self, path, fragment: str = "") -> None:
        """Open a file as a user does who got it by mail: from disk, with no server."""
        self.page.goto("about:blank")
        self.page.goto(path.as_uri() + (f"#{fragment}" if fragment else ""))

    def complaints(self) -> list[str]:
        """Everything that a self-contained page may not do, in words; empty: it did none."""
        fetched = [url for url in self.requested if urlsplit(url).scheme not in ("file", *_INLINE)]
        files = {url.partition("#")[0] for url in self.requested if url.startswith("file:")}
        refused = self.page.evaluate("window.refused")
        return [
            *(f"asked the network for {url}" for url in fetched),
            *(f"asked for another file {url}" for url in sorted(files)[1:]),
            *(f"complained: {error}" for error in self.errors),
            *(f"was refused {each}" for each in refused),
        ]
