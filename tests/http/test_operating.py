"""What the operator provisions over REST counts at once, and what is struck off counts no more."""

from __future__ import annotations

import time
from typing import Any

import pytest

from scg_core.kernel.instant import SECOND
from tests.http.server import Answer, Served

REQUESTS = "/messaging/message_requests"


def operate(served: Served, verb: str, path: str, body: Any = None) -> Answer:
    """A call with the operator's token."""
    return served.call(verb, f"/operator{path}", body, token="operator")


def made(served: Served, path: str, body: dict[str, Any]) -> Any:
    """What a creation by the operator answers."""
    answer = operate(served, "POST", path, body)
    assert answer.status == 200, answer.body
    return answer.json


def test_a_company_goes_from_nothing_to_a_delivered_message_by_rest_alone() -> None:
    """Company, application, token, sender id, class, tariff and credit; then a send is charged."""
    with Served() as served:
        made(served, "/companies", {"id": "new", "name": "New Ltd"})
        keys = made(served, "/applications", {"company_id": "new", "application_id": 7})
        issued = made(served, "/tokens", {"company_id": "new", "application_id": 7})
        made(served, "/sender_id_classes", {"id": "SLOW", "country_peak_throughput": 1})
        sender = made(
            served, "/sender_ids",
            {"company_id": "new", "address": "77777", "class_id": "SLOW", "country": "USA"},
        )  # fmt: skip
        made(served, "/tariffs", {"country": "USA", "kind": "SMS", "price": 0.25})
        made(served, "/companies/new/credit", {"amount": 10})

        body = {"from": sender["id"], "to": ["+14155550100"], "body": "hello"}
        sent = served.call("POST", REQUESTS, body, token=issued["token"])
        served.settle()

        held = served.call("GET", f"{REQUESTS}/{sent.json['id']}", token=issued["token"]).json
        assert (held["state"], held["delivered_count"], held["application_id"]) == (
            "COMPLETED", 1, "7",
        )  # fmt: skip
        account = operate(served, "GET", "/companies/new/credit").json
        assert (account["balance"], account["confirmed"], account["reserved"]) == (10, 0.25, 0)
        refresh = (
            f"/saop-rest-data/v1/apptoken-refresh?consumerkey={keys['consumer_key']}"
            f"&consumersecret={keys['consumer_secret']}&oldtoken={issued['token']}"
        )
        fresh = served.call("GET", refresh, token=None, base="").json["accessToken"]
        assert served.call("GET", REQUESTS, token=fresh).json["total"] == 1


def test_a_secret_is_shown_once_and_can_be_renewed() -> None:
    """It stands in no answer but that of its making; the old one opens nothing any more."""
    with Served() as served:
        keys = made(served, "/applications", {"company_id": "acme", "application_id": 9})
        path = f"/applications/{keys['id']}"
        fresh = made(served, f"{path}/secret", {})

        assert fresh["consumer_key"] == keys["consumer_key"]
        assert fresh["consumer_secret"] != keys["consumer_secret"]
        shown = operate(served, "GET", path).body + operate(served, "GET", "/applications").body
        for secret in (keys["consumer_secret"], fresh["consumer_secret"]):
            assert secret.encode() not in shown
        for one, status in ((keys, 401), (fresh, 200)):
            query = f"consumerkey={one['consumer_key']}&consumersecret={one['consumer_secret']}"
            path = f"/saop-rest-data/v1/apptoken-refresh?{query}"
            assert served.call("GET", path, token=None, base="").status == status


