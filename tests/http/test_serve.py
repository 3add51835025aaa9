"""``scg serve`` as a user starts it, and what a killed one has promised."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scg_adapters.cli import main
from scg_adapters.embedded import open_engine
from scg_adapters.http.routes import BASE
from scg_adapters.transport.loopback import LoopbackCarrier

REQUESTS = f"{BASE}/messaging/message_requests"


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A server process, and the line it printed when it was ready."""
    command = [sys.executable, "-m", "scg_adapters.cli", "serve", "--dev", "--json", "--port", "0"]
    running = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stderr is not None
    drained: list[str] = []
    drain = threading.Thread(target=lambda: drained.extend(running.stderr or ()), daemon=True)
    drain.start()
    try:
        yield running, json.loads(running.stdout.readline())
    finally:
        running.kill()
        running.wait(10)
        drain.join(5)
        running.stdout.close()
        running.stderr.close()


class Client:
    """A stock HTTP client with a connection that it keeps."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        address = facts["url"].removeprefix("http://")
        self.connection = http.client.HTTPConnection(address, timeout=20)

    def ask(self, verb: str, path: str, body: object = None) -> tuple[int, Any]:
        """One request."""
        headers = {"Authorization": f"Bearer {self.facts['token']}"}
        data = None if body is None else json.dumps(body)
        self.connection.request(verb, path, data, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def close(self) -> None:
        """Let go of the connection."""
        self.connection.close()


def test_a_bulk_request_is_sent_polled_and_read_by_a_stock_client(tmp_path: Path) -> None:
    """The development server says all a client needs in one line."""
    with serving("--db", f"sqlite:///{tmp_path}/scg.db") as (running, facts):
        assert set(facts) >= {"url", "token", "company", "application_id", "senders", "mdn"}
        assert facts["mdn"] == "+15550100001"
        client = Client(facts)
        numbers = [f"+1415{2_000_000 + n}" for n in range(1_000)]
        order = {"from": f"sender_id:{facts['senders']['sms']}", "to": numbers, "body": "Hello"}
        _, made = client.ask("POST", REQUESTS, order)
        give_up = time.monotonic() + 60
        while True:
            _, request = client.ask("GET", f"{REQUESTS}/{made['id']}")
            if request["state"] == "COMPLETED" and request["delivered_count"] == 1_000:
                break
            assert time.monotonic() < give_up, request
            time.sleep(0.05)
        _, page = client.ask("GET", f"{REQUESTS}/{made['id']}/messages?limit=1000")
        assert page["total"] == 1_000
        assert {one["state"] for one in page["list"]} == {"DELIVERED"}
        _, sender = client.ask("GET", f"{BASE}/messaging/sender_ids/{facts['senders']['sms']}")
        assert sender["state"] == "ACTIVE"
        assert set(sender["capabilities"]) >= {"SMS", "MMS"}
        client.close()
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0


def test_a_restart_under_load_loses_nothing_that_was_answered_200(tmp_path: Path) -> None:
    """SIGKILL while four clients send: every id that was answered is there afterwards."""
    db = f"sqlite:///{tmp_path}/scg.db"
    answered: list[str] = []

    def send(facts: dict[str, Any], enough: threading.Event) -> None:
        client = Client(facts)
        order = {"from": facts["senders"]["sms"], "to": [facts["mdn"]], "body": "Hello"}
        while not enough.is_set():
            try:
                status, made = client.ask("POST", REQUESTS, order)
            except (OSError, http.client.HTTPException):
                break
            if status == 200:
                answered.append(made["id"])
        client.close()

    for kills in (1, 2):
        with serving("--db", db) as (running, facts):
            enough = threading.Event()
            clients = [threading.Thread(target=send, args=(facts, enough)) for _ in range(4)]
            for one in clients:
                one.start()
            give_up = time.monotonic() + 30
            while len(answered) < 150 * kills and time.monotonic() < give_up:
                time.sleep(0.005)
            running.kill()
            enough.set()
            for one in clients:
                one.join(20)
    assert len(answered) >= 300

    app = open_engine(db, {"loopback": LoopbackCarrier()}).application("dev", 1)
    held = {one.id for one in app.message_requests.all()}
    assert not [id for id in answered if id not in held]


def test_the_log_of_a_server_is_json_lines(tmp_path: Path) -> None:
    """One line a request, with its id and without its token."""
    command = [sys.executable, "-m", "scg_adapters.cli", "serve", "--dev", "--json", "--port", "0"]
    with subprocess.Popen(
        [*command, "--db", f"sqlite:///{tmp_path}/scg.db"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        facts = json.loads(running.stdout.readline())
        client = Client(facts)
        client.ask("GET", REQUESTS)
        client.close()
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=20)

    lines = [json.loads(line) for line in errors.splitlines()]
    [noted] = [line for line in lines if line["message"] == "request"]
    assert (noted["method"], noted["status"], noted["company"]) == ("GET", 200, "dev")
    assert facts["token"] not in errors


def run(*arguments: str) -> tuple[int, str]:
    """The command line, in this process."""
    ran = CliRunner().invoke(main, arguments)
    return ran.exit_code, ran.output


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_plan_is_provisioned_and_provisioned_again(tmp_path: Path, suffix: str) -> None:
    """The second time everything is known; tokens can be made and taken back."""
    db = f"sqlite:///{tmp_path}/scg.db"
    file = tmp_path / f"plan{suffix}"
    if suffix == ".toml":
        file.write_text(
            '[[companies]]\nid = "acme"\n[[companies.applications]]\napplication_id = 1\n'
            '[[companies.sender_ids]]\naddress = "55512"\ncountry = "USA"\n'
        )
    else:
        sender = {"address": "55512", "country": "USA"}
        plan = {"companies": [{"id": "acme", "applications": [{"application_id": 1}],
                               "sender_ids": [sender]}]}  # fmt: skip
        file.write_text(json.dumps(plan))

    code, first = run("provision", "--db", db, str(file), "--json")
    assert code == 0
    assert len(json.loads(first)["added"]) == 3
    assert json.loads(first)["credentials"][0]["consumer_key"]
    again = json.loads(run("provision", "--db", db, str(file), "--json")[1])
    assert (again["added"], again["known"]) == ([], 3)

    made = json.loads(run("token", "--db", db, "--company", "acme", "--application", "1",
                          "--json")[1])  # fmt: skip
    engine = open_engine(db, {"loopback": LoopbackCarrier()})
    assert engine.authenticate(made["token"]).caller.company_id == "acme"
    code, _ = run("token", "--db", db, "--company", "acme", "--application", "1",
                  "--revoke", made["id"])  # fmt: skip
    assert code == 0
    assert engine.operator().tokens("acme") == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nonsense = [", "neither TOML nor JSON"),
        ('people = "x"', "people"),
        ('companies = "x"', "companies"),
        ("[[companies]]\nname = 'x'", "companies[0].id"),
        ("[[companies]]\nid = 'x'\ncolour = 'red'", "companies[0].colour"),
        ("[[companies]]\nid = 'x'\n[[companies.sender_ids]]\ncountry = 'USA'",
         "companies[0].sender_ids[0].address"),
        ("[[companies]]\nid = 'x'\n[[companies.applications]]\nname = 'a'",
         "companies[0].applications[0].application_id"),
    ],
)  # fmt: skip
def test_a_plan_that_is_wrong_is_refused_with_its_place(
    tmp_path: Path, text: str, named: str
) -> None:
    """The path inside the file, and exit code 2."""
    file = tmp_path / "plan.toml"
    file.write_text(text)
    code, output = run("provision", "--db", f"sqlite:///{tmp_path}/scg.db", str(file))

    assert code == 2
    assert named in output
