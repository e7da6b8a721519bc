"""What a user says about a canary, checked."""

from __future__ import annotations

from dataclasses import dataclass

from coal_mine.domain.canary import Update
from coal_mine.domain.errors import Invalid
from coal_mine.domain.periodicity import OnSchedule, Periodicity, parse_periodicity, parse_schedule
from coal_mine.domain.text import checked_description, checked_emails, checked_name, slug_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """The texts as they came in; None was not given."""

    name: str | None = None
    description: str | None = None
    emails: tuple[str, ...] | None = None  # a single "-" means none
    periodicity: str | None = None
    schedule: str | None = None
    grace: str | None = None
    timezone: str | None = None

    @property
    def is_empty(self) -> bool:
        return all(getattr(self, field) is None for field in self.__slots__)

    def as_update(self, old: Periodicity | None) -> Update:
        """Raises Invalid, naming the field. `old` is what a grace or a time zone given alone refers to."""
        name = None if self.name is None else checked_name(self.name)
        return Update(
            name=name,
            slug=None if name is None else slug_of(name),
            description=None if self.description is None else checked_description(self.description),
            emails=self._emails(),
            periodicity=self._periodicity(old),
        )

    def _emails(self) -> tuple[str, ...] | None:
        if self.emails is None:
            return None
        return () if self.emails == ("-",) else checked_emails(list(self.emails))

    def _periodicity(self, old: Periodicity | None) -> Periodicity | None:
        if self.periodicity is not None:
            for field in ("schedule", "grace", "timezone"):
                if getattr(self, field) is not None:
                    raise Invalid(f"{field} cannot be given together with periodicity")
            return parse_periodicity(self.periodicity)
        if self.schedule is None and self.grace is None and self.timezone is None:
            return None
        before = old if isinstance(old, OnSchedule) else None
        expression = self.schedule if self.schedule is not None or before is None else before.expression
        if expression is None:
            raise Invalid("grace and timezone need a schedule")
        grace = self.grace if self.grace is not None or before is None else str(before.grace_seconds)
        timezone = self.timezone if self.timezone is not None or before is None else before.timezone
        return parse_schedule(expression, grace, timezone)
