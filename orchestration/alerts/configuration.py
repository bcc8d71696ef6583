"""What ``<data>/alerts.yaml`` may say.

Here belong its fields and their ranges. A secret is named by the environment variable that holds
it and stands in no file; looking it up is ``sinks``, at the moment of sending.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from orchestration.errors import BadConfiguration

FILE_NAME = "alerts.yaml"

_Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
_Line = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\r\n]+$")]
_Seconds = Annotated[float, Field(gt=0, le=30)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LogSink(_Strict):
    """Alerts as warnings in the sensor's log."""

    kind: Literal["log"]
    name: _Name = "log"


class WebhookSink(_Strict):
    """Alerts as JSON, POSTed.

    ``url`` or ``url_from``: the address, or the variable that holds it; ``authorization_from``: the
    variable that holds the value of the header Authorization.
    """

    kind: Literal["webhook"]
    name: _Name
    url: Annotated[_Line | None, Field(repr=False)] = None  # the address may be the secret
    url_from: _Variable | None = None
    authorization_from: _Variable | None = None
    timeout_seconds: _Seconds = 10.0

    @model_validator(mode="after")
    def _has_one_address(self) -> WebhookSink:
        if (self.url is None) == (self.url_from is None):
            raise ValueError(f"webhook {self.name}: give url or url_from, one of the two")
        return self


class EmailSink(_Strict):
    """Alerts as e-mail over SMTP; ``password_from``: the variable that holds the password."""

    kind: Literal["email"]
    name: _Name
    host: _Line
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: _Line
    recipients: Annotated[tuple[_Line, ...], Field(min_length=1, max_length=50)]
    user: _Line | None = None
    password_from: _Variable | None = None
    timeout_seconds: _Seconds = 10.0

    @model_validator(mode="after")
    def _logs_in_whole_or_not_at_all(self) -> EmailSink:
        if (self.user is None) != (self.password_from is None):
            raise ValueError(f"email {self.name}: user and password_from go together")
        return self


Sink = Annotated[LogSink | WebhookSink | EmailSink, Field(discriminator="kind")]


class AlertsConfiguration(_Strict):
    """Where alerts go, and when a stage run is late.

    ``late_after_days``: days after its cut-off on which an unpublished stage run is late;
    ``failures_of_days``: failed runs are told of this many days back, so that switching alerts on
    tells no old stories.
    """

    late_after_days: Annotated[int, Field(ge=0, le=365)] = 2
    failures_of_days: Annotated[int, Field(ge=1, le=365)] = 7
    sinks: tuple[Sink, ...] = (LogSink(kind="log"),)

    @model_validator(mode="after")
    def _alerts_go_somewhere(self) -> AlertsConfiguration:
        if not self.sinks:
            raise ValueError("sinks is empty, so nobody is told; name one, or leave sinks out")
        return self

    @model_validator(mode="after")
    def _names_tell_sinks_apart(self) -> AlertsConfiguration:
        names = [sink.name for sink in self.sinks]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sinks are named {name}; give each its own name")
        return self


def load_alerts(path: Path) -> AlertsConfiguration:
    """Read ``alerts.yaml``; without the file, alerts go to the log.

    Raises:
        BadConfiguration: it cannot be understood.
    """
    if not path.exists():
        return AlertsConfiguration()
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfiguration(
            f"{path}: cannot be read ({error.strerror}); make it a readable file"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path}: not readable as YAML{_place(error)}; fix it") from None
    try:
        return AlertsConfiguration.model_validate({} if document is None else document)
    except ValidationError as error:
        first_error = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first_error["loc"])
        told = f"{where}: {first_error['msg']}" if where else first_error["msg"]
        raise BadConfiguration(f"{path}: {told}; see docs/scheduling.md") from None


def _place(error: Exception) -> str:
    """Where YAML is broken. An error's own words may repeat a secret that stands there."""
    mark = getattr(error, "problem_mark", None)
    return "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"


def secret(variable: str, sink: str) -> str:
    """The value of an environment variable that a sink names.

    Raises:
        BadConfiguration: it is not set.
    """
    value = os.environ.get(variable)
    if not value:
        raise BadConfiguration(f"{sink}: the environment variable {variable} is not set")
    return value
