//go:build icicle

package gpu

/*
#cgo CFLAGS: -I/usr/local/cuda/include
#cgo LDFLAGS: -L/usr/local/cuda/lib64 -lcudart
#include <cuda_runtime.h>

static cudaError_t zkml_describe(int device, char *name, size_t *total, int *major, int *minor) {
	struct cudaDeviceProp p;
	cudaError_t e = cudaGetDeviceProperties(&p, device);
	if (e != cudaSuccess) return e;
	for (int i = 0; i < 256; i++) name[i] = p.name[i];
	*total = p.totalGlobalMem, *major = p.major, *minor = p.minor;
	return e;
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/core"
	cr "github.com/ingonyama-zk/icicle/v2/wrappers/golang/cuda_runtime"
)

// What ICICLE's wrappers lack of CUDA's runtime: memory that is free, memory set and copied
// on the card, and the meaning of an error.

// failure is an error of the card, thrown by must and caught where a call to it begins.
type failure struct{ error }

// must throws the error that a call on the card has returned.
func must(code cr.CudaError, doing string) {
	if code == cr.CudaSuccess {
		return
	}
	kind := ErrCard
	if code == cr.CudaErrorMemoryAllocation {
		kind = fmt.Errorf("%w: %w", ErrCard, ErrMemory)
	}
	panic(failure{fmt.Errorf("%w: %s: %s (CUDA error %d)", kind, doing, C.GoString(C.cudaGetErrorString(C.cudaError_t(code))), code)})
}

// catch turns what was thrown into an error. ICICLE's wrappers throw strings.
func catch(err *error) {
	switch thrown := recover().(type) {
	case nil:
	case failure:
		*err = thrown.error
	case string:
		*err = fmt.Errorf("%w: %s", ErrCard, thrown)
	default:
		panic(thrown)
	}
}

// Devices lists the cards. It needs no card: without one the error matches [ErrNoCard].
func Devices() (list []Info, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer catch(&err)
	count, code := cr.GetDeviceCount()
	if code != cr.CudaSuccess || count == 0 {
		return nil, fmt.Errorf("%w: %s (CUDA error %d)", ErrNoCard, C.GoString(C.cudaGetErrorString(C.cudaError_t(code))), code)
	}
	for i := range count {
		var name [256]C.char
		var total C.size_t
		var major, minor C.int
		must(cr.CudaError(C.zkml_describe(C.int(i), &name[0], &total, &major, &minor)), "describe the card")
		must(cr.SetDevice(i), "select the card")
		list = append(list, Info{
			Index: i, Name: C.GoString(&name[0]), Capability: fmt.Sprintf("%d.%d", major, minor),
			Total: uint64(total), Avail: available(),
		})
	}
	return list, nil
}

// available returns how many bytes of memory are free.
func available() uint64 {
	var free, total C.size_t
	must(cr.CudaError(C.cudaMemGetInfo(&free, &total)), "ask for free memory")
	return uint64(free)
}

// zero wipes memory.
func zero(s core.DeviceSlice) {
	must(cr.CudaError(C.cudaMemset(s.AsUnsafePointer(), 0, C.size_t(s.Cap()))), "wipe")
}

// move copies on the card; the two don't overlap.
func move(dst, src core.DeviceSlice) {
	must(cr.CudaError(C.cudaMemcpy(dst.AsUnsafePointer(), src.AsUnsafePointer(), C.size_t(src.Cap()), C.cudaMemcpyDeviceToDevice)), "copy")
}

// upload copies size bytes to the card, download from it.
func upload(dst core.DeviceSlice, src unsafe.Pointer) {
	_, code := cr.CopyToDevice(dst.AsUnsafePointer(), src, uint(dst.Cap()))
	must(code, "upload")
}

func download(dst unsafe.Pointer, src core.DeviceSlice) {
	_, code := cr.CopyFromDevice(dst, src.AsUnsafePointer(), uint(src.Cap()))
	must(code, "download")
}
