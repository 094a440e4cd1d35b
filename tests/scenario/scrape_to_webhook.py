#!/usr/bin/env python3
"""The main job on real input: a node exporter is scraped, its CPU modes are queried, it stops, an alert goes pending and
firing, a webhook receiver gets the JSON, it starts again, the receiver gets the resolved one."""
import http.server
import json
import os
import shutil
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib import Folder, Program, Promqd, Tap, free_port, get, promq, skip, wait_for

SCRAPED_S = 30

EXPORTER = shutil.which("prometheus-node-exporter")
if not EXPORTER:
    skip("prometheus-node-exporter is not installed")

CONFIG = """
global:
  scrape_interval: 1s
  evaluation_interval: 1s
  external_labels: {{site: here}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: node
    static_configs:
      - targets: ['127.0.0.1:{port}']
"""

RULES = """
groups:
  - name: availability
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: TargetDown
        expr: up{job="node"} == 0
        for: 3s
        labels: {severity: page}
        annotations: {summary: 'target {{ $labels.instance }} of {{ $labels.job }} is down, value {{ $value }}'}
"""

ROUTES = """
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs:
      - url: http://127.0.0.1:{port}/alerts
"""


class Receiver(http.server.BaseHTTPRequestHandler):
    got = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Receiver.got.append((self.headers["Content-Type"], json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def alert_state(server):
    alerts = (server.api("alerts") or {}).get("alerts", [])
    return alerts[0]["state"] if alerts else None


def main():
    tap = Tap()
    exporter_port = free_port()
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with Folder() as folder:
        folder.file("rules.yml", RULES)
        config = folder.file("prometheus.yml", CONFIG.format(port=exporter_port))
        routes = folder.file("alertmanager.yml", ROUTES.format(port=receiver.server_address[1]))
        exporter_argv = [EXPORTER, f"--web.listen-address=127.0.0.1:{exporter_port}"]
        with Program(exporter_argv, folder.file("exporter.log")) as exporter, \
                Promqd(folder, f"--config.file={config}", f"--alertmanager.config-file={routes}") as server:
            if not tap.check(server.ready(), "promqd becomes ready", server.text()):
                tap.done()
            time.sleep(SCRAPED_S)

            code, out, err = promq(server, "query", "instant", "sum by (mode) (rate(node_cpu_seconds_total[20s]))",
                                   "-o", "json")
            modes = {r["metric"]["mode"] for r in json.loads(out)["data"]["result"]} if code == 0 else set()
            want = {"idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"}
            tap.check(modes == want, "promq shows all CPU modes", f"{modes}\n{out[:1000]}{err}")
            code, out, err = promq(server, "query", "instant", "sum by (mode) (rate(node_cpu_seconds_total[20s]))")
            tap.check(code == 0 and "idle" in out, "and as a table", out + err)
            scrapes = server.query(f"count_over_time(up[{SCRAPED_S}s])")
            tap.check(scrapes and float(scrapes[0]["value"][1]) >= SCRAPED_S - 3, "scraped each second", scrapes)
            recorded = server.query("job:up:sum")
            tap.check(recorded and recorded[0]["value"][1] == "1", "the recording rule writes its series", recorded)
            targets = server.api("targets")["activeTargets"]
            tap.check([t["health"] for t in targets] == ["up"], "the target is up", targets)
            series = server.api("series", **{"match[]": "node_load1"})
            tap.equal(series, [{"__name__": "node_load1", "instance": f"127.0.0.1:{exporter_port}", "job": "node"}],
                      "series carry instance and job, not the external labels")

            exporter.stop()
            tap.check(wait_for(lambda: alert_state(server) == "pending", 15), "the alert goes pending", server.text())
            tap.check(wait_for(lambda: alert_state(server) == "firing", 15), "the alert goes firing", server.text())
            tap.check(wait_for(lambda: Receiver.got, 15), "the webhook is called", server.text())
            kind, body = Receiver.got[0]
            tap.equal(kind, "application/json", "content type")
            tap.equal([body["version"], body["status"], body["receiver"], body["groupLabels"]],
                      ["4", "firing", "hook", {"alertname": "TargetDown"}], "version, status, receiver, group labels")
            alert = body["alerts"][0]
            tap.equal(alert["labels"], {"alertname": "TargetDown", "instance": f"127.0.0.1:{exporter_port}",
                                        "job": "node", "severity": "page", "site": "here"}, "labels of the alert")
            tap.equal(alert["annotations"]["summary"],
                      f"target 127.0.0.1:{exporter_port} of node is down, value 0", "the template is expanded")
            tap.check(alert["endsAt"] == "0001-01-01T00:00:00Z" and len(alert["fingerprint"]) == 16
                      and "/graph?g0.expr=up" in alert["generatorURL"], "times, fingerprint, generator URL", alert)
            stale = server.query("node_load1")
            tap.equal(stale, [], "the series of the target are stale at once")
            states = {r["metric"]["alertstate"] for r in server.query("ALERTS")}
            tap.equal(states, {"firing"}, "the ALERTS series says firing")

            exporter.start()
            resolved = wait_for(lambda: [b for _, b in Receiver.got if b["status"] == "resolved"], 30)
            tap.check(resolved, "the resolved notification comes", Receiver.got)
            if resolved:
                alert = resolved[0]["alerts"][0]
                tap.check(alert["status"] == "resolved" and alert["endsAt"] > alert["startsAt"], "with its end", alert)
            tap.check(wait_for(lambda: server.query("node_load1"), 10), "and the series are back")
            metrics = get(server.url + "/metrics")[1]
            for name in ("prometheus_tsdb_head_series", "prometheus_build_info", "alertmanager_notifications_total"):
                tap.check(f"\n{name}" in metrics, f"/metrics has {name}", metrics[:500])
            tap.equal(server.stop(), 0, "promqd ends cleanly on SIGTERM")
    tap.done()


main()
