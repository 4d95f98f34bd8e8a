/* What the shim's files share, and what tests steer it by. */
#ifndef ZKML_SHIM_H
#define ZKML_SHIM_H
#include "cuda_runtime.h"
#include <stdbool.h>
#include <stdint.h>

/* Counts a call that a card could refuse; what it returns, the call returns unless it is
 * cudaSuccess. */
cudaError_t shim_call(void);

/* Counts a result; whether it is to be wrong. */
bool shim_wrong(void);

/* Whether size bytes at ptr lie in one allocation of the current device. */
bool shim_on_device(const void *ptr, size_t size);

/* The check of an argument that a config says is on the device, or on the host. */
cudaError_t shim_argument(const void *ptr, size_t size, bool on_device);

/* For tests. The n-th counted call from now fails with this error, and all after it do,
 * as on a card that hung up; 0 ends that. */
void zkml_shim_fail_at(long n, int error);
long zkml_shim_calls(void);       /* calls counted since the last zkml_shim_fail_at */
void zkml_shim_wrong_at(long n);  /* the n-th result from now is wrong, and no error; 0: none */
long zkml_shim_results(void);     /* results counted since the last zkml_shim_wrong_at */
long zkml_shim_allocated(void);   /* bytes that are allocated on all devices */
void zkml_shim_devices(int n);    /* the number of cards, 1 unless set */
void zkml_shim_memory(size_t n);  /* memory of each card in bytes, 8 GiB unless set */

/* Field elements: four 64-bit limbs, the least first, below the modulus. */
typedef struct { uint64_t l[4]; } element;
typedef struct { element m, one, r2; uint64_t inv; } field;
extern field Fr, Fp;
void shim_fields(void);           /* fills Fr and Fp at the first call */
element f_add(const field *f, element a, element b);
element f_sub(const field *f, element a, element b);
element f_mont(const field *f, element a, element b); /* a·b/2^256 */
element f_mul(const field *f, element a, element b);  /* a·b */
element f_pow(const field *f, element a, element e);
bool f_reduced(const field *f, element a);
bool f_zero(element a);
bool f_equal(element a, element b);
static inline element f_into(const field *f, element a) { return f_mont(f, a, f->r2); }
static inline element f_from(const field *f, element a) { return f_mont(f, a, (element){{1}}); }

/* The layouts that ICICLE 2.8's headers and Go wrappers agree on. */
typedef struct { cudaStream_t *stream; size_t device; cudaMemPool_t pool; } DeviceContext;
#endif
