#!/bin/sh
# Builds ICICLE's libraries for BN254 from the sources of the module that go.mod pins, and
# prints the variables for go build -tags icicle.
#
#   gpu/build.sh [--install] [--arch N] [DIR]
#
# --install  installs the CUDA toolkit, g++ 11 and cmake from Debian's packages (non-free);
#            wants root
# --arch     the cards' compute capability without its point, as 80, 86, 89 or 90 (default: 90)
# DIR        where the libraries go (default: build/ beside this file)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
arch=90 dir=$here/build
while [ $# -gt 0 ]; do
  case $1 in
  --install)
    # The toolkit lies in non-free, which a source may lack.
    if ! apt-cache show nvidia-cuda-toolkit >/dev/null 2>&1; then
      echo "nvidia-cuda-toolkit isn't among apt's packages: add non-free to Debian's sources, and run apt-get update" >&2
      exit 1
    fi
    apt-get install -y --no-install-recommends nvidia-cuda-toolkit g++-11 cmake make >&2 ;;
  --arch) shift; arch=${1:?--arch wants a number} ;;
  -*) echo "unknown option $1" >&2; exit 2 ;;
  *) dir=$1 ;;
  esac
  shift
done
for tool in nvcc g++-11 cmake; do
  command -v $tool >/dev/null || { echo "$tool is missing: run gpu/build.sh --install" >&2; exit 1; }
done
source=$(cd "$here" && go mod download github.com/ingonyama-zk/icicle/v2 && go list -m -f '{{.Dir}}' github.com/ingonyama-zk/icicle/v2)/icicle
mkdir -p "$dir"
# The module's directory is read-only: everything is built in ours.
cmake -S "$source" -B "$dir/cmake" -DCMAKE_BUILD_TYPE=Release -DCURVE=bn254 -DG2=OFF -DECNTT=OFF \
  -DCUDA_ARCH="$arch" -DCMAKE_CUDA_HOST_COMPILER=g++-11 >&2
cmake --build "$dir/cmake" -j "$(nproc)" >&2
cp "$dir/cmake/lib/libingo_curve_bn254.a" "$dir/cmake/lib/libingo_field_bn254.a" "$dir/"
# The static runtime: a program then needs the card's driver only.
cudart=$(dirname "$(find /usr/local/cuda*/lib64 /usr/lib -name libcudart_static.a 2>/dev/null | head -n 1)")
ln -sf "$cudart/libcudart_static.a" "$dir/libcudart.a"
echo "export CGO_ENABLED=1 CGO_LDFLAGS='-L$dir -lingo_curve_bn254 -lingo_field_bn254 -lcudart -lstdc++ -lrt -lpthread -ldl -lm'"
