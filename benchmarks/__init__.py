"""One command per claim of docs/performance.md: `python -m benchmarks` runs all, `… NAME` one of them."""
