"""One turn of one source: parsed by its format, ordered into attempts, committed with the cursor that counts it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from neatd.models import Cursor, Line, Stretch
from neatd.pipeline import predicting
from neatd.pipeline.rotating import follow_rotated
from neatd.pipeline.scene import LiveProject, LiveRun, Scene, Source, Stream
from neatd.read import databases
from neatd.read.attempts import mark, mark_next_file
from neatd.read.formats.jsonnames import PLAIN
from neatd.read.formats.jsonnames import options as json_options
from neatd.read.formats.jsontools import feeder as json_feeder
from neatd.read.formats.patterns import chosen
from neatd.read.formats.replay import Chain, Replay, chain_of, chained, follow
from neatd.read.formats.table import FORMATS, feed_of
from neatd.read.predictions import parse_predictions
from neatd.read.rows import BadLine, Feed, Parsed
from neatd.read.tail import read_turn, take
from neatd.redact_own import Patterns, compile_patterns, redact_value_with
from neatd.store import points, sealing

_WITH_TEXTS = ("wandb", "optuna_journal")  # whose state holds texts of the run
SEAL_ROWS = 2048  # of a stream in the narrow table: then they become columns
EARLIEST_S = 1e9  # 2001: a row of an earlier time was given a step or seconds of its own for one
Rows = Sequence[Parsed | Stretch]


class Took(NamedTuple):
    """What a turn did. `cursor` is committed."""

    cursor: Cursor
    has_more: bool
    is_rewritten: bool = False


def take_rows(scene: Scene, project: LiveProject, live: LiveRun, name: str, source: Source, is_at_rest: bool) -> Took:
    """Feed the next bytes of a file to its format's parser. Raises OSError when it cannot be read."""
    placed, stream = source.placed, live.streams[source.placed.stream]
    form = FORMATS[placed.format]
    cursor = source.cursor
    if is_at_rest and cursor.replay:  # it ended before it said all it had said: another file
        return _start_over(scene, live, name, source, cursor)
    if source.feed is None:
        source.feed = _feed_for(project, source)
    if form.framing == "whole":  # each file of the stream says all that the one before said
        cursor = cursor.model_copy(update={"state": _newest_state(live, stream)})
    try:
        taken = take(source.path, cursor, scene.settings.read_bytes, source.feed, form.framing, stream.seq, is_at_rest)
    except FileNotFoundError:
        if not form.is_rewritten and follow_rotated(scene, live, stream.name):
            return Took(cursor, True)
        raise
    is_replaced = taken.is_new_generation and cursor.offset > 0 and not form.is_rewritten
    if is_replaced and follow_rotated(scene, live, stream.name):
        return Took(cursor, True)  # what was unread of the file that had its name comes first
    if taken.cursor == cursor and not taken.fed.rows and not taken.fed.bad:
        return Took(cursor, taken.has_more)
    rows, after, is_new = taken.fed.rows, taken.cursor, taken.is_new_generation
    if form.is_rewritten:
        followed = _followed(cursor, after, rows, is_new)
        if followed is None:
            return _start_over(scene, live, name, source, after)
        rows, after, is_new = followed
    after = _noted(after, taken.fed.bad, taken.fed.told, _secrets(project))
    is_next_file = stream.seq > 0 and not (cursor.has_steps if form.is_file_a_life else cursor.seq)
    if form.framing == "whole":
        is_next_file = False  # its parser gives no row twice: the same step again is what was logged there later
    _commit(scene, live, name, source, stream, rows, after, is_new or is_next_file)
    return Took(source.cursor, taken.has_more and not taken.fed.is_stuck, is_new)


def _newest_state(live: LiveRun, stream: Stream) -> dict[str, Any]:
    """The parser's state behind the stream's last row."""
    cursors = [one.cursor for one in live.sources.values() if one.placed.stream == stream.name and one.cursor.state]
    return max(cursors, key=lambda one: one.seq).state if cursors else {}


def _feed_for(project: LiveProject, source: Source) -> Feed:
    """The parser of a source: of its format, or what its name and the project's own patterns ask for."""
    placed = source.placed
    if placed.format == "jsonl" and (options := json_options(placed.path.as_posix())) != PLAIN:
        return json_feeder(options)
    inside = placed.path if placed.path.is_relative_to(project.root) else placed.folder / placed.path.name
    if placed.format in _WITH_TEXTS:
        made: Feed = import_module(f"neatd.read.formats.{placed.format}").feeder(partial(_cleaned, project))
        return made
    if placed.format == "text" and (wanted := chosen(project.patterns, project.folder_name(inside))):
        from neatd.read.formats.textlog import feeder

        return feeder(wanted, time.thread_time)
    return feed_of(placed.format)


def _secrets(project: LiveProject | None) -> Patterns:
    return compile_patterns(project.config.secrets) if project else ()


def _cleaned(project: LiveProject, value: Any) -> Any:
    """Without the known secrets and those of the project, as its neat.yaml names them now."""
    return redact_value_with(_secrets(project), value)


def _followed(
    before: Cursor, after: Cursor, rows: Rows, is_new: bool
) -> tuple[Rows, Cursor, bool] | None:  # fmt: skip
    """(rows that are new, the cursor with their chain, whether the file is another one); None: start it over as another."""
    plain = [row for row in rows if isinstance(row, Parsed)]
    replay = _replay_of(before.replay)
    if is_new and before.offset and before.chain:
        replay = Replay(chain_of(before.chain))
    if replay is None:
        chain = chained(chain_of(None if is_new else before.chain), plain)
        return rows, after.model_copy(update={"chain": chain.as_state(), "replay": []}), is_new
    found = follow(replay, plain)
    if found.verdict == "different":
        return None
    if found.verdict == "waiting":
        state = [found.replay.old.as_state(), found.replay.seen.as_state()]
        return [], after.model_copy(update={"replay": state}), False
    return found.fresh, after.model_copy(update={"chain": found.replay.seen.as_state(), "replay": []}), False


