//go:build icicle && shim

// Package shim steers the library that stands in for CUDA and ICICLE in tests.
package shim

/*
extern void zkml_shim_fail_at(long n, int error);
extern long zkml_shim_calls(void);
extern void zkml_shim_wrong_at(long n);
extern long zkml_shim_results(void);
extern long zkml_shim_allocated(void);
extern void zkml_shim_devices(int n);
extern void zkml_shim_memory(unsigned long n);
*/
import "C"

// Error is the code of injected failures: an unspecified launch failure.
const Error = 719

// FailAt has the n-th call from now fail, and all after it, as on a card that hung up. 0
// ends that.
func FailAt(n int) { C.zkml_shim_fail_at(C.long(n), Error) }

// Calls returns the number of calls since the last [FailAt].
func Calls() int { return int(C.zkml_shim_calls()) }

// WrongAt has the n-th result from now be wrong, without an error. 0 ends that.
func WrongAt(n int) { C.zkml_shim_wrong_at(C.long(n)) }

// Results returns the number of results since the last [WrongAt].
func Results() int { return int(C.zkml_shim_results()) }

// Allocated returns how many bytes are allocated on all cards.
func Allocated() int { return int(C.zkml_shim_allocated()) }

// Devices sets the number of cards.
func Devices(n int) { C.zkml_shim_devices(C.int(n)) }

// Memory sets each card's memory in bytes.
func Memory(n int) { C.zkml_shim_memory(C.ulong(n)) }
