"""What comes out of a jail is believed to be JSON only after it was seen to be."""

import json
import os
from collections.abc import Callable, Iterator

import pytest

from ingest.errors import Reason, SlideRefused
from ingest.sandbox import Jail, Limits
from ingest.sandbox.messages import BadMessage, Ear
from tests.ingest.sandbox import acts

MakeJail = Callable[..., Jail]

GARBAGE = {
    "no JSON": b"\x00\xff\xfe not JSON\n",
    "no object": b"[1, 2]\n",
    "an empty object": b"{}\n",
    "two keys": b'{"answer": 1, "more": 2}\n',
    "an unknown key": b'{"command": "open the vault"}\n',
    "deeply nested": b"[" * 200_000 + b"]" * 200_000 + b"\n",
    "deeply nested in an answer": b'{"answer":' + b"[" * 200_000 + b"]" * 200_000 + b"}\n",
    "very many containers": b'{"answer":[' + b"[]," * 1_100_000 + b"[]]}\n",
    "a number of many digits": b'{"answer":' + b"9" * 10_000 + b"}\n",
    "not a number": b'{"answer":NaN}\n',
    "infinity": b'{"answer":-Infinity}\n',
    "half a character": b'{"answer":"\xc3"}\n',
    "progress that is no object": b'{"progress":1}\n',
    "empty lines": b"\n" * 10,
    "a pickle": b"\x80\x04\x95\x1b\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\n",
}


@pytest.mark.parametrize("raw", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_refused_and_its_maker_lives(jail: MakeJail, raw: bytes) -> None:
    with pytest.raises(SlideRefused) as refused:
        jail().call(acts.say_raw, raw)
    assert refused.value.reason is Reason.READER_CRASHED


def test_a_message_without_end_is_cut_off(jail: MakeJail) -> None:
    with pytest.raises(SlideRefused) as refused:
        jail(limits=Limits(message_bytes=1 << 20)).call(acts.say_raw, b"x" * (1 << 20), 10)
    assert refused.value.reason is Reason.READER_CRASHED


def test_half_a_message_does_not_keep_its_maker_waiting(jail: MakeJail) -> None:
    with pytest.raises(SlideRefused) as refused:
        jail(limits=Limits(wall_seconds=1)).call(acts.say_raw, b'{"answer": ')
    assert refused.value.reason is Reason.TOO_SLOW


def test_too_many_messages_are_refused(jail: MakeJail) -> None:
    with pytest.raises(SlideRefused) as refused:
        jail(limits=Limits(messages=100)).call(acts.count_up, 1000)
    assert refused.value.reason is Reason.READER_CRASHED


def test_a_closed_mouth_is_a_death(jail: MakeJail) -> None:
    with pytest.raises(SlideRefused) as refused:
        jail(limits=Limits(wall_seconds=5)).call(acts.close_mouth)
    assert refused.value.reason in {Reason.READER_CRASHED, Reason.TOO_SLOW}


def test_a_reason_that_is_not_on_the_list_is_a_crash(jail: MakeJail) -> None:
    for value in (b'"smith"', b"[]", b"null"):
        with pytest.raises(SlideRefused) as refused:
            jail().call(acts.say_raw, b'{"refused":' + value + b"}\n")
        assert refused.value.reason is Reason.READER_CRASHED


class TestEar:
    @pytest.fixture
    def pipe(self) -> Iterator[tuple[int, int]]:
        ends = os.pipe()
        yield ends
        for end in ends:
            os.close(end)

    def test_messages_come_whole_however_they_are_cut(self, pipe: tuple[int, int]) -> None:
        ear = Ear(pipe[0], Limits())
        sent = [{"progress": {"tiles": number, "text": "µ\n" * number}} for number in range(20)]
        raw = b"".join(json.dumps(message).encode() + b"\n" for message in sent)
        heard = []
        for start in range(0, len(raw), 7):
            os.write(pipe[1], raw[start : start + 7])
            assert ear.listen()
            while (message := ear.message()) is not None:
                heard.append(message)
        assert heard == sent

    def test_a_message_of_the_longest_length_is_heard_and_one_byte_more_is_not(self, pipe: tuple[int, int]) -> None:
        def hear(length: int) -> object:
            ear = Ear(pipe[0], Limits(message_bytes=100))
            os.write(pipe[1], b'{"answer":"' + b"x" * (length - 13) + b'"}\n')
            ear.listen()
            return ear.message()

        assert hear(100) == {"answer": "x" * 87}
        with pytest.raises(BadMessage):
            hear(101)
