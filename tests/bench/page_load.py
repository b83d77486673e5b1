"""Those who read the page by the hundred, as a program of its own: `python -m tests.bench.page_load streams URL RUNS SECONDS`
or `… requests URL PATH RATE SECONDS`. Prints JSON: how late what came was, and how busy this program was itself."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any
from urllib.parse import urlsplit

GAP_S = 1.0  # each stream is to get a point within


def share(values: list[float], part: float) -> float:
    """The value below which this part of the values lies."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else float("nan")


async def streams(url: str, runs: list[str], count: int, seconds: float) -> dict[str, Any]:
    """`count` streams, each of one run; how late each point was, by the time that stands in it, and the longest gaps."""
    late: list[float] = []
    gaps: list[float] = []
    seen: list[int] = []

    async def one(number: int) -> None:
        run = runs[number % len(runs)]
        reader, writer = await asyncio.open_connection(*_place(url), limit=1 << 22)
        writer.write(_request(url, f"/api/stream?run={run}~&topics=runs,events"))
        await writer.drain()
        assert b" 200 " in await reader.readline()
        end, last, steps = time.time() + seconds, time.time(), set()
        event = ""
        is_first = True
        while (left := end - time.time()) > 0:
            try:
                line = (await asyncio.wait_for(reader.readline(), left)).decode()
            except TimeoutError:
                break
            assert line, "the stream ended"
            if line.startswith("event: "):
                event = line[7:].strip()
            elif line.startswith("data: ") and event == "points":
                now, rows = time.time(), json.loads(line[6:])["series"]["loss"]
                if not is_first:  # what was there before it followed
                    late.extend(now - row[2] for row in rows)
                    gaps.append(now - last)
                assert not steps & {row[0] for row in rows}, "a point came twice"
                steps |= {row[0] for row in rows}
                last, is_first = now, False
        assert steps == set(range(min(steps), max(steps) + 1)), "a point is missing"
        seen.append(len(steps))
        writer.close()

    begun = time.process_time()
    await asyncio.gather(*(one(number) for number in range(count)))
    return {
        "streams": count, "points": sum(seen), "late_p50_s": share(late, 0.5), "late_p99_s": share(late, 0.99),
        "late_max_s": max(late), "gap_max_s": max(gaps), "busy": (time.process_time() - begun) / seconds,
    }  # fmt: skip


async def requests(url: str, path: str, rate: float, seconds: float) -> dict[str, Any]:
    """`rate` requests a second by a clock that waits for none of them: how long each took from when it was due."""
    took: list[float] = []
    wrong: list[str] = []
    due: asyncio.Queue[float | None] = asyncio.Queue()
    behind = 0.0

    async def worker() -> None:
        reader, writer = await asyncio.open_connection(*_place(url), limit=1 << 22)
        while (at := await due.get()) is not None:
            writer.write(_request(url, path))
            head = await reader.readuntil(b"\r\n\r\n")
            size = next(
                int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
            )
            await reader.readexactly(size)
            took.append(time.perf_counter() - at)
            if b" 200 " not in head[:20]:
                wrong.append(head[:60].decode())
        writer.close()

    workers = [asyncio.create_task(worker()) for _ in range(32)]
    begun, used = time.perf_counter(), time.process_time()
    for number in range(int(rate * seconds)):
        at = begun + number / rate
        if (wait := at - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        behind = max(behind, time.perf_counter() - at)
        due.put_nowait(at)
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    return {
        "path": path, "rate": len(took) / (time.perf_counter() - begun), "wrong": len(wrong), "p50_s": share(took, 0.5),
        "p99_s": share(took, 0.99), "max_s": max(took), "behind_max_s": behind, "busy": (time.process_time() - used) / seconds,
    }  # fmt: skip


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port


def _request(url: str, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n\r\n".encode()


def main() -> None:
    what, url, *more = sys.argv[1:]
    if what == "streams":
        found = asyncio.run(streams(url, more[0].split(","), int(more[1]), float(more[2])))
    else:
        found = asyncio.run(requests(url, more[0], float(more[1]), float(more[2])))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
