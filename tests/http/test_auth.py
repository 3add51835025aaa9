"""Who gets in: tokens, their refresh and end, rates, and the internal headers."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from scg_adapters.http import auth
from scg_adapters.http.auth import Gate
from scg_core.kernel.errors import InvalidField, Unauthorized
from scg_core.kernel.instant import HOUR
from tests.http.server import Served
from tests.world import World

REQUESTS = "/messaging/message_requests"
REFRESH = "/saop-rest-data/v1/apptoken-refresh"


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server that looks every token up each time."""
    monkeypatch.setattr(auth, "_REMEMBERED", 0.0)
    with Served() as running:
        yield running


def refresh(served: Served, **given: str) -> tuple[int, dict[str, object]]:
    """Ask for a new token."""
    answer = served.call("GET", f"{REFRESH}?{urlencode(given)}", token=None, base="")
    return answer.status, answer.json


def test_a_token_is_stored_as_a_digest_only(world: World) -> None:
    """Whoever reads the database cannot use what is there."""
    operator = world.engine.operator()
    operator.add_company(id="acme")
    made = operator.add_application("acme", application_id=1)
    token = operator.issue_token("acme", 1)

    held = repr(operator.tokens("acme")) + repr(operator.find_application("acme", 1))
    assert token.token not in held
    assert made.consumer_secret not in held
    assert world.engine.authenticate(token.token).caller.company_id == "acme"


def test_a_token_needs_a_registered_company_and_application(world: World) -> None:
    """Each refusal names the field."""
    operator = world.engine.operator()
    with pytest.raises(InvalidField, match="company_id"):
        operator.add_application("acme", application_id=1)
    operator.add_company(id="acme")
    with pytest.raises(InvalidField, match="application_id"):
        operator.issue_token("acme", 1)
    operator.add_application("acme", application_id=1)
    with pytest.raises(InvalidField, match="scope"):
        operator.issue_token("acme", 1, scope="king")
    with pytest.raises(InvalidField, match="requests_per_second"):
        operator.add_application("acme", application_id=2, requests_per_second=0)


def test_a_revoked_token_counts_no_more(fresh: Served) -> None:
    """From the next look-up on, which is at most a second later."""
    operator = fresh.world.engine.operator()
    token = operator.issue_token("acme", 1)
    assert fresh.call("GET", REQUESTS, token=token.token).status == 200

    operator.revoke_token(token.record.id)

    assert fresh.call("GET", REQUESTS, token=token.token).status == 401


def test_an_expired_token_counts_no_more(fresh: Served) -> None:
    """At its instant, by the engine's clock; long expired ones are dropped."""
    operator = fresh.world.engine.operator()
    token = operator.issue_token("acme", 1, valid_for=HOUR).token
    assert fresh.call("GET", REQUESTS, token=token).status == 200

    fresh.world.clock.advance(HOUR)

    assert fresh.call("GET", REQUESTS, token=token).status == 401
    before = len(operator.tokens("acme"))
    operator.issue_token("acme", 1)
    assert len(operator.tokens("acme")) == before


def test_a_token_is_remembered_for_a_second(served: Served) -> None:
    """A busy client costs one look-up a second."""
    clock = [100.0]
    desk = _CountingDesk()
    gate = Gate(served.world.engine, desk, clock=lambda: clock[0])  # type: ignore[arg-type]
    headers = {b"authorization": f"Bearer {served.tokens['acme']}".encode()}
    for at in (100.0, 100.5, 100.9, 101.1):
        clock[0] = at
        _run(gate.known(headers))

    assert desk.reads == 2


def test_a_refresh_gives_a_new_token_and_ends_the_old_one(fresh: Served) -> None:
    """The answer has the two names that clients read."""
    key, secret = fresh.secrets["acme"]
    old = fresh.world.engine.operator().issue_token("acme", 1).token
    status, answer = refresh(fresh, consumerkey=key, consumersecret=secret, oldtoken=old)

    assert status == 200
    assert set(answer) == {"accessToken", "validityTime"}
    assert type(answer["validityTime"]) is int
    assert fresh.call("GET", REQUESTS, token=str(answer["accessToken"])).status == 200
    assert fresh.call("GET", REQUESTS, token=old).status == 401


