"""An instance that somebody has power over who is asked by HTTP: PUT {"state": action}."""

from __future__ import annotations

from typing import BinaryIO

import requests

from coal_mine import __version__

from .call import Call, CallFailed
from .trust import fault_of_certificates

_PIECE = 1 << 16
# So much of an answer that says no is shown.
_SHOWN = 4_000


def put(call: Call, output: BinaryIO) -> None:
    """Writes what is answered. Raises CallFailed."""
    with requests.Session() as session:
        session.trust_env = False  # neither proxies nor passwords of the machine
        if call.ca_certs:
            session.verify = _certificates(call)
        if call.proxy:
            session.proxies = {"http": call.proxy, "https": call.proxy}
        try:
            with session.put(
                call.url,
                json={"state": call.action},
                headers=_headers(call),
                timeout=call.seconds,
                stream=True,
                allow_redirects=False,  # the token is for nobody else
            ) as answer:
                _check(call, answer)
                for piece in answer.iter_content(_PIECE):
                    output.write(piece)
        except (OSError, ValueError) as error:
            raise CallFailed(f"PUT {call.url}: {_cause(error)}") from error


def _certificates(call: Call) -> str:
    """Looked at here, since requests does not name a file that is no such one."""
    fault = fault_of_certificates(call.ca_certs)
    if fault:
        raise CallFailed(f"PUT {call.url}: on this node ca_certs {call.ca_certs} {fault}")
    return call.ca_certs


def _headers(call: Call) -> dict[str, str]:
    own = {"User-Agent": f"coal-mine/{__version__}"}
    return {**own, call.token_header: call.token} if call.token else own


def _check(call: Call, answer: requests.Response) -> None:
    if answer.status_code < 300:
        return
    text = f"PUT {call.url}: {answer.status_code} {answer.reason}"
    if "Location" in answer.headers:
        text += f", to {answer.headers['Location']}; redirects are not followed, so give the final URL"
    raise CallFailed(f"{text}\n{_beginning(answer)}".rstrip())


def _beginning(answer: requests.Response) -> str:
    found = b""
    for piece in answer.iter_content(_SHOWN):
        found += piece
        if len(found) >= _SHOWN:
            break
    return found[:_SHOWN].decode(errors="replace")


def _cause(error: BaseException) -> str:
    """In the words of the system, without the layers between."""
    while deeper := error.__cause__ or error.__context__:
        error = deeper
    return str(error) or type(error).__name__
