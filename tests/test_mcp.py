"""`neat mcp` spoken to by the official client: each tool answers as the command of its name, a mistake is an answer too."""

from __future__ import annotations

import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import anyio
import pytest

from neatd.kinds import KINDS
from neatd.mcp.fitting import MOST
from neatd.mcp.tools import INSTRUCTIONS, TOOLS
from neatd.mcp.tools import KINDS as LOGGED
from tests.cli_place import Cli
from tests.conftest import bind_root_to_permissions
from tests.mcp_made import Said, Tools, lines, registered, with_tools, with_tools_here
from tests.test_light import loaded

NAMES = ["brief", "search", "get", "log", "update", "runs", "compare", "check"]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return registered(Cli(tmp_path, monkeypatch, capsys))


def call(cli: Cli, tool: str, *, cwd: Path, env: dict[str, str], **given: Any) -> Said:
    """One tool of a server of its own."""

    async def use(tools: Tools) -> Said:
        return await tools(tool, **given)

    answer: Said = with_tools(cli, use, cwd=cwd, **env)
    return answer


def call_here(cli: Cli, tool: str, *, client: str = "claude-code", **given: Any) -> Said:
    """One tool of the server in this process."""

    async def use(tools: Tools) -> Said:
        return await tools(tool, **given)

    answer: Said = with_tools_here(cli, use, name=client)
    return answer


def test_there_are_eight_tools_and_they_cost_little(cli: Cli) -> None:
    """The whole list is under 2,000 tokens at 3.5 characters each; what is cut at 2 KB is shorter."""

    async def use(tools: Tools) -> Any:
        return (await tools.client.list_tools()).model_dump(by_alias=True, exclude_none=True, mode="json")

    listed = with_tools(cli, use)["tools"]
    assert [one["name"] for one in listed] == NAMES
    assert len(json.dumps(listed, ensure_ascii=False, separators=(",", ":"))) / 3.5 < 1400
    assert all(len(one["description"].encode()) < 2048 for one in listed) and len(INSTRUCTIONS.encode()) < 2048
    assert all(one["inputSchema"]["additionalProperties"] is False for one in listed)
    read_only = [one["name"] for one in listed if one["annotations"].get("readOnlyHint")]
    assert read_only == ["brief", "search", "get", "runs", "compare", "check"]
    assert {
        one["name"]: one["annotations"].get("destructiveHint") for one in listed if one["name"] not in read_only
    } == {
        "log": False,
        "update": True,
    }


def test_what_is_read_is_what_the_commands_print(cli: Cli) -> None:
    """brief, search, get, runs, compare and check give the very text of `neat brief` and of the others' --json."""
    cli.add_run("runs/a", {"val/loss": [2.0, 1.5], "loss": [3.0, 2.0]}, config={"lr": 0.1, "batch": 8})
    cli.add_run("runs/b", {"val/loss": [2.0, 1.2], "loss": [3.0, 1.0]}, config={"lr": 0.2, "batch": 8})
    decision = cli.keep("decide", "a low rate", "--why", "it spikes — above", "--tag", "rate")
    cli.ok("edit", decision, "why=it spikes")
    asked: list[tuple[tuple[str, ...], str, dict[str, Any]]] = [
        (("search", "rate", "--json"), "search", {"query": "rate"}),
        (("search", "kind:decision", "--limit", "1", "--json"), "search", {"query": "kind:decision", "limit": 1}),
        (("show", decision, "--json"), "get", {"id": decision[:6]}),
        (("run", "show", "b", "--json"), "get", {"id": "b"}),
        (("runs", "--json"), "runs", {}),
        (("runs", "runs/a", "--json"), "runs", {"filter": "runs/a"}),
        (("compare", "a", "b", "--json"), "compare", {"runs": ["a", "b"]}),
        (("check", "--json", "--", "python", "t.py", "--lr", "0.1", "--batch", "8"), "check",
         {"command": "python t.py --lr 0.1 --batch 8"}),
        (("brief",), "brief", {}),
        (("brief", "--budget", "300"), "brief", {"budget": 300}),
    ]  # fmt: skip

    async def use(tools: Tools) -> list[Said]:
        return [await tools(tool, **given) for _, tool, given in asked]

    for (words, _, _), said in zip(asked, with_tools_here(cli, use), strict=True):
        assert not said.is_error and _timeless(said.text) == _timeless(cli.ok(*words)), words