def test_what_is_struck_off_opens_nothing_any_more() -> None:
    """A token that is taken back, and all tokens of an application that is."""
    with Served() as served:
        keys = made(served, "/applications", {"company_id": "acme", "application_id": 9})
        one, two = (
            made(served, "/tokens", {"company_id": "acme", "application_id": 9, "duration": 60})
            for _ in range(2)
        )
        assert one["expiry_time"] == served.world.clock.now() + 60 * SECOND
        listed = operate(served, "GET", "/tokens?company_id=acme&application_id=9").json
        assert {entry["id"] for entry in listed["list"]} == {one["id"], two["id"]}
        assert one["token"].encode() not in operate(served, "GET", "/tokens").body

        assert operate(served, "DELETE", f"/tokens/{one['id']}").status == 204
        assert served.call("GET", REQUESTS, token=one["token"]).status == 401
        assert served.call("GET", REQUESTS, token=two["token"]).status == 200
        assert operate(served, "DELETE", f"/applications/{keys['id']}").status == 204
        time.sleep(1.1)  # for so long a server knows a token
        assert served.call("GET", REQUESTS, token=two["token"]).status == 401
        refresh = (
            f"/saop-rest-data/v1/apptoken-refresh?consumerkey={keys['consumer_key']}"
            f"&consumersecret={keys['consumer_secret']}"
        )
        assert served.call("GET", refresh, token=None, base="").status == 401


def test_a_whole_resource_can_be_posted_back_by_the_operator() -> None:
    """What only the engine writes is passed over; a misspelt field is not."""
    with Served() as served:
        application = made(served, "/applications", {"company_id": "acme", "application_id": 9})
        sender = made(served, "/sender_ids", {"company_id": "acme", "address": "77778"})
        paths = [
            "/companies/acme", f"/applications/{application['id']}", f"/sender_ids/{sender['id']}",
        ]  # fmt: skip
        for path in paths:
            whole = operate(served, "GET", path).json
            assert operate(served, "POST", path, {**whole, "name": "another"}).status == 200
            after = operate(served, "GET", path).json
            assert (after["name"], after["version_number"]) == ("another", 2)
            wrong = operate(served, "POST", path, {"nmae": "x"})
            assert (wrong.status, wrong.json["error_description"][:5]) == (400, "nmae:")
        for path in ("/sender_id_classes/NOTIFICATION", "/sender_id_types/SHORTCODE"):
            whole = operate(served, "GET", path).json
            assert operate(served, "PUT", path, whole).status == 200
            assert operate(served, "GET", path).json == whole


def test_a_sender_id_is_moved_through_its_life_by_what_happens_to_it() -> None:
    """Its events, and at the end that the carriers have let go of it."""
    with Served() as served:
        made(served, "/sender_id_types", {"id": "CARRIERS", "needs_provisioning": True})
        sender = made(
            served, "/sender_ids",
            {"company_id": "acme", "address": "77779", "state": "PENDING_IMPLEMENTATION",
                 "type_id": "CARRIERS"},
        )["id"]  # fmt: skip
        path = f"/sender_ids/{sender}"
        states = []
        for event in ("IMPLEMENT", "ACTIVATE", "DEACTIVATE", "DELETE"):
            assert operate(served, "POST", f"{path}/event", {"event": event}).status == 200
            states.append(operate(served, "GET", path).json["state"])
        assert states == ["IMPLEMENTED", "ACTIVE", "INACTIVE", "PENDING_DELETE"]
        wrong = operate(served, "POST", f"{path}/event", {"event": "EXPLODE"})
        assert (wrong.status, "DEPROVISIONED" in wrong.json["error_description"]) == (400, True)
        illegal = operate(served, "POST", f"{path}/event", {"event": "IMPLEMENT"})
        assert (illegal.status, illegal.code) == (409, "409")
        assert operate(served, "POST", f"{path}/event", {"event": "DEPROVISIONED"}).status == 200
        served.settle()
        assert operate(served, "GET", path).status == 404


