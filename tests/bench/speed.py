#!/usr/bin/env python3
"""Times training steps of knack and of PyTorch, in turns, and compares them.

    python3 tests/bench/speed.py --build BUILD --python PYTHON [--out FOLDER] [--workloads mlp cnn] [--threads 1 2] [--compute f32 bf16]

PYTHON has torch, numpy and safetensors; this script itself needs the standard library only. Four processes train the same model on the same
data: knack (BUILD/tests/bench/bench), and PyTorch eager with the C library's allocator, eager with jemalloc told to keep its memory, and
torch.compile with the same. They take turns of a second, so that whatever else happens to the machine happens to all; a ratio is the median
over rounds of one process's median step through the other's of the same round. Before, the first losses of knack and of PyTorch from
the same weights, without dropout, are compared. Tables go to standard output, and all numbers to FOLDER/speed.json; what is there already is
not measured again, so that the script can be stopped and started.
"""
import argparse
import glob
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

WORKLOADS = ["mlp-tiny", "mlp", "cnn", "resnet20", "encoder", "encoder-base"]
PEERS = ["eager", "eager, jemalloc", "compile, jemalloc"]
APART = {"f32": 1e-4, "bf16": 1e-2}  # what the first losses may be, relative
KEEP_MEMORY = "dirty_decay_ms:-1,muzzy_decay_ms:-1,background_thread:false"
HERE = os.path.dirname(os.path.abspath(__file__))


class Failed(Exception):
    pass


# ---- Workers ----

class Worker:
    def __init__(self, command, environment):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, **environment})
        self.ready = self.hear()
        self.forget_peak()
        self.rounds = []

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed((self.process.stderr.read().strip() or "it ended").splitlines()[-1])
        return json.loads(line)

    def forget_peak(self):
        """What was resident while it got ready, or compiled, is not what training takes."""
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")

    def round(self, seconds):
        self.process.stdin.write(f"round {seconds}\n")
        self.process.stdin.flush()
        self.rounds.append(self.hear())

    def peak(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))

    def end(self):
        """What it told."""
        peak = self.peak()
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        return {**self.ready, "peak": peak, "rounds": self.rounds}


def open_mp(threads):
    return {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}


class Peer:
    """How PyTorch's processes are started."""

    def __init__(self, python, allocator):
        self.python, self.allocator = python, allocator

    def command(self, *words):
        return [self.python, os.path.join(HERE, "speed_peer.py"), *words]

    def ask(self, *words):
        run = subprocess.run(self.command(*words), capture_output=True, text=True)
        if run.returncode:
            raise Failed(run.stderr.strip().splitlines()[-1])
        return json.loads(run.stdout)

    def start(self, kind, threads, *words):
        environment = {**open_mp(threads), "TORCHINDUCTOR_COMPILE_THREADS": "1"}
        if "jemalloc" in kind:
            if not self.allocator:
                raise Failed("no libjemalloc.so.2; --allocator names one")
            environment |= {"LD_PRELOAD": self.allocator, "MALLOC_CONF": KEEP_MEMORY}
        return Worker(self.command(*words, "--threads", str(threads), *(["--compile"] if "compile" in kind else [])), environment)


# ---- Measuring ----

def take_turns(workers, rounds, seconds):
    try:
        for _ in range(rounds):
            for worker in workers.values():
                worker.round(seconds)
    finally:
        told = {name: worker.end() for name, worker in workers.items()}
    return told


