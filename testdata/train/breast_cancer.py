"""A multilayer perceptron 30-16-8-2 on scikit-learn's breast-cancer set.

Trained by scikit-learn's MLPClassifier and exported by skl2onnx. Features are
standardised with the training set's mean and deviation and clipped to ±4
outside the model: raw they span 0.001 to 4,000, and one scale per tensor can't
hold that. The model's output is [P(malignant), P(benign)].
"""

import warnings

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import common

CLIP = 4.0


def main():
    common.seed_everything()
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    features, labels = load_breast_cancer(return_X_y=True)
    train, test, train_labels, test_labels = train_test_split(
        features, labels, test_size=0.25, stratify=labels, random_state=common.SEED)
    mean, deviation = train.mean(0), train.std(0)
    # Four decimals, so that a sample in JSON is the number the model was tested on.
    standard = lambda x: np.round(np.clip((x - mean) / deviation, -CLIP, CLIP), 4).astype(np.float32)
    train, test = standard(train), standard(test)

    model = MLPClassifier((16, 8), alpha=1.0, learning_rate_init=3e-3, max_iter=400, random_state=common.SEED)
    model.fit(train, train_labels)
    exported = to_onnx(model, initial_types=[("features", FloatTensorType([None, 30]))],
                       options={"zipmap": False}, target_opset={"": 15, "ai.onnx.ml": 3})
    # The label output is an ai.onnx.ml lookup of the class name; argmax says the same.
    declared = [o for o in exported.graph.output if o.name == "probabilities"][0]
    exported = select_model_inputs_outputs(exported, "probabilities")
    exported.graph.output[0].CopyFrom(declared)
    exported = common.only_default_domain(exported)
    common.write("breast_cancer", exported, train, test, test_labels.astype(np.uint8),
                 task="classification", labelled=64,
                 metric=lambda p: ("accuracy", (p.argmax(1) == test_labels).mean()))


if __name__ == "__main__":
    main()
