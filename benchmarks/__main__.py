"""`python -m benchmarks [--quick] [--only NAME ...] [--to FILE]`: all that is measured."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import (
    bench_accounting,
    bench_cpu,
    bench_fleet,
    bench_growth,
    bench_imports,
    bench_journal,
    bench_loop,
    bench_memory,
    bench_pace,
    bench_page,
    bench_sources,
    bench_throughput,
)
from benchmarks.measure import document, say, table
from benchmarks.sink import Sink

if TYPE_CHECKING:
    from benchmarks.measure import Section

BENCHMARKS = {
    "cpu": bench_cpu,
    "accounting": bench_accounting,
    "throughput": bench_throughput,
    "loop": bench_loop,
    "memory": bench_memory,
    "growth": bench_growth,
    "journal": bench_journal,
    "start": bench_imports,
    "pace": bench_pace,
    "fleet": bench_fleet,
    "sources": bench_sources,
    "page": bench_page,
}
FOLDER = Path(__file__).parent


def main() -> None:
    """Run the benchmarks, show what they found, and write it down."""
    options = _options()
    sections: list[Section] = []
    for name in options.only or BENCHMARKS:
        began = time.monotonic()
        with Sink() as sink:
            for section in BENCHMARKS[name].sections(sink, quick=options.quick):
                say("")
                print(f"{section}\n", flush=True)
                sections.append(section)
        print(f"({name}: {time.monotonic() - began:.0f} s)\n", flush=True)
    verdicts = [verdict for section in sections for verdict in section.verdicts]
    print(table(("figure", "measured", "target", "met"), [verdict.row() for verdict in verdicts]))
    options.to.write_text(document(sections, quick=options.quick), encoding="utf-8")
    print(f"\nWritten to {options.to}")
    missed = sum(not verdict.met for verdict in verdicts)
    if missed:
        sys.exit(f"{missed} of {len(verdicts)} targets missed")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the short form: under two minutes")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help="some only")
    parser.add_argument("--to", type=Path, help="the Markdown file of results")
    options = parser.parse_args()
    if options.to is None:
        options.to = FOLDER / ("results-quick.md" if options.quick else "results.md")
    return options


if __name__ == "__main__":
    main()