def measure(bench, peer, workload, threads, compute, rounds, seconds):
    """By worker, what it told; or, a text, why it could not run."""
    bf16 = ["--bf16"] if compute == "bf16" else []
    refused = {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([bench, "write", workload, folder], check=True)
        workers = {"product": Worker([bench, "serve", "product", "--threads", str(threads)], {}),
                   "knack": Worker([bench, "serve", workload, "--threads", str(threads), *bf16], {})}
        layout = []
        if workload in ("cnn", "resnet20"):
            layout = ["--layout", peer.ask("layout", folder, "--threads", str(threads), *bf16)["layout"]]
        for kind in PEERS:
            try:
                workers[kind] = peer.start(kind, threads, "serve", folder, *layout, *bf16)
            except Failed as failed:
                refused[kind] = str(failed)
                print(f"{workload}, {compute}, {threads} threads: {kind} is skipped: {failed}", file=sys.stderr)
        return {**take_turns(workers, rounds, seconds), **refused, "layout": layout[-1:]}


def measure_products(bench, peer, threads, rounds, seconds):
    """The same product by either library, so that it is seen whether one of them is at a disadvantage on this machine."""
    return take_turns({"knack": Worker([bench, "serve", "product", "--threads", str(threads)], {}),
                       "PyTorch": peer.start("eager", threads, "product")}, rounds, seconds)


def compare_losses(build, bench, peer, workload, bf16):
    """The first two losses of both, from the same weights on the same rows: [[knack's, PyTorch's], ...]."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([bench, "write", workload, folder, *bf16], check=True)
        theirs = peer.ask("losses", folder, *bf16)["losses"]
        with open(os.path.join(folder, "config.json")) as file:
            config = json.load(file)
        config["data"]["shuffle"] = False
        config["model"]["init"] = "init.safetensors"
        if "dropout" in config["model"]:
            config["model"]["dropout"] = 0
        config["train"]["log_every"] = "1st"
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump(config, file)
        run = subprocess.run([os.path.join(build, "core", "knack"), "run", os.path.join(folder, "config.json"), "--out",
                              os.path.join(folder, "out"), "-q"], capture_output=True, text=True)
        if run.returncode:
            raise Failed(run.stderr.strip())
        with open(os.path.join(folder, "out", "metrics.jsonl")) as file:
            ours = [line["loss"] for line in map(json.loads, file) if "lr" in line]
    return list(zip(ours, theirs))


# ---- What is not a step ----

def time_start(peer, folder):
    """Milliseconds from starting Python to the end of a first step."""
    began = time.monotonic()
    with subprocess.Popen(peer.command("first", folder), stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        return (time.monotonic() - began) * 1e3


def measure_others(bench, peer):
    """Of PyTorch: milliseconds to a first step and of a checkpoint, microseconds of batches. bench start, data and checkpoint time knack's."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        subprocess.run([bench, "write", "mlp-tiny", folder], check=True)
        start = statistics.median(time_start(peer, folder) for _ in range(5))
        batches = {}
        for workload in WORKLOADS:
            subprocess.run([bench, "write", workload, folder], check=True)
            batches[workload] = peer.ask("batches", folder)["us"]
        subprocess.run([bench, "write", "mlp", folder, "--width", "2794", "--batch", "8"], check=True)
        return {"start": start, "batches": batches, "checkpoint": peer.ask("checkpoint", folder)["ms"]}


def own_tables(folder):
    """knack's numbers beside those, from the tables that bench start, data and checkpoint wrote, as far as they are there."""
    found = {}
    for name in ("start", "data", "checkpoint"):
        if os.path.exists(os.path.join(folder, name + ".json")):
            with open(os.path.join(folder, name + ".json")) as file:
                found[name] = json.load(file)
    return found


# ---- Tables ----

def step(told):
    return statistics.median(r["median"] for r in told["rounds"])


def ratio(theirs, ours):
    return statistics.median(t["median"] / o["median"] for t, o in zip(theirs["rounds"], ours["rounds"]))


def number(value):
    return f"{value:.4f}" if value < 0.1 else f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def spread(told):
    """Where the middle four fifths of the steps lie, in percent of the median; *: of rounds of fewer than ten steps, where all of them lie."""
    rounds = told["rounds"]
    short = min(r["steps"] for r in rounds) < 10 and all("worst" in r for r in rounds)  # results of before do not have it
    if short:
        low, high = min(r["best"] for r in rounds), max(r["worst"] for r in rounds)
    else:
        low, high = (statistics.median(r[key] for r in rounds) for key in ("low", "high"))
    return f"{100 * (low / step(told) - 1):+.0f} to {100 * (high / step(told) - 1):+.0f} %" + (" *" if short else "")


def step_row(key, results):
    workload, compute, threads = key.split()
    knack, product = results["knack"], results["product"]
    best = min(r["best"] for r in product["rounds"])
    share = (knack["arithmetic"] / step(knack)) / (product["arithmetic"] / best)
    ran = {kind: results[kind] for kind in PEERS if isinstance(results[kind], dict)}
    ratios = {kind: ratio(told, knack) for kind, told in ran.items()}
    fastest = min(ratios, key=ratios.get)
    cells = [workload, compute, threads, number(step(knack) * 1e-6), spread(knack)]
    cells += [number(step(ran[kind]) * 1e-6) if kind in ran else "-" for kind in PEERS]
    cells += [f"**{ratios[fastest]:.2f}**", f"{100 * share:.0f} %", f"{knack['peak'] / 2**20:.0f}"]
    return cells + [f"{ran[kind]['peak'] / 2**20:.0f}" if kind in ran else "-" for kind in PEERS], ratios[fastest]


def print_table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def print_losses(losses):
    rows = [key.split() + [f"{ours:.6f} / {theirs:.6f}: {abs(ours / theirs - 1):.0e}" for ours, theirs in pairs]
            for key, pairs in losses.items()]
    print_table(["workload", "compute", "first loss, knack / PyTorch: relative difference", "second"], rows)


def verdict(reached):
    return "reached" if reached else "**missed**"


def print_means(steps, ratios):
    """Geometric means without mlp-tiny, which is in a class of its own; with the targets, which are for one thread in f32."""
    for compute, threads in (("f32", "1"), ("f32", "2"), ("bf16", "1"), ("bf16", "2")):
        some = {key.split()[0]: r for key, r in zip(steps, ratios) if key.split()[1:] == [compute, threads]}
        tiny = some.pop("mlp-tiny", None)
        if not some:
            continue
        mean, least = statistics.geometric_mean(some.values()), min(some.values())
        line = f"{compute}, {threads} thread{'s' if threads != '1' else ''}: geometric mean without mlp-tiny {mean:.2f} x, least {least:.2f} x"
        if (compute, threads) == ("f32", "1"):
            line += f"; targets: 2.0 x {verdict(mean >= 2)}, 1.3 x {verdict(least >= 1.3)}"
            line += f", mlp-tiny 15 x {verdict(tiny >= 15)}" if tiny else ""
        print(line + ".\n")


def print_steps(steps):
    rows, ratios = zip(*(step_row(key, results) for key, results in steps.items()))
    print_table(["workload", "compute", "threads", "knack, ms", "middle 80 %", *(f"{kind}, ms" for kind in PEERS),
                 "fastest of them / knack", "of product", "knack, MB", *(f"{kind}, MB" for kind in PEERS)], rows)
    print_means(steps, ratios)
    layouts = {key.split()[0]: results["layout"][0] for key, results in steps.items() if results["layout"]}
    if layouts:
        print("PyTorch's faster layout of images: " + ", ".join(f"{workload} {layout}" for workload, layout in layouts.items()) + ".\n")


def print_products(products):
    rows = [[threads, *(f"{2 * 1024**3 / min(r['best'] for r in told[kind]['rounds']):.0f}" for kind in ("knack", "PyTorch"))]
            for threads, told in products.items()]
    print_table(["threads", "product of 1024 x 1024 matrices, f32, best GFLOP/s: knack's", "PyTorch's"], rows)


def print_others(theirs, tables):
    rows = []
    if "start" in tables:
        rows.append(("from starting the program to the end of the first step of a small mlp, ms", tables["start"][0]["ms"], theirs["start"]))
    for row in tables.get("data", []):
        rows.append((f"a batch of {row['workload']}, without a step, us", row["us a batch"], theirs["batches"][row["workload"]]))
    for row in tables.get("checkpoint", []):
        if row["to"] == "memory" and row["parameters"] > 5e6:
            rows.append((f"a checkpoint of {row['parameters']:.2g} parameters with AdamW's state, to memory, ms", row["ms"], theirs["checkpoint"]))
    print_table(["what", "knack", "PyTorch", "PyTorch / knack"], [[what, number(a), number(b), f"{b / a:.2f}"] for what, a, b in rows])


# ---- All of it ----

class Results:
    """Kept in a file after each measurement."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, "speed.json")
        self.all = {"losses": {}, "products": {}, "steps": {}, "others": {}}
        if os.path.exists(self.path):
            with open(self.path) as file:
                self.all = json.load(file)

    def keep(self, part, key, measured):
        if key not in self.all[part]:
            self.all[part][key] = measured()
            with open(self.path + ".new", "w") as file:
                json.dump(self.all, file, indent=1)
            os.replace(self.path + ".new", self.path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True, help="build folder of knack")
    parser.add_argument("--python", required=True, help="a python with torch, numpy and safetensors")
    parser.add_argument("--allocator", help="libjemalloc.so.2", default=next(iter(glob.glob("/usr/lib/*/libjemalloc.so.2")), None))
    parser.add_argument("--out", help="folder for speed.json; bench-results in the build folder unless said")
    parser.add_argument("--workloads", nargs="+", default=WORKLOADS)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--compute", nargs="+", default=["f32"], choices=["f32", "bf16"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn")
    arguments = parser.parse_args()
    bench = os.path.join(arguments.build, "tests", "bench", "bench")
    peer = Peer(arguments.python, arguments.allocator)
    out = arguments.out or os.path.join(arguments.build, "bench-results")
    results = Results(out)
    for compute in arguments.compute:
        for workload in arguments.workloads:
            bf16 = ["--bf16"] if compute == "bf16" else []
            results.keep("losses", f"{workload} {compute}", lambda: compare_losses(arguments.build, bench, peer, workload, bf16))
    for threads in arguments.threads:
        results.keep("products", str(threads), lambda: measure_products(bench, peer, threads, arguments.rounds, arguments.seconds))
    for compute in arguments.compute:
        for threads in arguments.threads:
            for workload in arguments.workloads:
                results.keep("steps", f"{workload} {compute} {threads}", lambda: measure(bench, peer, workload, threads, compute,
                                                                                      arguments.rounds, arguments.seconds))
    results.keep("others", "PyTorch", lambda: measure_others(bench, peer))
    print_losses(results.all["losses"])
    print_products(results.all["products"])
    print_steps(results.all["steps"])
    print_others(results.all["others"]["PyTorch"], own_tables(out))
    wrong = [key for key, [[ours, theirs], _] in results.all["losses"].items() if abs(ours / theirs - 1) > APART[key.split()[1]]]
    if wrong:
        sys.exit(f"the first losses are too far apart: {', '.join(wrong)}")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(str(failed))
