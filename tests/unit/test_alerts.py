"""Each alert reaches every sink once; a sink that fails is named, without secrets, and not lost."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email import message_from_string
from pathlib import Path

import dagster as dg
import pytest
from alert_servers import mail_server, webhook
from dagster._core.test_utils import create_run_for_test
from processes import free_port
from typer.testing import CliRunner

from fbacap_logic.calendar import Quarter, StageCutoff
from orchestration.alerts import send_pending, send_test
from orchestration.alerts.configuration import load_alerts
from orchestration.alerts.messages import late_alerts
from orchestration.cli import app
from orchestration.errors import BadConfiguration
from orchestration.landing import receive
from orchestration.paths import DataFolder
from orchestration.plan import StageOfQuarter
from orchestration.schedule.due import ScheduledStage

NOW = datetime(2026, 9, 1, tzinfo=UTC)
PASSWORD = "correct horse battery"  # noqa: S105 - of a server on loopback


def configured(root: Path, text: str) -> DataFolder:
    root.mkdir(exist_ok=True)
    (root / "alerts.yaml").write_text(text)
    return DataFolder(root)


def hook(name: str, url: str, more: str = "") -> str:
    return f"  - {{kind: webhook, name: {name}, url: '{url}'{more}}}\n"


def mail(port: int, more: str = "") -> str:
    return (
        f"  - {{kind: email, name: mail, host: 127.0.0.1, port: {port}, security: none, "
        f"sender: market@example.org, recipients: [ops@example.org]{more}}}\n"
    )


def failed_run(instance: dg.DagsterInstance) -> None:
    tags = {"fbacap/stage": "round-2", "dagster/partition": "2026-10-01"}
    run = create_run_for_test(instance, job_name="round_2", tags=tags)
    instance.report_run_failed(run)


def test_without_a_configuration_alerts_go_to_the_log(tmp_path):
    outcome = send_test(DataFolder(tmp_path), NOW)
    (line,) = outcome.logged
    assert line.startswith("fbacap test alert: This is a test, sent at 2026-09-01T00:00:00+00:00")


def test_a_failed_run_is_posted_once_as_json(tmp_path):
    with webhook() as server, dg.DagsterInstance.ephemeral() as instance:
        data = configured(tmp_path, "sinks:\n" + hook("on-call", server.url))
        failed_run(instance)
        now = datetime.now(UTC)
        assert send_pending(data, instance, now).summary == "1 alert sent"
        assert send_pending(data, instance, now).summary == "nothing new to tell"
    ((headers, document),) = server.posts
    assert headers["Content-Type"] == "application/json"
    assert document["kind"] == "failed"
    assert (document["quarter"], document["stage"]) == ("2026Q4", "round-2")
    assert document["title"] == "2026Q4 round-2 failed"


def test_a_failing_sink_is_named_keeps_its_alert_and_does_not_hold_up_the_others(tmp_path):
    with webhook() as good, dg.DagsterInstance.ephemeral() as instance:
        failed_run(instance)
        with webhook(status=500) as bad:
            url = bad.url
            both = "sinks:\n" + hook("broken", url) + hook("working", good.url)
            data = configured(tmp_path, both)
            outcome = send_pending(data, instance, datetime.now(UTC))
            assert outcome.failures == ("broken: the server answered 500",)
            assert len(good.posts) == 1
        with webhook() as mended:
            both = "sinks:\n" + hook("broken", mended.url) + hook("working", good.url)
            outcome = send_pending(configured(tmp_path, both), instance, datetime.now(UTC))
        assert (outcome.sent, outcome.failures) == (1, ())
        assert (len(mended.posts), len(good.posts)) == (1, 1)


def test_an_alert_that_a_sink_refuses_holds_up_none_behind_it_and_is_told_of(tmp_path):
    def pending(data: DataFolder, status: int) -> tuple[int, tuple[str, ...]]:
        with webhook(status=status) as server:
            configured(data.root, "sinks:\n" + hook("on-call", server.url))
            outcome = send_pending(data, instance, datetime.now(UTC))
        assert outcome.sent == 0
        return len(server.posts), outcome.failures

    refused = "on-call: the server answered 400 to '2026Q4 round-2 failed'"
    data = DataFolder(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            failed_run(instance)
        assert pending(data, 400) == (2, (refused, refused))
        for status in (408, 429, 503):
            assert pending(data, status) == (1, (f"on-call: the server answered {status}",))


@pytest.mark.parametrize("fault", ["policy", "receipt"])
def test_what_blocks_the_schedule_is_told_once(tmp_path, fault):
    data = DataFolder(tmp_path)
    if fault == "policy":
        data.policies.mkdir()
        (data.policies / "a.yaml").write_text("calendar: [")
    else:
        receipt = landed_receipt(data, tmp_path / "delivery")
        receipt.write_text("{")
    with dg.DagsterInstance.ephemeral() as instance:
        failed_run(instance)
        outcome = send_pending(data, instance, datetime.now(UTC))
        assert send_pending(data, instance, datetime.now(UTC)).sent == 0
    failed, blocked = outcome.logged
    assert failed.startswith("2026Q4 round-2 failed")
    assert blocked.startswith("the schedule is blocked: ")
    assert "Nothing is launched until that is mended" in blocked


def landed_receipt(data: DataFolder, folder: Path) -> Path:
    folder.mkdir()
    (folder / "marketplaces.csv").write_text("marketplace_id,currency\nus,USD\n")
    receive(folder, data.landing, received_at=NOW)
    return next(data.landing.rglob("*.json"))


@pytest.mark.parametrize("fault", ["policy", "alerts"])
def test_the_daemon_ends_with_the_fault_of_what_it_could_not_read(tmp_path, fault):
    data = DataFolder(tmp_path)
    data.policies.mkdir()
    if fault == "policy":
        (data.policies / "a.yaml").write_text("calendar: [")
    else:
        (tmp_path / "alerts.yaml").write_text("sinks: []")
    done = CliRunner().invoke(app, ["daemon", "--data", str(data.root)])
    assert isinstance(done.exception, BadConfiguration)
    assert not (tmp_path / "dagster").exists()


def test_a_folder_in_place_of_the_configuration_is_told_of(tmp_path):
    (tmp_path / "alerts.yaml").mkdir()
    with pytest.raises(BadConfiguration, match=r"cannot be read .*; make it a readable file"):
        load_alerts(tmp_path / "alerts.yaml")


def test_the_authorization_is_sent_and_never_told(tmp_path, monkeypatch):
    monkeypatch.setenv("HOOK_TOKEN", "Bearer s3cret")
    with webhook(status=403) as server:
        text = "sinks:\n" + hook("on-call", server.url, ", authorization_from: HOOK_TOKEN")
        outcome = send_test(configured(tmp_path, text), NOW)
    assert server.posts[0][0]["Authorization"] == "Bearer s3cret"
    assert outcome.failures == ("on-call: the server answered 403 to 'fbacap test alert'",)
    assert "s3cret" not in str(outcome)


def test_a_secret_that_is_not_set_is_asked_for_by_its_variable(tmp_path, monkeypatch):
    monkeypatch.delenv("HOOK_TOKEN", raising=False)
    text = "sinks:\n" + hook("on-call", "https://example.org", ", authorization_from: HOOK_TOKEN")
    outcome = send_test(configured(tmp_path, text), NOW)
    assert outcome.failures == ("on-call: the environment variable HOOK_TOKEN is not set",)


def test_an_authorization_does_not_follow_a_redirect(tmp_path, monkeypatch):
    monkeypatch.setenv("HOOK_TOKEN", "Bearer s3cret")
    with webhook() as other, webhook(status=307, location=other.url) as server:
        text = "sinks:\n" + hook("on-call", server.url, ", authorization_from: HOOK_TOKEN")
        outcome = send_test(configured(tmp_path, text), NOW)
    assert outcome.failures == ("on-call: the server answered 307",)
    assert other.posts == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://hooks.example.org/x", "on-call: a secret goes over https only"),
        ("file:///etc/passwd", "on-call: its address is not http:// or https://"),
        ("http://[", "on-call: its address is not http:// or https://"),
        ("https://olga:s3cret@127.0.0.1/x", "on-call: its address holds a login; give that with"),
        ("http://127.0.0.1:s3cret/x", "on-call: not sent (InvalidURL)"),
        ("http://127.0.0.1:1/s3cret x", "on-call: not sent (InvalidURL)"),
    ],
)
def test_an_address_that_would_leak_or_is_none_is_refused(tmp_path, monkeypatch, url, sentence):
    monkeypatch.setenv("HOOK_URL", url)
    text = "sinks: [{kind: webhook, name: on-call, url_from: HOOK_URL}]"
    outcome = send_test(configured(tmp_path, text), NOW)
    assert outcome.failures[0].startswith(sentence)
    assert url not in outcome.failures[0]
    assert "s3cret" not in outcome.failures[0]


def test_a_server_that_never_answers_is_given_up_after_the_timeout(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        text = "sinks:\n" + hook("on-call", url, ", timeout_seconds: 0.2")
        outcome = send_test(configured(tmp_path, text), NOW)
    assert outcome.failures[0].startswith("on-call: n")
    assert "imeout" in outcome.failures[0]


def test_a_mail_is_sent_after_logging_in(tmp_path, monkeypatch):
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    with mail_server(PASSWORD) as (mailbox, port):
        text = "sinks:\n" + mail(port, ", user: market, password_from: MAIL_PASSWORD")
        outcome = send_test(configured(tmp_path, text), NOW)
    assert (outcome.sent, outcome.failures) == (1, ())
    message = message_from_string(mailbox.mails[0])
    assert message["Subject"] == "fbacap test alert"
    assert message["To"] == "ops@example.org"
    assert "This is a test" in message.get_payload()


def test_a_wrong_password_is_a_failure_that_does_not_repeat_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MAIL_PASSWORD", "wrong")
    with mail_server(PASSWORD) as (mailbox, port):
        text = "sinks:\n" + mail(port, ", user: market, password_from: MAIL_PASSWORD")
        outcome = send_test(configured(tmp_path, text), NOW)
    assert outcome.failures == ("mail: the mail server answered 535",)
    assert mailbox.mails == []


def test_a_mail_that_a_server_refuses_for_good_holds_up_none_behind_it(tmp_path):
    def pending(answer: str) -> tuple[int, tuple[str, ...]]:
        with mail_server(answers={"ops@example.org": answer}) as (mailbox, port):
            data = configured(tmp_path, "sinks:\n" + mail(port))
            outcome = send_pending(data, instance, datetime.now(UTC))
        assert outcome.sent == 0
        return mailbox.asked, outcome.failures

    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            failed_run(instance)
        refused = "mail: the mail server answered 550 to '2026Q4 round-2 failed'"
        assert pending("550 no such mailbox") == (2, (refused, refused))
        assert pending("450 busy") == (1, ("mail: the mail server answered 450",))


def test_a_recipient_that_is_refused_does_not_have_the_others_told_again_and_again(tmp_path):
    with (
        mail_server(answers={"gone@example.org": "550 no such mailbox"}) as (mailbox, port),
        dg.DagsterInstance.ephemeral() as instance,
    ):
        text = mail(port).replace("ops@example.org", "ops@example.org, gone@example.org")
        data = configured(tmp_path, "sinks:\n" + text)
        failed_run(instance)
        first = send_pending(data, instance, datetime.now(UTC))
        second = send_pending(data, instance, datetime.now(UTC))
    (told,) = first.failures
    assert told.startswith("mail: the mail server refused 1 of 2 recipients of '2026Q4 round-2")
    assert (second.sent, second.failures, len(mailbox.mails)) == (0, (), 1)


@pytest.mark.parametrize(
    ("status", "named"),
    [(401, "the server answered 401 to '2026Q4 round-2 failed'"), (500, "the server answered 500")],
)
def test_a_sink_that_goes_on_refusing_is_tried_ever_more_seldom_and_never_given_up(
    tmp_path, status, named
):
    now = datetime.now(UTC)
    tried = []
    with webhook(status=status) as server, dg.DagsterInstance.ephemeral() as instance:
        data = configured(tmp_path, "sinks:\n" + hook("on-call", server.url))
        failed_run(instance)
        for minute in range(130):
            outcome = send_pending(data, instance, now + timedelta(minutes=minute))
            if len(server.posts) > len(tried):
                tried.append(minute)
                assert outcome.failures == (f"on-call: {named}",)
            else:
                (told,) = outcome.failures
                assert told.startswith(f"on-call: {named} ({len(tried)} times; next try ") or (
                    len(tried) == 1 and "(once; next try" in told
                )
        by_hand = send_test(data, now)
        assert by_hand.failures[0].startswith("on-call: the server answered")
    assert tried == [0, 1, 3, 7, 15, 31, 63, 123]


def test_a_wait_ends_when_the_configuration_changes_or_something_gets_through(tmp_path):
    now = datetime.now(UTC)
    with webhook(status=500) as server, dg.DagsterInstance.ephemeral() as instance:
        data = configured(tmp_path, "sinks:\n" + hook("on-call", server.url))
        failed_run(instance)
        for minute in (0, 1):
            send_pending(data, instance, now + timedelta(minutes=minute))
        server.status = 204
        assert send_pending(data, instance, now + timedelta(minutes=2)).sent == 0
        assert send_test(data, now).sent == 1
        assert send_pending(data, instance, now + timedelta(minutes=2)).sent == 1
        server.status = 500
        failed_run(instance)
        for minute in (3, 4):
            send_pending(data, instance, now + timedelta(minutes=minute))
        server.status = 204
        configured(tmp_path, "# mended\nsinks:\n" + hook("on-call", server.url))
        assert send_pending(data, instance, now + timedelta(minutes=5)).sent == 1


def test_a_password_does_not_go_over_the_network_unencrypted(tmp_path, monkeypatch):
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    text = "sinks:\n" + mail(25, ", user: market, password_from: MAIL_PASSWORD")
    text = text.replace("host: 127.0.0.1", "host: mail.example.org")
    outcome = send_test(configured(tmp_path, text), NOW)
    assert outcome.failures[0].startswith("mail: a password goes over starttls or tls only")


def test_a_mail_server_without_tls_gets_nothing_when_starttls_is_asked_for(tmp_path):
    with mail_server() as (mailbox, port):
        text = ("sinks:\n" + mail(port)).replace("security: none", "security: starttls")
        outcome = send_test(configured(tmp_path, text), NOW)
    assert outcome.failures[0].startswith("mail: not sent")
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sinks: [{kind: pager, name: a}]", "sinks.0: Input tag 'pager'"),
        ("late_after_day: 3", "late_after_day: Extra inputs are not permitted"),
        ("sinks: [{kind: webhook, name: a}]", "give url or url_from, one of the two"),
        ("sinks: [{kind: log}, {kind: log}]", "two sinks are named log"),
        ("sinks: []", "sinks is empty, so nobody is told; name one"),
        ("sinks: [", "not readable as YAML (line 1, column 9)"),
        ("sinks: [{kind: webhook, name: a, url: *s3cret}]", "not readable as YAML (line 1, column"),
        ("sinks: [{kind: webhook, name: a, url: !s3cret x}]", "not readable as YAML (line 1, col"),
        ("sinks: [{kind: webhook, name: a, url: 'https://a', password: x}]", "password: Extra"),
    ],
)
def test_a_configuration_that_is_not_understood_is_refused_by_name(tmp_path, text, sentence):
    data = configured(tmp_path, text)
    with pytest.raises(BadConfiguration) as caught:
        load_alerts(data.root / "alerts.yaml")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_configuration_that_is_printed_leaves_addresses_out(tmp_path):
    data = configured(tmp_path, "sinks:\n" + hook("on-call", "https://example.org/s3cret"))
    assert "s3cret" not in repr(load_alerts(data.root / "alerts.yaml"))


def stage(name: str, state: str, cutoff: datetime, *sentences: str) -> ScheduledStage:
    node = StageOfQuarter(Quarter(2026, 4), name)
    return ScheduledStage(node, StageCutoff(name, "round", cutoff), state, sentences=sentences)


def test_only_the_first_late_stage_of_a_quarter_is_told_of_and_only_after_the_days_allowed():
    waiting = stage("round-1", "waiting", NOW - timedelta(days=3), "no round_supply")
    after_it = stage("round-2", "waiting", NOW - timedelta(days=3), "round-1 is not published")
    (alert,) = late_alerts([waiting, after_it], NOW, late_after_days=2)
    assert alert.key == "late:2026Q4:round-1"
    assert "has been due since 2026-08-29 and is not published: no round_supply." in alert.text
    assert late_alerts([waiting], NOW, late_after_days=3) == []
    published = stage("round-1", "published", NOW - timedelta(days=30))
    assert late_alerts([published], NOW, late_after_days=2) == []


def test_the_command_line_sends_a_test_alert_and_says_who_did_not_take_it(tmp_path):
    with webhook() as server:
        text = "sinks:\n" + hook("on-call", server.url)
        data = configured(tmp_path, text)
        done = CliRunner().invoke(app, ["alerts", "test", "--data", str(data.root)])
        assert "test alert taken by 1 of 1" in done.stdout
        assert server.posts[0][1]["kind"] == "test"
    gone = configured(tmp_path, "sinks:\n" + hook("gone", f"http://127.0.0.1:{free_port()}/"))
    done = CliRunner().invoke(app, ["alerts", "test", "--data", str(gone.root)])
    assert done.exit_code != 0
    assert "gone: no connection" in str(done.exception)
