/* ICICLE's functions on vectors of the scalar field: conversion, element-wise work, NTT.
 * Elements are in standard form, except where a name says Montgomery. */
#include "shim.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct { DeviceContext ctx; bool a, b, result, async; } VecOpsConfig;
typedef struct {
  DeviceContext ctx;
  element coset; /* eight 32-bit limbs */
  int batch;
  bool columns;
  uint32_t ordering;
  bool inputs, outputs, async;
  uint32_t algorithm;
} NTTConfig;

/* What a card can't see: an element that isn't reduced is a mistake in the caller. */
static bool reduced(const element *v, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!f_reduced(&Fr, v[i])) return false;
  return true;
}

cudaError_t bn254_scalar_convert_montgomery(element *v, size_t n, bool into, DeviceContext *ctx) {
  shim_fields();
  cudaError_t e = shim_call();
  if (e == cudaSuccess) e = shim_argument(v, n * sizeof *v, true);
  if (e != cudaSuccess) return e;
  if (!ctx || !ctx->stream || !n || !reduced(v, n)) return cudaErrorInvalidValue;
  for (size_t i = 0; i < n; i++) v[i] = into ? f_into(&Fr, v[i]) : f_from(&Fr, v[i]);
  return cudaSuccess;
}

typedef element (*operation)(const field *, element, element);

static cudaError_t each(operation op, element *a, element *b, int n, VecOpsConfig *c, element *out) {
  shim_fields();
  cudaError_t e = shim_call();
  if (e != cudaSuccess) return e;
  if (n <= 0 || !c || !c->ctx.stream) return cudaErrorInvalidConfiguration;
  size_t size = n * sizeof *a;
  if ((e = shim_argument(a, size, c->a)) != cudaSuccess) return e;
  if ((e = shim_argument(b, size, c->b)) != cudaSuccess) return e;
  if ((e = shim_argument(out, size, c->result)) != cudaSuccess) return e;
  if (!reduced(a, n) || !reduced(b, n)) return cudaErrorInvalidValue;
  /* An overlap other than the whole would depend on the threads' order. */
  if ((out != a && out < a + n && a < out + n) || (out != b && out < b + n && b < out + n)) return cudaErrorInvalidValue;
  for (int i = 0; i < n; i++) out[i] = op(&Fr, a[i], b[i]);
  if (shim_wrong()) out[n / 2] = f_add(&Fr, out[n / 2], (element){{1}});
  return cudaSuccess;
}

cudaError_t bn254_mul_cuda(element *a, element *b, int n, VecOpsConfig *c, element *out) { return each(f_mul, a, b, n, c, out); }
cudaError_t bn254_add_cuda(element *a, element *b, int n, VecOpsConfig *c, element *out) { return each(f_add, a, b, n, c, out); }
cudaError_t bn254_sub_cuda(element *a, element *b, int n, VecOpsConfig *c, element *out) { return each(f_sub, a, b, n, c, out); }

cudaError_t bn254_transpose_matrix_cuda(element *in, int rows, int columns, element *out, DeviceContext *ctx, bool on_device, bool async) {
  (void)ctx, (void)async;
  cudaError_t e = shim_call();
  size_t size = (size_t)rows * columns * sizeof *in;
  if (e == cudaSuccess) e = shim_argument(in, size, on_device);
  if (e == cudaSuccess) e = shim_argument(out, size, on_device);
  if (e != cudaSuccess) return e;
  for (int i = 0; i < rows * columns; i++) out[i % rows * columns + i / rows] = in[i];
  return cudaSuccess;
}

void bn254_generate_scalars(element *v, int n) {
  for (int i = 0; i < n; i++) v[i] = (element){{(uint64_t)rand(), (uint64_t)rand(), 0, 0}};
}

