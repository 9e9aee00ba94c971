"""People who search while something else happens: one process each, over HTTP, with a note of every answer.

    TOKEN=… python -m benchmarks.readers URL FILE NUMBER

Asks two questions a second until its input is closed, and writes one line of JSON for each into FILE.
"""

import json
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from benchmarks.library import WORDS

EVERY_SECONDS, RESULTS = 0.5, 20
TAGS = ("", "", f"{WORDS[0]} {WORDS[20]}", f"{WORDS[1]} {WORDS[21]}")  # none, none, common, less common
MODES = ("visual", "best")


@contextmanager
def reading(number: int, url: str, token: str, folder: Path) -> Iterator[list[Path]]:
    """So many readers; their files."""
    files = [folder / f"reader-{n}.jsonl" for n in range(number)]
    env = {**os.environ, "TOKEN": token}
    with ExitStack() as stack:
        for n, file in enumerate(files):
            command = [sys.executable, "-m", "benchmarks.readers", url, str(file), str(n)]
            running = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, env=env))
            assert running.stdin
            stack.callback(running.stdin.close)
        yield files


def answers(files: Sequence[Path]) -> list[dict[str, Any]]:
    """What all have noted so far, by the time of the question."""
    lines = [line for file in files if file.exists() for line in file.read_text().splitlines(keepends=True)]
    return sorted((json.loads(one) for one in lines if one.endswith("\n")), key=lambda one: one["at"])


def questions(number: int) -> Iterator[dict[str, str]]:
    """Sentences that have hardly been asked before, in both modes, half of them with a tag."""
    draw = random.Random(number)
    for n in count():
        text = " ".join(draw.choices(WORDS, k=3))
        yield {"q": text, "mode": MODES[n % 2], "tag": TAGS[n // 2 % len(TAGS)]}


def ask(client: httpx.Client, question: dict[str, str]) -> dict[str, Any]:
    """One line of a note: when, how long in seconds, and what came back."""
    params = {"q": question["q"], "mode": question["mode"], "limit": str(RESULTS)}
    params |= {"tag": question["tag"]} if question["tag"] else {}
    note: dict[str, Any] = {**question, "at": time.time(), "problem": "", "space": "", "results": []}
    began = time.perf_counter()
    try:
        answer = client.get("/api/v1/search", params=params)
        note["took"] = time.perf_counter() - began
        found = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        return {**note, "took": time.perf_counter() - began, "problem": f"{type(error).__name__}: {error}"}
    away = [said for said in found["notices"] if "not possible" in said]
    results = [[one["id"], one["signals"]] for one in found["results"]]
    return {**note, "space": found["space"], "results": results, "problem": " ".join(away)}


def main(arguments: Sequence[str]) -> None:
    url, file, number = arguments
    due = time.monotonic() + int(number) * EVERY_SECONDS / 4  # not all at the same moment
    bearer = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    with httpx.Client(base_url=url, headers=bearer, timeout=30) as client, Path(file).open("a") as notes:
        for question in questions(int(number)):
            if select.select([sys.stdin], [], [], max(due - time.monotonic(), 0))[0]:
                return
            notes.write(json.dumps(ask(client, question)) + "\n")
            notes.flush()
            due = max(due + EVERY_SECONDS, time.monotonic())


if __name__ == "__main__":
    main(sys.argv[1:])
