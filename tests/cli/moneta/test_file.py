"""Files with Moneta's configuration: what is understood, and what is said of those that are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coal_mine.background.backup_file import as_json, as_yaml
from coal_mine.cli.moneta.file import MonetaFile, read_file
from coal_mine.domain.errors import Invalid

TASK = {
    "name": "é",
    "tags": ["2026-11-22T10:00:00", "yes"],
    "env": {"N": "012"},
    "schedules": [{"minute": ["*/5"]}, None],
    "concurrency": 1,
}
CONFIG = {"tasks": {"1e5": TASK, "0123": TASK}, "tick": 60, "mailer": {"smtpserver": "mail:25"}, "audit": {"headers": None}}
READ = MonetaFile({"1e5": TASK, "0123": TASK}, {name: CONFIG[name] for name in ("tick", "mailer", "audit")})


def complaint(text: str | bytes, name: str = "m.json") -> str:
    with pytest.raises(Invalid) as refusal:
        read_file(name, text if isinstance(text, bytes) else text.encode())
    return str(refusal.value)


@pytest.mark.parametrize("form", [as_json, as_yaml])
def test_what_the_server_writes_is_read_as_it_is(form: Any) -> None:
    assert read_file("m", form(CONFIG)) == READ


@pytest.mark.parametrize("name", ["m.json", "m.yaml", "m", "-"])
def test_the_name_of_a_file_does_not_decide_what_it_is(name: str) -> None:
    assert read_file(name, json.dumps(CONFIG).encode()) == read_file(name, as_yaml(CONFIG)) == READ


def test_what_windows_puts_before_a_text_is_passed_over() -> None:
    assert read_file("m.json", b"\xef\xbb\xbf" + json.dumps(CONFIG).encode()) == READ


def test_the_answer_to_get_tasks_is_read_too() -> None:
    assert read_file("m.json", json.dumps(CONFIG["tasks"]).encode()) == MonetaFile({"1e5": TASK, "0123": TASK})


def test_a_file_of_options_alone_is_read() -> None:
    assert read_file("m.json", b'{"mailer": {"timezone": "UTC"}}') == MonetaFile({}, {"mailer": {"timezone": "UTC"}})


def test_a_member_that_nobody_knows_is_left_for_the_server_to_judge() -> None:
    assert read_file("m.json", b'{"tasks": {}, "own": 1}').options == {"own": 1}


def test_no_tasks_are_none() -> None:
    assert read_file("m.yaml", b"tasks:\ntick: 60\n") == MonetaFile({}, {"tick": 60})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-22", "2026-11-22"),
        ("2026-11-22 10:00:00+00:00", "2026-11-22 10:00:00+00:00"),
        ("!!timestamp '2026-11-22'", "2026-11-22"),
        ("!!python/unicode 'é'", "é"),
        ("!!python/str x", "x"),
        ("[{minute: [1-5, '*']}]", [{"minute": ["1-5", "*"]}]),
        ("{minute: 5}", {"minute": 5}),
        ("no", False),
    ],
)
def test_a_value_in_yaml_is_as_moneta_meant_it(text: str, value: object) -> None:
    assert read_file("m.yaml", f"tasks: {{a: {{x: {text}}}}}".encode()).tasks == {"a": {"x": value}}


def test_keys_in_yaml_are_texts_as_they_are_written() -> None:
    keys = ["012", "0x1f", "1e5", "12", "on", "null", "2026", "'quoted'"]
    text = "tasks:\n" + "".join(f"  {key}: {{}}\n" for key in keys)

    assert list(read_file("m.yaml", text.encode()).tasks) == [key.strip("'") for key in keys]


def test_aliases_and_merges_in_yaml_are_followed() -> None:
    text = "tasks:\n  a: &a {user: me, pools: &id001 [web]}\n  b: {<<: *a, user: you}\n  c: {pools: *id001}\n"

    assert read_file("m.yaml", text.encode()).tasks["b"] == {"user": "you", "pools": ["web"]}
    assert read_file("m.yaml", text.encode()).tasks["c"] == {"pools": ["web"]}


def test_a_yaml_file_that_begins_with_a_brace_is_yaml() -> None:
    assert read_file("m.yaml", b"{tasks: {a: {name: x}}}").tasks == {"a": {"name": "x"}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"tasks": {\n"a": {,}}}', "m.json: line 2, column 7: Expecting property name enclosed in double quotes"),
        ('{"tasks": {"a": {"name": "x", "user": "y", "name": "z"}}}', "m.json: tasks.a.name is given twice"),
        ('{"tasks": {"a": {}, "a": {}}}', "m.json: tasks.a is given twice"),
        ('{"tasks": {}, "tasks": {}}', "m.json: tasks is given twice"),
        ('{"tasks": {"a": {"schedules": [1, {"b": 1, "b": 2}]}}}', "m.json: tasks.a.schedules.2.b is given twice"),
        ('{"tick": NaN}', "m.json: NaN is no number in JSON"),
        ('{"tick": 1e999}', "m.json: tick is inf, which cannot be said in JSON"),
        ('{"tasks": []}', "m.json: tasks is no object: it has the tasks by their ids"),
        ('{"tasks": [1]}', "m.json: tasks is no object: it has the tasks by their ids"),
        ("{}", "m.json: no configuration of Moneta: there is neither the member tasks nor any option"),
        ('{"name": "x"}', "m.json: no configuration of Moneta: there is neither the member tasks nor any option"),
        ("[]", "m.json: no configuration of Moneta: an object with the member tasks is needed"),
        ("", "m.json: no configuration of Moneta: an object with the member tasks is needed"),
        (b"\xff\xfe", "m.json: byte 1 is no UTF-8 text"),
        ('{"tasks": ' * 50_000, "m.json: more than 100 levels deep"),
        ('{"tasks": {"a": ' + "[" * 200 + "]" * 200 + "}}", "m.json: more than 100 levels deep"),
    ],
)
def test_a_mistake_in_json_is_said_with_its_place(text: str | bytes, said: str) -> None:
    assert complaint(text).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks:\n  a:\n    name: x\n    user: y\n    name: z\n", "m.yaml: line 5, column 5: 'name' is given twice"),
        ("tasks:\n  a: {}\n  a: {}\n", "m.yaml: line 3, column 3: 'a' is given twice"),
        ("tasks:\n\ta: {}\n", "m.yaml: line 2, column 1: found character that cannot start any token"),
        ("tasks: {a: [1}", "m.yaml: line 1, column 14: "),
        ("tasks: {a: {x: !!python/object/apply:os.system ['true']}}", "m.yaml: line 1, column 16: could not determine a constructor"),
        ("tasks: {a: {x: !!binary aGk=}}", "m.yaml: tasks.a.x is b'hi', which cannot be said in JSON"),
        ("tasks: {a: {x: .inf}}", "m.yaml: tasks.a.x is inf, which cannot be said in JSON"),
        ("tasks: {a: {x: !!set {b}}}", "m.yaml: tasks.a.x is {'b'}, which cannot be said in JSON"),
        ("tasks: {a: {x: !!int '0b'}}", "m.yaml: "),
        ("tasks: {[a]: 1}", "m.yaml: line 1, column 9: a key is no text"),
        ("--- {tasks: {}}\n--- {tasks: {}}\n", "m.yaml: line 2, column 1: but found another document"),
        ("tasks: &a {a: *a}", "m.yaml: more than 100 levels deep"),
        ("tasks: \x01", "m.yaml: "),
        ("tasks: {a: *b}", "m.yaml: line 1, column 12: found undefined alias"),
        ("tasks:\n  " + "- " * 200_000, "m.yaml: more than 100 levels deep"),
        ("tasks:\n  " + "{a: " * 200_000, "m.yaml: more than 100 levels deep"),
    ],
)
def test_a_mistake_in_yaml_is_said_with_its_place(text: str, said: str) -> None:
    assert complaint(text, "m.yaml").startswith(said)


def test_a_mistake_in_json_is_told_as_such_unless_the_file_is_called_yaml() -> None:
    assert "Expecting" in complaint("{tasks: ")
    assert "Expecting" not in complaint("{tasks: ", "m.yaml")


def test_a_small_file_that_stands_for_a_huge_one_is_refused() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    assert "aliases of aliases" in complaint("\n".join(lines), "m.yaml")


def test_merges_of_merges_that_stand_for_a_huge_file_are_refused() -> None:
    lines = ["a0: &a0 {x: 1}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 7)]

    assert "merges of merges stand for far more than the file has" in complaint("\n".join(lines), "m.yaml")


def test_a_mapping_that_was_merged_before_its_turn_came_is_read_as_it_is_written() -> None:
    text = "z: &z {n: 0, m: 0}\ntasks:\n  a: {env: {deep: &b {<<: *z, n: 1}}}\n  c: {<<: *b}\n"
    tasks = read_file("m.yaml", text.encode()).tasks

    assert (tasks["a"], tasks["c"]) == ({"env": {"deep": {"n": 1, "m": 0}}}, {"n": 1, "m": 0})
