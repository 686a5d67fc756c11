"""Each address of the desk says which action it is, and answers only a session that may do that.

Where there are no accounts, whoever has the desk open may do everything. Where there are, the one table of roles and
actions is asked, each time, before the page or the act knows that it was asked for.
"""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from archive.accounts import Action
from ingest.desk.session import Session


class Page(Route):
    """An address of the desk.

    Parameters
    ----------
    path, endpoint, methods
        As starlette has them.
    needs : Action or None
        What whoever asks must be allowed to do; None for what everybody may who was let in, in any role.
    """

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, needs: Action | None, methods: Sequence[str] = ("GET",)
    ) -> None:
        super().__init__(path, endpoint, methods=list(methods))
        self.needs = needs

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, if whoever asks may; raises NotAllowed."""
        if self.needs is not None:
            session = scope["state"]["session"]
            assert isinstance(session, Session)  # noqa: S101  the door lets nobody in without one
            session.require(self.needs)
        await super().handle(scope, receive, send)
