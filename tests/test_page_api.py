"""The API as programs read it: each answer is what /openapi.json says, no question makes it fail, no answer holds a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import TypeAdapter
from schemathesis import checks
from starlette.testclient import TestClient

from neatd.place import here
from neatd.store import ingest, requests
from neatd.web.api.every import PARTS
from neatd.web.app import make_app
from neatd.web.guard import FILES, SHELLS
from neatd.web.page import Page
from neatd.web.pages import VIEWS, routes
from neatd.web.shapes import Told
from tests.cli_place import Cli
from tests.test_planted_secrets import found_in, plant_records, plant_run

HERE = "http://127.0.0.1:7777"
STREAM = "/api/stream"  # has no end: tests/page/ reads it
EXAMPLES = 6
CHECKS = [
    checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_schema_conformance,
]  # fmt: skip


@schemathesis.serializer("application/x-ndjson")
def as_lines(_: Any, value: Any) -> bytes:
    """Whatever was made for it."""
    return str(value).encode("utf-8", "replace")


class Asked(NamedTuple):
    """The application, one who may ask it, and ids of what is in its store."""

    app: Any
    client: TestClient
    ids: dict[str, str]
    machine: str  # the token of a machine that sends lines


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Asked]:
    """A store in which every text is a secret, behind the page."""
    with pytest.MonkeyPatch.context() as patch:
        cli = Cli(tmp_path_factory.mktemp("api"), patch, _Silent())  # type: ignore[arg-type]
        cli.init()
        records, run = plant_records(cli), plant_run(cli)
        cli.add_run("runs/b", {"loss": [float("nan"), 2.0, float("inf")], "val/loss": [1.0]})
        with cli.store() as store:
            one = requests.ask(store, "maintain", here().project_id, {"job": "backup"})
            machine = ingest.add(store, here().project_id, str(cli.root), "gpu2")
        page = Page(cli.home, "127.0.0.1")
        app = make_app(page)
        ids = {"runs": run, "records": records[0], "requests": one, "project": here().project_id}
        headers = {"Authorization": f"Bearer {page.token}"}
        with TestClient(app, base_url=HERE, headers=headers, raise_server_exceptions=False) as client:
            yield Asked(app, client, ids, machine)


class _Silent:
    """Stands where a test's captured output would be: nothing here is looked at."""

    def readouterr(self) -> tuple[str, str]:
        return "", ""


def questions(asked: Asked) -> list[tuple[str, dict[str, Any], APIRoute]]:
    """Every reading address, of things that are there."""
    given = {"run": ["runs/b", asked.ids["runs"]], "name": "loss", "q": "used", "project": asked.ids["project"]}
    found = []
    for route in api_routes():
        if "GET" not in route.methods or route.path == STREAM or route.path.startswith("/api/studies/"):
            continue
        kind = route.path.split("/")[2] if route.path.startswith("/api/") else ""
        path = route.path.replace("{word}", asked.ids.get(kind, "none"))
        names = {one.alias for one in route.dependant.query_params} & given.keys()
        found.append((path, {name: given[name] for name in names}, route))
    return found


def api_routes() -> list[APIRoute]:
    return [route for part in PARTS for route in part.router.routes if isinstance(route, APIRoute)]


def test_each_answer_is_what_is_written_of_it_and_holds_no_secret(asked: Asked) -> None:
    """Of a run with NaN and Infinity too; and nobody's token is in it."""
    tokens = {asked.machine, asked.client.headers["Authorization"].removeprefix("Bearer ")}
    paths = []
    for path, query, route in questions(asked):
        answer = asked.client.get(path, params=query)
        assert answer.status_code == 200, (path, query, answer.text)
        model = route.responses.get(200, {}).get("model")
        if model is not None:
            TypeAdapter(model).validate_json(answer.content)
        assert found_in(answer.text) == [], path
        assert not any(one in answer.text for one in tokens), path
        paths.append(path)
    assert len(paths) > 15
    described = {route.path for route in api_routes() if route.responses.get(200, {}).get("model")}
    assert {one.path for *_, one in questions(asked)} - described <= {"/metrics"}


