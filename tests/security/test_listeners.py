"""Clients that ask for much and take nothing of it do not hold their connections for ever."""

from __future__ import annotations

import socket

from coal_mine.web.listeners import READ_SECONDS, drop_clients_that_do_not_read


def _limit(opened: socket.socket) -> int:
    return opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def test_accepted_connections_have_a_limit_for_what_is_not_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        drop_clients_that_do_not_read()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            limit = _limit(accepted)

    assert limit == READ_SECONDS * 1_000


def test_other_sockets_keep_their_ways() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as opened:
        drop_clients_that_do_not_read()
        limit = _limit(opened)

    assert limit == 0
