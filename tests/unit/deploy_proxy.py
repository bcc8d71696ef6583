"""nginx with the files of `deploy/`, in front of a UI that repeats what reached it.

Here belongs starting and asking it; what it must answer is in ``test_deploy_proxy``.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket

from processes import free_port

from orchestration.paths import PROJECT

DEPLOY = PROJECT / "deploy"
OPERATORS, AUDITORS = "fbacap.example.org", "audit.example.org"
LOGINS = {OPERATORS: "olga:correct horse", AUDITORS: "audra:battery staple"}
_MAIN = """\
daemon off;
worker_processes 1;
{user}
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/nginx.conf;
}}
"""


class _Repeats(BaseHTTPRequestHandler):
    """Answers with its own name and the headers that it was sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = {"name": self.server.name, **{k.lower(): v for k, v in self.headers.items()}}
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Frame-Options", "SAMEORIGIN")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the base class asks for this name

    def log_message(self, *_words: object) -> None:
        """Nothing is printed."""


class Proxy:
    """A running nginx."""

    def __init__(self, port: int, plain_port: int, process: subprocess.Popen[bytes]) -> None:
        self.port, self.plain_port, self.process = port, plain_port, process

    def ask(
        self, host: str, path: str = "/", *, login: str | None = None, method: str = "GET",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, str], dict]:  # fmt: skip
        """Status, headers and what the UI behind it saw (empty when nothing reached it)."""
        trust = ssl.create_default_context()
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=trust, timeout=20)
        sent = {"Host": host, **(headers or {})}
        if login is not None:
            sent["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        connection.request(method, path, headers=sent)
        answer = connection.getresponse()
        body = answer.read()
        seen = json.loads(body) if answer.status == 200 else {}
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, seen

    def ask_plainly(self, host: str) -> tuple[int, str | None]:
        """Status and location of an answer without TLS."""
        connection = http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=20)
        connection.request("GET", "/runs", headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location")


@contextmanager
def proxy(folder: Path) -> Iterator[Proxy]:
    """nginx in front of two UIs, with its files in a folder."""
    with _ui("operators") as operators, _ui("auditors") as auditors:
        port, plain_port = free_port(), free_port()
        ports = {"3000": operators, "3001": auditors, "443": port, "80": plain_port}
        configuration = write_configuration(folder, ports)
        with subprocess.Popen(
            [nginx(), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)]
        ) as process:
            try:
                _wait_for(process, port)
                yield Proxy(port, plain_port, process)
            finally:
                process.terminate()


def nginx() -> str | None:
    """The program, where it is installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def write_configuration(folder: Path, ports: Mapping[str, int]) -> Path:
    """The files of `deploy/` with a test's folder, ports and a certificate of its own."""
    (folder / "tls").mkdir()
    _make_certificate(folder / "tls")
    for name, host in (("operators", OPERATORS), ("auditors", AUDITORS)):
        user, password = LOGINS[host].split(":")
        hashed = subprocess.check_output([_openssl(), "passwd", "-6", password], text=True)
        (folder / f"{name}.htpasswd").write_text(f"{user}:{hashed}")
    for source, target in (
        ("nginx.conf", "nginx.conf"),
        ("nginx-common.conf", "common.conf"),
        ("nginx-upstream.conf", "upstream.conf"),
    ):
        text = (DEPLOY / source).read_text().replace("/etc/nginx/fbacap", str(folder))
        for stands, used in ports.items():
            text = text.replace(f"127.0.0.1:{stands};", f"127.0.0.1:{used};")
            text = text.replace(f"listen {stands}", f"listen 127.0.0.1:{used}")
            text = text.replace(f"listen [::]:{stands}", f"#listen [::]:{used}")
        (folder / target).write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""
    main = folder / "main.conf"
    main.write_text(_MAIN.format(folder=folder, user=user))
    return main


@contextmanager
def _ui(name: str) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Repeats)
    server.name = name
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(100):
        with socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise RuntimeError("nginx did not answer")


def _openssl() -> str:
    """The program that nginx's packages bring along."""
    return shutil.which("openssl") or "/usr/bin/openssl"


def _make_certificate(folder: Path) -> None:
    subprocess.run(
        [_openssl(), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "1", "-subj", f"/CN={OPERATORS}",
         "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