def _timeless(text: str) -> str:
    """The text but for its last line break and for what a minute changes in a brief."""
    lines = [line for line in text.strip().splitlines() if not line.startswith("Written ")]
    return "\n".join(lines).replace("1 min ago", "just now")


def test_every_kind_that_a_command_keeps_can_be_logged(cli: Cli) -> None:
    """The tool's kinds are the table's, but for those that neat makes itself and the sessions it sees."""
    assert set(LOGGED) == set(KINDS) - {"test", "data", "handoff", "session"}

    async def use(tools: Tools) -> list[Said]:
        return [await tools("log", kind=kind, text=f"a {kind}\nand more of it") for kind in LOGGED]

    for kind, said in zip(LOGGED, with_tools_here(cli, use), strict=True):
        shown = cli.json("show", said.json["id"])
        assert (shown["kind"], shown["title"], shown["source"]) == (kind, f"a {kind}", "claude-code")
        assert shown["body"] == f"a {kind}\nand more of it" and said.json["inbox"] is None


def test_a_logged_record_is_the_one_that_the_command_keeps(cli: Cli) -> None:
    """The same fields give the same record, evidence and conditions looked up; only who said it differs."""
    cli.add_run("runs/a", {"val/loss": [2.0, 1.5]})
    (cli.root / "base.yaml").write_text("lr: 1\n")
    options = [
        "--tag",
        "x",
        "--alternative",
        "p, q",
        "--alternative",
        "r",
        "--why",
        "because",
        "--evidence",
        "a:val/loss@2",
    ]
    typed = cli.keep("decide", "d", *options, "--valid-while", "file base.yaml")
    fields = {"tags": ["x"], "alternative": ["p, q", "r"], "why": "because", "evidence": ["a:val/loss@2"]}
    decision = {"kind": "decision", "text": "d", "fields": {**fields, "valid-while": "file base.yaml"}}
    trial = {
        "kind": "experiment",
        "text": "e",
        "fields": {"metric": "loss", "value": 2, "params": {"lr": 0.1, "opt": "sgd"}},
    }

    async def use(tools: Tools) -> list[Said]:
        return [await tools("log", **given) for given in (decision, trial)]

    said = [one.json["id"] for one in with_tools_here(cli, use)]
    own = ("id", "source", "created_at", "updated_at", "history")
    records = [{k: v for k, v in cli.json("show", one).items() if k not in own} for one in (typed, said[0])]
    for record in records:
        record["evidence"][0].pop("at")
    assert records[0] == records[1] and records[0]["evidence"][0]["value"] == 1.5
    assert cli.json("show", said[1])["params"] == {"lr": 0.1, "opt": "sgd"}


def test_tasks_are_logged_in_their_order(cli: Cli) -> None:
    """top, after and parent are as on the command line."""

    async def use(tools: Tools) -> list[str]:
        first = (await tools("log", kind="task", text="first")).json["id"]
        await tools("log", kind="task", text="last")
        await tools("log", kind="task", text="then", fields={"after": first[:9], "horizon": "week"})
        await tools("log", kind="task", text="before all", fields={"top": True})
        both = await tools("log", kind="task", text="x", fields={"top": True, "after": first})
        return [both.text]

    assert with_tools_here(cli, use) == ["error: top and after exclude each other\nhint: leave out all but one"]
    assert [one["title"] for one in cli.json("list", "task")] == ["before all", "first", "then", "last"]


@pytest.mark.parametrize(
    ("client", "source"),
    [("claude-code", "claude-code"), ("codex-mcp-client", "codex"), ("Cursor", "cursor"), ("My *new* Tool", "my-new-tool"),
     ("→", "assistant")],
)  # fmt: skip
def test_a_record_bears_the_name_of_its_assistant(cli: Cli, client: str, source: str) -> None:
    """As the client called itself; the known ones by the names that hooks give them."""
    said = call_here(cli, "log", client=client, kind="note", text="n")
    assert cli.json("show", said.json["id"])["source"] == source


def test_the_newest_protocol_is_spoken_too(cli: Cli) -> None:
    """Without a handshake, as clients of 2026 do; the assistant's name still comes along."""

    async def use(tools: Tools) -> Said:
        assert [tool.name for tool in (await tools.client.list_tools()).tools] == NAMES
        return await tools("log", kind="note", text="n")

    said = with_tools(cli, use, name="codex", mode="auto", is_ours=True)
    assert cli.json("show", said.json["id"])["source"] == "codex"


