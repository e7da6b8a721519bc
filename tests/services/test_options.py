"""The options of the cluster that are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditKind
from coal_mine.domain.errors import Invalid, NotFound
from coal_mine.services.cluster import Cluster
from coal_mine.services.options import Options
from tests.support.jobs import SECOND, Scene

MAILER = {"smtpserver": "mail:25", "sender": "moneta@example.com", "timezone": "Europe/Paris"}
AUDIT = {"url": "http://search:9200/", "index": "moneta-${date}", "dateformat": "%Y.%m", "headers": {"Authorization": "x"}}


@pytest.fixture
def options(scene: Scene) -> Options:
    return Options(scene.store, scene.clock)


def log(scene: Scene) -> list[AuditEntry]:
    """The oldest first."""
    return scene.store.audit.select(AuditFilter(), limit=100)[::-1]


def test_an_option_that_nobody_has_set_has_its_default(options: Options) -> None:
    assert (options.get("tick"), list(options.all())) == (60, ["tick", "mailer", "audit"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tick", 0.5), ("tick", 3600), ("mailer", MAILER), ("mailer", {}), ("mailer", {"sender": "Moneta <moneta@localhost>"}),
        ("mailer", MAILER | {"template": "two\nlines"}), ("audit", AUDIT), ("audit", {"url": None, "headers": None}),
    ],
)  # fmt: skip
def test_an_option_comes_back_as_it_was_set(options: Options, name: str, value: Any) -> None:
    options.set(name, value)

    assert (options.get(name), options.all()[name]) == (value, value)


@pytest.mark.parametrize("name", ["tick", "mailer", "audit"])
def test_a_default_can_be_set(options: Options, name: str) -> None:
    options.set(name, options.get(name))

    options.unset(name)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("tick", "abc", "tick is a text, not a number"),
        ("tick", True, "tick is true or false"),
        ("tick", 0, "tick must be a number of seconds above 0"),
        ("tick", 10**400, "tick must be"),
        ("tick", float("nan"), "tick must be"),
        ("mailer", None, "mailer is null, not an object"),
        ("mailer", {"sender": "nobody"}, "mailer.sender 'nobody' is not an address"),
        ("mailer", {"timezone": "Mars/Olympus"}, "mailer.timezone 'Mars/Olympus' is not known"),
        ("mailer", {"smtpserver": 25}, "mailer.smtpserver is a number, not a text"),
        ("mailer", {"port": 25}, "unknown field 'mailer.port'"),
        ("mailer", {"template": "x" * 70_000}, "mailer.template has 70000 characters"),
        ("audit", [], "audit is a list, not an object"),
        ("audit", {"url": "ftp://x"}, "audit.url 'ftp://x' does not begin with http://"),
        ("audit", {"headers": "x"}, "audit.headers is a text, not an object"),
        ("audit", {"headers": {"A": 1}}, "audit.headers.A is a number, not a text"),
        ("audit", {"headers": {str(number): "x" * 8_000 for number in range(10)}}, "audit has more than 65536 characters"),
    ],
)
def test_a_wrong_value_is_refused_and_changes_nothing(options: Options, name: str, value: Any, fault: str) -> None:
    before = options.get(name)
    with pytest.raises(Invalid) as refused:
        options.set(name, value)

    assert str(refused.value).startswith(fault)
    assert options.get(name) == before


def test_an_option_that_does_not_exist_is_not_found(options: Options) -> None:
    for ask in (lambda: options.get("tock"), lambda: options.set("tock", 1), lambda: options.unset("tock")):
        with pytest.raises(NotFound, match="there is no option 'tock'; there are tick, mailer, audit"):
            ask()


def test_an_option_that_is_unset_has_its_default_again(options: Options) -> None:
    options.set("tick", 30)
    options.unset("tick")

    assert options.get("tick") == 60


def test_an_option_that_is_not_set_cannot_be_unset(options: Options) -> None:
    with pytest.raises(NotFound, match="the option tick is not set"):
        options.unset("tick")


def test_each_change_of_an_option_is_in_the_audit_log(scene: Scene, options: Options) -> None:
    times = [scene.now]
    options.set("tick", 60, by="jo")
    times.append(scene.clock.move(SECOND))
    options.set("tick", 30, by="al")
    times.append(scene.clock.move(SECOND))
    options.unset("tick", by="di")

    assert [(one.kind, one.subject) for one in log(scene)] == [(AuditKind.OPTION, "tick")] * 3
    assert [(one.at, one.by, one.old, one.new) for one in log(scene)] == [
        (times[0], "jo", "", "60"), (times[1], "al", "60", "30"), (times[2], "di", "30", ""),
    ]  # fmt: skip


def test_changes_of_one_moment_are_all_in_the_audit_log(scene: Scene, options: Options) -> None:
    for tick in (10, 20, 30):
        options.set("tick", tick)

    assert sorted(one.new for one in log(scene)) == ["10", "20", "30"]


def test_setting_an_option_to_what_it_is_is_no_change(scene: Scene, options: Options) -> None:
    options.set("tick", 30, by="jo")
    options.set("tick", 30, by="al")

    assert [one.by for one in log(scene)] == ["jo"]


def test_switching_the_execution_is_in_the_audit_log(scene: Scene) -> None:
    cluster = Cluster(scene.store, scene.clock)
    for enabled in (True, False, False, True):
        scene.clock.move(SECOND)
        cluster.switch_execution(enabled=enabled, by="jo")

    assert [(one.subject, one.by, one.old, one.new) for one in log(scene)] == [
        ("execution_enabled", "jo", "true", "false"), ("execution_enabled", "jo", "false", "true"),
    ]  # fmt: skip


class _Overtaken:
    """A store in which somebody else switches execution right before."""

    def __init__(self, scene: Scene, other: Callable[[], object]) -> None:
        self._store = scene.store
        self._other = other
        self.nodes = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def switch_execution(self, *, enabled: bool) -> bool:
        self._other()
        return self._store.nodes.switch_execution(enabled=enabled)


def test_who_switches_execution_back_that_another_one_has_just_switched_is_in_the_audit_log(scene: Scene) -> None:
    al = Cluster(scene.store, scene.clock)
    jo = Cluster(cast(Any, _Overtaken(scene, lambda: al.switch_execution(enabled=False, by="al"))), scene.clock)
    jo.switch_execution(enabled=True, by="jo")

    assert sorted((one.by, one.new) for one in log(scene)) == [("al", "false"), ("jo", "true")]
