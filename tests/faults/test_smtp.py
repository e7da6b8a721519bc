"""The mail server is away, slow, busy or breaks connections while alerts are owed all the time."""

from __future__ import annotations

import random

import pytest

from tests.faults.conftest import Keep
from tests.faults.scene import Mishap, Scene, pause
from tests.support.moody_mail import Mood, MoodyMailServer
from tests.support.waiting import until


def _away(mail: MoodyMailServer) -> Mishap:
    def away(chance: random.Random) -> None:
        mail.stop()
        pause(chance, 0.5, 2.0)
        mail.start()

    return away


def _in_mood(mail: MoodyMailServer, mood: Mood) -> Mishap:
    def in_mood(chance: random.Random) -> None:
        seen = mail.moods[mood]
        mail.mood = mood
        until(f"a mail that meets the mood {mood}", lambda: mail.moods[mood] > seen)
        pause(chance, 0.0, 1.0)
        mail.mood = Mood.GOOD

    return in_mood


@pytest.mark.parametrize("store", ["sqlite", "mongo"])
def test_nothing_is_lost_when_the_mail_server_is_in_trouble(
    keep: Keep, store: str, moody_mail: MoodyMailServer, request: pytest.FixtureRequest
) -> None:
    server = keep(request.getfixturevalue(f"{store}_section"))
    moods = {f"mail {mood}": _in_mood(moody_mail, mood) for mood in Mood if mood is not Mood.GOOD}
    Scene([server], moody_mail).play({"mail away": _away(moody_mail), **moods})
