#!/usr/bin/env python3
"""What promqd refuses at start: one line (or all configuration errors), exit 1, nothing touched. And at reload: no change."""
import os
import signal
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib import PROMQD, Folder, Promqd, Tap, free_port, get, wait_for


def run(*flags):
    r = subprocess.run([PROMQD, *flags], capture_output=True, text=True, timeout=60)
    return r.returncode, r.stdout + r.stderr


def snapshot(path):
    return sorted((d, sorted(f), [os.stat(os.path.join(d, x)).st_size for x in sorted(f)]) for d, _, f in os.walk(path))


BAD_CONFIG = """global:
  scrape_intervall: 5s
scrape_configs:
  - job_name: a
    static_configs:
      - targets: ['x:1']
    scrape_timeout: 5x
  - job_name: a
"""

GOOD_CONFIG = "global: {scrape_interval: 7s}\n"


def main():
    tap = Tap()
    with Folder() as folder:
        port = free_port()
        listen = f"--web.listen-address=127.0.0.1:{port}"

        bad = folder.file("bad.yml", BAD_CONFIG)
        code, out = run(f"--config.file={bad}", f"--storage.tsdb.path={folder.path}/none", listen)
        tap.equal(code, 1, "a bad configuration ends the start with 1")
        for place in (f"{bad}:2:3:", f"{bad}:7:21:", "scrape_interval"):
            tap.check(place in out, f"all errors are named: {place}", out)
        tap.check("job name" in out, "the second job of one name is refused", out)
        tap.check(not os.path.exists(folder.file("none")), "no data folder was made")

        good = folder.file("good.yml", GOOD_CONFIG)
        with Promqd(folder, f"--config.file={good}", "--web.enable-lifecycle") as server:
            tap.check(server.ready(), "a good one starts", server.text())
            code, out = run(f"--storage.tsdb.path={folder.path}/other", f"--web.listen-address=127.0.0.1:{server.port}",
                            f"--config.file={good}")
            tap.check(code == 1 and len(out.strip().splitlines()) == 1 and str(server.port) in out
                      and "in use" in out, "port in use: one line, exit 1", f"{code} {out}")
            tap.check(not os.path.exists(folder.file("other")), "nothing touched")
            before = snapshot(folder.file("data"))
            code, out = run(f"--storage.tsdb.path={folder.path}/data", listen, f"--config.file={good}")
            tap.check(code == 1 and len(out.strip().splitlines()) == 1 and "lock" in out,
                      "data folder locked: one line, exit 1", f"{code} {out}")
            tap.equal([f for _, f, _ in snapshot(folder.file("data"))], [f for _, f, _ in before], "nothing touched")

            with open(good, "w") as f:
                f.write(BAD_CONFIG)
            request = urllib.request.Request(server.url + "/-/reload", method="POST")
            try:
                status = urllib.request.urlopen(request, timeout=10).status
                text = ""
            except urllib.error.HTTPError as e:
                status, text = e.code, e.read().decode()
            tap.check(status == 500 and "failed to reload config" in text, "a bad reload is refused", f"{status} {text}")
            config = server.api("status/config")
            tap.check(config and "scrape_interval: 7s" in config["yaml"], "the old configuration stays", config)
            metrics = get(server.url + "/metrics")[1]
            tap.check("\nprometheus_config_last_reload_successful 0" in metrics, "and the metric says so")
            with open(good, "w") as f:
                f.write(GOOD_CONFIG.replace("7s", "8s"))
            server.process.send_signal(signal.SIGHUP)
            changed = wait_for(lambda: "scrape_interval: 8s" in (server.api("status/config") or {"yaml": ""})["yaml"], 10)
            tap.check(changed, "SIGHUP loads the mended one", server.text())

        prometheus_data = os.path.join(folder.path, "prom")
        os.makedirs(os.path.join(prometheus_data, "chunks_head"))
        os.makedirs(os.path.join(prometheus_data, "wal"))
        open(os.path.join(prometheus_data, "wal", "00000000"), "w").close()
        before = snapshot(prometheus_data)
        code, out = run(f"--storage.tsdb.path={prometheus_data}", listen)
        tap.check(code == 1 and len(out.strip().splitlines()) == 1 and "Prometheus" in out,
                  "a data folder of a Prometheus: one line, exit 1", f"{code} {out}")
        tap.equal(snapshot(prometheus_data), before, "nothing touched")

        file_in_the_way = folder.file("file", "x")
        code, out = run(f"--storage.tsdb.path={file_in_the_way}/data", listen)
        tap.check(code == 1 and len(out.strip().splitlines()) == 1 and file_in_the_way in out,
                  "a data folder that cannot be made: one line, exit 1", f"{code} {out}")
        code, out = run("--no-such-flag")
        tap.check(code == 2 and "--no-such-flag" in out.replace("'", ""), "an unknown flag: exit 2", f"{code} {out}")
    tap.done()


main()