/* The domain of each card: a root of order size, 0 when there is none. */
static struct { element root; int size; } domains[32];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* As in ICICLE, a second initialisation changes nothing. */
cudaError_t bn254_initialize_domain(element *root, DeviceContext *ctx, bool fast) {
  (void)fast;
  shim_fields();
  cudaError_t e = shim_call();
  if (e != cudaSuccess) return e;
  if (!ctx || ctx->device >= 32 || !reduced(root, 1)) return cudaErrorInvalidValue;
  int size = 1;
  element one = {{1}}, x = *root;
  while (!f_equal(x, one)) {
    if (size == 1 << 28) return cudaErrorInvalidValue;
    x = f_mul(&Fr, x, x), size *= 2;
  }
  pthread_mutex_lock(&lock);
  if (!domains[ctx->device].size) domains[ctx->device].root = *root, domains[ctx->device].size = size;
  pthread_mutex_unlock(&lock);
  return cudaSuccess;
}

cudaError_t bn254_release_domain(DeviceContext *ctx) {
  cudaError_t e = shim_call();
  if (e != cudaSuccess) return e;
  if (!ctx || ctx->device >= 32) return cudaErrorInvalidValue;
  pthread_mutex_lock(&lock);
  domains[ctx->device].size = 0;
  pthread_mutex_unlock(&lock);
  return cudaSuccess;
}

/* Montgomery in the factors only, so that elements stay in standard form. */
static void transform(element *v, int n, element root) {
  for (int i = 1, j = 0; i < n; i++) {
    int bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) { element t = v[i]; v[i] = v[j]; v[j] = t; }
  }
  for (int half = 1; half < n; half *= 2) {
    element w = f_into(&Fr, root);
    for (int k = n / 2; k > half; k /= 2) w = f_mont(&Fr, w, w);
    for (int from = 0; from < n; from += 2 * half) {
      element factor = Fr.one;
      for (int i = from; i < from + half; i++) {
        element t = f_mont(&Fr, v[i + half], factor);
        v[i + half] = f_sub(&Fr, v[i], t);
        v[i] = f_add(&Fr, v[i], t);
        factor = f_mont(&Fr, factor, w);
      }
    }
  }
}

static void by_powers(element *v, int n, element x, element start) {
  element factor = f_into(&Fr, start);
  x = f_into(&Fr, x);
  for (int i = 0; i < n; i++) v[i] = f_mont(&Fr, v[i], factor), factor = f_mont(&Fr, factor, x);
}

cudaError_t bn254_ntt_cuda(const element *in, int n, int dir, NTTConfig *c, element *out) {
  shim_fields();
  cudaError_t e = shim_call();
  if (e != cudaSuccess) return e;
  if (!c || !c->ctx.stream || c->ctx.device >= 32 || n < 1 || n & (n - 1) || c->batch < 1 || c->columns || c->ordering || dir < 0 || dir > 1)
    return cudaErrorInvalidValue;
  pthread_mutex_lock(&lock);
  element root = domains[c->ctx.device].root;
  int size = domains[c->ctx.device].size;
  pthread_mutex_unlock(&lock);
  if (n > size) return cudaErrorInvalidValue; /* no domain, or too small a one */
  size_t bytes = (size_t)n * c->batch * sizeof *in;
  if ((e = shim_argument(in, bytes, c->inputs)) != cudaSuccess) return e;
  if ((e = shim_argument(out, bytes, c->outputs)) != cudaSuccess) return e;
  if (!reduced(in, (size_t)n * c->batch) || !reduced(&c->coset, 1) || f_zero(c->coset)) return cudaErrorInvalidValue;
  for (; size > n; size /= 2) root = f_mul(&Fr, root, root);
  memmove(out, in, bytes);
  element e2 = Fr.m, one = {{1}};
  e2.l[0] -= 2; /* x^(r−2) is 1/x */
  for (int b = 0; b < c->batch; b++) {
    element *v = out + (size_t)b * n;
    if (dir == 0) {
      by_powers(v, n, c->coset, one);
      transform(v, n, root);
    } else {
      transform(v, n, f_pow(&Fr, root, e2));
      by_powers(v, n, f_pow(&Fr, c->coset, e2), f_pow(&Fr, (element){{(uint64_t)n}}, e2));
    }
  }
  if (shim_wrong()) out[n / 2] = f_add(&Fr, out[n / 2], one);
  return cudaSuccess;
}
