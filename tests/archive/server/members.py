"""An archive with accounts: one in each role, one with two, and their cookies and tokens."""

from collections.abc import Collection
from pathlib import Path

from archive.accounts import AccountStore, Action, Grant, Role, Session

PASSWORD = "a good long pass phrase 4 tests"
COOKIE = "coverslip-8765"
SEVERAL = "two.roles"
PROJECT = "colon"


def grant_of(role: Role) -> Grant:
    """Give the role as an account holds it."""
    return Grant(role, PROJECT if role is Role.RESEARCHER else None)


class Members:
    """The accounts of an archive; sessions begin without a password, as the hospital's own sign-in begins them."""

    def __init__(self, root: Path) -> None:
        self.store = AccountStore.open(root, create=True)
        for role in Role:
            self.store.add(str(role), grants=[grant_of(role)])
        self.store.add(SEVERAL, grants=[Grant(Role.CUSTODIAN), Grant(Role.LEARNER)])

    def session(self, name: str) -> Session:
        """Let somebody in."""
        return self.store.sign_in_vouched(name, "test", name)

    def cookie(self, name: str, cookie: str = COOKIE) -> dict[str, str]:
        """Let somebody in, and give what their browser sends."""
        return {"cookie": f"{cookie}={self.session(name).token}"}

    def bearer(self, role: Role, actions: Collection[Action] | None = None) -> dict[str, str]:
        """Make a token, and give what a program sends with it."""
        made = self.store.new_token(str(role), role, grant_of(role).project, actions)
        return {"Authorization": f"Bearer {made.secret}"}

    def openings(self) -> list[str]:
        """Give the text of every opening in the access trail."""
        with self.store.entries() as entries:
            return [entry.text for entry in entries if '"act":"open slide"' in entry.text]