def test_an_update_is_an_edit_a_close_or_a_link(cli: Cli) -> None:
    """Each gives the JSON of its command, and the store holds what it says."""
    first, second, task = cli.keep("decide", "one"), cli.keep("decide", "two", "--tag", "old"), cli.keep("task", "t")

    async def use(tools: Tools) -> list[Said]:
        return [
            await tools("update", id=first, fields={"why": "it spikes", "tags": ["a", "b"], "alternative": ["p", "q"]}),
            await tools("update", id=second, fields={"tags": []}),
            await tools("update", id=task, close=True, outcome="done well"),
            await tools("update", id=second, relation="supersedes", to=first),
            await tools("update", id=second, relation="supersedes", to=first),
            await tools("update", id=second, relation="supersedes", to=first, remove=True),
        ]

    said = with_tools_here(cli, use)
    edited, emptied, closed = (one.json for one in said[:3])
    shown = cli.json("show", first)
    assert (edited["why"], edited["tags"], edited["alternative"]) == ("it spikes", ["a", "b"], ["p", "q"])
    assert {**edited, "updated_at": shown["updated_at"]}.items() <= shown.items()
    assert emptied["tags"] == [] and (closed["status"], closed["body"]) == ("done", "done well")
    assert [one.json["changed"] for one in said[3:]] == [True, False, True] and shown["status"] == "open"
    assert {change["who"] for change in shown["history"][1:]} == {"claude-code"}


WRONG_FIELDS = (
    ({"why": {"a": 1}}, "why of a decision is a text"), ({"status": ["a"]}, "status of a decision is a text"),
    ({"tags": [1]}, "tags of a decision is a list of texts"), ({"fix": "x"}, "not a field of a decision: 'fix=x'"),
    ({"title": ""}, "a decision without a title"), ({"supersedes": "d-zzzz"}, "no decision with the id 'd-zzzz'"),
)  # fmt: skip


def test_a_field_that_cannot_be_so_changes_nothing(cli: Cli) -> None:
    """The field is named, and the record stays what it was."""
    made = cli.keep("decide", "one")
    before = cli.json("show", made)

    async def use(tools: Tools) -> list[Said]:
        return [await tools("update", id=made, fields={"context": "new", **fields}) for fields, _ in WRONG_FIELDS]

    for (fields, words), said in zip(WRONG_FIELDS, with_tools_here(cli, use), strict=True):
        assert said.is_error and words in said.text, (fields, said)
    assert cli.json("show", made) == before


def test_a_closed_task_ticks_the_plan(cli: Cli) -> None:
    """As `neat close` does; a plan that cannot be read is a note beside the answer."""
    (cli.root / "PLAN.md").write_text("- [ ] write it\n")
    with (cli.root / "neat.yaml").open("a") as file:
        file.write("plan: PLAN.md\n")
    task = cli.json("list", "task")[0]["id"]
    assert call_here(cli, "update", id=task, close=True).notes == ()
    assert (cli.root / "PLAN.md").read_text() == "- [x] write it\n"
    (cli.root / "PLAN.md").unlink()
    assert "cannot be read" in call_here(cli, "update", id=task, fields={"status": "open"}).notes[0]


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("nope", {}, "no tool 'nope'"),
    ("brief", {"size": 1}, "brief takes no argument 'size'"),
    ("brief", {"budget": 10}, "brief: budget is at least 200, not 10"),
    ("brief", {"budget": True}, "brief: budget is a whole number, not True"),
    ("search", {}, "search: query is missing"),
    ("search", {"query": "x", "limit": 10**30}, "search: limit is at most 1000000"),
    ("search", {"query": " "}, "nothing to search for"),
    ("search", {"query": "kind:x"}, "no kind 'x'"),
    ("get", {"id": 1}, "get: id is a text, not 1"),
    ("get", {"id": "d-zzzz"}, "no decision with the id 'd-zzzz'"),
    ("log", {"kind": "x", "text": "y"}, "log: kind is one of note, decision"),
    ("log", {"kind": "note", "text": " "}, "a note without words"),
    ("log", {"kind": "note", "text": "x", "fields": {"why": "y"}}, "a note has no field 'why'"),
    ("log", {"kind": "task", "text": "x", "fields": {"position": 1}}, "a task has no field 'position'"),
    ("log", {"kind": "bug", "text": "x", "fields": {"file": [1]}}, "file of a bug is a list of texts, not '[1]'"),
    ("log", {"kind": "insight", "text": "x", "fields": {"forever": "no"}}, "forever of a insight is true or false"),
    ("log", {"kind": "task", "text": "x", "fields": {"horizon": "soon"}}, "not a horizon: 'soon'"),
    ("log", {"kind": "decision", "text": "x", "fields": {"evidence": ["nope:loss"]}}, "nope"),
    ("log", {"kind": "hypothesis", "text": "x", "fields": {"run": "a", "study": "b"}}, "run, study and experiment exclude"),
    ("update", {"id": "d-1"}, "update: no change"),
    ("update", {"id": "d-1", "close": True, "fields": {"why": "x"}}, "update: edit and close at once"),
    ("update", {"id": "d-1", "to": "d-2"}, "update: relation is missing"),
    ("update", {"id": "r-1", "close": True}, "no run with the id 'r-1'"),
    ("compare", {"runs": ["a"]}, "compare: runs is 2 or more"),
    ("compare", {"runs": ["a", "b"]}, "no run 'a'"),
    ("check", {"command": "python 'x"}, "check: command cannot be taken apart"),
    ("check", {"command": " "}, "check: command is empty"),
]  # fmt: skip


