"""What every training script needs: seeds, files, the reference run, figures.

A script trains one model and calls `write`, which leaves in testdata/<name>/:

  model.onnx    the model as its exporter wrote it
  samples.json  {"<input>": [[...], ...]}: one flat row-major list per sample
  input.json    the same with one sample, the first of the held-out set
  test.npz      input, label, output: the held-out set and what onnxruntime
                answers for it, in float32
  dataset.json  the first held-out samples with their labels, if asked for

and adds its line to testdata/models.json.
"""

import json
import os
import random
import re
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
import onnxruntime

SEED = 2026
THREADS = 2
TESTDATA = Path(__file__).resolve().parent.parent


def seed_everything(seed=SEED):
    """Fixes every source of randomness the scripts use."""
    random.seed(seed)
    np.random.seed(seed)
    try:
        import torch
    except ImportError:
        return
    torch.manual_seed(seed)
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)


def run_onnx(path, inputs):
    """Runs the model on each sample alone (batch 1); returns float32 outputs, stacked."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    outputs = [session.run(None, {name: x[None].astype(np.float32)})[0][0] for x in inputs]
    return np.stack(outputs).astype(np.float32)


def number(v, digits):
    """The shortest JSON number for v rounded to so many decimals."""
    r = round(float(v), digits)
    return int(r) if r == int(r) else r


def write_json_samples(path, name, samples, digits, labels=None):
    rows = [[number(v, digits) for v in s.ravel()] for s in samples]
    body = ",\n  ".join(json.dumps(r, separators=(",", ":")) for r in rows)
    tail = "" if labels is None else ',\n "labels": ' + json.dumps([int(v) for v in labels], separators=(",", ":"))
    path.write_text('{"%s": [\n  %s\n]%s}\n' % (name, body, tail))


def write(name, model, calibration, test_input, test_label, *, task, metric, scale=1.0, digits=4, labelled=0):
    """Writes testdata/<name>/ and returns the reference outputs.

    model: onnx.ModelProto; calibration, test_input: one sample per row, in the
    input's own shape without the batch; real value = stored value * scale
    (scale 1/255 stores pixels as uint8); digits: decimals in the JSON files;
    labelled: samples of dataset.json;
    metric: function(outputs) -> (name, value).
    """
    folder = TESTDATA / name
    folder.mkdir(parents=True, exist_ok=True)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, folder / "model.onnx")

    input_name = model.graph.input[0].name
    output_name = model.graph.output[0].name
    real = lambda x: (x.astype(np.float64) * scale).astype(np.float32)
    write_json_samples(folder / "samples.json", input_name, real(calibration), digits)
    write_json_samples(folder / "input.json", input_name, real(test_input[:1]), digits)

    if labelled:
        write_json_samples(folder / "dataset.json", input_name, real(test_input[:labelled]), digits, test_label[:labelled])

    output = run_onnx(folder / "model.onnx", real(test_input))
    np.savez_compressed(folder / "test.npz", input=test_input, label=test_label, output=output)

    metric_name, value = metric(output)
    entry = {
        "name": name,
        "task": task,
        "input": input_name,
        "input_shape": [1, *test_input.shape[1:]],
        "input_scale": "1/255" if test_input.dtype == np.uint8 else "1",
        "output": output_name,
        "output_shape": [1, *output.shape[1:]],
        "test": f"{name}/test.npz",
        "test_samples": len(test_input),
        "samples": f"{name}/samples.json",
        "calibration_samples": len(calibration),
        "metric": metric_name,
        "metric_value": round(float(value), 4),
    }
    add_entry(entry)
    describe(model, calibration, test_input, real, output, entry)
    return output


def only_default_domain(model):
    """Drops imports of domains that no node uses; refuses a node outside ONNX's own."""
    foreign = [n.op_type for n in model.graph.node if n.domain]
    if foreign:
        raise ValueError(f"operators outside the default domain: {foreign}")
    for o in [o for o in model.opset_import if o.domain]:
        model.opset_import.remove(o)
    return model


def add_entry(entry):
    path = TESTDATA / "models.json"
    models = json.loads(path.read_text()) if path.exists() else []
    models = [m for m in models if m["name"] != entry["name"]] + [entry]
    models.sort(key=lambda m: m["name"])
    text = json.dumps(models, indent=2)
    path.write_text(re.sub(r"\[\s+([\d,\s]+?)\s+\]", lambda m: "[" + " ".join(m[1].split()) + "]", text) + "\n")


def describe(model, calibration, test_input, real, output, entry):
    """Prints what a quantizer and a row-cost model want to know."""
    print(f"{entry['name']}: {entry['metric']} = {entry['metric_value']} on {entry['test_samples']}")
    opset = ", ".join(f"{o.domain or 'ai.onnx'} {o.version}" for o in model.opset_import)
    print(f"  opset {opset}; {model.producer_name} {model.producer_version}; {model.ByteSize()} bytes")
    print("  nodes:", " ".join(n.op_type for n in model.graph.node))
    for kind, values in (("input", model.graph.input), ("output", model.graph.output)):
        for v in values:
            dims = [d.dim_param or d.dim_value or "?" for d in v.type.tensor_type.shape.dim]
            print(f"  {kind} {v.name} {dims}")
    for w in model.graph.initializer:
        a = numpy_helper.to_array(w)
        if a.ndim < 2 or a.dtype != np.float32:
            continue
        # skl2onnx stores [in, out]; PyTorch [out, in, ...].
        rows = a.T if model.producer_name == "skl2onnx" else a.reshape(len(a), -1)
        print(f"  {w.name} {list(a.shape)}: max|w| {np.abs(a).max():.3f}, "
              f"max sum|w| per output {np.abs(rows).sum(1).max():.2f}")
    c, t = real(calibration), real(test_input)
    print(f"  calibration in [{c.min():.4f}, {c.max():.4f}], held out in [{t.min():.4f}, {t.max():.4f}]; "
          f"output in [{output.min():.4f}, {output.max():.4f}]")
    if output.ndim == 2 and output.shape[1] > 1:
        top = np.sort(output, axis=1)
        margin = (top[:, -1] - top[:, -2]) / (output.max() - output.min())
        print("  top-2 margin / output range: min %.4f; below 0.5%%: %d, 1%%: %d, 2%%: %d"
              % (margin.min(), (margin < .005).sum(), (margin < .01).sum(), (margin < .02).sum()))


def scratch():
    """The folder, outside the repository, for downloads and intermediate files."""
    path = os.environ.get("ZKML_TRAIN_CACHE")
    if not path:
        sys.exit("ZKML_TRAIN_CACHE is not set; run ./train.sh")
    return Path(path)
