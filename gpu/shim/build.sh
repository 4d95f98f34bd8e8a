#!/bin/sh
# Builds the shim into DIR (by default build/ beside this file) as the libraries that
# ICICLE's Go wrappers link, and prints the variables for go build -tags "icicle shim".
# Needs gcc and ar.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-$here/build}
mkdir -p "$dir"
for file in field runtime vectors points; do
  ${CC:-gcc} -O2 -Wall -Wextra -Werror -fPIC -I"$here/include" -I"$here" -c "$here/$file.c" -o "$dir/$file.o"
done
rm -f "$dir"/*.a
# Each archive has all of it, because the wrappers name the libraries in any order.
for name in cudart ingo_curve_bn254 ingo_field_bn254; do
  ar rcs "$dir/lib$name.a" "$dir/field.o" "$dir/runtime.o" "$dir/vectors.o" "$dir/points.o"
done
# For those without a C++ compiler.
${CC:-gcc} -print-file-name=libstdc++.so | grep -q / || ar rcs "$dir/libstdc++.a"
# With CGO_LDFLAGS Go compiles nearly everything again; but a CUDA that is installed comes
# before LIBRARY_PATH.
if [ -e /usr/local/cuda/lib64 ] || ${CC:-gcc} -print-file-name=libcudart.so | grep -q /; then
  echo "export CGO_LDFLAGS='-L$dir -lcudart -lpthread'"
fi
echo "export CGO_ENABLED=1 CGO_CFLAGS='-O2 -g -I$here/include' LIBRARY_PATH='$dir'"
