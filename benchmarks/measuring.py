"""Processor time, recall and full pages, and the ratios that come of them."""

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import synthetic
from benchmarks.rivals import PAGE
from benchmarks.synthetic import SHARES, Library, Tag


@dataclass
class Measured:
    """What one arm did with its questions."""

    ms: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)
    full: list[bool] = field(default_factory=list)

    def p(self, share: float) -> float:
        return float(np.quantile(self.ms, share))

    def row(self, name: str) -> str:
        times = f"p50 {self.p(0.5):8.2f}  p95 {self.p(0.95):8.2f} ms"
        return f"  {name:32} {times}  recall {np.mean(self.recall):.4f}  full {np.mean(self.full):6.1%}"


class Truth:
    """The right answers, by numpy."""

    def __init__(self, library: Library, visible: np.ndarray) -> None:
        self.vectors, self.visible, self.all = library.vectors, visible, np.flatnonzero(visible)

    def best(self, question: np.ndarray, tag: Tag | None) -> list[int]:
        rows = tag.rows[self.visible[tag.rows]] if tag else self.all
        near = self.vectors[rows] @ synthetic.halved(question)
        first = np.argpartition(-near, min(PAGE, len(rows) - 1))[:PAGE] if len(rows) else rows
        found: list[int] = rows[first].tolist()
        return found

    def recall(self, found: Sequence[int], best: Sequence[int]) -> float:
        return len(set(found[:PAGE]) & set(best)) / len(best) if best else 1.0


class Clock:
    """Milliseconds of processor time of the database's process, or of this one."""

    def __init__(self, backend: int | None) -> None:
        self.file = Path(f"/proc/{backend}/schedstat") if backend else None

    def read(self) -> float:
        if self.file is None:
            return time.process_time() * 1000
        time.sleep(0.0005)  # the process is accounted for when it has gone back to waiting
        return int(self.file.read_text().split()[0]) / 1e6


def figures(rows: int, alone: Any, few: Any, mixed: Any, far: Any) -> dict[str, Any]:
    """Ratios; None where an engine was left out."""

    def ratio(a: Measured | None, b: Measured | None, at: float = 0.5) -> float | None:
        return round(a.p(at) / b.p(at), 2) if a and b else None

    ours, qdrant = mixed["ours"], mixed.get("qdrant")
    return {
        "rows": rows,
        "unfiltered": {
            "recall": round(float(np.mean(alone["ours"].recall)), 4),
            "vs_exact": ratio(few["exact, plain"], alone["ours"]),
            "vs_exact_joined": ratio(few["exact"], alone["ours"]),
            "vs_hnswlib": ratio(alone["ours"], alone.get("hnswlib")),
        },
        "mixed": {
            "recall": round(float(np.mean(ours.recall)), 4),
            "full_pages": round(float(np.mean(ours.full)), 4),
            "p50_vs_naive": ratio(ours, mixed["naive"]),
            "p95_vs_exact": ratio(mixed["exact"], ours, 0.95),
            "p50_vs_qdrant": ratio(ours, qdrant),
            "qdrant_recall": round(float(np.mean(qdrant.recall)), 4) if qdrant else None,
        },
        "far_tags": {
            "min_recall": round(min(float(np.mean(far["ours", share].recall)) for share in SHARES), 4)
        },
    }


def machine() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} x {names[0] if names else 'unknown'}"
