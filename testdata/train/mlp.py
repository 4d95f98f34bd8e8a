"""A multilayer perceptron 784-128-10 with ReLU on MNIST digits."""

from torch import nn

import classify
import common
from digits import TEST, Digits


class Perceptron(nn.Module):
    """Takes pixels flat, [batch, 784], or as images that it flattens in training."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 128)
        self.out = nn.Linear(128, 10)

    def forward(self, x):
        if x.dim() == 4:
            x = x.flatten(1)
        return self.out(self.hidden(x).relu())


def main():
    common.seed_everything()
    digits = Digits()
    model = Perceptron()
    classify.fit(model, digits, epochs=100, ceilings=[48, 16])
    print(f"mlp: {classify.accuracy(model, digits):.4f} on {len(digits.held_out[0])} held-out digits")
    exported = classify.export(model, (784,), opset=17, input_name="pixels", output_name="logits",
                               free_batch=True)
    flat = lambda images: images.reshape(len(images), 784)
    images, labels = digits.held_out
    common.write("mlp", exported, flat(digits.calibration[0]), flat(images)[:TEST], labels[:TEST],
                 task="classification", scale=1 / 255, metric=classify.argmax_accuracy(labels[:TEST]))


if __name__ == "__main__":
    main()
