"""Small programs that stand in for PyClone and PyClone-VI.

They are NOT the programs and know nothing of clones: they take the same arguments, print lines and write
files of the same names and columns, and can be slow, crash, or stop half-way, as the programs do. What
the real ones answer is tested where they are installed."""

import sys
from pathlib import Path

_COMMON = """#!{python}
# A stand-in for tests, not the program whose name it bears.
import bz2, csv, os, subprocess, sys, time
from pathlib import Path

BEHAVIOUR = {behaviour!r}

def option(*names):
    return next(sys.argv[at + 1] for at, word in enumerate(sys.argv) if word in names)

def options(name):
    at = sys.argv.index(name) + 1
    end = next((i for i in range(at, len(sys.argv)) if sys.argv[i].startswith("--")), len(sys.argv))
    return sys.argv[at:end]

def rows(path):
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\\t"))

def table(path, header, lines):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("\\n".join(["\\t".join(header), *("\\t".join(map(str, l)) for l in lines), ""]))

def misbehave():
    if BEHAVIOUR == "slow":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path("pids").write_text(f"{{os.getpid()}} {{child.pid}}")
        print("Iteration: 1", flush=True)
        time.sleep(600)
    if BEHAVIOUR == "crash":
        os.kill(os.getpid(), 11)
    if BEHAVIOUR == "fails":
        raise ValueError("Major CN must be greater 0")
    if BEHAVIOUR == "hungry":
        bytearray(1 << 40)
"""

_PYCLONE = (
    _COMMON
    + """
if "--version" in sys.argv:
    print("PyClone-0.13.1"); sys.exit()
assert sys.argv[1] == "run_analysis_pipeline"
assert Path(option("--working_dir")).is_absolute()
assert all(int(row["major_cn"]) > 0 for path in options("--in_files") for row in rows(path))
misbehave()
work = Path(option("--working_dir"))
samples = options("--samples")
ids = [row["mutation_id"] for row in rows(options("--in_files")[0])]
n = int(option("--num_iters"))
for i in range(0, n, n // 4):
    print("Iteration:", i)
(work / "trace").mkdir(parents=True)
label = {{name: i % 2 for i, name in enumerate(ids)}}
with bz2.open(work / "trace" / "labels.tsv.bz2", "wt") as out:
    out.write("\\t".join(ids) + "\\n")
    for i in range(40):
        out.write("\\t".join(str(label[name] if i % 4 else 0) for name in ids) + "\\n")
mean = {{0: 0.3, 1: 0.9}}
if BEHAVIOUR != "nothing":
    table(work / "tables" / "cluster.tsv", ["sample_id", "cluster_id", "size", "mean", "std"],
          [(s, k, sum(v == k for v in label.values()), mean[k], 0.02) for k in mean for s in samples])
    table(work / "tables" / "loci.tsv",
          ["mutation_id", "sample_id", "cluster_id", "cellular_prevalence", "cellular_prevalence_std",
           "variant_allele_frequency"],
          [(m, s, label[m], mean[label[m]] + 0.01, 0.05, 0.4) for m in ids for s in samples])
if BEHAVIOUR == "no plots":
    raise RuntimeError("no display")
"""
)

_PYCLONE_VI = (
    _COMMON
    + """
if "--version" in sys.argv:
    print("pyclone-vi, version 0.1.6"); sys.exit()
if sys.argv[1] == "fit":
    misbehave()
    for restart in range(int(option("-r"))):
        print("Performing restart", restart)
        print("Iteration: 100")
        print("ELBO: -123.5")
    print("All restarts completed")
    print("Final ELBO: -120.25")
    Path(option("-o")).write_text(option("-i"))
else:
    source = Path(option("-i")).read_text()
    lines = sorted({{(row["mutation_id"], row["sample_id"]) for row in rows(source)}})
    ids = sorted({{m for m, _ in lines}})
    label = {{m: i % 2 for i, m in enumerate(ids)}}
    if BEHAVIOUR == "strange":
        lines = lines[1:]
    table(option("-o"), ["mutation_id", "sample_id", "cluster_id", "cellular_prevalence",
                         "cellular_prevalence_std", "cluster_assignment_prob"],
          [(m, s, label[m], (0.25, 0.75)[label[m]], 0.0, 0.9) for m, s in lines])
"""
)


def stand_in(folder: Path, name: str, *, behaviour: str = "") -> Path:
    """An executable called PyClone or pyclone-vi that stands in for it.

    behaviour: "", slow, crash, fails, hungry, nothing, no plots (PyClone), strange (PyClone-VI)."""
    text = {"PyClone": _PYCLONE, "pyclone-vi": _PYCLONE_VI}[name]
    path = folder / name
    path.write_text(text.format(python=sys.executable, behaviour=behaviour))
    path.chmod(0o755)
    return path
