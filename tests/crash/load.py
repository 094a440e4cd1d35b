"""The load of the crash tests: writers that know what they sent and what was acknowledged, and the check that the server has
exactly that. Every kind of sample is in it: floats of the kinds that chunks treat differently, late ones, native histograms,
and deletions."""
import json
import os
import random
import socket
import struct
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
from lib import get

SEED = int(os.environ.get("TEST_SEED", str(time.time_ns() % 10**9)))
SERIES, SAMPLES = 8, 5
LATE, HISTOGRAM = "late", "histogram"
MASK = (1 << 64) - 1


def mix(x):
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9 & MASK
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb & MASK
    return x ^ (x >> 31)


def noise(cycle, writer, request, series, i):
    return mix(mix(SEED << 20 ^ cycle << 3 ^ writer) ^ request << 16 ^ series << 8 ^ i)


def value(cycle, writer, request, series, i):
    """Of every kind that the chunks treat differently: constants, counters, decimals, any bits."""
    x = noise(cycle, writer, request, series, i)
    kind = series % 4
    if kind == 0:
        return float(cycle)
    if kind == 1:
        return float(request * SAMPLES + i)
    if kind == 2:
        return (x % 100000) / 100.0
    v = struct.unpack("<d", struct.pack("<Q", x))[0]
    return v if v == v else -0.0


def histogram(cycle, writer, request):
    """Zero count, two bucket counts, sum."""
    x = noise(cycle, writer, request, 99, 0)
    return x % 5, x >> 8 & 15, x >> 16 & 15, (x >> 24 & 0xffff) / 8.0


# --- remote write, by hand -----------------------------------------------------------------------------------------

def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def zigzag(n):
    return varint(n << 1 if n >= 0 else (-n << 1) - 1)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def number(field_number, wire):
    return varint(field_number << 3 | wire)


def snappy(data):
    """Literals only."""
    out = bytearray(varint(len(data)))
    for at in range(0, len(data), 60):
        piece = data[at:at + 60]
        out.append(len(piece) - 1 << 2)
        out += piece
    return bytes(out)


def float_field(t_ms, v):
    return field(2, b"\x09" + struct.pack("<d", v) + b"\x10" + varint(t_ms))


def histogram_field(t_ms, h):
    zero, a, b, total = h
    return field(4, number(1, 0) + varint(zero + a + b) + number(3, 1) + struct.pack("<d", total) +
                 number(5, 1) + struct.pack("<d", 0.001) + number(6, 0) + varint(zero) +
                 field(11, number(1, 0) + zigzag(0) + number(2, 0) + varint(2)) +
                 field(12, zigzag(a) + zigzag(b - a)) + number(15, 0) + varint(t_ms))


def series_name(request, series):
    """The last two series are new ones every 16 requests."""
    return f"{series}" if series < SERIES - 2 else f"{series}-{request // 16}"


def late_block(request):
    """Pairs of requests bring each other's times: the second of a pair is late."""
    return request ^ 1


class Writer(threading.Thread):
    """Sends requests one by one until the connection breaks, or is told to stop. What is answered with `again` (statuses) is
    sent again. `sent` and `acknowledged` count requests."""

    def __init__(self, port, cycle, number, base_ms, again=()):
        super().__init__(daemon=True)
        self.port, self.cycle, self.number, self.base_ms, self.again = port, cycle, number, base_ms, again
        self.sent = self.acknowledged = self.refused = 0
        self.deleted = []  # [from ms, to ms, whether it was acknowledged]
        self.odd = None
        self.refusal = b""
        self.stopping = False
        self.start()

    def time_of(self, block, i):
        return self.base_ms + block * SAMPLES + i

    def series(self, request):
        """(name, its fields) of a request."""
        for s in range(SERIES):
            yield series_name(request, s), b"".join(
                float_field(self.time_of(request, i), value(self.cycle, self.number, request, s, i)) for i in range(SAMPLES))
        block = late_block(request)
        yield LATE, b"".join(
            float_field(self.time_of(block, i), value(self.cycle, self.number, block, 3, i)) for i in range(SAMPLES))
        yield HISTOGRAM, histogram_field(self.time_of(request, 0), histogram(self.cycle, self.number, request))

    def body(self, request):
        out = bytearray()
        for name, samples in self.series(request):
            labels = {"__name__": "crash", "cycle": str(self.cycle), "s": name, "writer": str(self.number)}
            out += field(1, b"".join(field(1, field(1, k.encode()) + field(2, v.encode())) for k, v in labels.items()) + samples)
        return snappy(bytes(out))

    def run(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=60) as s:
                self.s = s
                while not self.odd and not self.stopping:
                    self.one()
        except OSError:
            pass

    def one(self):
        data = self.body(self.sent)
        self.sent += 1
        while not self.stopping:
            status, answer = self.post(data)
            if status in (200, 204):
                self.acknowledged += 1
                return
            if status not in self.again:
                self.odd = answer
                return
            self.refused += 1
            self.refusal = answer
            time.sleep(0.05)

    def post(self, data):
        head = (f"POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n"
                "Content-Encoding: snappy\r\nContent-Type: application/x-protobuf\r\n\r\n")
        self.s.sendall(head.encode() + data)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.more()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        while len(body) < length:
            body += self.more()
        return int(head.split(b" ", 2)[1]), head + b"\r\n\r\n" + body

    def more(self):
        got = self.s.recv(65536)
        if not got:
            raise OSError("closed")
        return got