def test_a_mistake_is_an_answer_that_says_what_to_do(cli: Cli) -> None:
    """Every one names what is wrong, has a hint, is no traceback, and keeps nothing."""

    async def use(tools: Tools) -> list[Said]:
        return [await tools(tool, **given) for tool, given, _ in MISTAKES]

    for (tool, given, words), said in zip(MISTAKES, with_tools_here(cli, use), strict=True):
        assert said.is_error and said.text.startswith("error: ") and words in said.text, (tool, given, said)
        assert "\nhint: " in said.text and "Traceback" not in said.text, said
    assert [one for one in cli.json("list") if one["kind"] != "session"] == []


def test_a_broken_store_is_an_answer_too(cli: Cli) -> None:
    """What SQLite says is passed on with what to do, and the server goes on."""
    cli.keep("note", "x")
    with cli.store() as store:
        store.execute("DROP TABLE note")

    async def use(tools: Tools) -> list[Said]:
        return [await tools("log", kind="note", text="x"), await tools("search", query="kind:decision")]

    failed, worked = with_tools_here(cli, use)
    assert failed.is_error and "no such table: note" in failed.text and "\nhint: " in failed.text
    assert worked.json == []


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are others there")
def test_a_store_that_can_only_be_read_is_read_and_what_is_kept_lies_in_the_inbox(cli: Cli) -> None:
    """As in a sandbox: a record is left for the daemon, a change is refused, reading works."""
    note = cli.keep("note", "known")
    for path in (*cli.home.iterdir(), cli.home):
        path.chmod(0o500 if path.is_dir() else 0o400)
    with lines(cli, preexec_fn=bind_root_to_permissions) as server:
        server.begin()
        kept = server.call("log", kind="note", text="new")
        changed = server.call("update", id=note, close=True)
        found = server.call("search", query="known")
    assert Path(json.loads(kept["content"][0]["text"])["inbox"]).is_file()
    assert changed["isError"] and "can only be read here" in changed["content"][0]["text"]
    assert json.loads(found["content"][0]["text"])[0]["id"] == note


def test_the_project_is_the_one_that_claude_code_names(cli: Cli, tmp_path: Path) -> None:
    """CLAUDE_PROJECT_DIR where it is an absolute path, else the working folder; a subfolder is in its project."""
    cli.keep("note", "here")
    inside, outside = cli.root / "src", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    assert len(call(cli, "search", query="here", cwd=outside, env={"CLAUDE_PROJECT_DIR": str(inside)}).json) == 1
    assert len(call(cli, "search", query="here", cwd=inside, env={"CLAUDE_PROJECT_DIR": "outside"}).json) == 1


