"""Settings come from the environment, are checked once and never change."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from archive.settings import ArchiveSettings


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ArchiveSettings.model_fields:
        monkeypatch.delenv(f"COVERSLIP_{name.upper()}", raising=False)


def test_the_defaults_need_no_configuration_and_stay_on_this_machine() -> None:
    settings = ArchiveSettings()
    assert settings.host == "127.0.0.1"
    assert settings.archive == Path("coverslip-archive")
    assert settings.database_url is None


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERSLIP_PORT", "9000")
    monkeypatch.setenv("COVERSLIP_ARCHIVE", "/srv/slides")
    monkeypatch.setenv("COVERSLIP_TEST_SLIDES", "somewhere")
    assert ArchiveSettings().port == 9000
    assert ArchiveSettings().archive == Path("/srv/slides")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        ArchiveSettings().port = 9000  # type: ignore[misc]


def test_a_decision_is_never_kept_for_more_than_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERSLIP_DECISION_CACHE_SECONDS", "1.5")
    with pytest.raises(ValidationError):
        ArchiveSettings()


def test_a_database_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERSLIP_DATABASE_URL", "postgresql://archive:hush@localhost/slides")
    assert "hush" not in repr(ArchiveSettings())


def test_every_setting_says_why_it_is_there() -> None:
    assert [name for name, field in ArchiveSettings.model_fields.items() if not field.description] == []
