"""Attachments: uploaded, carried by messages, opened by tokens, swept when nobody holds them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scg_adapters.blobs.memory import MemoryBlobs
from scg_core import IllegalTransition, InvalidField, NotFound, Settings
from scg_core.attachments.lifecycle import AttachmentState
from scg_core.kernel.instant import HOUR
from scg_core.ports.message_transport import Inbound, InboundFile
from tests.world import World

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 1_000
KINDS = frozenset({"SMS", "MMS", "EMAIL"})


@pytest.fixture
def world() -> World:
    """A world whose carrier takes pictures, and whose contents lie in memory."""
    return World(kinds=KINDS)


def uploaded(world: World, content: bytes = PNG, **fields: object) -> str:
    """An attachment with content; its id."""
    made = world.app.attachments.create({"name": "a.png", "type": "image/png", **fields})
    world.app.attachments.upload(made.id, content)
    return made.id


def mms_sender(world: World, **fields: object) -> str:
    """A sender id that sends pictures."""
    given = {"address": "55513", "country": "USA", "capabilities": ["SMS", "MMS"], **fields}
    return world.engine.operator().add_sender_id("acme", given).id


def held(world: World) -> list[str]:
    """The keys of all contents there are."""
    assert isinstance(world.blobs, MemoryBlobs)
    return sorted(world.blobs.held)


def test_content_comes_back_as_it_was_put(world: World) -> None:
    """With its size; putting it again replaces it, and the old is swept."""
    made = world.app.attachments.create(name="a.bin", type="image/png", filename="a.bin")
    assert (made.state, made.size) == (AttachmentState.CREATED, None)
    with pytest.raises(NotFound):
        world.app.attachments.download(made.id)

    after = world.app.attachments.upload(made.id, (PNG[at : at + 99] for at in range(0, 1008, 99)))
    assert (after.state, after.size, after.version_number) == ("UPLOADED", len(PNG), 2)
    assert b"".join(world.app.attachments.download(made.id)) == PNG
    world.app.attachments.upload(made.id, b"")
    world.engine.run_until_idle()
    assert b"".join(world.app.attachments.download(made.id)) == b""
    assert len(held(world)) == 1


def test_a_token_opens_one_attachment_until_it_expires(world: World) -> None:
    """For upload and download, several times; not of a deleted attachment."""
    id, other = uploaded(world), uploaded(world, name="b")
    token = world.app.attachments.create_token(id)
    assert len(token.id) == 22
    assert token.expiry_time == world.clock.now() + 900_000
    attachment, chunks = world.engine.download(token.id)
    assert (attachment.id, b"".join(chunks)) == (id, PNG)
    assert world.engine.upload(token.id, [b"new"]).id == id
    assert b"".join(world.engine.download(token.id)[1]) == b"new"
    assert b"".join(world.app.attachments.download(other)) == PNG

    second = world.app.access_tokens.create(resource="ATTACHMENT", resource_id=id, duration=3_600)
    world.clock.advance(900_000)
    for bad in (token.id, "0" * 22, "x"):
        with pytest.raises(NotFound):
            world.engine.download(bad)
        with pytest.raises(NotFound):
            world.engine.upload(bad, [b"x"])
    world.app.attachments.delete(id)
    with pytest.raises(NotFound):
        world.engine.download(second.id)
    with pytest.raises(NotFound):
        world.app.access_tokens.get(second.id)
    with pytest.raises(NotFound):
        world.app.attachments.get(id)


def test_tokens_are_for_what_the_company_has(world: World) -> None:
    """Of others it knows nothing."""
    id = uploaded(world)
    rival = world.engine.application("rival", 1)

    with pytest.raises(NotFound):
        rival.attachments.create_token(id)
    for fields in ({"resource_id": id}, {}, {"resource": "CONTACT", "resource_id": id}):
        with pytest.raises(InvalidField) as refused:
            rival.access_tokens.create(fields)
        assert refused.value.field == "resource_id"


def test_content_that_is_too_large_is_1019_and_leaves_nothing() -> None:
    """It is counted while it comes: no more is taken than is allowed."""
    world = World(settings=Settings(attachment_size=1_000))
    made = world.app.attachments.create(name="a")
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 100

    with pytest.raises(InvalidField) as refused:
        world.app.attachments.upload(made.id, endless())

    assert (refused.value.field, refused.value.error_code, taken) == ("content", 1019, 11)
    assert world.app.attachments.get(made.id) == made
    assert held(world) == []


def test_an_upload_that_breaks_off_changes_nothing(world: World) -> None:
    """What was there before stays, and can be put again."""
    id = uploaded(world)

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        world.app.attachments.upload(id, broken())

    assert b"".join(world.app.attachments.download(id)) == PNG
    assert len(held(world)) == 1


def test_content_that_nobody_holds_is_swept(world: World) -> None:
    """What a process that ended in the middle left behind, and what was deleted."""
    id = uploaded(world)
    with world.engine.transaction("begin") as unit:
        from scg_core.attachments.steps import note_content

        note_content(unit, "0V70MYoJ0008aVBDWgU50R.lost")
    world.blobs.put("0V70MYoJ0008aVBDWgU50R.lost", [b"x"])
    world.engine.run_until_idle(world.clock.now() + HOUR)
    assert len(held(world)) == 2
    world.engine.run_until_idle()
    assert held(world) == [key for key in held(world) if key.startswith(id)]
    world.app.attachments.delete(id)
    world.engine.run_until_idle()
    assert held(world) == []


def test_an_upload_that_was_overtaken_by_a_message_is_refused(world: World) -> None:
    """A message carries what was there when it was asked for."""
    id = uploaded(world)

    def slow() -> Iterator[bytes]:
        yield b"first"
        world.send("+14155550100", from_=mms_sender(world), attachments=[id])
        yield b"second"

    with pytest.raises(IllegalTransition):
        world.app.attachments.upload(id, slow())

    assert b"".join(world.app.attachments.download(id)) == PNG
    assert len(held(world)) == 1


def test_a_message_carries_its_attachments(world: World) -> None:
    """As MMS to a number; from then on the content stays as it is."""
    id = uploaded(world)
    request = world.send("+14155550100", from_=mms_sender(world), attachments=[id], subject="s")
    world.engine.run_until_idle()

    [message] = world.messages(request.id)
    assert (message.type, message.state, message.attachments) == ("MMS", "DELIVERED", (id,))
    assert world.app.messages.attachments(message.id).items[0].id == id
    with pytest.raises(IllegalTransition):
        world.app.attachments.upload(id, b"other")


def test_a_transport_reads_the_files_of_an_attempt(world: World) -> None:
    """With their names and types; the content by the engine it was connected to."""
    submitted = world.carrier.submit
    seen = []

    def submit(attempts, now):  # type: ignore[no-untyped-def]
        seen.extend(attempts)
        return submitted(attempts, now)

    world.carrier.submit = submit  # type: ignore[method-assign]
    world.send("+14155550100", from_=mms_sender(world), attachments=[uploaded(world)], subject="s")
    world.engine.run_until_idle()

    [attempt] = seen
    [file] = attempt.files
    assert (file.name, file.type, file.size, attempt.subject) == ("a.png", "image/png", 1008, "s")
    assert b"".join(world.engine.content_of(file)) == PNG


def test_a_file_that_is_deleted_fails_the_messages_that_wait_for_it(world: World) -> None:
    """With 1019; nothing leaves without it."""
    id = uploaded(world)
    request = world.send(
        "+14155550100", from_=mms_sender(world), attachments=[id],
        scheduled_delivery_time=world.clock.now() + HOUR,
    )  # fmt: skip
    world.engine.run_due(5)
    world.app.attachments.delete(id)
    world.engine.run_until_idle()

    [message] = world.messages(request.id)
    assert (message.state, (message.failure_details or "")[:4]) == ("FAILED", "1019")
    world.recount()


def test_attachments_that_cannot_be_sent_are_refused(world: World) -> None:
    """The field says which; nothing is stored."""
    created = world.app.attachments.create(name="empty").id
    one, twin = uploaded(world), uploaded(world)
    large = uploaded(world, b"x" * 2**20, name="large", type="text/plain")
    foreign = world.engine.application("rival", 1).attachments.create(name="x").id
    sender = mms_sender(world)
    for ids, field, code in (
        (["nobody"], "attachments[0]", 400),
        ([foreign], "attachments[0]", 400),
        ([one, created], "attachments[1]", 400),
        ([one, twin], "attachments[1]", 400),
        ([one, large], "attachments", 1019),
        ([one] * 11, "attachments", 400),
    ):
        with pytest.raises(InvalidField) as refused:
            world.send("+14155550100", from_=sender, attachments=ids)
        assert (refused.value.field, refused.value.error_code) == (field, code)
    assert world.app.message_requests.page().total == 0
    assert not world.app.attachments.get(one).used


def test_a_senders_type_says_which_files_it_carries(world: World) -> None:
    """By what the content is, not by what it is said to be (semantics 4)."""
    operator = world.engine.operator()
    operator.put_sender_id_type(
        id="PICTURES", name="pictures", gateway_id="carrier", allowed_mime_types=["image/*"],
        blocked_mime_types=["image/gif"], capabilities=["SMS", "MMS"],
    )  # fmt: skip
    sender = mms_sender(world, type_id="PICTURES")
    good, gif = uploaded(world), uploaded(world, b"GIF89a...", type="image/gif")
    liar = uploaded(world, b"MZ\x90\x00...", type="image/png")

    assert world.send("+14155550100", from_=sender, attachments=[good])
    for id in (gif, liar):
        with pytest.raises(InvalidField) as refused:
            world.send("+14155550100", from_=sender, attachments=[id])
        assert refused.value.field == "attachments"


def test_a_received_picture_is_an_attachment_of_its_message(world: World) -> None:
    """Kept once, although the transport brings it twice."""
    picture = InboundFile("cat.png", "image/png", PNG)
    message = Inbound("+14155550100", world.sender.address, "look", world.clock.now(),
                      external_id="x1", kind="MMS", files=(picture,))  # fmt: skip
    for _ in range(2):
        world.engine.inbound_arrived("carrier", [message])
    world.engine.run_until_idle()

    [kept] = world.messages()
    [attachment] = world.app.messages.attachments(kept.id).items
    assert (attachment.name, attachment.type, attachment.size) == ("cat.png", "image/png", 1008)
    assert b"".join(world.app.attachments.download(attachment.id)) == PNG
    assert len(held(world)) == 1


def test_an_engine_without_a_place_for_files_says_so() -> None:
    """Uploads are refused; messages that bring files are kept without them."""
    world = World(ports={"blobs": None})
    made = world.app.attachments.create(name="a")

    with pytest.raises(InvalidField) as refused:
        world.app.attachments.upload(made.id, b"x")
    assert refused.value.field == "content"
    picture = InboundFile("cat.png", "image/png", PNG)
    message = Inbound("+14155550100", world.sender.address, "look", world.clock.now(),
                      kind="MMS", files=(picture,))  # fmt: skip
    world.engine.inbound_arrived("carrier", [message])
    assert [one.body for one in world.messages()] == ["look"]
