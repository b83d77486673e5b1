"""Upkeep in a real browser, with a real daemon and real checkpoints: what the page asks for happens, and is asked first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from neatd import control
from tests.cli_place import user_home
from tests.conftest import Neat, until
from tests.page.checks import check_page, opened
from tests.projects_made import put_project

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SAVES = range(1, 9)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neat]:
    """A project with two runs of eight saves each, of which the policy keeps less than half; its daemon has seen them."""
    base = tmp_path_factory.mktemp("kept")
    neat = Neat(base)
    neat.settings(sweep_s=0.2, checkpoint_rest_s=0.3)
    assert put_project(neat.root, neat.home, user_home(base))
    with (neat.root / "neat.yaml").open("a") as file:
        file.write("retention: {newest: 2, half: 0, every_steps: 0}\n")
    for run in ("runs/a", "runs/b"):
        neat.metrics(run, *({"step": step, "lr": 0.1} for step in SAVES))  # no value is the best: no snapshots
        for step in SAVES:
            path = neat.root / run / "checkpoints" / f"step_{step:06d}.pt"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(bytes([step]) * 1000)
    neat.start()
    until(
        lambda: sum(len(one["keep"]) + len(one["delete"]) for one in neat.json("neat", "retention", "plan")) == 16, "16"
    )
    yield neat
    control.stop(neat.home)


def url(neat: Neat) -> str:
    return str(json.loads((neat.home / "neatd.json").read_text())["url"])


def files(neat: Neat, run: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (neat.root / run / "checkpoints").glob("*.pt")}


def post(neat: Neat, path: str, body: Any, token: str = "") -> tuple[int, Any]:
    """Status and answer of a POST."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    asked = Request(f"{url(neat)}/api/{path}", json.dumps(body).encode(), headers)
    try:
        with urlopen(asked) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


def token(neat: Neat) -> str:
    with urlopen(f"{url(neat)}/maintenance") as answer:
        found = re.search(r'name="neat-token" content="([^"]+)"', answer.read().decode())
    assert found
    return found[1]


def test_a_plan_is_applied_and_undone_by_the_buttons(browser: Browser, kept: Neat) -> None:
    """The question says count and bytes; more than half wants a second yes; nothing goes before, what goes is in the trash,
    and Undo brings it back to the byte. A job of maintenance runs now, and its result is said."""
    before = files(kept, "runs/a")
    plan = next(one for one in kept.json("neat", "retention", "plan") if one["name"] == "runs/a")
    gone = {Path(one["path"]).name for one in plan["delete"]}
    assert plan["needs_yes"] and gone
    with opened(browser, f"{url(kept)}/maintenance") as page:
        row = page.locator(f"#plan-{plan['run']}")
        row.get_by_role("button", name="Apply").click()
        question = page.get_by_role("dialog")
        action = question.get_by_role("button", name="Move")
        assert str(len(gone)) in action.inner_text() and "6.0 kB" in action.inner_text() and action.is_disabled()
        check_page(page)
        question.get_by_role("button", name="Cancel").click()
        row.get_by_role("button", name="Apply").click()
        page.get_by_role("checkbox").check()
        assert files(kept, "runs/a") == before
        action.click()
        page.locator("#plan-said", has_text=f"{len(gone)} checkpoints in the trash").wait_for()
        assert set(files(kept, "runs/a")) == set(before) - gone and len(files(kept, "runs/b")) == len(before)
        (batch,) = {one["batch"] for one in kept.json("neat", "retention", "undo", "--list")}
        page.locator(f"[id='batch-{batch}']").get_by_role("button", name="Undo").click()
        page.locator("#trash-said", has_text=f"{len(gone)} checkpoints back").wait_for()
        assert files(kept, "runs/a") == before
        page.get_by_role("button", name="Run now: backup").click()
        page.locator("#schedule-said", has_text="backup done").wait_for()
        assert (
            page.locator("#trash-said").inner_text() == ""
        )  # what was done before is not said beside what is done now
        (last,) = [one["last"] for one in kept.json("neat", "schedule") if one["job"] == "backup"]
        assert last["cause"] == "asked" and Path(last["details"]["file"]).is_file()
        page.locator(".panel", has=page.locator("#doctor-title")).get_by_text("in order").first.wait_for()
        page.set_viewport_size({"width": 375, "height": 800})
        page.emulate_media(color_scheme="dark")
        page.locator("summary", has_text="What goes").first.click()
        check_page(page)


def test_the_api_asks_what_the_commands_ask(kept: Neat) -> None:
    """Nothing without the token, no more than half without yes, no job, batch, run or request that is not there; and a word
    of an address is never a path."""
    shown = token(kept)
    project = kept.json("neat", "retention", "plan")[0]
    assert post(kept, "maintain", {"job": "backup"})[0] == 401
    assert post(kept, "maintain", {"job": "backup"}, "wrong")[0] == 401
    code, answer = post(kept, "retention/apply", {}, shown)
    assert code == 400 and "more than half" in answer["error"] and "--yes" in answer["hint"]
    code, answer = post(kept, "maintain", {"job": "../../x; rm -rf /"}, shown)
    assert code == 400 and "no job" in answer["error"] and "backup" in answer["hint"]
    assert post(kept, "retention/undo", {"batch": "../.."}, shown)[0] == 400
    assert post(kept, "retention/undo", {"batch": ""}, shown)[0] == 422
    assert post(kept, "retention/apply", {"run": "../runs"}, shown)[0] == 404
    assert post(kept, "maintain", {"job": "backup", "folder": "/"}, shown)[0] == 422
    for word in ("j-none", "j", "..%2f..%2fx", "j-%25"):
        assert post(kept, f"jobs/{word}/stop", {}, shown)[0] in (404, 422), word
    assert len(files(kept, project["name"])) == len(SAVES)


def test_a_job_is_stopped_as_by_neat_stop(browser: Browser, kept: Neat) -> None:
    """By a button of the overview, which asks first: one that runs ends by a signal. Asked again by a program, it says that
    it has ended."""
    shown = token(kept)
    _, out, _ = kept.ask("neat", "launch", "--json", "--name", "long", "--", "sleep", "600")
    job = str(json.loads(out)["job"])
    until(lambda: kept.json("neat", "show", job)["status"] == "running", "it")
    with opened(browser, url(kept)) as page:
        page.get_by_role("button", name="Stop: end the job long").click()
        page.get_by_role("dialog").get_by_role("button", name="End it").click()
        said = page.locator("#queue-said")
        said.get_by_text(re.compile("long: (killed|cancelled|interrupted|failed)")).wait_for()
        check_page(page, with_rules=False)
    assert kept.json("neat", "show", job)["status"] in ("killed", "cancelled", "interrupted", "failed")
    code, answer = post(kept, f"jobs/{job}/stop", {}, shown)
    assert code == 400 and "has ended" in answer["error"]
