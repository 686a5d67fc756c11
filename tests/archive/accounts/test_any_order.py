"""In whatever order people come, go, choose and are managed, nobody acts in a role that they do not hold now."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from archive.accounts import AccountStore, Actor, Grant, Role, looks_codes_up
from archive.auditchain import verify
from archive.errors import ArchiveError
from tests.archive.accounts.conftest import OTHER, Clock

GRANTS = [
    Grant(Role.CUSTODIAN),
    Grant(Role.PATHOLOGIST),
    Grant(Role.EDUCATOR),
    Grant(Role.RESEARCHER, "melanoma"),
    Grant(Role.RESEARCHER, "naevus"),
]
NAMES = ["ann", "bob"]
IDLE_SECONDS, SESSION_SECONDS, DAY = 1800, 43_200, 86_400


class Screen:
    """What must be true of one session: whose it is, in which role, and when it was begun and used."""

    def __init__(self, name: str, grant: Grant | None, at: float) -> None:
        self.name, self.grant, self.begun, self.used = name, grant, at, at


class People(RuleBasedStateMachine):
    """A store, and beside it the plainest account of what must be true of it."""

    cookies = Bundle("cookies")
    secrets = Bundle("secrets")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.held: dict[str, set[Grant]] = {name: set() for name in NAMES}
        self.active = dict.fromkeys(NAMES, True)
        self.screens: dict[str, Screen] = {}
        self.programs: dict[str, tuple[str, Grant, float]] = {}

    @initialize()
    def found(self) -> None:
        self.store = AccountStore.open(Path(self.folder.name), create=True, clock=self.clock)
        self.store.add("root", None, [Grant(Role.CUSTODIAN)])
        for name in NAMES:
            self.store.add(name, OTHER)

    def teardown(self) -> None:
        trail = self.store.sealed_trail()
        assert verify(trail.entries(), trail.first, trail.heads()) == ()
        self.store.close()
        self.folder.cleanup()

    def is_live(self, screen: Screen) -> bool:
        now = self.clock.seconds
        return now - screen.used < IDLE_SECONDS and now - screen.begun < SESSION_SECONDS

    def leave_other_roles(self, name: str, kept: Grant) -> None:
        gone = [c for c, s in self.screens.items() if s.name == name and s.grant not in (None, kept)]
        for cookie in gone:
            del self.screens[cookie]

    def forget(self, name: str, grant: Grant | None = None) -> None:
        """End the sessions and tokens of an account, or those in one role."""
        self.screens = {
            c: s for c, s in self.screens.items() if s.name != name or (grant is not None and s.grant != grant)
        }
        self.programs = {
            k: p for k, p in self.programs.items() if p[0] != name or (grant is not None and p[1] != grant)
        }

    @rule(name=st.sampled_from(NAMES), grant=st.sampled_from(GRANTS))
    def grant(self, name: str, grant: Grant) -> None:
        self.store.grant(name, grant.role, grant.project)
        self.held[name].add(grant)

    @rule(name=st.sampled_from(NAMES), grant=st.sampled_from(GRANTS))
    def revoke(self, name: str, grant: Grant) -> None:
        self.store.revoke(name, grant.role, grant.project)
        if grant in self.held[name]:
            self.held[name].remove(grant)
            self.forget(name, grant)

    @rule(name=st.sampled_from(NAMES))
    def disable(self, name: str) -> None:
        self.store.disable(name)
        self.active[name] = False
        self.forget(name)

    @rule(name=st.sampled_from(NAMES))
    def enable(self, name: str) -> None:
        self.store.enable(name)
        self.active[name] = True

    @rule(name=st.sampled_from(NAMES))
    def end_all(self, name: str) -> None:
        self.store.end_all(name)
        self.forget(name)

    @rule(seconds=st.sampled_from([1.0, 61.0, 900.0, 1799.0, 1800.0, 40_000.0]))
    def wait(self, seconds: float) -> None:
        self.clock.passes(seconds)

    @rule(target=cookies, name=st.sampled_from(NAMES))
    def sign_in(self, name: str) -> object:
        if not self.active[name]:
            with pytest.raises(ArchiveError):
                self.store.sign_in(name, OTHER)
            return multiple()
        cookie = self.store.sign_in(name, OTHER).token
        alone = next(iter(self.held[name])) if len(self.held[name]) == 1 else None
        if alone is not None:
            self.leave_other_roles(name, alone)
        self.screens[cookie] = Screen(name, alone, self.clock.seconds)
        return cookie

    @rule(cookie=cookies, grant=st.sampled_from(GRANTS))
    def choose(self, cookie: str, grant: Grant) -> None:
        screen = self.screens.get(cookie)
        if screen is None or not self.is_live(screen) or grant not in self.held[screen.name]:
            with pytest.raises(ArchiveError):
                self.store.choose_role(cookie, grant.role, grant.project)
            return
        self.store.choose_role(cookie, grant.role, grant.project)
        screen.grant, screen.used = grant, self.clock.seconds
        self.leave_other_roles(screen.name, grant)

    @rule(cookie=cookies)
    def sign_out(self, cookie: str) -> None:
        self.store.sign_out(cookie)
        self.screens.pop(cookie, None)

    @rule(cookie=cookies)
    def look(self, cookie: str) -> None:
        screen, found = self.screens.get(cookie), self.store.session(cookie)
        if screen is None or not self.is_live(screen):
            assert found is None
            return
        assert found is not None
        assert set(found.grants) == self.held[screen.name]
        expected = Actor(screen.name, screen.grant.role, screen.grant.project) if screen.grant else None
        assert found.actor == expected
        if self.clock.seconds - screen.used > 60:
            screen.used = self.clock.seconds

    @rule(target=secrets, name=st.sampled_from(NAMES), grant=st.sampled_from(GRANTS))
    def make_token(self, name: str, grant: Grant) -> object:
        if grant not in self.held[name] or looks_codes_up(grant.role):
            with pytest.raises(ArchiveError):
                self.store.new_token(name, grant.role, grant.project)
            return multiple()
        secret = self.store.new_token(name, grant.role, grant.project, days=1).secret
        self.programs[secret] = (name, grant, self.clock.seconds)
        return secret

    @rule(secret=secrets)
    def run(self, secret: str) -> None:
        found, program = self.store.actor_of_token(secret), self.programs.get(secret)
        if program is None or self.clock.seconds - program[2] >= DAY or not self.active[program[0]]:
            assert found is None
            return
        name, grant, _ = program
        waits = any(
            screen.name == name and screen.grant and looks_codes_up(screen.grant.role) and self.is_live(screen)
            for screen in self.screens.values()
        )
        assert found == (None if waits else Actor(name, grant.role, grant.project))

    @invariant()
    def one_role_at_a_time(self) -> None:
        if not hasattr(self, "store"):
            return
        for name in NAMES:
            live = [s for s in self.screens.values() if s.name == name and s.grant and self.is_live(s)]
            assert len({screen.grant for screen in live}) <= 1


@pytest.mark.usefixtures("quick_hashes")
class TestPeople(People.TestCase):
    """Run the machine with the quick hashes."""

    settings = settings(
        max_examples=40,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
