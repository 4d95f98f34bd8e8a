"""LeNet-5 on MNIST digits: 6@5x5 pad 2, max pool, 16@5x5, max pool, 120, 84, 10.

LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document
Recognition", 1998, with ReLU and max pooling as is usual today.
"""

from torch import nn

import classify
import common
from digits import TEST, Digits


def network():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(),
        nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )


def main():
    common.seed_everything()
    digits = Digits()
    model = network()
    classify.fit(model, digits, epochs=40, ceilings=[4, 8, 10, 8, 8])
    print(f"lenet5: {classify.accuracy(model, digits):.4f} on {len(digits.held_out[0])} held-out digits")
    exported = classify.export(model, (1, 28, 28), opset=13, input_name="image", output_name="logits",
                               free_batch=False)
    images, labels = digits.held_out
    common.write("lenet5", exported, digits.calibration[0], images[:TEST], labels[:TEST],
                 task="classification", scale=1 / 255, metric=classify.argmax_accuracy(labels[:TEST]))


if __name__ == "__main__":
    main()
