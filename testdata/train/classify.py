"""Trains a digit classifier in PyTorch so that it quantizes well.

Three things beside plain training: small random shifts, turns and scalings (8,400
digits are few); label smoothing, which keeps logits in a narrow range; and a
ceiling on sum|w| per output neuron. The last bounds the worst case of every
accumulator, which is what a circuit pays for.
"""

import io
import math

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F


def augment(x, generator):
    """A random affine map per image: turn 10°, scale 10 %, shift 2 pixels."""
    n = len(x)
    u = lambda: torch.rand(n, generator=generator) * 2 - 1
    angle, scale = u() * math.radians(10), 1 + 0.1 * u()
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    shift_x, shift_y = u() * 2 / 14, u() * 2 / 14
    theta = torch.stack([cos, -sin, shift_x, sin, cos, shift_y], 1).view(n, 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)


@torch.no_grad()
def limit(model, ceilings):
    """Scales down each output neuron whose sum|w| is above its layer's ceiling."""
    layers = [m for m in model.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    for layer, ceiling in zip(layers, ceilings):
        norm = layer.weight.abs().flatten(1).sum(1).clamp(min=1e-9)
        factor = (ceiling / norm).clamp(max=1)
        layer.weight.mul_(factor.view(-1, *[1] * (layer.weight.dim() - 1)))


def fit(model, digits, *, epochs, ceilings, rate=2e-3, batch=64, seed=1):
    """Trains in place, on images [n, 1, 28, 28] with values pixel/255."""
    images = torch.from_numpy(digits.train[0].astype(np.float32)) / 255
    labels = torch.from_numpy(digits.train[1].astype(np.int64))
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.02)
    steps = epochs * (len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    loss_function = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(epochs):
        model.train()
        order = torch.randperm(len(images), generator=generator)
        total = 0.0
        for i in range(len(images) // batch):
            pick = order[i * batch:(i + 1) * batch]
            loss = loss_function(model(augment(images[pick], generator)), labels[pick])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            limit(model, ceilings)
            total += loss.item()
        if epoch % 10 == 9 or epoch == epochs - 1:
            print(f"  epoch {epoch + 1}: loss {total / (i + 1):.4f}, held out {accuracy(model, digits):.4f}", flush=True)
    model.eval()


@torch.no_grad()
def accuracy(model, digits):
    model.eval()
    images, labels = digits.held_out
    logits = model(torch.from_numpy(images.astype(np.float32)) / 255)
    return (logits.argmax(1).numpy() == labels).mean()


def export(model, shape, *, opset, input_name, output_name, free_batch):
    """PyTorch's TorchScript exporter; free_batch leaves the leading dimension symbolic."""
    buffer = io.BytesIO()
    axes = {input_name: {0: "batch"}, output_name: {0: "batch"}} if free_batch else None
    torch.onnx.export(model, torch.zeros(1, *shape), buffer, opset_version=opset, dynamic_axes=axes,
                      input_names=[input_name], output_names=[output_name])
    return onnx.load_from_string(buffer.getvalue())


def argmax_accuracy(labels):
    return lambda output: ("accuracy", (output.argmax(1) == labels).mean())