class Deleter(threading.Thread):
    """Deletes pieces of what older writers sent, until the connection breaks."""

    def __init__(self, server, old, rng):
        super().__init__(daemon=True)
        self.server, self.old, self.rng = server, [w for w in old if w.sent > 4], random.Random(rng.random())
        self.acknowledged = 0
        self.start()

    def run(self):
        while self.old and self.one():
            time.sleep(self.rng.random() * 0.2)

    def one(self):
        import urllib.error
        import urllib.request
        w = self.rng.choice(self.old)
        first = self.rng.randrange(w.sent * SAMPLES)
        piece = [w.base_ms + first, w.base_ms + first + self.rng.randrange(3 * SAMPLES), False]
        w.deleted.append(piece)
        query = urllib.parse.urlencode({
            "match[]": f'crash{{cycle="{w.cycle}",writer="{w.number}"}}',
            "start": f"{piece[0] / 1000:.3f}", "end": f"{piece[1] / 1000:.3f}"})
        what = f"delete_series?{query}" if self.rng.random() < 0.9 else "clean_tombstones"
        if what == "clean_tombstones":
            w.deleted.pop()
        try:
            request = urllib.request.Request(f"{self.server.url}/api/v1/admin/tsdb/{what}", method="POST")
            with urllib.request.urlopen(request, timeout=30) as r:
                if r.status == 204 and what != "clean_tombstones":
                    piece[2] = True
                    self.acknowledged += 1
                return r.status == 204
        except urllib.error.HTTPError as e:
            self.odd = e.read()
            return False
        except OSError:
            return False


# --- checking ------------------------------------------------------------------------------------------------------

def wanted(w):
    """series -> {time: (value, acknowledged)} of everything that was sent. Of a histogram the value is (count, sum)."""
    out = {}
    for r in range(w.sent):
        safe = r < w.acknowledged
        for s in range(SERIES):
            samples = out.setdefault(series_name(r, s), {})
            for i in range(SAMPLES):
                samples[w.time_of(r, i)] = (value(w.cycle, w.number, r, s, i), safe)
        block = late_block(r)
        for i in range(SAMPLES):
            out.setdefault(LATE, {})[w.time_of(block, i)] = (value(w.cycle, w.number, block, 3, i), safe)
        zero, a, b, total = histogram(w.cycle, w.number, r)
        out.setdefault(HISTOGRAM, {})[w.time_of(r, 0)] = ((float(zero + a + b), total), safe)
    return out


def is_deleted(w, t, surely):
    return any(d[0] <= t <= d[1] and (d[2] or not surely) for d in w.deleted)


def bits(v):
    return struct.pack("<d", v) if isinstance(v, float) else b"".join(struct.pack("<d", x) for x in v)


def read(result):
    """(time, value) of a series of an answer, ascending."""
    got = [(round(t * 1000), float(text)) for t, text in result.get("values", [])]
    got += [(round(t * 1000), (float(h["count"]), float(h["sum"]))) for t, h in result.get("histograms", [])]
    return got


def check_series(w, name, got, want):
    """The first thing that is wrong, or None."""
    before, seen = None, set()
    for t, v in got:
        if before is not None and t <= before:
            return f"series {name}: time {t} comes twice"
        before = t
        if t not in want:
            return f"series {name}: a sample at {t} that nobody sent"
        if type(v) is not type(want[t][0]) or bits(v) != bits(want[t][0]):
            return f"series {name}: at {t} is {v!r}, sent was {want[t][0]!r}"
        if is_deleted(w, t, True):
            return f"series {name}: the sample at {t} was deleted, and is back"
        seen.add(t)
    missing = [t for t in want if want[t][1] and t not in seen and not is_deleted(w, t, False)]
    if missing:
        return f"series {name}: {len(missing)} acknowledged samples are missing, the first at {missing[0]}"
    return None


def check(server, w):
    """What is wrong with what the server has of a writer, or None."""
    end = (w.base_ms + (w.sent + 2) * SAMPLES) / 1000 + 1
    query = urllib.parse.urlencode({"query": f'crash{{cycle="{w.cycle}",writer="{w.number}"}}[1h]', "time": f"{end:.3f}"})
    status, text = get(f"{server.url}/api/v1/query?{query}", timeout=60)
    if status != 200:
        return f"query: {status} {text[:300]}"
    answer = json.loads(text)
    if "warnings" in answer:
        return f"query: {answer['warnings']}"
    got = {r["metric"]["s"]: read(r) for r in answer["data"]["result"]}
    want = wanted(w)
    for name in got:
        if name not in want:
            return f"series {name} that nobody sent"
    for name in want:
        bad = check_series(w, name, got.get(name, []), want[name])
        if bad:
            return f"cycle {w.cycle}, writer {w.number} ({w.acknowledged} of {w.sent} requests acknowledged): {bad}"
    return w.odd and f"an answer that should not be: {w.odd[:300]}"


def samples_of(writers):
    """How many samples were acknowledged."""
    return sum(w.acknowledged for w in writers) * ((SERIES + 1) * SAMPLES + 1)
