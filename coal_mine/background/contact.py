"""Whether this process has been in contact with the store long enough to judge others by what stands there."""

from __future__ import annotations

from datetime import datetime, timedelta


class Contact:
    """When the store comes back after an outage, or its time jumps because another machine's clock counts now, all who write there are
    equally silent for a moment. Only who has been in contact with it for a while may say that others have not.
    """

    def __init__(self, *, gap: timedelta, settling: timedelta) -> None:
        """Without contact for longer than `gap`, others may have been without it as well; after `settling`, they have had time to write."""
        self._gap = gap
        self._settling = settling
        self._last: datetime | None = None
        self._since: datetime | None = None

    def may_judge(self, now: datetime) -> bool:
        """To be asked at each contact."""
        last, self._last = self._last, now
        if last is None or self._since is None or not last <= now <= last + self._gap:
            self._since = now
        return now >= self._since + self._settling

    def began_after(self, moment: datetime) -> bool:
        """Whether the contact that lasts now had not begun then."""
        return self._since is None or self._since > moment
