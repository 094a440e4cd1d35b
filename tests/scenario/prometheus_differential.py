#!/usr/bin/env python3
"""The same data written to promqd and to Debian's prometheus (2.42), then the same questions: the values have to agree within
1e-9, but where docs/promql-compat.md says why not. Asked are the queries of public dashboards, those of public rule files, and
the operands of those that find nothing; each list is counted: passed, failed, excepted and why. Data: a slice of a real hour, and made-up series for every selector of the
queries, so that they have something to find. Times avoid boundaries: no sample lies exactly a range before a step, since
ranges of 3.x leave out their left end.

PROMQ_DIFFERENTIAL=full asks about the whole hour at full resolution and about more times; the default takes some seconds."""
import difflib
import glob
import importlib.util
import json
import lzma
import math
import os
import random
import re
import shutil
import struct
import sys
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib import SRC, Folder, Program, Promqd, Tap, free_port, get, skip, wait_for

PROMETHEUS = shutil.which("prometheus")
HOUR = os.path.join(SRC, "bench", "real-hour.txt.xz")
CONFORMANCE = os.environ.get("PROMQ_CONFORMANCE", os.path.join(SRC, "..", "shared", "conformance"))
FULL = os.environ.get("PROMQ_DIFFERENTIAL") == "full"
END_MS = 1_700_000_000_000
SLICE_MS = 3_600_000 if FULL else 12 * 60_000
KEEP_EVERY = 1 if FULL else 3
REAL_EARLIER_MS = 417  # so that no sample lies on a full second
MADE_STEP_MS = 30_000
MADE_SAMPLES = 120 if FULL else 50
MADE_RESIDUE_MS = 123  # of the times of made-up samples, within a second
TOLERANCE = 1e-9

CONFIG = """
global: {{scrape_interval: 1m, evaluation_interval: 1m}}
rule_files: ['{rules}']
"""

RULES = """
groups:
  - name: recording
    interval: 1s
    rules:
      - record: job:up:sum
        expr: sum   by(job) (up{job=~".+"})
        labels: {kind: recorded}
      - record: instance:cpu:rate5m
        expr: 1 - avg without(cpu, mode)(rate(node_cpu_seconds_total{mode="idle"}[5m]))
  - name: alerting
    interval: 2s
    rules:
      - alert: Down
        expr: up == 0
        for: 5m
        labels: {severity: page}
        annotations: {summary: '{{ $labels.instance }} is down'}
      - alert: Slow
        expr: histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m]))) > 0.5
"""

# What may differ: a pattern over the query, how much, and where docs/promql-compat.md says why.
ALLOWED = [
    # Longer than the data, so that counters begin within the range.
    (r"(rate|increase)\(\w+(\{[^}]*\})?\[(1h|24h|1d|6h|3d|30d)\]", 0.03, "Counters that begin within the range"),
]


