"""One table says how each error looks from outside."""

import inspect

import pytest

from archive import errors
from archive.errors import (
    AccountsUnavailable,
    ArchiveError,
    CatalogueUnavailable,
    ConsentRefused,
    DamagedPyramid,
    HoldingsUnavailable,
    InvalidValue,
    NotAllowed,
    NotVouchedFor,
    ProviderUnavailable,
    SignInRefused,
    TileOutsideLevel,
    UnknownAccount,
    UnknownCode,
)
from archive.server.status import (
    REFUSALS,
    ForeignForm,
    ForeignHost,
    MalformedAddress,
    NotSignedIn,
    WrongMethod,
    refusal_for,
)

SECRET = "Jane Example"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownCode(SECRET), 404),
        (ConsentRefused(SECRET, row="L2", paragraph="7"), 404),
        (TileOutsideLevel(SECRET), 404),
        (InvalidValue(SECRET), 400),
        (MalformedAddress(SECRET), 400),
        (WrongMethod(SECRET), 405),
        (ForeignHost(SECRET), 421),
        (NotSignedIn(SECRET), 401),
        (ForeignForm(SECRET), 403),
        (SignInRefused(), 403),
        (NotVouchedFor(SECRET), 403),
        (NotAllowed(SECRET), 404),
        (UnknownAccount(SECRET), 404),
        (AccountsUnavailable(SECRET), 503),
        (ProviderUnavailable(SECRET), 503),
        (DamagedPyramid(SECRET, SECRET, SECRET), 503),
        (OSError(5, SECRET), 503),
        (PermissionError(13, SECRET), 503),
        (CatalogueUnavailable(SECRET), 503),
        (HoldingsUnavailable(SECRET), 503),
        (ArchiveError(SECRET), 500),
        (RuntimeError(SECRET), 500),
        (MemoryError(SECRET), 500),
    ],
)
def test_each_error_has_its_status_and_a_fixed_sentence(error: Exception, status: int) -> None:
    refusal = refusal_for(error)
    assert refusal.status == status
    assert SECRET not in refusal.sentence
    assert refusal.sentence.endswith(".")
    assert "\n" not in refusal.sentence


def test_unknown_refused_and_outside_are_the_same_refusal() -> None:
    assert refusal_for(UnknownCode("a")) is refusal_for(ConsentRefused("b")) is refusal_for(TileOutsideLevel("c"))


def test_every_error_of_the_archive_is_in_the_table_or_belongs_to_writing() -> None:
    writing = {errors.FreeTextRefused, errors.FactsConflict, errors.AuditFaulty}
    known = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ArchiveError)}
    assert [kind for kind in known - writing if REFUSALS.keys().isdisjoint(kind.__mro__)] == [ArchiveError]
