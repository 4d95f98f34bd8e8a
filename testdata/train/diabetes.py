"""A regression perceptron 10-16-8-1 on scikit-learn's diabetes set.

Trained by scikit-learn's MLPRegressor and exported by skl2onnx. The model takes
the ten features as `load_diabetes()` gives them and answers in the target's own
unit, disease progression after a year (25 to 346): the scalings that training
wants are folded into the first and last layer.
"""

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor

import common


def main():
    common.seed_everything()
    features, target = load_diabetes(return_X_y=True)
    features = np.round(features, 4)
    train, test, train_target, test_target = train_test_split(
        features, target, test_size=0.25, random_state=common.SEED)

    deviation = features.std()  # scikit-learn gives every column the same one
    mean, spread = train_target.mean(), train_target.std()
    model = MLPRegressor((16, 8), alpha=30.0, solver="lbfgs", max_iter=2000, random_state=common.SEED)
    model.fit(train / deviation, (train_target - mean) / spread)
    model.coefs_[0] = model.coefs_[0] / deviation
    model.coefs_[-1] = model.coefs_[-1] * spread
    model.intercepts_[-1] = model.intercepts_[-1] * spread + mean

    exported = to_onnx(model, initial_types=[("features", FloatTensorType([None, 10]))],
                       final_types=[("progression", FloatTensorType([None, 1]))], target_opset=13)
    exported = common.only_default_domain(exported)
    common.write("diabetes", exported, train.astype(np.float32), test.astype(np.float32),
                 test_target.astype(np.float32), task="regression",
                 metric=lambda p: ("r2", r2_score(test_target, p[:, 0])))


if __name__ == "__main__":
    main()