def bench_module():
    spec = importlib.util.spec_from_file_location("dump2rw", os.path.join(SRC, "bench", "dump2rw.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- the queries -----------------------------------------------------------------------------------------------------------


def lists():
    """{name of a list: its queries}, none of them twice."""
    with open(os.path.join(CONFORMANCE, "queries", "realistic.json")) as f:
        found = {"dashboards and rules (queries/realistic.json)": [q["query"] for q in json.load(f)["queries"]]}
    with open(os.path.join(CONFORMANCE, "seeds", "queries.json")) as f:
        found["services (seeds/queries.json)"] = json.load(f)
    found["rule files (rules_real)"] = rule_expressions()
    seen = set()
    for name in found:
        found[name] = [q for q in dict.fromkeys(found[name]) if not (q in seen or seen.add(q))]
    return found


def rule_expressions():
    try:
        import yaml
    except ImportError:
        print("# the rule files are left out: python has no yaml")
        return []
    found = []
    for path in sorted(glob.glob(os.path.join(CONFORMANCE, "rules_real", "*.yaml"))):
        with open(path) as f:
            for group in yaml.safe_load(f)["groups"]:
                found += [str(rule["expr"]) for rule in group.get("rules") or []]
    return found


STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`')
OPERATOR = re.compile(r"==|!=|<=|>=|[<>*/%^]|\b(?:and|or|unless)\b|(?<=[\w\s)\]}])(?<![0-9][eE])[-+](?=[\s(\w])")
MODIFIER = re.compile(r"\s*(?:bool\b|(?:on|ignoring|group_left|group_right)\s*\([^)]*\)|group_(?:left|right)\b)")


def operands(expr):
    """The operands of the outermost operators; of a call or of parentheses around everything, what is within."""
    expr = re.sub(r"(?m)^\s*#.*$", "", expr).strip()
    plain = STRING.sub(lambda m: "_" * len(m.group()), expr)
    parts, depth, start, i = [], 0, 0, 0
    while i < len(plain):
        operator = OPERATOR.match(plain, i) if depth == 0 else None
        depth += (plain[i] in "([{") - (plain[i] in ")]}")
        if operator and not re.match(r"\w", plain[i - 1:i] if operator.group().isalpha() else ""):
            parts.append(expr[start:i])
            i = operator.end()
            while MODIFIER.match(plain, i):
                i = MODIFIER.match(plain, i).end()
            start = i
        else:
            i += 1
    parts.append(expr[start:])
    inner = re.fullmatch(r"\s*\((.*)\)\s*", parts[0], re.S) if len(parts) == 1 else None
    return operands(inner.group(1)) if inner else [p.strip() for p in parts if re.search(r"[a-z_:]", p)] if len(parts) > 1 else []


def walk(node, labels, found):
    """Selectors of a parsed query (as /api/v1/parse_query gives it), each with the labels that are grouped or matched by
    around it."""
    if not isinstance(node, dict):
        return
    labels = labels | set(node.get("grouping") or [])
    if isinstance(node.get("matching"), dict):
        labels = labels | set(node["matching"].get("labels") or []) | set(node["matching"].get("include") or [])
    if node.get("type") in ("vectorSelector", "matrixSelector"):
        found.append((node["matchers"], labels))
    for value in node.values():
        if isinstance(value, dict):
            walk(value, labels, found)
        elif isinstance(value, list):
            for one in value:
                walk(one, labels, found)


def example_of(pattern):
    """A string that a regular expression of the kind found in dashboards matches, or None."""
    for text in (pattern, pattern.split("|")[0], pattern.strip("()").split("|")[0]):
        text = re.sub(r"\[([^\]^])[^\]]*\]", r"\1", text)
        text = re.sub(r"\(\?:|\(|\)|\^|\$", "", text).replace("\\\\", "").replace("\\", "")
        for wild in (".*", ".+"):
            text = text.replace(wild, "x")
        text = re.sub(r"[?+*]", "", text)
        if re.fullmatch(pattern, text):
            return text
    return None


def series_for(matchers, labels):
    """Some label sets that the selector matches."""
    fixed = {}
    for m in matchers:
        if m["type"] == "=":
            fixed[m["name"]] = m["value"]
        elif m["type"] == "=~":
            fixed[m["name"]] = example_of(m["value"])
        elif m["name"] not in fixed:
            fixed[m["name"]] = "other"
    if None in fixed.values() or not fixed.get("__name__"):
        return []
    free = sorted(labels - set(fixed) - {"le"})
    made = []
    for i in range(3):
        one = dict(fixed, **{name: f"v{i}" for name in free})
        if not free:
            one["n"] = str(i)
        made += [dict(one, le=le) for le in ("0.1", "0.5", "1", "5", "+Inf")] if one["__name__"].endswith("_bucket") else [one]
    return [{k: v for k, v in s.items() if v} for s in made]


# --- the data --------------------------------------------------------------------------------------------------------------


def rename(labels):
    """What dashboards expect of a node exporter and a Prometheus."""
    names = {"node": "node-exporter", "prometheus": "prometheus-k8s"}
    if labels.get("job") in names:
        labels["job"] = names[labels["job"]]
    return labels


def real_samples(bench):
    """The last minutes of the real hour: {labels as text: [(ms, value)]}, ending at END_MS."""
    lines = lzma.open(HOUR, "rt").read().splitlines()
    last = max(int(line.rsplit(" ", 1)[1]) for line in lines)
    found, heads, counts = {}, {}, {}
    for line in lines:
        head, value, t = line.rsplit(" ", 2)
        t = int(t)
        if t < last - SLICE_MS:
            continue
        counts[head] = counts.get(head, 0) + 1
        if counts[head] % KEEP_EVERY:
            continue
        if head not in heads:
            pairs = {k: bench.unescape(v) for k, v in bench.LABEL.findall(head)}
            heads[head] = json.dumps(rename(pairs), sort_keys=True)
        found.setdefault(heads[head], []).append((t - last + END_MS - REAL_EARLIER_MS, float(value)))
    return found


def made_samples(server, exprs, real):
    """Series for selectors that the real data does not know by name."""
    known = {json.loads(k)["__name__"] for k in real}
    rng, made = random.Random(42), {}
    counters = set(re.findall(r"(?:rate|increase)\((\w+)", " ".join(exprs)))
    for expr in exprs:
        selectors = []
        walk(server.api("parse_query", query=expr), set(), selectors)
        for matchers, labels in selectors:
            for s in series_for(matchers, labels):
                if s["__name__"] not in known:
                    made[json.dumps(s, sort_keys=True)] = None
    for text in made:
        made[text] = made_series(rng, json.loads(text), counters)
    return made


def made_series(rng, labels, counters):
    name = labels["__name__"]
    is_counter = name in counters or re.search(r"_(total|count|sum|bucket)$", name) is not None
    bounds = {"0.1": 1, "0.5": 2, "1": 3, "5": 4, "+Inf": 5}
    slope = bounds.get(labels.get("le"), rng.choice([0.1, 1, 10, 1000]))
    value, samples, start = rng.random() * 1000 * is_counter, [], END_MS - MADE_SAMPLES * MADE_STEP_MS + MADE_RESIDUE_MS
    # A counter that comes back within a range is extrapolated differently: docs/promql-compat.md.
    gap = rng.randrange(MADE_SAMPLES) if rng.random() < 0.1 and not is_counter else None
    for i in range(MADE_SAMPLES):
        if is_counter:
            step = slope * (i % 7) if "le" in labels else slope * rng.random()
            value = 0.0 if "le" not in labels and rng.random() < 0.005 else value + step
        else:
            value = rng.choice([0, 1, rng.random() * slope, rng.random()])
        if gap is None or not gap <= i < gap + 15:
            samples.append((start + i * MADE_STEP_MS, float(value)))
    return samples


def bodies(bench, data):
    """Remote-write requests, in time order."""
    encoded, flat = {}, []
    for text, samples in data.items():
        pairs = sorted(json.loads(text).items())
        encoded[text] = b"".join(bench.field(1, bench.field(1, k.encode()) + bench.field(2, v.encode())) for k, v in pairs)
        flat += [(t, text, v) for t, v in samples]
    flat.sort(key=lambda s: s[0])
    for i in range(0, len(flat), 5000):
        raw = b"".join(
            bench.field(1, encoded[text] + bench.field(2, b"\x09" + struct.pack("<d", v) + b"\x10" + bench.varint(t)))
            for t, text, v in flat[i:i + 5000])
        yield bench.snappy_literals(raw)


def write(url, body):
    request = urllib.request.Request(url + "/api/v1/write", body, {
        "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0"})
    try:
        with urllib.request.urlopen(request, timeout=60) as r:
            return r.status
    except urllib.error.HTTPError as e:
        return f"{e.code} {e.read()[:300]}"


# --- asking and comparing --------------------------------------------------------------------------------------------------


def ask(url, path, **params):
    status, body = get(url + "/api/v1/" + path + "?" + urllib.parse.urlencode(params, doseq=True), timeout=60)
    try:
        return status, json.loads(body)
    except ValueError:
        return status, {"error": body}


def close(a, b, tolerance):
    x, y = float(a), float(b)
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    return x == y or abs(x - y) <= tolerance * max(abs(x), abs(y))


def points(result):
    """{labels: [(time, value)]} of a vector or a matrix."""
    return {json.dumps(s["metric"], sort_keys=True): s["values"] if "values" in s else [s["value"]] for s in result}


def difference(ours, theirs, tolerance=TOLERANCE):
    """None, or what is different between two `data` objects."""
    if ours["resultType"] != theirs["resultType"]:
        return f"type {ours['resultType']}, {theirs['resultType']}"
    if ours["resultType"] == "scalar":
        return None if close(ours["result"][1], theirs["result"][1], tolerance) else f"{ours['result']} {theirs['result']}"
    a, b = points(ours["result"]), points(theirs["result"])
    if set(a) != set(b):
        return f"only promqd: {sorted(set(a) - set(b))[:3]}, only prometheus: {sorted(set(b) - set(a))[:3]}"
    for labels in a:
        if [p[0] for p in a[labels]] != [p[0] for p in b[labels]]:
            return f"{labels}: times {a[labels][:3]}.. {b[labels][:3]}.."
        for (t, v), (_, w) in zip(a[labels], b[labels]):
            if not close(v, w, tolerance):
                return f"{labels} at {t}: {v}, {w}"
    return None


def on_one_line(expr):
    return re.sub(r"\s+", " ", expr)


class Comparison:
    """The answers to one list of queries."""

    def __init__(self, ours, theirs):
        self.ours, self.theirs = ours, theirs
        self.passed = self.empty = 0
        self.excepted, self.bad, self.without_result, self.unknown = {}, [], set(), set()

    def query(self, path, expr, **params):
        status, theirs = ask(self.theirs, path, query=expr, **params)
        if status == 400:
            self.unknown.add(expr)
            return
        our_status, ours = ask(self.ours, path, query=expr, **params)
        if status != our_status:
            why = f"status {our_status} {ours.get('error')}, {status} {theirs.get('error')}"
        elif status == 200:
            why = difference(ours["data"], theirs["data"])
            if not ours["data"]["result"]:
                self.empty += 1
                self.without_result.add(expr)
        else:
            why = None if ours["errorType"] == theirs["errorType"] else f"{ours}, {theirs}"
        reason = why and status == our_status == 200 and reason_for(expr, ours["data"], theirs["data"])
        if not why:
            self.passed += 1
        elif reason:
            self.excepted.setdefault(reason, []).append(expr)
        else:
            self.bad.append(f"{path} {params}: {expr}\n    {why}")

    def report(self, name):
        excepted = sum(len(e) for e in self.excepted.values())
        print(f"# {name}: passed={self.passed} (of them empty={self.empty}) failed={len(self.bad)} excepted={excepted} "
              f"unknown to 2.42={len(self.unknown)}")
        for expr in sorted(self.unknown):
            print("#   no query of 2.42: " + on_one_line(expr))
        for reason, exprs in self.excepted.items():
            for expr in dict.fromkeys(exprs):
                print(f"#   excepted ({reason}): {on_one_line(expr)}")


def reason_for(expr, ours, theirs):
    """The heading in docs/promql-compat.md that explains a difference, or None."""
    for pattern, tolerance, heading in ALLOWED:
        if re.search(pattern, expr) and difference(ours, theirs, tolerance) is None:
            return heading
    return None


def ask_all(ours, theirs, exprs):
    c = Comparison(ours, theirs)
    # A time of day that is no sample's and no boundary: see RESIDUE_MS below.
    for back_s in (37, 240, 301) if FULL else (37,):
        for expr in exprs:
            c.query("query", expr, time=f"{(END_MS // 1000 - back_s)}.{RESIDUE_MS:03}")
    for seconds, step in ((1800, 60), (600, 15)) if FULL else ((480, 60),):
        for expr in exprs:
            end = END_MS // 1000 - 20
            c.query("query_range", expr, start=f"{end - seconds}.{RESIDUE_MS:03}", end=f"{end}.{RESIDUE_MS:03}", step=step)
    return c


def compare_queries(tap, ours, theirs, found):
    silent, asked = set(), set().union(*found.values())
    for name, exprs in found.items():
        c = ask_all(ours, theirs, exprs)
        c.report(name)
        silent |= c.without_result
        tap.check(not c.bad and (c.passed > 50 or not exprs), f"{name} agree", "\n".join(c.bad[:20]))
    parts = list(dict.fromkeys(p for expr in sorted(silent) for p in operands(expr) if p not in asked))
    c = ask_all(ours, theirs, parts)
    name = "operands of what finds nothing"
    c.report(name)
    tap.check(not c.bad and c.passed > c.empty, f"{name} agree", "\n".join(c.bad[:20]))


def canonical(value):
    """Lists of objects without order."""
    if isinstance(value, list):
        return sorted((canonical(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    if isinstance(value, dict):
        return {k: canonical(v) for k, v in value.items()}
    return value


def compare_lists(tap, ours, theirs):
    span = {"start": END_MS // 1000 - 7200, "end": END_MS // 1000}
    asks = [
        ("series", {"match[]": ["up", '{__name__=~"node_c.*"}'], **span}),
        ("series", {"match[]": 'node_cpu_seconds_total{mode!~"idle|user"}', **span}),
        ("series", {"match[]": "no_such_metric", **span}),
        ("series", {}),
        ("series", {"match[]": "{}", **span}),
        ("labels", span),
        ("labels", {"match[]": "up", **span}),
        ("label/job/values", span),
        ("label/__name__/values", span),
        ("label/mode/values", {"match[]": 'node_cpu_seconds_total{cpu="0"}', **span}),
        ("label/nope/values", span),
        ("metadata", {}),
        ("targets", {}),
        ("alerts", {}),
    ]
    for path, params in asks:
        a, b = ask(ours, path, **params), ask(theirs, path, **params)
        # Texts of errors are newer ones; their kinds are the same. 3.x counts dropped targets.
        for answer in (a, b):
            answer[1].pop("error", None)
            if isinstance(answer[1].get("data"), dict):
                answer[1]["data"].pop("droppedTargetCounts", None)
        tap.equal(canonical(a), canonical(b), f"{path} {params.get('match[]', '')}")


def without_times(groups):
    for g in groups:
        for key in ("lastEvaluation", "evaluationTime"):
            g.pop(key)
            for rule in g["rules"]:
                rule.pop(key)
                # 2.42 leaves out labels that are none, 3.x does not.
                rule.setdefault("labels", {})
    return groups


def compare_rules(tap, ours, theirs):
    def evaluated(url):
        groups = ask(url, "rules")[1]["data"]["groups"]
        return groups if all(r["health"] == "ok" for g in groups for r in g["rules"]) else None

    a, b = wait_for(lambda: evaluated(ours), 70, 0.5), wait_for(lambda: evaluated(theirs), 70, 0.5)
    if tap.check(a and b, "the rules are evaluated"):
        lines = [json.dumps(without_times(g), indent=1, sort_keys=True).splitlines() for g in (a, b)]
        diff = "\n".join(difflib.unified_diff(*lines, "promqd", "prometheus", n=1, lineterm=""))
        tap.check(not diff, "rules", diff)


# --- all -------------------------------------------------------------------------------------------------------------------

RESIDUE_MS = 0  # set by main(): a residue within a second that no sample has


def main():
    global RESIDUE_MS
    if not PROMETHEUS:
        skip("prometheus is not installed")
    if not os.path.exists(HOUR) or not os.path.isdir(os.path.join(CONFORMANCE, "queries")):
        skip("the data or the queries are not here")
    tap, bench, found = Tap(), bench_module(), lists()
    exprs = [q for name in found for q in found[name]]
    with open(os.path.join(SRC, "docs", "promql-compat.md")) as f:
        headings = f.read()
    tap.check(all(f"## {heading}\n" in headings for _, _, heading in ALLOWED), "what is allowed to differ is documented")
    with Folder() as folder:
        config = folder.file("prometheus.yml", CONFIG.format(rules=folder.file("rules.yml", RULES)))
        port = free_port()
        theirs = f"http://127.0.0.1:{port}"
        argv = [PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={folder.path}/theirs",
                f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver",
                "--storage.tsdb.retention.time=100y"]
        with Program(argv, folder.file("prometheus.log")) as other, \
                Promqd(folder, f"--config.file={config}", "--storage.tsdb.retention.time=100y") as server:
            ready = server.ready() and wait_for(lambda: get(theirs + "/-/ready")[0] == 200, 60)
            if not tap.check(ready, "both servers become ready", server.text() + other.text()):
                tap.done()
            data = real_samples(bench)
            data.update(made_samples(server, exprs, data))
            used = {t % 1000 for samples in data.values() for t, _ in samples}
            RESIDUE_MS = next(ms for ms in range(777, 2000) if ms % 1000 not in used) % 1000
            tap.check(0 not in used, "no sample lies on a full second, where subqueries look")
            for body in bodies(bench, data):
                answers = write(server.url, body), write(theirs, body)
                if answers != (204, 204):
                    tap.check(False, "both accept the data", answers)
                    tap.done()
            print(f"# {len(data)} series, {sum(len(s) for s in data.values())} samples, {len(exprs)} queries")
            compare_queries(tap, server.url, theirs, found)
            compare_lists(tap, server.url, theirs)
            compare_rules(tap, server.url, theirs)
    tap.done()


main()
