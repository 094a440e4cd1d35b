"""What the scenarios share: starting programs on free ports, asking the API, TAP."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

SRC = os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("builddir", os.path.join(SRC, "build"))
PROMQD = os.path.join(BUILD, "promqd")
PROMQ = os.path.join(BUILD, "promq")


class Tap:
    """Counts checks and prints them; done() prints the plan and ends the program."""

    def __init__(self):
        self.n = 0
        self.bad = 0

    def check(self, ok, name, detail=""):
        self.n += 1
        if not ok:
            self.bad += 1
            for line in str(detail).splitlines()[:40]:
                print("# " + line)
        print(f"{'ok' if ok else 'not ok'} {self.n} - {name}", flush=True)
        return ok

    def equal(self, got, want, name):
        return self.check(got == want, name, f"want: {want}\ngot:  {got}")

    def done(self):
        print(f"1..{self.n}")
        sys.exit(1 if self.bad else 0)


def skip(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, seconds, every=0.1):
    """The first true value of condition(), or its last one when the time is up."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(every)


def get(url, timeout=10):
    """(status, body text); status 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode(errors="replace")
    except OSError as e:
        return 0, str(e)


class Folder:
    """A temporary folder that goes when the scenario ends."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="promq-scenario-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name, text=None):
        path = os.path.join(self.path, name)
        if text is not None:
            with open(path, "w") as f:
                f.write(text)
        return path


class Program:
    """A started program with its log in a file; ended at the end of the with block."""

    def __init__(self, argv, log):
        self.argv, self.log = argv, log
        self.start()

    def start(self):
        with open(self.log, "a") as f:
            self.process = subprocess.Popen(self.argv, stdout=f, stderr=f, stdin=subprocess.DEVNULL)

    def alive(self):
        return self.process.poll() is None

    def stop(self, sig=signal.SIGTERM, seconds=20):
        if self.alive():
            self.process.send_signal(sig)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def text(self):
        with open(self.log) as f:
            return f.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Promqd(Program):
    def __init__(self, folder, *flags, port=None):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(
            [PROMQD, f"--web.listen-address=127.0.0.1:{self.port}", f"--storage.tsdb.path={folder.path}/data", *flags],
            folder.file("promqd.log"))

    def ready(self, seconds=30):
        return wait_for(lambda: not self.alive() or get(self.url + "/-/ready")[0] == 200, seconds) and self.alive()

    def api(self, path, **params):
        """The `data` of an API answer; None and a comment when it is an error."""
        status, body = get(self.url + "/api/v1/" + path + "?" + urllib.parse.urlencode(params, doseq=True))
        if status != 200:
            print(f"# {path} {params}: {status} {body[:300]}")
            return None
        return json.loads(body)["data"]

    def query(self, expr, **params):
        data = self.api("query", query=expr, **params)
        return data["result"] if data else []


def promq(server, *args):
    """(exit code, stdout, stderr) of the command line."""
    r = subprocess.run([PROMQ, *args, "--server", server.url], capture_output=True, text=True, timeout=60)
    return r.returncode, r.stdout, r.stderr
