"""Real servers on loopback that take what alerts send, and keep it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from processes import free_port


class Webhook(HTTPServer):
    """Answers every POST with ``status`` and keeps its headers and document."""

    def __init__(self, status: int = 204, location: str | None = None) -> None:
        self.status, self.location = status, location
        self.posts: list[tuple[dict[str, str], dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook/t0k3n"


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((dict(self.headers), json.loads(body)))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()

    def log_message(self, *words):
        pass


@contextmanager
def webhook(status: int = 204, location: str | None = None) -> Iterator[Webhook]:
    server = Webhook(status, location)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Mailbox:
    """Takes every mail whose sender logs in with the right password.

    ``answers``: what it says to a mail for a recipient, in place of taking it.
    """

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.mails: list[str] = []
        self.asked = 0
        self.answers = answers

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        self.asked += 1
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - the library's name
        self.mails.append(envelope.content.decode())
        return "250 taken"


@contextmanager
def mail_server(
    password: str | None = None, answers: Mapping[str, str] | None = None
) -> Iterator[tuple[Mailbox, int]]:
    mailbox = Mailbox(answers or {})

    def authenticate(server, session, envelope, mechanism, data):
        is_right = data.password.decode() == password
        return AuthResult(success=is_right, handled=False)

    options = {}
    if password is not None:
        options = {
            "authenticator": authenticate,
            "auth_required": True,
            "auth_require_tls": False,
        }
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield mailbox, controller.port
    finally:
        controller.stop()
