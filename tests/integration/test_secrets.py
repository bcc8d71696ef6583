"""Secrets of alerts, through real failures: nothing that is written anywhere repeats one.

The database's password is followed through a real server in ``test_postgres``.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager

import dagster as dg
import pytest
from alert_servers import mail_server, webhook
from dagster._core.test_utils import create_run_for_test

from orchestration.build import build_definitions
from orchestration.instance import instance
from orchestration.paths import PROJECT, DataFolder

CANARY = "c4nary"
# Every failure has a secret of its own in an address, a header or a password.
SECRETS = {
    "HOOK_TOKEN": f"Bearer {CANARY}-of-the-header",
    "HOOK_LINES": f"Bearer {CANARY}\r\nX-More: {CANARY}",
    "HOOK_LOGIN": f"https://olga:{CANARY}@hooks.example.org/",
    "HOOK_PORT": f"https://hooks.example.org:{CANARY}/",
    "HOOK_SPACE": f"http://127.0.0.1:1/{CANARY} and more",
    "HOOK_PLAIN": f"http://hooks.example.org/{CANARY}",
    "HOOK_SCHEME": f"{CANARY}://hooks.example.org/",
    "HOOK_GONE": f"http://127.0.0.1:1/{CANARY}",
    "MAIL_PASSWORD": f"{CANARY}-of-the-mail",
    "MAIL_LETTERS": f"{CANARY}-ö",
}


@contextmanager
def babbler():
    """A server that answers with what it was sent, and not in HTTP."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def answer() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"you said " + connection.recv(4096))

        thread = threading.Thread(target=answer)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def failing(tmp_path, monkeypatch):
    """A data folder whose every sink fails in its own way, with an alert waiting for them."""
    for variable, value in SECRETS.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    hooks = [name for name, value in SECRETS.items() if "://" in value]
    with ExitStack() as stack:
        port = stack.enter_context(babbler())
        urls = {
            f"answers-{status}": stack.enter_context(webhook(status=status)).url
            for status in (401, 403, 500)
        }
        _, mail_port = stack.enter_context(mail_server("another password"))
        sinks = [{"url_from": name, "name": name.lower().replace("_", "-")} for name in hooks]
        sinks += [{"url": f"{url}/{CANARY}", "name": name} for name, url in urls.items()]
        sinks += [{"url": f"http://127.0.0.1:{port}/{CANARY}", "name": "babbler"}]
        sinks += [{"url": urls["answers-401"], "name": "lines", "authorization_from": "HOOK_LINES"}]
        for sink in sinks:
            sink |= {"kind": "webhook"}
            sink.setdefault("authorization_from", "HOOK_TOKEN")
        for name in ("MAIL_PASSWORD", "MAIL_LETTERS"):
            mail = {"kind": "email", "name": name.lower().replace("_", "-"), "host": "127.0.0.1"}
            mail |= {"port": mail_port, "security": "none", "sender": "market@example.org"}
            sinks.append(mail | {"recipients": ["a@b.org"], "user": "m", "password_from": name})
        data = DataFolder(tmp_path / "data")
        data.root.mkdir()
        (data.root / "alerts.yaml").write_text(f"sinks: {sinks}\n", encoding="utf-8")
        yield data, [sink["name"] for sink in sinks]


def test_no_secret_of_an_alert_is_written_anywhere_however_it_fails(failing, capfd, caplog):
    data, names = failing
    repository = build_definitions(data).get_repository_def()
    with instance(data) as history:
        tags = {"fbacap/stage": "round-2", "dagster/partition": "2026-10-01"}
        run = create_run_for_test(history, job_name="round_2", tags=tags)
        history.report_run_failed(run)
        ticks = []
        for _ in range(2):  # the second is one of the wait
            context = dg.build_sensor_context(instance=history, repository_def=repository)
            ticks.append(repository.get_sensor_def("market_alerts").evaluate_tick(context))
    for tick in ticks:
        assert all(f"{name}: " in tick.skip_message for name in names), tick.skip_message
    by_hand = [sys.executable, "-m", "orchestration.cli", "alerts", "test", "--data", data.root]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(by_hand, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"taken by 0 of {len(names)}" in done.stdout
    said = [done.stdout, done.stderr, *capfd.readouterr(), caplog.text, *map(repr, ticks)]
    assert [text for text in said if CANARY in text] == []
    (data.root / "alerts.yaml").unlink()
    files = [path for path in data.root.rglob("*") if path.is_file()]
    assert any(path.parent.name == "alerts" for path in files), "no wait was recorded"
    assert any("dagster" in path.parts for path in files)
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []
