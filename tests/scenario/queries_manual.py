#!/usr/bin/env python3
"""Runs every command of docs/queries.md (a line "    $ COMMAND") against a server with the data that the page speaks of, and compares
what it prints with the lines below it: "..." stands for anything."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib import BUILD, PROMQ, SRC, Folder, Promqd, Tap, skip

NOON = 1767268800  # 2026-01-01T12:00:00Z
STEP, SAMPLES = 15, 241


def history():
    """An hour of two instances of an API, one of which goes down."""
    lines = ["# TYPE http_requests counter"]
    for instance, code, slope in (("a:80", "200", 30), ("a:80", "500", 1), ("b:80", "200", 20), ("b:80", "500", 0)):
        for i in range(SAMPLES):
            lines.append(f'http_requests_total{{job="api",instance="{instance}",code="{code}"}} {slope * i} {time_of(i)}')
    lines.append("# TYPE up gauge")
    for instance, down_at in (("a:80", SAMPLES), ("b:80", 200)):
        for i in range(SAMPLES):
            lines.append(f'up{{job="api",instance="{instance}"}} {int(i < down_at)} {time_of(i)}')
    return "\n".join(lines + ["# EOF", ""])


def time_of(i):
    return NOON - (SAMPLES - 1 - i) * STEP


def examples():
    """[(command, expected text)]"""
    found = []
    with open(os.path.join(SRC, "docs", "queries.md")) as f:
        for line in f:
            if line.startswith("    $ "):
                found.append((line[6:].rstrip("\n"), []))
            elif line.startswith("    ") and found and found[-1][1] is not None:
                found[-1][1].append(line[4:].rstrip("\n"))
            elif line.strip() and found:
                found[-1] = (found[-1][0], tuple(found[-1][1]))
    return [(command, "\n".join(lines)) for command, lines in found]


def matches(got, want):
    pattern = ".*".join(re.escape(part) for part in want.split("..."))
    return re.fullmatch(pattern, got.strip("\n"), re.S) is not None


def main():
    if not shutil.which("curl"):
        skip("curl is not installed")
    tap = Tap()
    with Folder() as folder:
        made = subprocess.run([PROMQ, "tsdb", "create-blocks-from", "openmetrics", folder.file("history.om", history()),
                               folder.path + "/data"], capture_output=True, text=True)
        tap.check(made.returncode == 0, "the data of the page is written", made.stderr)
        with Promqd(folder, "--storage.tsdb.retention.time=100y") as server:
            if not tap.check(server.ready(), "the server becomes ready", server.text()):
                tap.done()
            env = dict(os.environ, PROMQ_SERVER=server.url, PATH=BUILD + os.pathsep + os.environ["PATH"])
            for command, want in examples():
                r = subprocess.run(command, shell=True, env=env, cwd=folder.path, capture_output=True, text=True, timeout=60)
                got = r.stdout + r.stderr
                tap.check(matches(got, want), command, f"want:\n{want}\ngot:\n{got}")
    tap.check(tap.n > 15, "the page has examples")
    tap.done()


main()
