"""A canary goes late: mail. It resumes: mail. With the real server, a real store and a real mail server."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import UTC, datetime

from tests.e2e.conftest import Place
from tests.support.load import Load
from tests.support.mail import MailServer, body
from tests.support.server import CoalMine
from tests.support.waiting import until

MakeServer = Callable[[], CoalMine]


def test_a_canary_that_is_not_triggered_mails_late_and_when_triggered_again_resumed(place: Place) -> None:
    server, mail = place.server, place.mail
    canary = server.call("create", name="Nightly Backup", periodicity="1", email="backup@example.test")["canary"]
    late = mail.wait_for("[LATE] Nightly Backup has not reported")
    server.call("update", id=canary["id"], description="now look at it")
    triggered = server.get(f"/{canary['id']}", comment="by hand").json()
    resumed = mail.wait_for("[RESUMED] Nightly Backup is reporting again")
    after = server.call("get", id=canary["id"])["canary"]

    assert triggered == {"status": "ok", "recovered": True, "unpaused": False}
    assert (late["From"], late["To"]) == ("Coal Mine <cm@example.test>", "backup@example.test")
    assert body(late) == (
        f"The canary Nightly Backup ({canary['id']}) was expected to report before {canary['deadline']}.\n\n"
        f"Recent events for this canary:\n\n{canary['history'][0][0]} Canary created\n"
    )
    assert f"The canary Nightly Backup ({canary['id']}) is reporting again as of {after['history'][0][0]}." in body(resumed)
    assert f"The next trigger for this canary is due before {after['deadline']}." in body(resumed)
    assert f"{after['history'][0][0]} Triggered (by hand)" in body(resumed)


def test_each_address_gets_a_mail_of_its_own_and_a_refused_one_does_not_hold_up_the_others(place: Place) -> None:
    late = "[LATE] Two has not reported"
    place.mail.answers["gone@example.test"] = "550 no such user"
    place.server.call("create", name="Two", periodicity="0.5", email=["gone@example.test", "here@example.test"])
    place.mail.wait_for(late)
    until("the refusal in the log", lambda: "gone@example.test refused for good: 550 no such user" in place.server.log)

    assert [message["To"] for message in place.mail.messages if message["Subject"] == late] == ["here@example.test"]


def test_a_mail_server_that_is_down_delays_the_mail_and_does_not_lose_it(make_server: MakeServer, mail: MailServer) -> None:
    mail.stop()
    with make_server() as server:
        server.call("create", name="Patient", periodicity="0.5", email="a@example.test")
        until("a failed try in the log", lambda: "not delivered, next try in" in server.log)
        mail.start()
        mail.wait_for("[LATE] Patient has not reported")

    assert mail.subjects() == ["[LATE] Patient has not reported"]


def test_an_alert_that_is_owed_when_the_server_is_killed_is_mailed_after_the_restart(make_server: MakeServer, mail: MailServer) -> None:
    mail.stop()
    server = make_server()
    with server:
        server.call("create", name="Killed", periodicity="0.5", email="a@example.test")
        until("a failed try in the log", lambda: "not delivered, next try in" in server.log)
        server.stop(signal.SIGKILL)
    mail.start()
    with server:
        mail.wait_for("[LATE] Killed has not reported")

    assert mail.subjects() == ["[LATE] Killed has not reported"]


def test_a_deadline_that_passes_while_the_server_is_down_is_mailed_after_the_start(make_server: MakeServer, mail: MailServer) -> None:
    server = make_server()
    with server:
        server.call("create", name="Asleep", periodicity="1", email="a@example.test")
    with server:
        mail.wait_for("[LATE] Asleep has not reported")

    assert mail.subjects() == ["[LATE] Asleep has not reported"]


def test_a_canary_goes_late_while_others_are_triggered_all_the_time(place: Place) -> None:
    """In the predecessor no mail left as long as any canary was triggered once a second."""
    server, mail = place.server, place.mail
    busy = server.call("create", name="Busy", periodicity="30", email="busy@example.test")["canary"]
    with Load(server.url, busy["id"], rate=500) as load:
        until("the load", lambda: load.answered > 100)
        server.call("create", name="Silent", periodicity="1", email="busy@example.test")
        mail.wait_for("[LATE] Silent has not reported")
        seen = load.answered
        until("more load", lambda: load.answered > seen)

    assert load.failed == []
    assert mail.subjects("busy@example.test") == ["[LATE] Silent has not reported"]


def test_a_canary_that_is_triggered_in_time_never_mails(place: Place) -> None:
    server, mail = place.server, place.mail
    canary = server.call("create", name="Punctual", periodicity="20", email="punctual@example.test")["canary"]
    with Load(server.url, canary["id"], rate=200) as load:
        server.call("create", name="Other", periodicity="3", email="punctual@example.test")
        mail.wait_for("[LATE] Other has not reported")
        until("the load", lambda: load.answered > 100)

    assert mail.subjects("punctual@example.test") == ["[LATE] Other has not reported"]


def test_pausing_a_late_canary_sends_nothing_and_unpausing_starts_anew(place: Place) -> None:
    server, mail = place.server, place.mail
    canary = server.call("create", name="Paused", periodicity="0.5", email="paused@example.test")["canary"]
    mail.wait_for("[LATE] Paused has not reported")
    paused = server.call("pause", id=canary["id"])["canary"]
    server.call("update", id=canary["id"], periodicity="3600")
    unpaused = server.call("unpause", id=canary["id"])["canary"]
    server.call("create", name="Marker", periodicity="0.5", email="paused@example.test")
    mail.wait_for("[LATE] Marker has not reported")

    assert (paused["late"], paused["paused"], "deadline" in paused) == (False, True, False)
    assert (unpaused["late"], unpaused["paused"], "deadline" in unpaused) == (False, False, True)
    assert mail.subjects("paused@example.test") == ["[LATE] Paused has not reported", "[LATE] Marker has not reported"]


def test_a_storm_reaches_a_receiver_as_a_digest(make_server: MakeServer, mail: MailServer) -> None:
    server = make_server()
    with server:
        canaries = [
            server.call("create", name=f"Storm {number}", periodicity="6", email="a@example.test")["canary"] for number in range(30)
        ]
    last = max(datetime.fromisoformat(canary["deadline"]) for canary in canaries)
    until("the last deadline", lambda: datetime.now(UTC) > last)
    with server:  # which finds all of them late at once
        until("the digest", lambda: mail.messages)

    assert mail.subjects() == ["[30 LATE] Coal Mine digest"]
    assert all(f"The canary {canary['name']} ({canary['id']}) was expected" in body(mail.messages[0]) for canary in canaries)


def test_a_canary_without_addresses_is_told_in_the_log(place: Place) -> None:
    canary = place.server.call("create", name="Unaddressed", periodicity="0.5")["canary"]
    told = f"ALERT: [LATE] The canary Unaddressed ({canary['id']}) was expected to report before {canary['deadline']}."
    until("the alert in the log", lambda: told in place.server.log)

    assert place.server.log.count(told) == 1
