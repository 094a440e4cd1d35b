#!/usr/bin/env python3
"""A real file system of 16 MiB that is filled and emptied under load, with kills meanwhile. Samples are refused with 503 and a
reason while there is no room, and taken again without a restart when there is; the server says so; it starts on a full disk;
nothing that was acknowledged is lost. TEST_SEED=n repeats the load. Needs the right to mount."""
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from load import SEED, Writer, check, samples_of
from lib import Folder, Promqd, Tap, get, skip, wait_for

SIZE, LEAVE = 16 << 20, 256 << 10
ROUNDS = int(os.environ.get("FULL_DISK_ROUNDS", "2"))
FLAGS = ["--storage.tsdb.min-block-duration=1s", "--log.level=info"]


class SmallDisk:
    """The data folder on a file system of its own."""

    def __init__(self, folder):
        self.path = f"{folder.path}/data"
        self.filler = f"{self.path}/filler"
        os.mkdir(self.path)

    def __enter__(self):
        run = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", self.path], capture_output=True, text=True)
        if run.returncode != 0:
            os.rmdir(self.path)
            skip(f"no file system can be mounted here: {run.stderr.strip()}")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], check=False)

    def free(self):
        s = os.statvfs(self.path)
        return s.f_bavail * s.f_frsize

    def fill(self):
        """But for a little."""
        with open(self.filler, "ab") as f:
            while self.free() > LEAVE:
                try:
                    f.write(bytes(min(65536, self.free())))
                    f.flush()
                except OSError:
                    return

    def empty(self):
        if os.path.exists(self.filler):
            os.unlink(self.filler)


def metric(server, name):
    status, text = get(server.url + "/metrics")
    line = next((x for x in text.splitlines() if x.startswith(name + " ")), "")
    return float(line.split()[1]) if status == 200 and line else None


class Scenario:
    def __init__(self, tap, disk, server):
        self.tap, self.disk, self.server = tap, disk, server
        self.rng = random.Random(SEED)
        self.old, self.running = [], []
        self.cycle = 0

    def write(self):
        base_ms = int(time.time() * 1000)
        self.running = [Writer(self.server.port, self.cycle, n, base_ms, again=(503,)) for n in range(3)]
        self.cycle += 1

    def end(self):
        for w in self.running:
            w.stopping = True
        for w in self.running:
            w.join(60)
        self.old += self.running
        self.running = []

    def refused(self):
        return all(w.refused > 0 for w in self.running)

    def go_on(self, seconds=60):
        """Whether every writer gets something acknowledged from now on."""
        before = [w.acknowledged for w in self.running]
        return wait_for(lambda: all(w.acknowledged > b for w, b in zip(self.running, before)), seconds)

    def check_all(self, when):
        bad = next(filter(None, (check(self.server, w) for w in self.old)), None)
        self.tap.check(bad is None, f"all is there {when}", f"{bad}\n{self.server.text()[-2000:]}")

    def check_refusal(self):
        text = b" ".join(w.refusal for w in self.running)
        self.tap.check(b"503" in text and b"Retry-After" in text and (b"disk is full" in text or b"No space" in text),
                       "the refusal says why", text[:600])
        self.tap.check(wait_for(lambda: metric(self.server, "promq_tsdb_disk_full") == 1, 20), "the metric says so")
        self.tap.check("the disk is full" in get(self.server.url + "/-/healthy")[1], "/-/healthy says so and is 200",
                       get(self.server.url + "/-/healthy"))
        self.tap.check("the disk is full" in self.server.text(), "the log says so")

    def fill_and_empty(self):
        self.write()
        self.tap.check(self.go_on(), "samples are taken", self.server.text()[-1500:])
        self.disk.fill()
        self.tap.check(wait_for(self.refused, 60), "samples are refused", self.server.text()[-1500:])
        self.check_refusal()
        self.disk.empty()
        self.tap.check(self.go_on(), "samples are taken again without a restart", self.server.text()[-1500:])
        self.tap.check(wait_for(lambda: metric(self.server, "promq_tsdb_disk_full") == 0, 20), "the metric says so")
        self.end()
        self.check_all("after a full disk")

    def fill_and_kill(self):
        self.write()
        time.sleep(self.rng.random() * 0.5)
        self.disk.fill()
        wait_for(self.refused, 60)
        time.sleep(self.rng.random() * 0.5)
        self.server.process.kill()
        self.server.process.wait()
        self.end()
        self.disk.fill()
        self.server.start()
        self.tap.check(self.server.ready(60), "it starts on a full disk", self.server.text()[-1500:])
        self.check_all("after a kill and a start on the full disk")
        self.write()
        self.tap.check(wait_for(self.refused, 30), "samples are refused there", self.server.text()[-1500:])
        self.disk.empty()
        self.tap.check(self.go_on(), "samples are taken when there is room", self.server.text()[-1500:])
        self.end()
        self.server.process.kill()
        self.server.process.wait()
        self.server.start()
        self.tap.check(self.server.ready(60), "it starts", self.server.text()[-1500:])
        self.check_all("after another kill")


def main():
    print(f"# TEST_SEED={SEED}", flush=True)
    tap = Tap()
    with Folder() as folder, SmallDisk(folder) as disk, Promqd(folder, *FLAGS) as server:
        tap.check(server.ready(), "ready", server.text())
        s = Scenario(tap, disk, server)
        for _ in range(ROUNDS):
            s.fill_and_empty()
            s.fill_and_kill()
        print(f"# {samples_of(s.old)} samples acknowledged, {sum(w.refused for w in s.old)} requests refused")
        server.stop()
    tap.done()


main()
