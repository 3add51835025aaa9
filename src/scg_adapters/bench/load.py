"""A load client: keep-alive connections that post the same body, at full speed or at a pace.

Runs as a process of its own: ``python -m scg_adapters.bench.load`` with JSON on standard input,
figures as JSON on standard output.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, Final

_GOOD: Final = b"HTTP/1.1 200"


async def _one(
    job: dict[str, Any], number: int, request: bytes, taken: list[float], until: float
) -> int:
    """One connection: ask, wait for the answer, ask again; how many answers were not 200."""
    reader, writer = await asyncio.open_connection(job["host"], job["port"])
    every = job["connections"] / job["rate"] if job.get("rate") else 0.0
    bad, due = 0, time.perf_counter() + every * number / job["connections"]
    while (now := time.perf_counter()) < until:
        if every:
            due += every
            if due > now:
                await asyncio.sleep(due - now)
            began = due  # counted from when it should have been sent
        else:
            began = now
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
        await reader.readexactly(length)
        taken.append((time.perf_counter() - began) * 1000)
        bad += not head.startswith(_GOOD)
    writer.close()
    return bad


async def run(job: dict[str, Any]) -> dict[str, float]:
    """Requests a second, and milliseconds at the median and the 99th percentile."""
    body = job["body"].encode()
    lines = [
        f"POST {job['path']} HTTP/1.1", f"Host: {job['host']}", "Content-Type: application/json",
        f"Authorization: Bearer {job['token']}", f"Content-Length: {len(body)}",
    ]  # fmt: skip
    request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    taken: list[float] = []
    began = time.perf_counter()
    until = began + job["seconds"]
    ones = [_one(job, number, request, taken, until) for number in range(job["connections"])]
    bad = sum(await asyncio.gather(*ones))
    seconds = time.perf_counter() - began
    taken.sort()
    return {
        "per_second": len(taken) / seconds,
        "p50_ms": taken[len(taken) // 2],
        "p99_ms": taken[len(taken) * 99 // 100],
        "max_ms": taken[-1],
        "not_200": bad,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