def test_nobody_can_write_to_an_address_on_the_suppression_list() -> None:
    """From the next hand-off on, until it is taken off; the list shows it."""
    with Served() as served:
        body = {"addresses": ["+14155550177", "+14155550178"]}
        assert made(served, "/suppressions", body) == {"added": 2}
        assert made(served, "/suppressions", body) == {"added": 0}
        listed = operate(served, "GET", "/suppressions?address=14155550177").json
        assert [one["address"] for one in listed["list"]] == ["+14155550177"]

        first = served.request(to=["+14155550177"])
        served.settle()
        assert served.call("GET", f"{REQUESTS}/{first}").json["failed_count"] == 1
        assert made(served, "/suppressions/remove", body) == {"removed": 2}
        second = served.request(to=["+14155550177"])
        served.settle()
        assert served.call("GET", f"{REQUESTS}/{second}").json["delivered_count"] == 1


def test_a_tariff_that_is_taken_out_gives_way_to_the_next() -> None:
    """The less specific one counts again."""
    with Served() as served:
        made(served, "/tariffs", {"price": 0.5})
        special = made(served, "/tariffs", {"company_id": "acme", "price": 2})["id"]

        def price() -> float:
            request = served.request()
            served.settle()
            [held] = served.call("GET", f"{REQUESTS}/{request}/messages").json["list"]
            return float(held["price"])

        assert price() == 2
        assert operate(served, "DELETE", f"/tariffs/{special}").status == 204
        assert operate(served, "GET", f"/tariffs/{special}").status == 404
        assert price() == 0.5


def test_bad_provisioning_names_the_field_and_stores_nothing(served: Served) -> None:
    """Each with a sentence that says what to do."""
    for path, body, field in (
        ("/companies", {}, "id"),
        ("/companies", {"id": "operator"}, "id"),
        ("/companies", {"id": "x", "nmae": "y"}, "nmae"),
        ("/companies/acme", {"id": "other"}, "id"),
        ("/companies/acme/credit", {"amount": -1}, "amount"),
        ("/companies/acme/credit", {"amount": "x"}, "amount"),
        ("/companies/acme/credit", {"amount": 1, "currency": 7}, "currency"),
        ("/companies/acme/credit", {"amuont": 1}, "amuont"),
        ("/applications", {"application_id": 3}, "company_id"),
        ("/applications", {"company_id": "nobody", "application_id": 3}, "company_id"),
        ("/applications", {"company_id": "acme", "application_id": "x"}, "application_id"),
        ("/tokens", {"company_id": "acme"}, "application_id"),
        ("/tokens", {"company_id": "acme", "application_id": 99}, "application_id"),
        ("/tokens", {"company_id": "acme", "application_id": 1, "scope": ["x"]}, "scope"),
        ("/tokens", {"company_id": "acme", "application_id": 1, "duration": 0}, "duration"),
        ("/sender_ids", {"company_id": "nobody", "address": "1"}, "company_id"),
        ("/sender_ids", {"company_id": 5, "address": "1"}, "company_id"),
        ("/sender_ids", {"company_id": "acme"}, "address"),
        ("/sender_id_classes", {"name": "x"}, "id"),
        ("/sender_id_classes", {"id": "X", "delivery_window": "{"}, "delivery_window"),
        ("/tariffs", {"price": -1}, "price"),
        ("/tariffs", {"price": 1, "country": "Narnia"}, "country"),
        ("/suppressions", {}, "addresses"),
        ("/suppressions", {"addresses": "+14155550100"}, "addresses"),
        ("/suppressions", {"addresses": [5]}, "addresses[0]"),
        ("/suppressions", {"addresses": ["+14155550100"], "sender_id": "no"}, "sender_id"),
        ("/suppressions", {"addresses": ["+14155550100"], "source": {}}, "source"),
        ("/consent_texts", {"kind": "POEM", "text": "x"}, "kind"),
        ("/consent_texts", {"kind": "HELP"}, "text"),
        ("/consent_texts", {"kind": "HELP", "text": "x", "class_id": "NOPE"}, "class_id"),
        ("/consent_texts", {"kind": "HELP", "text": "x", "language": " "}, "language"),
        ("/companies", {"id": "a\nb"}, "id"),
        ("/companies", {"id": " x"}, "id"),
        ("/companies", {"id": "OPERATOR"}, "id"),
        ("/sender_id_classes", {"id": "a\nb"}, "id"),
        ("/sender_id_types", {"id": "T\ud800"}, "id"),
        ("/companies", {"id": "T\ud800"}, "id"),
        ("/tokens", {"company_id": "T\ud800", "application_id": 1}, "company_id"),
        ("/sender_ids", {"company_id": "T\ud800", "address": "1"}, "company_id"),
        ("/suppressions", {"addresses": ["+14155550100"], "sender_id": "\ud800"}, "sender_id"),
        ("/tariffs", {"price": 1, "sender_id": "\ud800"}, "sender_id"),
        ("/companies/acme/credit", {"amount": 1, "currency": "\ud800"}, "currency"),
        ("/companies/acme/credit", {"amount": 1, "currency": "usd"}, "currency"),
        ("/companies/acme/credit", {"amount": 9.1e12}, "amount"),
        (
            "/applications",
            {"company_id": "acme", "application_id": 77, "requests_per_second": 1e-300},
            "requests_per_second",
        ),
        ("/sender_ids", {"address": "31"}, "company_id"),
        ("/sender_ids", {"company_id": None, "address": "31"}, "company_id"),
        (
            "/sender_ids",
            {"company_id": "acme", "address": "31", "ownership": "PURCHASED"},
            "ownership",
        ),
        (
            "/sender_ids",
            {"company_id": "acme", "address": "31", "credentials": '[{"pw": "******"}]'},
            "credentials",
        ),
        ("/tariffs", {"price": 1, "company_id": ""}, "company_id"),
    ):
        answer = operate(served, "POST", path, body)
        assert (answer.status, answer.code) == (400, "400"), (path, body, answer.body)
        assert answer.json["error_description"].startswith(f"{field}:"), (path, answer.body)


