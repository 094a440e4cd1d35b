#!/usr/bin/env python3
"""qbench: the same range and instant queries against several Prometheus-compatible servers, in turn, in one run.

usage: qbench.py NOW_UNIX NAME=URL,PID ... [--reps N]
Prints per query the median wall ms and mean server CPU ms of each server, with the number of series and points it answered.
The data is what `rwload gen FILE 5000 5760 15000 (NOW-86400)*1000` makes.
"""
import json
import os
import statistics
import sys
import time
import urllib.parse
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")

QUERIES = [  # name, query, range in s, step in s (0: instant)
    ("gauge-1series-24h", 'process_gauge_0_bytes{instance="10.0.0.1:8080"}', 86400, 60),
    ("rate-1series-24h", 'rate(http_requests_total{instance="10.0.0.1:8080",code="200",path="/login"}[5m])', 86400, 60),
    ("sum-rate-200-24h", "sum by (code) (rate(http_requests_total[5m]))", 86400, 60),
    ("sum-rate-200-1h-15s", "sum by (code) (rate(http_requests_total[5m]))", 3600, 15),
    ("hq-2400-6h", "histogram_quantile(0.95, sum by (le, path) (rate(http_request_duration_seconds_bucket[5m])))", 21600, 60),
    ("hq-2400-24h", "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))", 86400, 300),
    ("sum-all-24h", 'sum by (job) ({__name__=~"process_gauge_.*"})', 86400, 300),
    ("avg-over-time-1d", "avg_over_time(app_temperature_0_celsius[24h])", 0, 0),
    ("max-over-time-1h-24h", "max_over_time(app_temperature_1_celsius[1h])", 86400, 60),
    ("increase-1d-2400", "sum(increase(http_request_duration_seconds_bucket[24h]))", 0, 0),
    ("topk", "topk(10, rate(http_request_duration_seconds_bucket[5m]))", 3600, 60),
    ("ratio-join", 'sum by (job,instance) (rate(http_requests_total{code="500"}[5m])) / on(job,instance) '
                   "sum by (job,instance) (rate(http_requests_total[5m]))", 21600, 60),
    ("regex-count", 'count({__name__=~"app_(events|constant)_.*", instance=~"10.0.0.[1-3]:8080"})', 0, 0),
    ("quantile-ot-subquery", "max_over_time(sum(rate(http_requests_total[5m]))[24h:1m])", 0, 0),
]


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def url_of(base, query, now, span, step):
    if step:
        return base + "/api/v1/query_range?" + urllib.parse.urlencode(
            {"query": query, "start": now - span, "end": now, "step": step, "nocache": 1})
    return base + "/api/v1/query?" + urllib.parse.urlencode({"query": query, "time": now, "nocache": 1})


def ask(url):
    try:
        return urllib.request.urlopen(url, timeout=120).read()
    except OSError as e:
        return str(e).encode()


def measure(url, pid, reps):
    """(median wall ms, mean CPU ms, last answer); one run first that does not count. CPU is read over all runs: its clock
    ticks are longer than a query."""
    ask(url)
    walls, before, body = [], cpu_s(pid), b""
    for _ in range(reps):
        begin = time.perf_counter()
        body = ask(url)
        walls.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(walls), (cpu_s(pid) - before) * 1e3 / reps, body


def shape(body):
    """Series and points of an answer; the first bytes when it is no good one."""
    try:
        result = json.loads(body)["data"]["result"]
        return f"series {len(result)} points {sum(len(x.get('values', [1])) for x in result)}"
    except (ValueError, KeyError, TypeError):
        return body[:60].decode(errors="replace")


def run(now, servers, reps):
    """servers: [(name, url, pid)]; {name: (sum of wall ms, sum of CPU ms)}."""
    totals = {name: (0.0, 0.0) for name, _, _ in servers}
    for name, query, span, step in QUERIES:
        cells = []
        for server, base, pid in servers:
            wall, cpu, body = measure(url_of(base, query, now, span, step), pid, reps)
            totals[server] = (totals[server][0] + wall, totals[server][1] + cpu)
            cells.append(f"{server}: {wall:8.1f} ms cpu {cpu:8.1f} {shape(body)}")
        print(f"{name:22}", "  ".join(cells), file=sys.stderr, flush=True)
    return totals


def main():
    args = sys.argv[1:]
    reps = 5
    if "--reps" in args:
        at = args.index("--reps")
        reps = int(args[at + 1])
        del args[at:at + 2]
    if len(args) < 2 or "--help" in args:
        sys.exit(__doc__)
    servers = []
    for arg in args[1:]:
        name, rest = arg.split("=", 1)
        url, pid = rest.rsplit(",", 1)
        servers.append((name, url, int(pid)))
    for name, (wall, cpu) in run(int(args[0]), servers, reps).items():
        print(f"{name}: wall {wall:.1f} ms, cpu {cpu:.1f} ms")


if __name__ == "__main__":
    main()
