"""The command line, run as a person would."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from scg_adapters import contacts_file
from scg_adapters.cli import main
from scg_adapters.embedded import open_engine
from scg_adapters.transport.carrier_log import FileLog, submissions
from scg_adapters.transport.loopback import LoopbackCarrier


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def figures(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_demo_prints_one_json_object_that_balances(tmp_path: Path) -> None:
    """recipients, sent, delivered, failed, seconds, messages_per_second."""
    shown = figures(run("demo", "--recipients", 300, "--json"))

    assert shown["recipients"] == 300
    assert shown["state"] == "COMPLETED"
    assert 300 <= shown["sent"] + shown["failed"] <= 340  # some fail after they were sent
    assert shown["delivered"] + shown["failed"] == 300
    assert shown["seconds"] > 0 and shown["messages_per_second"] > 0


def test_demo_shows_a_table(tmp_path: Path) -> None:
    """For people."""
    result = run("demo", "--recipients", 5)

    assert result.exit_code == 0
    assert re.search(r"recipients\W+5", result.stdout)


def test_a_second_demo_on_the_same_file_continues_the_first(tmp_path: Path) -> None:
    """It is keyed: nothing is sent twice."""
    arguments = ("demo", "--recipients", 50, "--db", f"sqlite:///{tmp_path}/scg.db", "--json",
                 "--carrier-log", tmp_path / "log")  # fmt: skip
    first, second = figures(run(*arguments)), figures(run(*arguments))

    assert first["request_id"] == second["request_id"]
    assert first["sent"] == second["sent"]
    assert set(submissions(FileLog(tmp_path / "log")).values()) == {1}


@pytest.fixture
def db(tmp_path: Path) -> str:
    """A database with the demo company's sender id 55512."""
    url = f"sqlite:///{tmp_path}/scg.db"
    figures(run("demo", "--recipients", 1, "--db", url, "--json"))
    return url


def send(db: str, file: Path, **options: object) -> Result:
    values = {"from": "55512", "body": "hello"} | options
    extra = [one for name, value in values.items() for one in (f"--{name}", value)]
    return run("send", "--db", db, "--to", file, "--json", *extra)


@pytest.mark.parametrize(
    "text",
    [
        "mdn\n+14155550100\n+14155550101\n",
        "name,Phone\nAnn,+14155550100\nBob,+14155550101\n",
        "\ufeffto\r\n+14155550100\r\n\r\n+14155550101\r\n",
        "+14155550100\n+14155550101\n",
        '"+14155550100"\n"+14155550101"\n',
    ],
)
def test_send_takes_the_recipients_column_of_a_csv_file(db: str, tmp_path: Path, text: str) -> None:
    """With or without a header, with a byte order mark, with quotes."""
    file = tmp_path / "to.csv"
    file.write_text(text, encoding="utf-8")

    shown = figures(send(db, file))

    assert (shown["recipients"], shown["delivered"]) == (2, 2)


def test_a_keyed_send_is_safe_to_repeat(db: str, tmp_path: Path) -> None:
    """The same key sends once."""
    file = tmp_path / "to.csv"
    file.write_text("to\n+14155550100\n+14155550101\n")

    first, again = (figures(send(db, file, key="k")) for _ in range(2))

    assert first["request_id"] == again["request_id"]
    assert again["sent"] == 2


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (b"\x00\x01\x02 binary", {}, "not a CSV file"),
        (b"\xff\xfe\xfa", {}, "not a CSV file"),
        (b"", {}, "empty"),
        (b"name,city\nAnn,Rome\n", {}, "no column named"),
        (b"name,to\nAnn\n", {}, "row 2"),
        (b'to\n"never closed\n', {}, "not a CSV file"),
        (b"to\n" + b"5" * 2000, {}, "more than"),
        (b"to\n", {}, "to: is empty"),
        (b"to\n+14155550100\n", {"from": "nobody"}, "from: no sender id"),
        (b"to\n+14155550100\n", {"from": "99999"}, "from: no sender id"),
        (b"to\n+14155550100\n", {"body": "x" * 2000}, "body: takes 14 segments"),
    ],
)
def test_bad_input_to_send_is_one_line_and_exit_code_2(
    db: str, tmp_path: Path, content: bytes, options: dict[str, str], says: str
) -> None:
    """It names the field; nothing is sent."""
    file = tmp_path / "to.csv"
    file.write_bytes(content)

    result = send(db, file, **options)

    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("scg: ")


def test_a_missing_file_and_a_foreign_database_are_refused(tmp_path: Path) -> None:
    """One line each, no traceback."""
    missing = run("send", "--db", f"sqlite:///{tmp_path}/x.db", "--from", "1", "--to",
                  tmp_path / "none.csv", "--body", "x")  # fmt: skip
    (tmp_path / "text").write_text("hello, this is not a database at all")
    foreign = run("demo", "--db", f"sqlite:///{tmp_path}/text")

    assert (missing.exit_code, foreign.exit_code) == (2, 2)
    assert "cannot be read" in missing.stderr
    assert "cannot be used" in foreign.stderr


def test_bench_pipeline_prints_and_writes_its_figures(tmp_path: Path) -> None:
    """Rates, CPU a message, peak memory, and the ratio to raw SQLite in the same run."""
    result = run("bench", "pipeline", "--recipients", 200, "--json", tmp_path / "figures.json")

    assert result.exit_code == 0, result.output
    held = json.loads((tmp_path / "figures.json").read_text())
    assert held["delivered"] == held["recipients"] == 200
    for name in ("messages_per_second", "accepted_per_second", "cpu_ms_per_message",
                 "peak_rss_mb", "accept_to_raw", "path_to_raw"):  # fmt: skip
        assert held[name] > 0
        assert name in result.stdout


