"""Where a provider's service is, and what it is told about who asks: out of the user's table and environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from engine.errors import Reason
from engine.providers.openai.address import OPENAI, checked_address, is_in_clear
from engine.providers.openai.key import Key
from engine.providers.openai.options import OpenAIOptions

ADDRESS_VARIABLE, KEY_VARIABLE, MODEL_VARIABLE = "OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"


class Lack(NamedTuple):
    """What keeps it from being asked, and the way out."""

    why: str
    hint: str
    reason: Reason = "auth"


class Endpoint(NamedTuple):
    """One service. `origin` says where its address stands, `key_variable` where its key does, if it has one."""

    address: str
    origin: str
    wrong: str
    """What is wrong with the address, which then is empty."""
    key: Key
    key_variable: str | None
    needs_key: bool
    heeds_variables: bool
    """Whether the `OPENAI_…` variables are about it."""
    model: str | None
    organization: str | None

    @property
    def is_openai(self) -> bool:
        """Whether it is OpenAI itself, which has words of its own."""
        return self.address == OPENAI

    @property
    def shows_key(self) -> bool:
        """Whether the key can be read on its way there."""
        return bool(self.key) and is_in_clear(self.address)

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        organization = {"OpenAI-Organization": self.organization} if self.organization else {}
        return {**self.key.header(), **organization}

    def lack(self) -> Lack | None:
        """What is missing of address and key, as far as that can be told from here."""
        if self.wrong:
            return Lack(
                f"{self.origin} is wrong: {self.wrong}", f"correct or unset {self.origin}", "not_found"
            )
        if self.needs_key and not self.key:
            return Lack(
                f"{self.key_variable} is not set", f"set {self.key_variable} to a key of {self.address}"
            )
        if not self.key.can_be_sent:
            return Lack(
                f"{self.key_variable} holds characters that no key has", f"correct {self.key_variable}"
            )
        return None


def endpoint_of(name: str, options: OpenAIOptions, environment: Mapping[str, str]) -> Endpoint:
    """The service of a table. The `OPENAI_…` variables belong to one service: a table with another ignores them."""
    address, origin, wrong = _address(name, options, environment)
    heeds = options.base_url is None or address == OPENAI
    variable = options.api_key_variable or (KEY_VARIABLE if heeds else None)
    return Endpoint(
        address=address,
        origin=origin,
        wrong=wrong,
        key=Key(environment.get(variable, "") if variable else ""),
        key_variable=variable,
        # A service of the user's own may well go without; OpenAI does not, nor does one whose variable was named.
        needs_key=address == OPENAI or options.api_key_variable is not None,
        heeds_variables=heeds,
        model=options.model or (environment.get(MODEL_VARIABLE) if heeds else None) or None,
        organization=options.organization,
    )


def _address(name: str, options: OpenAIOptions, environment: Mapping[str, str]) -> tuple[str, str, str]:
    """The address, where it stands, and what is wrong with it."""
    if options.base_url is not None:
        return options.base_url, f"`base_url` in [providers.{name}]", ""
    given = environment.get(ADDRESS_VARIABLE)
    if not given:
        return OPENAI, "`base_url`", ""
    try:
        return checked_address(given), ADDRESS_VARIABLE, ""
    except ValueError as error:
        # Other programs may read it otherwise: it keeps this provider from being asked, and nobody else.
        return "", ADDRESS_VARIABLE, str(error)
