#!/usr/bin/env python3
"""Garbage, floods and torn requests against a running promqd: each gets its 4xx with one sentence (or its connection is
closed), the server lives, its memory stays bounded, and the next good request works."""
import json
import os
import re
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib import Folder, Promqd, Tap

MIB = 1 << 20
STARTED_MS = int(time.time() * 1000)

ALERTMANAGER = """route: {receiver: r, group_by: [alertname]}
receivers: [{name: r}]
"""


# --- remote write messages --------------------------------------------------------------------------------------------


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def raw(text):
    return text if isinstance(text, bytes) else text.encode()


def series(labels, *samples):
    """labels: pairs; samples: (value, t_ms)."""
    out = b"".join(field(1, field(1, raw(name)) + field(2, raw(value))) for name, value in labels)
    for value, t_ms in samples:
        out += field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(t_ms))
    return field(1, out)


def snappy(data):
    """The block format with literals alone."""
    out = varint(len(data))
    for at in range(0, len(data), 65536):
        piece = data[at:at + 65536]
        out += b"\xf4" + struct.pack("<H", len(piece) - 1) + piece
    return out


def named(name, *more):
    return [("__name__", name), *more]


# --- HTTP -------------------------------------------------------------------------------------------------------------


def talk(port, data, timeout=60, end=False):
    """Sends bytes, reads until the server closes. (status, body); status 0 when it only closed. `end`: nothing more is sent,
    which for a whole request would mean that the client is gone; the server may take its time to notice."""
    with socket.create_connection(("127.0.0.1", port), timeout=3 if end else timeout) as s:
        try:
            s.sendall(data)
            if end:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused early: the answer may be there all the same
        got = b""
        try:
            while part := s.recv(65536):
                got += part
        except OSError:
            pass
    head, _, body = got.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.[01] (\d+)", head)
    return int(found[1]) if found else 0, body.decode(errors="replace")