def test_bench_events_compares_in_one_run(tmp_path: Path) -> None:
    """Without a subscription, with another company's, and with one of its own."""
    result = run("bench", "events", "--recipients", 100, "--json", tmp_path / "figures.json")

    assert result.exit_code == 0, result.output
    held = json.loads((tmp_path / "figures.json").read_text())
    assert held["events_per_second"] > held["with_its_own_per_second"] > 0
    assert held["without_subscription_per_second"] > 0


def test_carriers_lists_and_handsets_reach_the_engine_by_command(tmp_path: Path) -> None:
    """A list is loaded twice without doubling; a simulated handset sends a keyword."""
    db = f"sqlite:///{tmp_path}/scg.db"
    engine = open_engine(db, {"loopback": LoopbackCarrier()})
    sender = engine.operator().add_sender_id("acme", address="55512", country="USA")
    listed = tmp_path / "list.txt"
    listed.write_text("+14155550100\n+14155550101\n+14155550100\n", encoding="utf-8")

    assert "added 2 of 3" in run("suppress", "--db", db, listed).output
    assert figures(run("suppress", "--db", db, "--json", listed)) == {
        "addresses": 3, "added": 0,
    }  # fmt: skip
    assert "removed 2" in run("suppress", "--db", db, "--remove", listed).output
    run("receive", "--db", db, "--from", "+14155550100", "--to", "55512", "STOP")
    app = engine.application("acme", 1)
    [status] = app.contact_address_statuses.find(sender_id=sender.id)
    assert status.consent_status == "OPTOUT"


def test_contacts_are_imported_grouped_written_to_and_exported(tmp_path: Path) -> None:
    """Each command says in one JSON object what it did, and the counts add up."""
    file, out, bad = tmp_path / "in.csv", tmp_path / "out.csv", tmp_path / "bad.csv"
    rows = [f'c{at},N{at},+1415{2_000_000 + at},"{{""tier"": {at % 4}}}"' for at in range(1_000)]
    file.write_text(
        "\n".join(["external_id,first_name,primary_mdn,extended_attributes", *rows, "a,b"]),
        encoding="utf-8",
    )
    url = f"sqlite:///{tmp_path}/scg.db"
    open_engine(url, {"loopback": LoopbackCarrier()}).operator().add_sender_id(
        "demo", address="55512", country="USA"
    )
    where = ("--db", url, "--json")

    shown = figures(run("contacts", "import", *where, "--failures", bad, file))
    assert (shown["imported"], shown["failed"]) == (1_000, 1)
    assert bad.read_text(encoding="utf-8").splitlines()[1].startswith("a,b,,,400,")
    shown = figures(run("fast-access", "add", *where, "--name", "tier", "--script", "$..tier",
                        "fast_access_1"))  # fmt: skip
    assert shown["derived"] == 1_000
    criteria = '{"field": "fast_access.tier", "op": "eq", "value": 1}'
    shown = figures(run("groups", "create", *where, "--dynamic", "--criteria", criteria, "ones"))
    assert (shown["type"], shown["members"]) == ("DYNAMIC", 250)
    shown = figures(run("groups", "members", *where, "--limit", 3, "ones"))
    assert (shown["members"], len(shown["first"])) == (250, 3)
    figures(run("templates", "add", *where, "hello", "Hi ${contact.first_name}!"))
    shown = figures(run("send", *where, "--from", "55512", "--group", "ones",
                        "--body", '#parse("hello")'))  # fmt: skip
    assert (shown["recipients"], shown["sent"], shown["state"]) == (250, 250, "COMPLETED")
    shown = figures(run("contacts", "export", *where, "--group", "ones", out))
    assert shown["exported"] == 250
    assert len(out.read_text(encoding="utf-8").splitlines()) == 251


def test_an_import_given_again_goes_on_where_it_was(tmp_path: Path) -> None:
    """A job that has not ended is found by its file."""
    file = tmp_path / "in.csv"
    file.write_text("external_id\n" + "\n".join(f"c{at}" for at in range(1_000)), encoding="utf-8")
    url = f"sqlite:///{tmp_path}/scg.db"
    engine = open_engine(url, {"loopback": LoopbackCarrier()})
    begun = contacts_file.begin_import(engine.application("demo", 1), file)

    shown = figures(run("contacts", "import", "--db", url, "--json", file))

    assert (shown["job_id"], shown["imported"]) == (begun.id, 1_000)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("contacts", "import", "nowhere.csv"), "file: cannot be read"),
        (("contacts", "import", __file__), "file: header"),
        (("contacts", "export", "--group", "nobody", "out.csv"), "group: no group"),
        (("contacts", "export", "/nowhere/out.csv"), "file: cannot be written"),
        (("groups", "create", "--criteria", "TX", "g"), "criteria: "),
        (("groups", "members", "nobody"), "group: no group"),
        (("fast-access", "add", "--script", "x", "fast_access_1"), "value_derivation_script: "),
        (("templates", "add", "a", "${"), "pattern: "),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """And exits with 2."""
    url = f"sqlite:///{tmp_path}/scg.db"
    command = arguments[:2]
    result = run(*command, "--db", url, *arguments[2:])

    assert result.exit_code == 2
    assert f"scg: {said}" in result.stderr