def test_errors_say_what_and_what_to_do(asked: Asked) -> None:
    """As two texts, whatever went wrong."""
    wrong = [
        (404, "GET", "/api/runs/none", None), (404, "GET", "/api/records/none", None), (404, "GET", "/nothing", None),
        (404, "GET", "/api/requests/none", None), (404, "GET", "/api/overview?project=none", None),
        (422, "GET", "/api/runs?limit=x", None), (422, "GET", "/api/runs?filter=%00", None), (422, "GET", "/api/series", None),
        (400, "GET", f"{STREAM}?topics=none", None), (405, "GET", "/api/maintain", None), (405, "DELETE", "/api/runs", None),
        (422, "POST", "/api/maintain", b"[1"),
        (422, "POST", "/api/maintain", b"{}"),
        (413, "POST", "/api/maintain", b"x" * (2 << 20)),
        (422, "POST", "/api/maintain", b"[" * 100_000),
    ]  # fmt: skip
    for code, method, path, body in wrong:
        answer = asked.client.request(method, path, content=body)
        assert answer.status_code == code, (path, answer.status_code, answer.text[:300])
        Told.model_validate_json(answer.content)
    browsers = {"Accept": "text/html,*/*;q=0.8"}
    page = asked.client.get("/nothing", headers=browsers)
    assert page.status_code == 404 and "missing.js" in page.text and "neat-token" not in page.text
    Told.model_validate_json(asked.client.get("/api/nothing", headers=browsers).content)
    stranger = asked.client.get("/api/runs", headers={"Authorization": ""})
    assert stranger.status_code == 401 and "neat ui --token" in Told.model_validate_json(stranger.content).hint


def test_lines_of_a_machine_are_taken_by_its_own_token(asked: Asked) -> None:
    """Once each; that token opens nothing else, and the page's does not send lines."""
    body = b'{"id": 1, "step": 1, "loss": 2.5}\n{"id": 2, "step": 2, "loss": 2.25}\nnothing\n'
    shown = {"Authorization": f"Bearer {asked.machine}"}

    def send(body: bytes = body, headers: dict[str, str] = shown, run: str = "lm") -> Any:
        return asked.client.post("/api/ingest", params={"run": run}, content=body, headers=headers)

    first, again = send(), send()
    assert (first.json()["new"], first.json()["doubled"], first.json()["refused"][0]["line"]) == (2, 0, 3)
    assert (again.json()["new"], again.json()["doubled"]) == (0, 2)
    assert asked.client.get("/api/runs", headers=shown).status_code == 401
    wrong = [
        send(headers={}),
        send(headers={"Authorization": "Bearer neat_x"}),
        send(run="../x"),
        send(b""),
        send(b"x" * (5 << 20)),
    ]
    assert [one.status_code for one in wrong] == [401, 401, 400, 400, 413]
    for one in wrong:
        Told.model_validate_json(one.content)
    many = [send(headers={"Authorization": f"Bearer {number}"}).status_code for number in range(20)]
    assert set(many) == {401, 429} and send().status_code == 200


def test_all_that_is_served_but_shells_and_files_is_data(asked: Asked) -> None:
    """Each address of the application is one or the other; a new one is data."""
    for path in VIEWS:
        assert SHELLS.fullmatch(path.replace("{word:path}", "a/b").replace("{word}", "a")), path
    paths = {route.path for route in [*api_routes(), *routes()]} | {"/openapi.json"}
    shells = {path for path in paths if SHELLS.fullmatch(path) or FILES.fullmatch(path)}
    assert shells == {*VIEWS, "/static/{stamped}/{name:path}", "/vendor/{name}", "/favicon.ico"}
    for path in sorted(paths - shells - {"/api/ingest"}):
        assert asked.client.get(path, headers={"Authorization": ""}).status_code == 401, path


def test_no_question_makes_the_api_fail(asked: Asked) -> None:
    """Made by Schemathesis of /openapi.json, right ones and wrong ones: no 500, and what is answered is described."""
    headers = {"Host": HERE.removeprefix("http://"), "Authorization": asked.client.headers["Authorization"]}
    schema = schemathesis.openapi.from_asgi("/openapi.json", asked.app, headers=headers).exclude(path=STREAM)
    asked_of = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        asked_of += 1

        @settings(
            max_examples=EXAMPLES, database=None, derandomize=True, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(operation.as_strategy())
        def holds(case: Any) -> None:
            answer = case.call(headers=headers)
            case.validate_response(answer, checks=CHECKS)

        holds()
    assert asked_of > 20