def request(method, path, headers=(), body=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


def quote(text):
    return "".join(c if c.isalnum() and c.isascii() else "".join(f"%{b:02X}" for b in c.encode()) for c in text)


def form(**params):
    return "&".join(f"{name}={quote(str(value))}" for name, value in params.items()).encode()


class Attack:
    def __init__(self, tap, server):
        self.tap, self.server, self.port = tap, server, server.port

    def expect(self, name, want, got, sentence=None):
        """want: a status, or several. An error text is one line, and has `sentence` in it."""
        status, body = got
        wanted = want if isinstance(want, tuple) else (want,)
        is_line = status < 400 or 0 < len(body.strip()) < 2500 and "\n" not in body.strip()
        good = status in wanted and is_line and (sentence is None or sentence in body)
        self.tap.check(good, f"{name}: {status}", f"want {want} {sentence or ''}\ngot {status} {body[:500]}")

    def write(self, body, content_type="application/x-protobuf", encoding="snappy"):
        headers = [f"{name}: {value}" for name, value in
                   (("Content-Type", content_type), ("Content-Encoding", encoding)) if value is not None]
        return talk(self.port, request("POST", "/api/v1/write", headers, body))

    def store(self, *all_series):
        return self.write(snappy(b"".join(all_series)))

    def post(self, path, **params):
        headers = ["Content-Type: application/x-www-form-urlencoded"]
        return talk(self.port, request("POST", path, headers, form(**params)), timeout=120)

    def get(self, path):
        return talk(self.port, request("GET", path))

    def post_json(self, path, text, content_type="application/json"):
        return talk(self.port, request("POST", path, [f"Content-Type: {content_type}"], raw(text)))

    def resident_mib(self, field="VmRSS"):
        with open(f"/proc/{self.server.process.pid}/status") as f:
            return int(re.search(field + r":\s+(\d+)", f.read())[1]) // 1024

    def still_works(self, after):
        now = int(time.time() * 1000)
        stored, _ = self.store(series(named("good", ("after", after)), (1, now)))
        # A sample may be younger than the query's clock by its rounding.
        status, body = self.post("/api/v1/query", query=f'good{{after="{after}"}}', time=(now + 1000) / 1000)
        good = self.server.alive() and stored == 204 and status == 200 and '"1"' in body
        self.tap.check(good, f"good requests work after {after}", f"{stored} {status} {body[:300]}\n"
                       + self.server.text()[-3000:])


# --- what is thrown ---------------------------------------------------------------------------------------------------


def hostile_writes(a):
    now = STARTED_MS
    good = series(named("w"), (1, now))
    a.expect("garbage", 400, a.write(b"\xff\xfe garbage \x00\x01" * 9), "snappy")
    a.expect("an empty body", (400, 204), a.write(b""))
    a.expect("torn snappy", 400, a.write(snappy(good)[:-3]), "snappy")
    a.expect("a snappy head of 4 GiB", 400, a.write(b"\xff\xff\xff\xff\x0f" + b"\x00" * 40))
    a.expect("a snappy head of 33 MiB and little behind", 400, a.write(varint(33 * MIB) + b"\x00a"))
    a.expect("a snappy bomb", 400, a.write(varint(31 * MIB) + b"\x00a" + b"\xfe\x01\x00" * (31 * MIB // 64)))
    a.expect("snappy of garbage", 400, a.write(snappy(b"\x0a\xff\xff\xff\xff\x0f\x07")), "protobuf")
    a.expect("a torn message", 400, a.write(snappy(good[:-4])), "protobuf")
    a.expect("JSON", 415, a.write(b"{}", content_type="application/json"), "application/x-protobuf")
    a.expect("version 2", 415, a.write(snappy(good),
                                      content_type="application/x-protobuf;proto=io.prometheus.write.v2.Request"))
    a.expect("gzip", 415, a.write(snappy(good), encoding="gzip"), "only snappy is acceptable")
    a.expect("a big body announced", 413, talk(a.port, request("POST", "/api/v1/write").replace(
        b"\r\n\r\n", b"\r\nContent-Length: 9999999999\r\n\r\n")))
    a.expect("more than a route takes", (413, 0), a.write(bytes(33 * MIB)))
    a.expect("no name", 400, a.store(series([("job", "x")], (1, now))), "__name__")
    a.expect("no labels", 400, a.store(series([], (1, now))))
    a.expect("an empty name of a label", 400, a.store(series(named("w", ("", "x")), (1, now))))
    a.expect("a label twice", 400, a.store(series(named("w", ("a", "1"), ("a", "2")), (1, now))))
    a.expect("bad UTF-8 in a value", 400, a.store(series(named("w", ("a", b"\xff\xfe")), (1, now))))
    a.expect("bad UTF-8 in a name", 400, a.store(series(named("w", (b"\xc3\x28", "x")), (1, now))))
    a.expect("an empty value is no label", 204, a.store(series(named("w", ("a", "")), (1, now))))
    a.expect("5000 labels", 400, a.store(series(named("w", *((f"l{i:04}", "v") for i in range(5000))), (1, now))))
    a.expect("a label of 4 MiB", 400, a.store(series(named("w", ("a", "x" * (4 * MIB))), (1, now))))
    a.expect("a name of 4 MiB", 400, a.store(series(named("w" * (4 * MIB)), (1, now))))
    a.expect("the far future", 400, a.store(series(named("future"), (1, now + 86400000))), "out of bounds")
    a.expect("the end of time", 400, a.store(series(named("future"), (1, 2**63 - 1))))
    a.expect("long before all", (204, 400), a.store(series(named("past"), (1, -2**63))))
    a.expect("year 1970", (204, 400), a.store(series(named("past"), (1, 1))))
    a.expect("NaN and infinity", 204, a.store(series(named("nan"), (float("nan"), now), (float("inf"), now + 1))))
    a.expect("the same again", 204, a.store(series(named("same"), (1, now)), series(named("same"), (1, now))))
    a.expect("another value at one time", 400, a.store(series(named("same"), (2, now))), "duplicate sample")
    a.expect("backwards", (204, 400), a.store(series(named("back"), (1, now), (2, now - 1000), (3, now - 500))))
    a.expect("a hundred thousand empty series", (204, 400), a.store(field(1, b"") * 100000))
    a.expect("one good among bad", 400, a.store(series(named("one_good"), (1, now)), series([], (1, now))))
    status, body = a.post("/api/v1/query", query="one_good", time=now / 1000 + 1)
    a.tap.check('"one_good"' in body, "the good one was stored", body[:300])


def hostile_queries(a):
    q = lambda **p: a.post("/api/v1/query", **p)
    r = lambda **p: a.post("/api/v1/query_range", **{"start": 0, "end": 10, "step": 1, **p})
    bad = 'invalid parameter \\"query\\"'
    a.expect("no query", 400, q(), "invalid parameter")
    a.expect("an open parenthesis", 400, q(query="(("), bad)
    a.expect("10,000 parentheses", 400, q(query="(" * 10000 + "1" + ")" * 10000), bad)
    a.expect("100,000 signs", (200, 400), q(query="-" * 100000 + "1"))
    a.expect("50,000 nested calls", 400, q(query="abs(" * 50000 + "x" + ")" * 50000), bad)
    a.expect("10,000 subqueries", 400, q(query="x" + "[1m:]" * 10000), bad)
    a.expect("a sum of 100,000 terms", (200, 400, 422), q(query="+".join(["1"] * 100000)))
    a.expect("a power tower of 20,000", (200, 400), q(query="^".join(["1"] * 20000)))
    a.expect("1 MiB of a name", 200, q(query="a" * MIB))
    a.expect("1 MiB of garbage", 400, q(query="]" * MIB), bad)
    a.expect("a query of 40 MiB", (400, 413, 0), q(query="a" * (40 * MIB)))
    a.expect("100,000 matchers", (200, 400, 422), q(query="{" + ",".join(f'a{i}!="x"' for i in range(100000)) + ',b="c"}'))
    a.expect("bad UTF-8", 400, talk(a.port, request("POST", "/api/v1/query",
             ["Content-Type: application/x-www-form-urlencoded"], b"query=%FF%FE%80")), bad)
    a.expect("a NUL", 400, talk(a.port, request("POST", "/api/v1/query",
             ["Content-Type: application/x-www-form-urlencoded"], b"query=a%00b")), bad)
    for regex in ("(a+)+$", "(a|a)*b", "(.*)(.*)(.*)(.*)(.*)(.*)x", "([a-z]+)*=", "(x+x+)+y"):
        a.expect(f"the regular expression {regex}", 200, q(query=f'{{__name__=~"{regex}"}}'))
    a.expect("a regular expression too big", 400, q(query='{__name__=~"((a{0,100}){0,100}){0,100}"}'), bad)
    a.expect("a repeat count too big", 400, q(query='{__name__=~"a{1001}"}'), bad)
    a.expect("100,000 alternatives", (200, 400), q(query='{__name__=~"' + "|".join(f"m{i}" for i in range(100000)) + '"}'))
    a.expect("nested groups in a regular expression", 400, q(query='{__name__=~"' + "(" * 5000 + ")" * 5000 + '"}'), bad)
    a.expect("an open group", 400, q(query='{__name__=~"("}'), "missing closing")
    a.expect("10^9 steps", 400, r(query="1", end=10**9, step=1), "exceeded maximum resolution of 11,000 points")
    a.expect("step 0", 400, r(query="1", step=0), "zero or negative query resolution step widths are not accepted")
    a.expect("a negative step", 400, r(query="1", step=-1), "zero or negative")
    a.expect("an endless step", 400, r(query="1", step="1e308"), "step")
    a.expect("the end before the start", 400, r(query="1", start=10, end=0), "end timestamp must not be before start time")
    for when in ("yesterday", "NaN", "1e400", "9999999999999999999", "2026-13-01T00:00:00Z", "-", "0x"):
        a.expect(f"time {when}", 400, q(query="1", time=when), "invalid parameter")
    a.expect("a time far out", (200, 400), q(query="good", time="9223372036854775"))
    a.expect("a wrong timeout", 400, q(query="1", timeout="x"), "timeout")
    a.expect("a negative limit", 400, q(query="1", limit=-1), "limit must be non-negative")
    a.expect("too many samples", 422, r(query="sum_over_time(good[100y:1ms])", end=1000),
             "query processing would load too many samples into memory in query execution")
    a.expect("too many points in subqueries", (422, 503), q(query="max_over_time(vector(1)[50y:1s])"))
    a.expect("subqueries of subqueries", (422, 503), q(query="max_over_time(max_over_time(vector(time())[1y:1s])[1y:1s])",
                                                       timeout="2s"))
    a.expect("a thousand sets", (200, 400), q(query="count(" + " or ".join(f"vector({i})" for i in range(1000)) + ")"))
    a.expect("a long range", (200, 422, 503), r(query="sum_over_time(good[292y])", end=11000))
    a.expect("a series without match", 400, a.post("/api/v1/series"), "no match[] parameter provided")
    a.expect("an empty matcher", 400, talk(a.port, request("GET", "/api/v1/series?match[]=%7B%7D")),
             "match[] must contain at least one non-empty matcher")
    a.expect("20,000 parameters", (200, 400), talk(a.port, request("POST", "/api/v1/series",
             ["Content-Type: application/x-www-form-urlencoded"], b"match[]=up&" * 20000)))
    a.expect("a wrong label name", (400, 200), a.get("/api/v1/label/%FF/values"))
    a.expect("format of garbage", 400, a.post("/api/v1/format_query", query="(((("), bad)
    a.expect("parse of 10,000 parentheses", 400, a.post("/api/v1/parse_query", query="(" * 10000), bad)
    a.expect("federation of garbage", 400, a.get("/federate?match[]=%28"))


def hostile_alerts(a):
    post = lambda text, **more: a.post_json("/api/v2/alerts", text, **more)
    a.expect("garbage as alerts", 400, post("\x00\x01garbage"), "parsing body")
    a.expect("nothing as alerts", 400, post(""))
    a.expect("an object as alerts", (400, 422), post("{}"))
    a.expect("numbers as alerts", (400, 422), post("[1,2,3]"))
    a.expect("a torn list", 400, post('[{"labels":{"a"'))
    a.expect("deep JSON", 400, post("[" * 100000 + "]" * 100000))
    a.expect("deep objects", 400, post('[{"labels":' + '{"a":' * 100000))
    a.expect("deep JSON in a member nobody reads", 400, post('[{"labels":{"a":"b"},"x":' + "[" * 3000 + "]" * 3000 + "}]"))
    a.expect("twenty million numbers", 413, post("[" + "0," * 20_000_000 + "0]"))
    a.expect("five million objects", 413, post("[" + "{}," * 5_000_000 + "{}]"))
    a.expect("bad UTF-8 in alerts", 400, post(b'[{"labels":{"a":"\xff"}}]'))
    a.expect("bad names of labels", 400, post('[{"labels":{"":"x"}}]'))
    a.expect("labels of numbers", 422, post('[{"labels":{"a":1}}]'))
    a.expect("a wrong date", 422, post('[{"labels":{"a":"b"},"startsAt":"yesterday"}]'), "date-time")
    a.expect("the end before the start", 400, post(
        '[{"labels":{"a":"b"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"}]'), "start time")
    a.expect("a huge date", (200, 400, 422), post('[{"labels":{"a":"b"},"endsAt":"9999-12-31T23:59:59.999999999+23:59"}]'))
    a.expect("a label of 1 MiB", (200, 400), post(json.dumps([{"labels": {"a": "x" * MIB}}])))
    a.expect("100,000 labels", (200, 400), post(json.dumps([{"labels": {f"l{i}": "x" for i in range(100000)}}])))
    a.expect("a form as alerts", 415, post("a=b", content_type="application/x-www-form-urlencoded"))
    a.expect("a wrong filter", 400, a.get("/api/v2/alerts?filter=a%3D%22"))
    a.expect("a wrong receiver", 400, a.get("/api/v2/alerts?receiver=%28"), "failed to parse receiver param")
    a.expect("a filter of 50,000 characters", 400, a.get("/api/v2/alerts?filter=" + "%7B" * 16000))
    a.expect("a silence of garbage", 400, a.post_json("/api/v2/silences", "[[["))
    a.expect("a silence of nothing", 422, a.post_json("/api/v2/silences", "{}"))
    a.expect("a silence with a bad expression", 400, a.post_json("/api/v2/silences", json.dumps({
        "matchers": [{"name": "a", "value": "(", "isRegex": True}], "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "2099-01-01T00:00:00Z", "createdBy": "x", "comment": "y"})))
    a.expect("a silence without uuid", 422, a.get("/api/v2/silence/x"), "uuid")
    a.expect("a good alert", 200, post('[{"labels":{"alertname":"good"}}]'))


def hostile_http(a):
    a.expect("no path of ours", 404, a.get("/" + "x" * 5000))
    a.expect("a path that climbs", 404, a.get("/../../../../etc/passwd"))
    a.expect("a path that climbs, escaped", 404, a.get("/%2e%2e/%2e%2e/etc/passwd%00.js"))
    a.expect("a wrong method", 405, talk(a.port, request("DELETE", "/api/v1/query")))
    a.expect("an unknown method", (405, 501, 400), talk(a.port, request("BREW", "/api/v1/query")))
    a.expect("a method of 100 kB", (400, 405, 413, 414, 431, 501, 0), talk(a.port, request("X" * 100000, "/")))
    a.expect("a header of 1 MiB", (400, 413, 431, 0), talk(a.port, request("GET", "/", ["X: " + "x" * MIB])))
    a.expect("100,000 headers", (400, 413, 431, 0), talk(a.port, request("GET", "/", [f"X{i}: y" for i in range(100000)])))
    a.expect("a URL of 1 MiB", (400, 413, 414, 431, 0), a.get("/api/v1/query?query=" + "a" * MIB))
    a.expect("no HTTP", (400, 0), talk(a.port, end=True, data=b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)))
    # The library's own page, of several lines.
    status, _ = talk(a.port, b"POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n")
    a.tap.equal(status, 400, "a wrong length")
    a.expect("two lengths", (400, 200, 0), talk(a.port, b"POST /api/v1/query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
             b"Content-Length: 7\r\nContent-Length: 9\r\n\r\nquery=1"))
    a.expect("bad chunks", (400, 0), talk(a.port, b"POST /api/v1/query HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
             b"\r\nzz\r\nquery=1\r\n"))
    a.expect("a chunk without end", (413, 0), talk(a.port, b"POST /api/v1/query HTTP/1.1\r\nHost: x\r\n"
             b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n" + b"a" * (40 * MIB), end=True))
    a.expect("a torn body", 0, talk(a.port, request("POST", "/api/v1/write").replace(
        b"\r\n\r\n", b"\r\nContent-Length: 1000\r\n\r\n") + b"abc", end=True))


def slow_and_gone(a):
    """Clients that send byte by byte, stop in the middle, or go while the server works for them."""
    lazy = []
    for head in (b"GET /api/v1/query?query=1 HT", b"POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\nabc", b"G"):
        for _ in range(60):
            s = socket.create_connection(("127.0.0.1", a.port), timeout=20)
            s.sendall(head)
            lazy.append(s)
    a.still_works("180 connections that say half a sentence")
    for s in lazy:
        s.close()

    heavy = form(query="max_over_time(max_over_time(vector(time())[1y:1s])[1y:1s])", timeout="20s")
    for _ in range(40):
        s = socket.create_connection(("127.0.0.1", a.port), timeout=20)
        s.sendall(request("POST", "/api/v1/query", ["Content-Type: application/x-www-form-urlencoded"], heavy))
        s.close()
    a.still_works("40 clients that asked much and went")

    body = snappy(b"".join(series(named("gone", ("i", str(i))), (1, STARTED_MS)) for i in range(2000)))

    def write_and_go():
        for _ in range(20):
            s = socket.create_connection(("127.0.0.1", a.port), timeout=20)
            s.sendall(request("POST", "/api/v1/write", ["Content-Type: application/x-protobuf"], body))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()

    threads = [threading.Thread(target=write_and_go) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    a.still_works("80 writers that reset the connection")


def main():
    tap = Tap()
    with Folder() as folder:
        flags = [f"--config.file={folder.file('promq.yml', 'global: {scrape_interval: 1h}')}",
                 f"--alertmanager.config-file={folder.file('am.yml', ALERTMANAGER)}", "--query.timeout=20s",
                 "--query.max-samples=1000000"]
        with Promqd(folder, *flags) as server:
            tap.check(server.ready(60), "the server starts", server.text())
            a = Attack(tap, server)
            before = a.resident_mib()
            for throw in (hostile_writes, hostile_queries, hostile_alerts, hostile_http, slow_and_gone):
                throw(a)
                a.still_works(throw.__name__)
                print(f"# {throw.__name__}: {a.resident_mib()} MiB resident, {a.resident_mib('VmHWM')} at most")
            peak = a.resident_mib("VmHWM")
            tap.check(peak < before + 1000, "memory stays bounded", f"{before} MiB before, {peak} MiB at most")
            tap.equal(server.stop(), 0, "it ends in good order")
            tap.check("ERROR" not in server.text() and "runtime error" not in server.text(), "nothing was reported",
                      server.text()[-3000:])
    tap.done()


main()
