"""How the desk listens and how long it stays open for a browser that nobody uses.

Values come from the environment as ``COVERSLIP_DESK_<NAME>`` (for example ``COVERSLIP_DESK_PORT=9000``).
"""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DeskSettings(BaseSettings):
    """Where the desk listens, and for how long it trusts."""

    model_config = SettingsConfigDict(
        env_prefix="COVERSLIP_DESK_", frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """Address that the desk listens on; loopback only, because names and passwords travel in the clear."""

    port: int = Field(8766, ge=1, le=65535)
    """TCP port, beside the tile server's 8765, so that both can run on one machine."""

    idle_minutes: float = Field(15, gt=0, le=720)
    """Minutes without anybody's doing until the desk locks itself, or signs people out where there are accounts: names
    must not stay on a screen that was left."""

    token_minutes: float = Field(10, gt=0, le=720)
    """Minutes for which a printed address opens the desk where there are no accounts; long enough to find the browser,
    and no longer."""
