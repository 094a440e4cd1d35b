#!/usr/bin/env python3
"""A real Prometheus in agent mode scrapes a node exporter and remote-writes for 30 s to promqd and to a real Prometheus, which
is the reference. promqd is killed with SIGKILL and started again; every sample is there, bit for bit as the reference has it."""
import json
import os
import shutil
import signal
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib import Folder, Program, Promqd, Tap, free_port, get, skip, wait_for

WRITTEN_S = 30

PROMETHEUS = shutil.which("prometheus")
EXPORTER = shutil.which("prometheus-node-exporter")
if not PROMETHEUS or not EXPORTER:
    skip("prometheus or prometheus-node-exporter is not installed")

AGENT = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: node
    static_configs:
      - targets: ['127.0.0.1:{exporter}']
remote_write:
  - url: http://127.0.0.1:{promqd}/api/v1/write
  - url: http://127.0.0.1:{reference}/api/v1/write
"""


def samples(base_url, at):
    """Every sample of the last ten minutes: {labels as text: [[t, v], ...]}."""
    query = urllib.parse.urlencode({"query": '{__name__!=""}[10m]', "time": at})
    status, body = get(f"{base_url}/api/v1/query?{query}", timeout=60)
    if status != 200:
        print(f"# {base_url}: {status} {body[:300]}")
        return {}
    return {json.dumps(r["metric"], sort_keys=True): r["values"] for r in json.loads(body)["data"]["result"]}


def differences(got, want):
    for key in sorted(set(got) | set(want)):
        a, b = got.get(key), want.get(key)
        if a != b:
            yield f"{key}: {len(a or [])} samples, the reference has {len(b or [])}; {(a or [])[-2:]} {(b or [])[-2:]}"


def main():
    tap = Tap()
    exporter_port, agent_port, reference_port = free_port(), free_port(), free_port()
    reference_url = f"http://127.0.0.1:{reference_port}"
    with Folder() as folder:
        empty = folder.file("empty.yml", "")
        reference_argv = [PROMETHEUS, f"--config.file={empty}", f"--storage.tsdb.path={folder.path}/reference",
                          f"--web.listen-address=127.0.0.1:{reference_port}", "--web.enable-remote-write-receiver"]
        exporter_argv = [EXPORTER, f"--web.listen-address=127.0.0.1:{exporter_port}"]
        with Promqd(folder, f"--config.file={empty}") as server, \
                Program(exporter_argv, folder.file("exporter.log")), \
                Program(reference_argv, folder.file("reference.log")) as reference:
            config = folder.file("agent.yml", AGENT.format(
                exporter=exporter_port, promqd=server.port, reference=reference_port))
            agent_argv = [PROMETHEUS, "--enable-feature=agent", f"--config.file={config}",
                          f"--storage.agent.path={folder.path}/agent",
                          f"--web.listen-address=127.0.0.1:{agent_port}"]
            up = server.ready() and wait_for(lambda: get(reference_url + "/-/ready")[0] == 200, 30)
            if not tap.check(up, "promqd and the reference become ready", server.text() + reference.text()):
                tap.done()
            with Program(agent_argv, folder.file("agent.log")) as agent:
                time.sleep(WRITTEN_S)
                # On SIGTERM the agent sends what it still holds, to both.
                tap.equal(agent.stop(seconds=60), 0, "the agent ends, its queues flushed")
                tap.check("non-recoverable" not in agent.text(), "nothing was refused", agent.text()[-3000:])
            server.stop(signal.SIGKILL)
            server.start()
            tap.check(server.ready(), "promqd starts again after kill -9", server.text()[-3000:])
            now = time.time()
            want, got = samples(reference_url, now), samples(server.url, now)
            count = sum(len(v) for v in want.values())
            tap.check(len(want) > 100 and count > len(want) * (WRITTEN_S - 10),
                      f"the reference has {len(want)} series, {count} samples")
            wrong = list(differences(got, want))
            tap.check(not wrong, "promqd has the same ones, with the same times and values", "\n".join(wrong))
    tap.done()


main()