def _replay_of(state: list[Any]) -> Replay | None:
    return Replay(chain_of(state[0]), chain_of(state[1])) if state else None


def _start_over(scene: Scene, live: LiveRun, name: str, source: Source, cursor: Cursor) -> Took:
    """The file is another one than the one it replaced: it is read from its first row, as a new attempt."""
    fresh = {"offset": 0, "head_len": 0, "head_hash": "", "anchor_hash": "", "state": {}, "replay": []}
    chain = Chain().as_state()
    after = cursor.model_copy(update={**fresh, "chain": chain, "generation": max(2, cursor.generation)})
    _commit(scene, live, name, source, live.streams[source.placed.stream], [], after, False)
    return Took(source.cursor, True, True)


def _noted(after: Cursor, bad: Sequence[BadLine], told: Any, secrets: Patterns = ()) -> Cursor:
    """The cursor with what could not be read counted, and with what the source says of its run, without its secrets."""
    changes: dict[str, Any] = {}
    if bad:
        changes["first_bad"] = after.first_bad or f"line {bad[0].seq}: {bad[0].why}"
        changes["bad_lines"] = after.bad_lines + len(bad)
    if told:  # what was told before a pattern was known is cleaned when it becomes known
        changes["told"] = after.told | redact_value_with(secrets, dict(told))
    return after.model_copy(update=changes) if changes else after


def _commit(
    scene: Scene, live: LiveRun, name: str, source: Source, stream: Stream, rows: Rows, after: Cursor, is_new: bool
) -> None:  # fmt: skip
    form, run_id = FORMATS[stream.format], live.run.id
    stands = stream.stands if stream.stands is not None else points.last_steps(scene.points, run_id, stream.name)
    stream.stands = None  # a failure below leaves nothing that is ahead of the store
    if form.is_file_a_life and is_new:
        lines, starts, has_steps = mark_next_file(rows, stands, stream.attempt)
    else:
        is_unordered = form.is_unordered or form.is_file_a_life
        lines, starts, has_steps = mark(rows, stands, stream.attempt, is_new, after.has_steps, is_unordered)
    attempt = starts[-1].attempt if starts else stream.attempt
    seq = max(after.seq, stream.seq)
    after = after.model_copy(update={"attempt": attempt, "has_steps": has_steps, "seq": seq})
    stream.narrow += points.commit_lines(
        scene.points, run_id, name, after, lines, starts, written_at(source), stream=stream.name, rank=form.rank
    )
    source.is_timed = source.is_timed or bool(rows and _times_of(rows[0]))
    live.is_told = live.is_told or after.told != source.cursor.told
    source.cursor, stream.seq, stream.attempt, stream.stands = after, seq, attempt, stands
    live.last_step = _furthest(live.last_step, lines, attempt, is_same=not starts)
    if stream.narrow >= SEAL_ROWS:
        sealing.seal(scene.points, run_id, stream.name)
        stream.narrow = 0


def _furthest(before: int | None, lines: Sequence[Line | Stretch], attempt: int, is_same: bool) -> int | None:
    """The furthest step of the current attempt: an evaluation logged late is no step back."""
    steps = [max(one.steps) if isinstance(one, Stretch) else one.step for one in lines if one.attempt == attempt]
    return max([*steps, *([before] if is_same and before is not None else [])], default=before)


def poll_database(scene: Scene, live: LiveRun, name: str, source: Source) -> Took:
    """Ask a database for what is new of one run. Raises OSError when it cannot be read, or is being written."""
    stream, cursor = live.streams[source.placed.stream], source.cursor
    fed = databases.poll(source.path, source.placed.key, cursor.state, stream.seq)
    after = cursor.model_copy(update={"state": fed.state, "seq": fed.seq, "is_missing": False})
    secrets = _secrets(scene.projects.get(live.run.root))
    after = _noted(after, fed.bad, {} if fed.told.items() <= cursor.told.items() else fed.told, secrets)
    if after != cursor:
        newest = max((time for row in fed.rows for time in _times_of(row)), default=0.0)
        if newest > EARLIEST_S:  # a file tells when it was written; of a run in a database its rows do
            source.stamp = (0, round(newest * 1e9), 0)
        _commit(scene, live, name, source, stream, fed.rows, after, False)
    return Took(source.cursor, len(fed.rows) >= databases.LIMIT)


def _times_of(row: Parsed | Stretch) -> list[float]:
    times = row.times if isinstance(row, Stretch) else [row.time]
    return [time for time in times if time is not None]


def read_predictions(scene: Scene, live: LiveRun, name: str, source: Source, is_at_rest: bool) -> Took:
    """The next lines of a predictions.jsonl."""
    turn = read_turn(source.path, source.cursor, scene.settings.read_bytes, is_at_rest)
    if turn.cursor == source.cursor:
        return Took(source.cursor, turn.has_more)
    predictions, bad = parse_predictions(turn.lines)
    after = _noted(turn.cursor, bad, {})
    points.commit_predictions(scene.points, live.run.id, name, after, predictions, written_at(source))
    source.cursor = after
    predicting.note_read(scene, live, source, predictions)
    return Took(after, turn.has_more, turn.is_new_generation)


def written_at(source: Source) -> float:
    """Unix seconds of the last write, as near as the file tells: an old file read today was not written today."""
    now = time.time()
    return min(now, source.stamp[1] / 1e9) if source.stamp else now
