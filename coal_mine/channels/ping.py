"""A call that tells somebody outside that this server lives."""

from __future__ import annotations

import requests

from coal_mine import __version__
from coal_mine.domain.errors import DeliveryFailed

TIMEOUT_SECONDS = 10.0


class UrlPing:
    """GET of a URL. It may hold a secret, and the library's texts quote it, so ours do not say more than what kind of fault it was."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self) -> None:
        """Return when the other side has taken it. Raises DeliveryFailed."""
        try:
            # The body does not matter, and may be long in coming. Where a redirect leads, nobody may be waiting for a call.
            with requests.get(
                self._url,
                headers={"User-Agent": f"coal-mine/{__version__}"},
                timeout=TIMEOUT_SECONDS,
                stream=True,
                allow_redirects=False,
            ) as answer:
                status = answer.status_code
        except (OSError, ValueError) as error:
            raise DeliveryFailed(f"the URL cannot be reached ({type(error).__name__})") from None
        if 300 <= status < 400:
            raise DeliveryFailed(f"the URL answers with status {status}; give the final one")
        if status >= 400:
            raise DeliveryFailed(f"the URL answers with status {status}")