def test_the_operator_sees_all_companies_and_customers_only_their_own(served: Served) -> None:
    """The list of sender ids is the same kind of resource, seen from two sides."""
    ours = made(served, "/sender_ids", {"company_id": "acme", "address": "77701"})["id"]
    theirs = made(served, "/sender_ids", {"company_id": "rival", "address": "77702"})["id"]

    for company, seen, hidden in (("acme", ours, theirs), ("rival", theirs, ours)):
        path = "/messaging/sender_ids"
        assert served.call("GET", f"{path}/{seen}", token=company).status == 200
        assert served.call("GET", f"{path}/{hidden}", token=company).status == 404
        listed = operate(served, "GET", f"/sender_ids?company_id={company}").json["list"]
        assert seen in [one["id"] for one in listed]
        assert hidden not in [one["id"] for one in listed]


def test_a_payment_that_is_repeated_with_its_key_counts_once(served: Served) -> None:
    """As after an answer that was lost; another amount under the key is a conflict."""
    company = made(served, "/companies", {"id": "payer"})["id"]
    path = f"/operator/companies/{company}/credit"
    headers = {"Idempotency-Key": "invoice-1"}
    for _ in range(2):
        answer = served.call("POST", path, {"amount": 10}, token="operator", headers=headers)
        assert (answer.status, answer.json["balance"]) == (200, 10)
        assert answer.headers["cache-control"] == "no-store"
    same = {"amount": 10.0, "currency": "USD"}
    assert served.call("POST", path, same, token="operator", headers=headers).json["balance"] == 10
    other = served.call("POST", path, {"amount": 11}, token="operator", headers=headers)
    assert (other.status, other.code) == (409, "1011")
    assert made(served, f"/companies/{company}/credit", {"amount": 5})["balance"] == 15


