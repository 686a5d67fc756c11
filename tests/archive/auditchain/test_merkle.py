"""One digest stands for all entries, and a proof leads to it from one entry and from no other."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.auditchain.merkle import Proofs, Tree, root_by


def digests(count: int) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]


def root_by_the_book(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + root_by_the_book(leaves[:half]) + root_by_the_book(leaves[half:])).digest()


@given(st.integers(0, 70))
def test_the_root_is_that_of_the_standard(count: int) -> None:
    tree = Tree()
    for digest in digests(count):
        tree.add(digest)
    assert tree.size == count
    assert tree.root == root_by_the_book([bytes.fromhex(digest) for digest in digests(count)]).hex()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 31, 32, 33])
def test_every_entry_has_a_proof_that_leads_to_the_root_and_serves_no_other_entry(count: int) -> None:
    every, tree = digests(count), Tree()
    for digest in every:
        tree.add(digest)
    proofs = Proofs(every)
    for number, digest in enumerate(every, start=1):
        path = proofs.path(number)
        assert root_by(path, number, count, digest) == tree.root
        assert root_by(path, number, count, "0" * 64) != tree.root
        assert root_by((*path, "0" * 64), number, count, digest) != tree.root
        if path:
            assert root_by(path[:-1], number, count, digest) != tree.root
        for other in range(1, count + 1):
            if other != number:
                assert root_by(path, other, count, digest) != tree.root


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=20))
def test_other_leaves_have_another_root(letters: list[str]) -> None:
    one, other = Tree(), Tree()
    for letter in letters:
        one.add(hashlib.sha256(letter.encode()).hexdigest())
    for letter in ["b" if letters[0] == "a" else "a", *letters[1:]]:
        other.add(hashlib.sha256(letter.encode()).hexdigest())
    assert one.root != other.root
