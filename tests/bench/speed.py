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

WORKLOADS = ["mlp-tiny", "mlp", "cnn", "resnet20", "encoder", "encoder-base"]
PEERS = ["eager", "eager, jemalloc", "compile, jemalloc"]
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


def compare_losses(build, bench, peer, workload):
    """The first two losses of both, from the same weights on the same rows: [[knack's, PyTorch's], ...]."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([bench, "write", workload, folder], check=True)
        theirs = peer.ask("losses", folder)["losses"]
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


# ---- Tables ----

def step(told):
    return statistics.median(r["median"] for r in told["rounds"])


def ratio(theirs, ours):
    return statistics.median(t["median"] / o["median"] for t, o in zip(theirs["rounds"], ours["rounds"]))


def number(value):
    return f"{value:.4f}" if value < 0.1 else f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def spread(told):
    """Where the middle four fifths of the steps lie, in percent of the median."""
    low, high = (statistics.median(r[key] for r in told["rounds"]) for key in ("low", "high"))
    return f"{100 * (low / step(told) - 1):+.0f} to {100 * (high / step(told) - 1):+.0f} %"


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
    rows = [[workload] + [f"{ours:.6f} / {theirs:.6f}: {abs(ours / theirs - 1):.0e}" for ours, theirs in pairs]
            for workload, pairs in losses.items()]
    print_table(["workload", "first loss, knack / PyTorch: relative difference", "second"], rows)


def print_steps(steps):
    rows, ratios = zip(*(step_row(key, results) for key, results in steps.items()))
    print_table(["workload", "compute", "threads", "knack, ms", "middle 80 %", *(f"{kind}, ms" for kind in PEERS),
                 "fastest of them / knack", "of product", "knack, MB", *(f"{kind}, MB" for kind in PEERS)], rows)
    for compute in ("f32", "bf16"):
        for threads in ("1", "2"):
            some = [r for key, r in zip(steps, ratios) if key.split()[1:] == [compute, threads] and not key.startswith("mlp-tiny")]
            if some:
                print(f"{compute}, {threads} thread{'s' if threads != '1' else ''}: geometric mean without mlp-tiny "
                      f"{statistics.geometric_mean(some):.2f} x, least {min(some):.2f} x\n")


# ---- All of it ----

class Results:
    """Kept in a file after each measurement."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, "speed.json")
        self.all = {"losses": {}, "steps": {}}
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
    parser.add_argument("--out", default="bench-results", help="folder for speed.json")
    parser.add_argument("--workloads", nargs="+", default=WORKLOADS)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--compute", nargs="+", default=["f32"], choices=["f32", "bf16"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn")
    arguments = parser.parse_args()
    bench = os.path.join(arguments.build, "tests", "bench", "bench")
    peer = Peer(arguments.python, arguments.allocator)
    results = Results(arguments.out)
    for workload in arguments.workloads:
        results.keep("losses", workload, lambda: compare_losses(arguments.build, bench, peer, workload))
    for compute in arguments.compute:
        for threads in arguments.threads:
            for workload in arguments.workloads:
                results.keep("steps", f"{workload} {compute} {threads}", lambda: measure(bench, peer, workload, threads, compute,
                                                                                      arguments.rounds, arguments.seconds))
    print_losses(results.all["losses"])
    print_steps(results.all["steps"])
    wrong = [w for w, pairs in results.all["losses"].items() if abs(pairs[0][0] / pairs[0][1] - 1) > 1e-4]
    if wrong:
        sys.exit(f"the first losses of {', '.join(wrong)} differ by more than 1e-4")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(str(failed))