def test_a_project_is_found_once_it_is_set_up(cli: Cli, tmp_path: Path) -> None:
    """Before, every tool says `neat init`; the same server works right after."""
    folder = tmp_path / "new"
    folder.mkdir()
    given: dict[str, dict[str, Any]] = {
        "brief": {}, "search": {"query": "x"}, "get": {"id": "d-1"}, "log": {"kind": "note", "text": "x"},
        "update": {"id": "d-1", "close": True}, "runs": {}, "compare": {"runs": ["a", "b"]}, "check": {"command": "x"},
    }  # fmt: skip

    async def use(tools: Tools) -> Said:
        for tool in TOOLS:
            said = await tools(tool, **given[tool])
            assert said.is_error and "no neat.yaml in" in said.text and "`neat init`" in said.text, said
        await anyio.Path(folder / "neat.yaml").write_text(f'id: "{uuid.uuid4()}"\n')
        return await tools("log", kind="note", text="x")

    assert with_tools(cli, use, cwd=folder).json["id"].startswith("n-")


def test_a_long_answer_is_cut_and_says_how_to_see_more(cli: Cli) -> None:
    """A list loses whole items and stays JSON, a text ends; either says so beside it."""
    for number in range(120):
        cli.add_run(f"runs/{number:03}", {}, reason="a long reason " * 20)
    note = cli.keep("note", "long\n" + "many words " * 4000)

    async def use(tools: Tools) -> list[Said]:
        return [await tools("runs", limit=5), await tools("runs", limit=120), await tools("get", id=note)]

    few, many, long = with_tools_here(cli, use)
    assert len(few.json) == 5 and few.notes[0] == "note: 115 more: limit=120 shows all"
    assert 5 < len(many.json) < 120 and "more: a narrower question" in many.notes[0]
    assert long.notes[0].startswith("note: cut: ") and f"`neat show {note} --json`" in long.notes[0]
    for said in (few, many, long):
        assert sum(map(len, (said.text, *said.notes))) <= MOST
    assert [one["name"] for one in many.json] == [one["name"] for one in cli.json("runs")][: len(many.json)]


def test_what_may_be_old_is_said_beside_it(cli: Cli) -> None:
    """Without a daemon the runs come with the note that the command prints on stderr."""
    assert "neatd is not running" in call_here(cli, "runs").notes[0]


def test_two_servers_that_write_at_once_lose_nothing(cli: Cli) -> None:
    """Every record of both is there."""
    cli.keep("note", "first")

    async def use(tools: Tools) -> None:
        async def log(number: int) -> None:
            assert not (await tools("log", kind="note", text=f"{tools.client.client_info.name} {number}")).is_error

        async with anyio.create_task_group() as group:
            for number in range(15):
                group.start_soon(log, number)

    async def both() -> None:
        async with anyio.create_task_group() as group:
            for name in ("one", "two"):
                group.start_soon(anyio.to_thread.run_sync, lambda name=name: with_tools(cli, use, name=name))

    anyio.run(both)
    titles = {one["title"] for one in cli.json("list", "note")}
    assert titles == {"first", *(f"{name} {number}" for name in ("one", "two") for number in range(15))}


def test_starting_a_server_loads_no_library_of_ours() -> None:
    """Models, templates, YAML and git come with the first call that needs them; the SDK is enough to wait for."""
    found = loaded("import neatd.mcp.server")
    assert "mcp" in found and not found & {
        "jinja2",
        "yaml",
        "git",
        "sqlite_utils",
        "detect_secrets",
        "psutil",
        "neatd.models",
    }
    assert not any(name.startswith(("neatd.pipeline.gathering", "neatd.store.records")) for name in found)


def test_a_text_that_is_too_long_is_refused_at_once(cli: Cli) -> None:
    """A command line is taken apart letter by letter; other texts have more room, together with those beside them."""
    with lines(cli) as server:
        server.begin()
        for tool, given, most in (
            ("check", {"command": "x " * 2_000_000}, "65,536"),
            ("search", {"query": "x" * 1_000_001}, "1,000,000"),
            ("log", {"kind": "note", "text": "x", "fields": {"tags": ["x" * 600_000] * 2}}, "1,000,000"),
            ("compare", {"runs": ["x" * 600_000] * 2}, "1,000,000"),
        ):
            begun = time.monotonic()
            answer = server.call(tool, **given)
            assert answer["isError"] and f"{most} are taken" in answer["content"][0]["text"], answer
            assert time.monotonic() - begun < 20
        assert not server.call("check", command="python train.py " + "--x 1 " * 10_000).get("isError")
