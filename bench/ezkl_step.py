"""One step of EZKL, for the benchmark: python ezkl_step.py STEP [ARGUMENT]

Runs in a folder with model.onnx, inputs/N.json and k.srs, leaves the step's files there,
and writes what it measured to STEP.out: wall and CPU time of the call, the process's
peak memory, and what the step gives. Each step is a process of its own.
"""

import glob
import json
import logging
import os
import resource
import sys
import time

import ezkl

MODEL, CIRCUIT, SETTINGS = "model.onnx", "model.compiled", "settings.json"
VK, PK, SRS, WITNESS, PROOF = "vk", "pk", "srs", "witness.json", "proof.json"


def clocks():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.monotonic(), used.ru_utime + used.ru_stime


def since(start):
    wall, cpu = clocks()
    return {"wall": wall - start[0], "cpu": cpu - start[1]}


def peak_memory():
    """The process's high-water mark of resident memory in megabytes."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0


class Within(logging.Handler):
    """Times what lies between two lines of EZKL's log: its proof, without the reading of
    the key from its file."""

    def __init__(self, first, last):
        super().__init__()
        self.first, self.last, self.start, self.took = first, last, None, None

    def emit(self, record):
        text = record.getMessage()
        if text.startswith(self.first):
            self.start = clocks()
        elif text.startswith(self.last) and self.start:
            self.took = since(self.start)


def calibrate(target):
    """target is EZKL's: resources or accuracy."""
    args = ezkl.PyRunArgs()
    args.variables = [("batch_size", 1), ("batch", 1)]
    if not ezkl.gen_settings(MODEL, SETTINGS, args):
        raise RuntimeError("no settings")
    if not ezkl.calibrate_settings("calibration.json", MODEL, SETTINGS, target):
        raise RuntimeError("no calibration")


def settings():
    with open(SETTINGS) as f:
        return json.load(f)


def compile():
    ezkl.compile_circuit(MODEL, CIRCUIT, SETTINGS)


def setup():
    ezkl.setup(CIRCUIT, VK, PK, SRS)


def witness():
    ezkl.gen_witness("inputs/0.json", CIRCUIT, WITNESS)


def answers():
    """What EZKL's witness answers to each input, in real units."""
    scales = settings()["model_output_scales"]
    all = []
    for i in range(len(glob.glob("inputs/*.json"))):
        w = ezkl.gen_witness(f"inputs/{i}.json", CIRCUIT, None)
        all.append([ezkl.felt_to_float(felt, scale) for out, scale in zip(w["outputs"], scales) for felt in out])
    return {"answers": all}


def prove():
    log = Within("proof started", "proof took")
    logging.getLogger().addHandler(log)
    proof = ezkl.prove(WITNESS, CIRCUIT, PK, PROOF, SRS)
    raw = proof["proof"]
    size = len(raw) if isinstance(raw, list) else len(bytes.fromhex(raw.removeprefix("0x")))
    return {"proof_bytes": size, "within": log.took, "key_bytes": os.path.getsize(PK)}


def verify():
    if not ezkl.verify(PROOF, SETTINGS, VK, SRS):
        raise RuntimeError("EZKL rejects its own proof")


STEPS = {f.__name__: f for f in (calibrate, compile, setup, witness, answers, prove, verify)}


def main():
    step = sys.argv[1]
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger().addHandler(logging.NullHandler())
    start = clocks()
    out = STEPS[step](*sys.argv[2:]) or {}
    out.update(since(start), peak_memory=peak_memory())
    if step == "calibrate":
        out["settings"] = settings()
    with open(step + ".out", "w") as f:
        json.dump(out, f)


main()
