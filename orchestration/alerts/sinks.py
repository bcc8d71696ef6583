"""The ways out: a log line, a webhook, an e-mail.

Here belongs sending one alert through one sink. A failure is told without any secret: neither
addresses of webhooks nor what a server answered are repeated, since either may hold one.
"""

from __future__ import annotations

import json
import smtplib
import ssl
from email.message import EmailMessage
from http import HTTPStatus
from http.client import HTTPException
from ipaddress import ip_address
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from orchestration.alerts.configuration import EmailSink, LogSink, Sink, WebhookSink, secret
from orchestration.alerts.messages import Alert
from orchestration.errors import BadConfiguration, FbacapError

_COME_BACK_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_STAYS_REFUSED = 500  # of a mail server's answers


class SinkFailed(FbacapError):  # noqa: N818 - reads as what happened
    """A sink did not take an alert; it is tried again later, and before it no other alert."""


class AlertRefused(SinkFailed):
    """A sink is there and does not want this alert; the next one may get through."""


class PartlyTaken(SinkFailed):
    """Some recipients have the alert, and the mail server refused the others."""


def send(sink: Sink, alert: Alert) -> str | None:
    """Send one alert through one sink.

    Returns:
        The line to log, of a sink that logs.

    Raises:
        AlertRefused: the sink answered that it does not take this alert.
        PartlyTaken: some of its recipients have the alert.
        SinkFailed: it did not get through.
        BadConfiguration: a secret is not set, or would go over the network unencrypted.
    """
    if isinstance(sink, LogSink):
        return f"{alert.title}: {alert.text}"
    if isinstance(sink, WebhookSink):
        _post(sink, alert)
    else:
        _mail(sink, alert)
    return None


class _NoRedirects(HTTPRedirectHandler):
    """An alert goes where it was sent, and its Authorization with it, or nowhere."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _post(sink: WebhookSink, alert: Alert) -> None:
    url = secret(sink.url_from, sink.name) if sink.url_from else sink.url or ""
    headers = {"Content-Type": "application/json", "User-Agent": "fbacap"}
    if sink.authorization_from:
        headers["Authorization"] = secret(sink.authorization_from, sink.name)
    holds_secret = bool(sink.url_from or sink.authorization_from)
    _refuse_address(sink, url, holds_secret=holds_secret)
    body = json.dumps(alert.document, ensure_ascii=False, sort_keys=True).encode()
    try:
        request = Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - see above
        opener = build_opener(_NoRedirects())
        with opener.open(request, timeout=sink.timeout_seconds):
            return
    except HTTPError as error:
        told = f"{sink.name}: the server answered {error.code}"
        if 400 <= error.code < 500 and error.code not in _COME_BACK_LATER:
            raise AlertRefused(told) from None
        raise SinkFailed(told) from None
    except URLError as error:
        why = error.reason if isinstance(error.reason, str) else type(error.reason).__name__
        raise SinkFailed(f"{sink.name}: no connection ({why})") from None
    except (HTTPException, OSError, ValueError) as error:  # their words may repeat the address
        raise SinkFailed(f"{sink.name}: not sent ({type(error).__name__})") from None


def _refuse_address(sink: WebhookSink, url: str, *, holds_secret: bool) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host:
        raise BadConfiguration(f"{sink.name}: its address is not http:// or https:// and a host")
    if "@" in parts.netloc:  # it would be looked up as a part of the host's name, password and all
        raise BadConfiguration(
            f"{sink.name}: its address holds a login; give that with authorization_from instead"
        )
    if parts.scheme == "http" and holds_secret and not _is_loopback(host):
        raise BadConfiguration(f"{sink.name}: a secret goes over https only; change its address")


def _mail(sink: EmailSink, alert: Alert) -> None:
    password = secret(sink.password_from, sink.name) if sink.password_from else None
    if password and sink.security == "none" and not _is_loopback(sink.host):
        raise BadConfiguration(
            f"{sink.name}: a password goes over starttls or tls only; set security"
        )
    message = EmailMessage()
    message["Subject"] = " ".join(alert.title.split())
    message["From"] = sink.sender
    message["To"] = ", ".join(sink.recipients)
    message["X-Fbacap-Key"] = " ".join(alert.key.split())
    message.set_content(f"{alert.text}\n")
    try:
        with _connected(sink) as server:
            if sink.user and password:
                server.login(sink.user, password)
            refused = server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(sink, [code for code, _ in error.recipients.values()]) from None
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        raise _refused(sink, [error.smtp_code]) from None
    except smtplib.SMTPResponseException as error:
        raise SinkFailed(f"{sink.name}: the mail server answered {error.smtp_code}") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise SinkFailed(f"{sink.name}: not sent ({type(error).__name__})") from None
    if refused:
        raise PartlyTaken(
            f"{sink.name}: the mail server refused {len(refused)} of {len(sink.recipients)} "
            f"recipients of '{alert.title}', the others have it"
        )


def _refused(sink: EmailSink, codes: list[int]) -> SinkFailed:
    """Answers of 500 and more are about this mail and stay; below that they may pass."""
    told = f"{sink.name}: the mail server answered {max(codes)}"
    return AlertRefused(told) if min(codes) >= _STAYS_REFUSED else SinkFailed(told)


def _connected(sink: EmailSink) -> smtplib.SMTP:
    if sink.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(sink.host, sink.port, timeout=sink.timeout_seconds, context=context)
    server = smtplib.SMTP(sink.host, sink.port, timeout=sink.timeout_seconds)
    try:
        if sink.security == "starttls":
            server.starttls(context=ssl.create_default_context())
    except BaseException:
        server.close()
        raise
    return server


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