def test_a_balance_stays_within_what_can_be_counted(served: Served) -> None:
    """The sum is bounded, not only a payment."""
    company = made(served, "/companies", {"id": "rich"})["id"]
    path = f"/companies/{company}/credit"
    made(served, path, {"amount": 9e12})
    answer = operate(served, "POST", path, {"amount": 1})

    assert (answer.status, answer.json["error_description"][:7]) == (400, "amount:")
    assert operate(served, "GET", path).json["balance"] == 9_000_000_000_000


def test_an_expired_operators_token_gives_no_operators_scope_to_the_next() -> None:
    """Whoever holds the key and secret has what the application has, no more."""
    with Served() as served:
        body = {"company_id": "rival", "application_id": 1, "scope": "operator", "duration": 1}
        old = made(served, "/tokens", body)["token"]
        key, secret = served.secrets["rival"]
        path = f"/saop-rest-data/v1/apptoken-refresh?consumerkey={key}&consumersecret={secret}"
        served.world.clock.advance(5 * SECOND)
        fresh = served.call("GET", f"{path}&oldtoken={old}", token=None, base="").json
        answer = served.call("GET", "/operator/companies", token=fresh["accessToken"])

        assert (answer.status, answer.code) == (403, "403")
        assert served.call("GET", REQUESTS, token=fresh["accessToken"]).status == 200


def test_copies_go_where_their_root_goes_and_keep_it_from_being_deleted() -> None:
    """A fault of the number stops all who send by it; a number that is used is not given up."""
    with Served() as served:
        fields = {"address": "88088", "ownership": "SHARED", "country": "USA"}
        root = made(served, "/sender_ids", fields)["id"]
        copy = served.call("POST", "/messaging/sender_ids", {"parent_id": root}).json["id"]
        path = f"/sender_ids/{root}/event"

        for event, state in (("FAULT", "BROKEN"), ("REPAIR", "ACTIVE"), ("DEACTIVATE", "BROKEN")):
            assert operate(served, "POST", path, {"event": event}).status == 200
            held = served.call("GET", f"/messaging/sender_ids/{copy}").json
            assert held["state"] == state
        answer = operate(served, "POST", f"/sender_ids/{copy}/event", {"event": "REPAIR"})
        assert (answer.status, answer.code) == (409, "409")
        assert operate(served, "POST", path, {"event": "ACTIVATE"}).status == 200
        off = {"state": "INACTIVE"}
        assert served.call("POST", f"/messaging/sender_ids/{copy}", off).status == 200
        for event in ("FAULT", "REPAIR", "DEACTIVATE", "ACTIVATE"):  # its own company's pause stays
            assert operate(served, "POST", path, {"event": event}).status == 200
            assert served.call("GET", f"/messaging/sender_ids/{copy}").json["state"] == "INACTIVE"
        assert operate(served, "POST", path, {"event": "DEACTIVATE"}).status == 200
        answer = served.call("POST", f"/messaging/sender_ids/{copy}", {"state": "ACTIVE"})
        assert (answer.status, answer.code) == (403, "403")
        assert served.call("POST", f"/messaging/sender_ids/{copy}", {"name": "x"}).status == 200
        kept = operate(served, "POST", path, {"event": "DELETE"})
        assert (kept.status, kept.code) == (409, "409")
        assert "1 copies" in kept.json["error_description"]
        assert served.call("DELETE", f"/messaging/sender_ids/{copy}").status == 204
        served.settle()
        assert operate(served, "POST", path, {"event": "DELETE"}).status == 200


@pytest.mark.parametrize(
    "written",
    ["55512", "+55512", " 55512 ", "5-55 12", "(5)5512", "++55512", "tel:55512", "+5\u00a05512",
     "5\u20135512", "\u200e55512"],
)  # fmt: skip
def test_a_customer_cannot_take_another_companys_address(served: Served, written: str) -> None:
    """However it is spelled: replies and consent of the other's people would come to them."""
    answer = served.call("POST", "/messaging/sender_ids", {"address": written}, token="rival")

    assert (answer.status, answer.code) == (409, "1011")


