#!/bin/sh
# Builds the part of ICICLE's libraries for BN254 that package gpu calls, from the sources of
# the module that go.mod pins, and prints the variables for go build -tags icicle.
#
#   gpu/build.sh [--install] [--arch LIST] [DIR]
#
# --install  installs the CUDA toolkit and the C++ compiler that it works with from Debian's
#            packages (non-free); wants root
# --arch     the cards' compute capabilities without their points (default: 80,90). Code for
#            80 runs on 86 and 89 too; for cards newer than the last one, the driver compiles
#            the last one's PTX when the program starts
# DIR        where the libraries go (default: build/ beside this file)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
arch=80,90 dir=$here/build install=
die() { echo "$*" >&2; exit 1; }
while [ $# -gt 0 ]; do
  case $1 in
  --install) install=yes ;;
  --arch) shift; arch=${1:?--arch wants a list such as 80,90} ;;
  -*) echo "unknown option $1" >&2; exit 2 ;;
  *) dir=$1 ;;
  esac
  shift
done

# A package that apt only has heard of has no version.
has() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [0-9]'; }
if [ $install ] && ! command -v nvcc >/dev/null; then
  has nvidia-cuda-toolkit || die "apt has no nvidia-cuda-toolkit: add contrib and non-free to the components
of Debian in /etc/apt/sources.list or /etc/apt/sources.list.d, run apt-get update, and try again"
  apt-get install -y --no-install-recommends nvidia-cuda-toolkit >&2
fi
command -v nvcc >/dev/null || die "nvcc is missing: run gpu/build.sh --install, or put that of NVIDIA's own toolkit into PATH"

# The newest g++ that this nvcc works with: an older one does, too.
version=$(nvcc --version | sed -n 's/.*release \([0-9.]*\),.*/\1/p')
case $version in
11.*) newest=11 ;;
12.[0-3]) newest=12 ;;
12.[4-7]) newest=13 ;;
*) newest=14 ;;
esac
compiler=
for n in $newest $((newest - 1)) $((newest - 2)); do
  if [ ! "$compiler" ] && command -v g++-$n >/dev/null; then compiler=g++-$n; fi
done
if [ ! "$compiler" ] && command -v g++ >/dev/null && [ "$(g++ -dumpversion | cut -d. -f1)" -le $newest ]; then compiler=g++; fi
if [ ! "$compiler" ] && [ $install ]; then
  apt-get install -y --no-install-recommends g++-$newest >&2
  compiler=g++-$newest
fi
[ "$compiler" ] || die "nvcc $version wants g++ $newest or older: run gpu/build.sh --install, or install g++-$newest"

code=
for n in $(echo "$arch" | tr , ' '); do
  case $n in *[!0-9]*) die "--arch $arch: want a list such as 80,90" ;; esac
  code="$code -gencode arch=compute_$n,code=sm_$n"
done
code="$code -gencode arch=compute_$n,code=compute_$n"

cd "$here"
go mod download github.com/ingonyama-zk/icicle/v2
source=$(go list -m -f '{{.Dir}}' github.com/ingonyama-zk/icicle/v2)/icicle
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
echo "nvcc $version, $compiler, compute capabilities $arch: about seven minutes of one core" >&2
# What ICICLE's own build leaves out here isn't called: polynomials, hashes and trees.
for file in fields/extern vec_ops/extern ntt/extern ntt/kernel_ntt curves/extern msm/extern; do
  echo "$source/src/$file.cu -o $dir/$(echo $file | tr / _).o"
done | xargs -P "$(nproc)" -L 1 nvcc -ccbin "$compiler" -std=c++17 -O3 -Xcompiler -fPIC --expt-relaxed-constexpr $code \
  -DCURVE_ID=1 -DFIELD_ID=1 -DCURVE=bn254 -DFIELD=bn254 -I"$source/include" -c
rm -f "$dir"/*.a
ar rcs "$dir/libingo_field_bn254.a" "$dir"/fields_extern.o "$dir"/vec_ops_extern.o "$dir"/ntt_*.o
ar rcs "$dir/libingo_curve_bn254.a" "$dir"/curves_extern.o "$dir"/msm_extern.o

# The static runtime: a program then needs the card's driver only.
toolkit=$(dirname "$(dirname "$(readlink -f "$(command -v nvcc)")")")
runtime=$(find "$toolkit/lib64" "$toolkit/targets" /usr/lib -name libcudart_static.a 2>/dev/null | head -n 1)
[ "$runtime" ] || die "libcudart_static.a is missing: it is part of the CUDA toolkit"
ln -sf "$runtime" "$dir/libcudart.a"
[ -e "$toolkit/include/cuda_runtime.h" ] && [ "$toolkit" != /usr ] && echo "export CGO_CFLAGS='-O2 -g -I$toolkit/include'"
echo "export CGO_ENABLED=1 CGO_LDFLAGS='-L$dir -lingo_curve_bn254 -lingo_field_bn254 -lcudart -lstdc++ -lrt -lpthread -ldl -lm'"
