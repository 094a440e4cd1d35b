#!/usr/bin/env python3
"""promqd is killed at random instants under remote-write load and started again, CRASH_CYCLES times (20). After each start:
every acknowledged sample is there, bit for bit and once; what was sent and not acknowledged may be there; nothing else is.
The server seals and cuts its log all the time, so that kills meet those too. TEST_SEED=n repeats the load and the instants."""
import os
import random
import socket
import struct
import sys
import threading
import time
import urllib.parse
import json

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
from lib import Folder, Promqd, Tap, get

CYCLES = int(os.environ.get("CRASH_CYCLES", "20"))
SEED = int(os.environ.get("TEST_SEED", str(time.time_ns() % 10**9)))
WRITERS, SERIES, SAMPLES = 3, 8, 5
FLAGS = ["--storage.tsdb.min-block-duration=200ms", "--storage.tsdb.wal-segment-size=64KB", "--log.level=warn"]
MASK = (1 << 64) - 1


def mix(x):
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9 & MASK
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb & MASK
    return x ^ (x >> 31)


def value(cycle, writer, request, series, i):
    """Of every kind that the chunks treat differently: constants, counters, decimals, any bits."""
    x = mix(mix(SEED << 20 ^ cycle << 3 ^ writer) ^ request << 16 ^ series << 8 ^ i)
    kind = series % 4
    if kind == 0:
        return float(cycle)
    if kind == 1:
        return float(request * SAMPLES + i)
    if kind == 2:
        return (x % 100000) / 100.0
    v = struct.unpack("<d", struct.pack("<Q", x))[0]
    return v if v == v else -0.0


# --- remote write, by hand -----------------------------------------------------------------------------------------

def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, payload):
    return bytes([number << 3 | 2]) + varint(len(payload)) + payload


def snappy(data):
    """Literals only."""
    out = bytearray(varint(len(data)))
    for at in range(0, len(data), 60):
        piece = data[at:at + 60]
        out.append(len(piece) - 1 << 2)
        out += piece
    return bytes(out)


def series_name(writer, request, series):
    """The last two series are new ones every 16 requests."""
    return f"{series}" if series < SERIES - 2 else f"{series}-{request // 16}"


def body(cycle, writer, request, base_ms):
    out = bytearray()
    for s in range(SERIES):
        labels = {"__name__": "crash", "cycle": str(cycle), "s": series_name(writer, request, s), "writer": str(writer)}
        ts = b"".join(field(1, field(1, k.encode()) + field(2, v.encode())) for k, v in labels.items())
        for i in range(SAMPLES):
            v = struct.pack("<d", value(cycle, writer, request, s, i))
            ts += field(2, b"\x09" + v + b"\x10" + varint(base_ms + request * SAMPLES + i))
        out += field(1, ts)
    return snappy(bytes(out))


class Writer(threading.Thread):
    """Sends requests one by one until the connection breaks; `sent` and `acknowledged` count them."""

    def __init__(self, port, cycle, number, base_ms):
        super().__init__(daemon=True)
        self.port, self.cycle, self.number, self.base_ms = port, cycle, number, base_ms
        self.sent = self.acknowledged = 0
        self.odd = None
        self.start()

    def run(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=30) as s:
                self.s = s
                while not self.odd:
                    self.one()
        except OSError:
            pass

    def one(self):
        data = body(self.cycle, self.number, self.sent, self.base_ms)
        head = (f"POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n"
                "Content-Encoding: snappy\r\nContent-Type: application/x-protobuf\r\n\r\n")
        self.sent += 1
        self.s.sendall(head.encode() + data)
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = self.s.recv(65536)
            if not more:
                raise OSError("closed")
            answer += more
        status = answer.split(b" ", 2)[1]
        if status in (b"200", b"204"):
            self.acknowledged += 1
        else:
            self.odd = answer


# --- checking ------------------------------------------------------------------------------------------------------

def wanted(w):
    """series -> {time: (value, acknowledged)} of everything that was sent."""
    out = {}
    for r in range(w.sent):
        for s in range(SERIES):
            samples = out.setdefault(series_name(w.number, r, s), {})
            for i in range(SAMPLES):
                samples[w.base_ms + r * SAMPLES + i] = (value(w.cycle, w.number, r, s, i), r < w.acknowledged)
    return out


def bits(v):
    return struct.pack("<d", v)


def check_series(name, got, want):
    """The first thing that is wrong, or None."""
    before, seen = None, set()
    for t, text in got:
        t = round(t * 1000)
        if before is not None and t <= before:
            return f"series {name}: time {t} comes twice"
        before = t
        if t not in want:
            return f"series {name}: a sample at {t} that nobody sent"
        if bits(float(text)) != bits(want[t][0]):
            return f"series {name}: at {t} is {text}, sent was {want[t][0]!r}"
        seen.add(t)
    missing = [t for t in want if want[t][1] and t not in seen]
    if missing:
        return f"series {name}: {len(missing)} acknowledged samples are missing, the first at {missing[0]}"
    return None


def check(server, w):
    end = (w.base_ms + w.sent * SAMPLES) / 1000 + 1
    query = urllib.parse.urlencode({"query": f'crash{{cycle="{w.cycle}",writer="{w.number}"}}[1h]', "time": f"{end:.3f}"})
    status, text = get(f"{server.url}/api/v1/query?{query}", timeout=60)
    if status != 200:
        return f"query: {status} {text[:300]}"
    got = {r["metric"]["s"]: r["values"] for r in json.loads(text)["data"]["result"]}
    want = wanted(w)
    for name in got:
        if name not in want:
            return f"series {name} that nobody sent"
    for name in want:
        bad = check_series(name, got.get(name, []), want[name])
        if bad:
            return f"cycle {w.cycle}, writer {w.number} ({w.acknowledged} of {w.sent} requests acknowledged): {bad}"
    return w.odd and f"an answer that should not be: {w.odd[:300]}"


def check_some(server, old, rng):
    """The last cycle, and a few that lie further back."""
    chosen = old[-WRITERS:] + rng.sample(old[:-WRITERS], min(3, max(0, len(old) - WRITERS)))
    return next(filter(None, (check(server, w) for w in chosen)), None)


# --- cycles --------------------------------------------------------------------------------------------------------

def load_and_kill(server, cycle, rng):
    base_ms = int(time.time() * 1000)
    writers = [Writer(server.port, cycle, n, base_ms) for n in range(WRITERS)]
    time.sleep(rng.random() ** 2 * 1.2)
    server.process.kill()
    server.process.wait()
    for w in writers:
        w.join(30)
    return writers


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


def run(server, rng, old):
    for cycle in range(CYCLES):
        old += load_and_kill(server, cycle, rng)
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
    old = []
    with Folder() as folder:
        with Promqd(folder, *FLAGS) as server:
            tap.check(server.ready(), "ready", server.text())
            bad = run(server, rng, old)
            tap.check(bad is None, f"{CYCLES} times killed, nothing lost, doubled or invented", f"{bad}\n{server.text()[-3000:]}")
            parts = len(os.listdir(f"{folder.path}/data/parts"))
    sent, acknowledged = sum(w.sent for w in old), sum(w.acknowledged for w in old)
    print(f"# {acknowledged * SERIES * SAMPLES} samples acknowledged, {sent - acknowledged} requests cut off, {parts} parts")
    tap.check(acknowledged > CYCLES and parts > 0, "there was load, and there was sealing")
    tap.done()


main()