def test_a_refresh_never_ends_another_companys_token(fresh: Served) -> None:
    """An old token that is not mine, or is none, does not matter."""
    key, secret = fresh.secrets["acme"]
    for old in (fresh.tokens["rival"], "nonsense", ""):
        assert refresh(fresh, consumerkey=key, consumersecret=secret, oldtoken=old)[0] == 200
    assert fresh.call("GET", REQUESTS, token="rival").status == 200


def test_a_refused_refresh_has_an_error_shape_of_its_own(served: Served) -> None:
    """``errorCode``, ``moreInfo`` and ``userMsg``: 400 without a key, 401 with a wrong one."""
    key, _ = served.secrets["acme"]
    for given, wanted in (
        ({}, 400),
        ({"consumerkey": key}, 400),
        ({"consumerkey": key, "consumersecret": "wrong"}, 401),
        ({"consumerkey": "nobody", "consumersecret": "x"}, 401),
    ):
        status, answer = refresh(served, **given)
        assert status == wanted
        assert set(answer) == {"errorCode", "moreInfo", "userMsg"}


def test_the_scheme_is_read_in_any_case_and_nothing_else_is_taken(served: Served) -> None:
    """``bearer`` counts, Basic does not, nor does a token in the query."""
    token = served.tokens["acme"]
    for value, wanted in ((f"bearer {token}", 200), (f"BEARER   {token} ", 200),
                          (f"Basic {token}", 401), (token, 401), ("Bearer " + "x" * 600, 401),
                          ("Bearer é", 401)):  # fmt: skip
        headers = {"Authorization": value.encode("latin-1").decode("latin-1")}
        assert served.call("GET", REQUESTS, token=None, headers=headers).status == wanted
    assert served.call("GET", f"{REQUESTS}?access_token={token}", token=None).status == 401


def test_internal_headers_name_the_tenant_only_where_they_are_trusted() -> None:
    """Off by default; a bearer token beside them counts first."""
    headers = {"int-companyId": "acme", "int-appId": "7", "int-txnId": "bogus-transaction-id"}
    with Served() as closed:
        assert closed.call("GET", REQUESTS, token=None, headers=headers).status == 401
    with Served(internal_auth=True) as trusting:
        body = {"from": trusting.world.sender.id, "to": ["+14155550100"], "body": "x"}
        made = trusting.call("POST", REQUESTS, body, token=None, headers=headers).json["id"]
        held = trusting.call("GET", f"{REQUESTS}/{made}").json
        assert (held["application_id"], held["company_id"]) == ("7", "acme")
        rival = trusting.call("GET", f"{REQUESTS}/{made}", token="rival", headers=headers)
        assert rival.status == 404
        for wrong in ({"int-companyId": "acme"}, {"int-companyId": "acme", "int-appId": "x"},
                      {"int-companyId": "x" * 65, "int-appId": "1"},
                      {"int-companyId": "acme", "int-appId": "0"}):  # fmt: skip
            assert trusting.call("GET", REQUESTS, token=None, headers=wrong).status == 401


def test_an_application_that_asks_too_often_is_told_when_to_come_back() -> None:
    """429 with Retry-After; other applications are not held up."""
    with Served() as served:
        operator = served.world.engine.operator()
        operator.add_application("acme", application_id=2, requests_per_second=2)
        token = operator.issue_token("acme", 2).token
        answers = [served.call("GET", REQUESTS, token=token) for _ in range(5)]

        assert [one.status for one in answers[:2]] == [200, 200]
        assert answers[-1].status == 429
        assert answers[-1].code == "429"
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert served.call("GET", REQUESTS).status == 200


def test_a_route_of_the_operator_needs_a_token_of_that_scope(served: Served) -> None:
    """403 for a customer's; an operator's also serves for its own company."""
    refused = served.call("GET", "/operator/companies")

    assert (refused.status, refused.code) == (403, "403")
    assert served.call("GET", "/operator/companies", token="operator").status == 200
    assert served.call("GET", REQUESTS, token="operator").status == 200


class _CountingDesk:
    reads = 0

    async def read(self, do):  # type: ignore[no-untyped-def]
        self.reads += 1
        return do()


def _run(coroutine):  # type: ignore[no-untyped-def]
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits for something")


def test_an_unknown_token_is_an_error_of_its_own(world: World) -> None:
    """The library says Unauthorized too."""
    with pytest.raises(Unauthorized):
        world.engine.authenticate("nonsense")
