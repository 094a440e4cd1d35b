#!/usr/bin/env python3
"""promqd is killed at random instants under load and started again, CRASH_CYCLES times (20). After each start: every
acknowledged sample is there, bit for bit and once; what was sent and not acknowledged may be there; what was deleted is not;
nothing else is. Before it, `promq tsdb verify` finds no damage but a torn end of the log. The server seals and cuts its log
all the time, so that kills meet those too. TEST_SEED=n repeats the load and the instants."""
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from load import SEED, Deleter, Writer, check, samples_of
from lib import PROMQ, Folder, Promqd, Tap

CYCLES = int(os.environ.get("CRASH_CYCLES", "20"))
WRITERS = 3
FLAGS = ["--storage.tsdb.min-block-duration=200ms", "--storage.tsdb.wal-segment-size=64KB", "--log.level=warn",
         "--web.enable-admin-api", "--storage.disk-reserve=16MB"]


def check_some(server, old, rng):
    """The last cycle, and a few that lie further back."""
    chosen = old[-WRITERS:] + rng.sample(old[:-WRITERS], min(3, max(0, len(old) - WRITERS)))
    return next(filter(None, (check(server, w) for w in chosen)), None)


def verify(folder):
    """What is wrong with the files as the kill left them, or None."""
    run = subprocess.run([PROMQ, "tsdb", "verify", f"{folder.path}/data"], capture_output=True, text=True, timeout=120)
    odd = [line for line in run.stdout.splitlines() + run.stderr.splitlines() if "/" in line and "torn" not in line]
    return f"verify: {odd}" if run.returncode != 0 and odd else None


# --- cycles --------------------------------------------------------------------------------------------------------

def load_and_kill(server, cycle, old, rng):
    base_ms = int(time.time() * 1000)
    writers = [Writer(server.port, cycle, n, base_ms) for n in range(WRITERS)]
    deleter = Deleter(server, old, rng)
    time.sleep(rng.random() ** 2 * 1.2)
    server.process.kill()
    server.process.wait()
    for w in writers:
        w.join(30)
    deleter.join(40)
    return writers, deleter.acknowledged


def start_again(server, rng):
    """Now and then it is killed while it starts, or stopped in order."""
    server.start()
    while rng.random() < 0.15:
        time.sleep(rng.random() * 0.2)
        server.process.kill()
        server.process.wait()
        server.start()
    if not server.ready(60):
        return False
    if rng.random() < 0.05:
        server.stop()
        server.start()
        return server.ready(60)
    return True


def run(server, folder, rng, old, counts):
    for cycle in range(CYCLES):
        writers, deletions = load_and_kill(server, cycle, old, rng)
        old += writers
        counts["deletions"] += deletions
        bad = verify(folder)
        if bad:
            return f"cycle {cycle}: {bad}"
        if not start_again(server, rng):
            return f"cycle {cycle}: it does not start"
        bad = check_some(server, old, rng)
        if bad:
            return bad
        if CYCLES > 20 and cycle % 25 == 24:
            print(f"# {cycle + 1} cycles, {sum(w.acknowledged for w in old)} requests acknowledged", flush=True)
    return next(filter(None, (check(server, w) for w in old)), None)


def main():
    print(f"# TEST_SEED={SEED} CRASH_CYCLES={CYCLES}", flush=True)
    rng = random.Random(SEED)
    tap = Tap()
    old, counts = [], {"deletions": 0}
    with Folder() as folder:
        with Promqd(folder, *FLAGS) as server:
            tap.check(server.ready(), "ready", server.text())
            bad = run(server, folder, rng, old, counts)
            tap.check(bad is None, f"{CYCLES} times killed, nothing lost, doubled, invented or back from deletion", f"{bad}\n{server.text()[-3000:]}")
            parts = len(os.listdir(f"{folder.path}/data/parts"))
    sent, acknowledged = sum(w.sent for w in old), sum(w.acknowledged for w in old)
    print(f"# {samples_of(old)} samples acknowledged, {sent - acknowledged} requests cut off, {counts['deletions']} deletions, "
          f"{parts} parts")
    tap.check(acknowledged > CYCLES and parts > 0, "there was load, and there was sealing")
    tap.done()


main()