def test_a_number_is_stored_without_what_stands_between_its_digits(served: Served) -> None:
    """So that nobody has it twice."""
    path = "/messaging/sender_ids"
    id = served.call("POST", path, {"address": " +1 (415) 555-0166 "}, token="rival").json["id"]
    assert served.call("GET", f"{path}/{id}", token="rival").json["address"] == "+14155550166"


def test_secrets_cannot_be_sorted_out(served: Served) -> None:
    """Credentials leave as asterisks; the order of a list tells nothing of them either."""
    for path in ("/messaging/sender_ids", "/operator/sender_ids"):
        answer = served.call("GET", f"{path}?sort=credentials", token="operator")
        assert (answer.status, answer.json["error_description"][:5]) == (400, "sort:")


def test_masks_stand_only_for_what_is_there(served: Served) -> None:
    """A list of another length, or a new name, would give the wrong secret or none."""
    fields = {
        "company_id": "acme", "address": "88090",
        "credentials": '[{"provider": "A", "pw": "one"}, {"provider": "B", "pw": "two"}]',
    }  # fmt: skip
    path = f"/sender_ids/{made(served, '/sender_ids', fields)['id']}"
    seen = operate(served, "GET", path).json["credentials"]
    assert "one" not in seen
    assert operate(served, "POST", path, {"credentials": seen}).status == 200
    for wrong in ('[{"provider": "******"}]', '[{"pw": "******"}, {"x": "******"}]'):
        answer = operate(served, "POST", path, {"credentials": wrong})
        assert (answer.status, answer.json["error_description"][:12]) == (400, "credentials:")


def test_the_operator_attaches_only_templates_that_the_company_sees(served: Served) -> None:
    """In a change as in the beginning."""
    body = {"name": "mine", "pattern": "x.*", "designation": "VALIDATOR"}
    theirs = served.call("POST", "/messaging/message_templates", body).json["id"]
    sender = made(served, "/sender_ids", {"company_id": "rival", "address": "88091"})["id"]
    answer = operate(served, "POST", f"/sender_ids/{sender}", {"message_templates": [theirs]})

    assert (answer.status, answer.json["error_description"][:17]) == (400, "message_templates")


def test_loading_guards_against_overwriting(served: Served) -> None:
    """By the version in the body or If-Match, also where nothing is there yet."""
    made(served, "/sender_id_classes", {"id": "GUARD"})
    made(served, "/sender_id_classes", {"id": "GUARD", "name": "x", "version_number": 1})
    stale = operate(served, "POST", "/sender_id_classes", {"id": "GUARD", "version_number": 1})
    assert (stale.status, stale.code) == (409, "1001")
    for match in ('"3"', "*"):
        answer = served.call("PUT", "/operator/sender_id_classes/ABSENT", {}, token="operator",
                             headers={"If-Match": match})  # fmt: skip
        assert (answer.status, answer.code) == (412, "412")
    whole = operate(served, "GET", "/sender_id_classes/GUARD").json
    assert (
        operate(served, "PUT", "/sender_id_classes/TAKEN", {**whole, "id": "TAKEN"}).status == 200
    )


def test_what_was_read_can_be_made_again(served: Served) -> None:
    """A whole company, class or type is a body too, under another id."""
    for path, id in (("/companies", "acme"), ("/sender_id_classes", "NOTIFICATION")):
        whole = operate(served, "GET", f"{path}/{id}").json
        assert operate(served, "POST", path, {**whole, "id": f"again-{id}"}).status == 200


def test_a_consent_text_can_be_taken_out_again(served: Served) -> None:
    """The usual one is sent from then on."""
    text = {"kind": "HELP", "language": "EN", "text": "Acme alerts"}
    assert made(served, "/consent_texts", text)["language"] == "en"
    named = {"kind": "HELP", "language": "en"}
    assert [made(served, "/consent_texts/remove", named) for _ in range(2)] == [
        {"removed": 1}, {"removed": 0},
    ]  # fmt: skip
