#!/usr/bin/env python3
"""amflood.py N GROUPS PORT PID: posts N alerts in GROUPS groups three times to /api/v2/alerts; prints wall time and the server's
CPU after each round, and 8 seconds later, when the groups have been flushed."""
import http.client
import json
import os
import sys
import time

BATCH = 64


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def alert(i, groups):
    return {
        "labels": {"alertname": f"Alert{i % groups}", "instance": f"10.0.{i // 256 % 256}.{i % 256}:9100", "job": "node",
                   "severity": "warning" if i % 3 else "critical", "cluster": "eu1"},
        "annotations": {"summary": f"Instance {i} is unhappy",
                        "description": "A longer text that says what is wrong and where to look first."},
        "generatorURL": "http://prom/graph?g0.expr=up",
    }


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    count, groups, port, pid = map(int, sys.argv[1:])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    begin, before = time.time(), cpu_s(pid)
    for rnd in range(3):
        for first in range(0, count, BATCH):
            body = json.dumps([alert(i, groups) for i in range(first, min(first + BATCH, count))])
            connection.request("POST", "/api/v2/alerts", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                sys.exit(f"status {response.status}")
        print("round", rnd, "wall", round(time.time() - begin, 2), "cpu", round(cpu_s(pid) - before, 2))
    time.sleep(8)
    print("8 s later: cpu", round(cpu_s(pid) - before, 2))


main()
