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
# One archive has all of it; the others are there for the linker to find.
ar rcs "$dir/libcudart.a" "$dir/field.o" "$dir/runtime.o" "$dir/vectors.o" "$dir/points.o"
ar rcs "$dir/libingo_curve_bn254.a"
ar rcs "$dir/libingo_field_bn254.a"
# For those without a C++ compiler.
${CC:-gcc} -print-file-name=libstdc++.so | grep -q / || ar rcs "$dir/libstdc++.a"
echo "export CGO_ENABLED=1 CGO_CFLAGS='-O2 -I$here/include' CGO_LDFLAGS='-L$dir -lcudart -lpthread'"
