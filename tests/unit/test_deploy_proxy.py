"""The reverse proxy of `deploy/`, run for real: who gets in, what is passed on, what is refused."""

import os
import subprocess

import pytest
from deploy_proxy import (
    AUDITORS,
    LOGINS,
    OPERATORS,
    nginx,
    proxy,
    write_configuration,
)


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    if nginx() is None:
        if os.environ.get("FBACAP_SKIP_NOTHING"):
            pytest.fail("nginx is not installed: apt-get install nginx-light")
        pytest.skip("nginx is not installed")
    with proxy(tmp_path_factory.mktemp("nginx")) as running:
        yield running


def test_nginx_takes_the_configuration_without_a_warning(front, tmp_path):
    main = write_configuration(tmp_path, {})
    done = subprocess.run(
        [nginx(), "-t", "-p", str(tmp_path), "-e", str(tmp_path / "error.log"), "-c", str(main)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


@pytest.mark.parametrize("host", [OPERATORS, AUDITORS])
@pytest.mark.parametrize("path", ["/", "/graphql", "/server_info", "/download_debug/x"])
def test_nobody_gets_in_without_a_login(front, host, path):
    for login in (None, "olga:wrong", "nobody:correct horse"):
        status, _, seen = front.ask(host, path, login=login)
        assert status == 401
        assert seen == {}


def test_each_login_opens_its_own_ui_and_not_the_other(front):
    assert front.ask(OPERATORS, login=LOGINS[OPERATORS])[2]["name"] == "operators"
    assert front.ask(AUDITORS, login=LOGINS[AUDITORS])[2]["name"] == "auditors"
    assert front.ask(OPERATORS, login=LOGINS[AUDITORS])[0] == 401
    assert front.ask(AUDITORS, login=LOGINS[OPERATORS])[0] == 401


def test_the_password_does_not_reach_the_ui(front):
    seen = front.ask(OPERATORS, login=LOGINS[OPERATORS])[2]
    assert "authorization" not in seen
    assert seen["host"] == OPERATORS
    assert seen["x-forwarded-proto"] == "https"


def test_without_tls_everything_is_sent_to_tls(front):
    assert front.ask_plainly(AUDITORS) == (301, f"https://{AUDITORS}/runs")


def test_every_answer_carries_security_headers_once_even_a_refusal(front):
    for login in (None, LOGINS[OPERATORS]):
        headers = front.ask(OPERATORS, login=login)[1]
        assert headers["strict-transport-security"] == "max-age=31536000"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["server"] == "nginx"
        assert "access-control-allow-origin" not in headers


def test_a_websocket_of_the_same_site_is_passed_on(front):
    headers = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Origin": f"https://{OPERATORS}",
        "Sec-Fetch-Site": "same-origin",
    }  # fmt: skip
    seen = front.ask(OPERATORS, "/graphql", login=LOGINS[OPERATORS], headers=headers)[2]
    assert seen["upgrade"] == "websocket"
    assert seen["connection"] == "upgrade"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/graphql", {"Origin": "https://elsewhere.example"}),
        ("POST", "/graphql", {"Origin": "null"}),
        ("GET", "/graphql?query=x", {"Sec-Fetch-Site": "cross-site"}),
        ("GET", "/graphql?query=x", {"Sec-Fetch-Site": "same-site"}),
        ("GET", "//graphql?query=x", {"Sec-Fetch-Site": "cross-site"}),
        ("GET", "/%67raphql?query=x", {"Sec-Fetch-Site": "cross-site"}),
        (
            "GET",
            "/graphql",
            {
                "Origin": "https://elsewhere.example",
                "Connection": "Upgrade",
                "Upgrade": "websocket",
            },
        ),
    ],
)
def test_another_site_cannot_use_a_logged_in_browser(front, method, path, headers):
    status, _, seen = front.ask(
        OPERATORS, path, login=LOGINS[OPERATORS], method=method, headers=headers
    )
    assert status == 403
    assert seen == {}


def test_a_link_from_another_site_opens_the_ui_all_the_same(front):
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert front.ask(OPERATORS, "/runs", login=LOGINS[OPERATORS], headers=headers)[0] == 200
