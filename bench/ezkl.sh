#!/bin/sh
# Installs EZKL, the version that the benchmark compares with, into a virtual environment
# in the folder $1, from PyPI. Needs Python 3.7 or later.
set -eu
venv="$1"
version=23.0.5

if [ ! -x "$venv/bin/python" ]; then
	python3 -m venv "$venv"
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check "ezkl==$version"
