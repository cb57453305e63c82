"""The address of a service, checked before anything is sent there."""

from __future__ import annotations

from urllib.parse import urlsplit

OPENAI = "https://api.openai.com/v1"


def checked_address(text: str) -> str:
    """The address without a slash at its end. ValueError unless it is http or https, and nothing but a place."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"it is no address: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("write an http or https address such as http://127.0.0.1:8080/v1")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "a name or a key does not belong in an address; name a variable with `api_key_variable`"
        )
    if "?" in text or "#" in text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it may not have a query, a fragment, or anything but plain letters")
    return text.rstrip("/")


def is_in_clear(address: str) -> bool:
    """Whether what is sent there can be read on the way: plain http, and not to this very machine."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return False
    from ipaddress import ip_address  # only who is asked without https pays for it

    host = parts.hostname or ""
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"
