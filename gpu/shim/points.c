/* ICICLE's functions on points of BN254's G₁: conversion, precomputed multiples, MSM. An
 * affine point (0, 0) and a projective one with Z = 0 are at infinity; X/Z and Y/Z are a
 * projective point's coordinates. */
#include "shim.h"
#include <stdlib.h>
#include <string.h>

typedef struct { element x, y; } affine;
typedef struct { element x, y, z; } projective;
typedef struct {
  DeviceContext ctx;
  int points_size, precompute, c, bitsize, large_buckets, batch;
  bool scalars_on_device, scalars_montgomery, points_on_device, points_montgomery, results_on_device, big_triangle, async;
} MSMConfig;

#define MUL(a, b) f_mont(&Fp, a, b)
#define ADD(a, b) f_add(&Fp, a, b)
#define SUB(a, b) f_sub(&Fp, a, b)

static projective infinity(void) { return (projective){{{0}}, Fp.one, {{0}}}; }

static element times9(element a) {
  element b = ADD(a, a);
  b = ADD(b, b), b = ADD(b, b);
  return ADD(a, b);
}

/* Renes, Costello, Batina (2015), algorithm 7: complete, with b₃ = 9. Coordinates are in
 * Montgomery's form here and below. */
static projective add(projective p, projective q) {
  element t0 = MUL(p.x, q.x), t1 = MUL(p.y, q.y), t2 = MUL(p.z, q.z);
  element t3 = SUB(MUL(ADD(p.x, p.y), ADD(q.x, q.y)), ADD(t0, t1));
  element t4 = SUB(MUL(ADD(p.y, p.z), ADD(q.y, q.z)), ADD(t1, t2));
  element y3 = SUB(MUL(ADD(p.x, p.z), ADD(q.x, q.z)), ADD(t0, t2));
  t0 = ADD(ADD(t0, t0), t0);
  t2 = times9(t2);
  element z3 = ADD(t1, t2);
  t1 = SUB(t1, t2);
  y3 = times9(y3);
  return (projective){SUB(MUL(t3, t1), MUL(t4, y3)), ADD(MUL(t1, z3), MUL(y3, t0)), ADD(MUL(z3, t4), MUL(t0, t3))};
}

static projective lift(affine a, bool montgomery) {
  if (f_zero(a.x) && f_zero(a.y)) return infinity();
  if (!montgomery) a.x = f_into(&Fp, a.x), a.y = f_into(&Fp, a.y);
  return (projective){a.x, a.y, Fp.one};
}

static bool on_curve(affine a, bool montgomery) {
  if (!f_reduced(&Fp, a.x) || !f_reduced(&Fp, a.y)) return false;
  if (f_zero(a.x) && f_zero(a.y)) return true;
  projective p = lift(a, montgomery);
  element three = ADD(ADD(Fp.one, Fp.one), Fp.one);
  return f_equal(MUL(p.y, p.y), ADD(MUL(MUL(p.x, p.x), p.x), three));
}

static affine lower(projective p) { /* to standard form */
  if (f_zero(p.z)) return (affine){{{0}}, {{0}}};
  element e = Fp.m;
  e.l[0] -= 2;
  element z = f_into(&Fp, f_pow(&Fp, f_from(&Fp, p.z), e));
  return (affine){f_from(&Fp, MUL(p.x, z)), f_from(&Fp, MUL(p.y, z))};
}

static cudaError_t convert(element *v, size_t n, bool into, DeviceContext *ctx) {
  shim_fields();
  cudaError_t e = shim_call();
  if (e == cudaSuccess) e = shim_argument(v, n * sizeof *v, true);
  if (e != cudaSuccess) return e;
  if (!ctx || !ctx->stream || !n) return cudaErrorInvalidValue;
  for (size_t i = 0; i < n; i++) {
    if (!f_reduced(&Fp, v[i])) return cudaErrorInvalidValue;
    v[i] = into ? f_into(&Fp, v[i]) : f_from(&Fp, v[i]);
  }
  return cudaSuccess;
}

cudaError_t bn254_affine_convert_montgomery(affine *p, size_t n, bool into, DeviceContext *ctx) { return convert(&p->x, 2 * n, into, ctx); }
cudaError_t bn254_projective_convert_montgomery(projective *p, size_t n, bool into, DeviceContext *ctx) { return convert(&p->x, 3 * n, into, ctx); }

/* ICICLE's window: it and its number decide where precomputed multiples lie. */
static int window(const MSMConfig *c, int n) {
  if (c->c) return c->c;
  int log = 0;
  while (1 << log < n) log++;
  return log > 5 ? log - 4 : 1;
}

static int windows(const MSMConfig *c, int width) { return ((c->bitsize ? c->bitsize : 254) + width - 1) / width; }

cudaError_t bn254_precompute_msm_points_cuda(affine *points, int n, MSMConfig *c, affine *out) {
  shim_fields();
  cudaError_t e = shim_call();
  if (e != cudaSuccess) return e;
  if (!c || n <= 0 || c->precompute < 1 || c->points_size != n) return cudaErrorInvalidValue;
  if ((e = shim_argument(points, n * sizeof *points, c->points_on_device)) != cudaSuccess) return e;
  if ((e = shim_argument(out, (size_t)n * c->precompute * sizeof *out, true)) != cudaSuccess) return e;
  int width = window(c, n), shift = width * ((windows(c, width) - 1) / c->precompute + 1);
  for (int i = 0; i < n; i++) {
    if (!on_curve(points[i], c->points_montgomery)) return cudaErrorInvalidValue;
    projective p = lift(points[i], c->points_montgomery);
    for (int k = 0; k < c->precompute; k++) {
      out[i + (size_t)k * n] = lower(p);
      for (int s = 0; s < shift; s++) p = add(p, p);
    }
  }
  return cudaSuccess;
}

cudaError_t bn254_precompute_msm_bases_cuda(affine *points, int n, int factor, int width, bool on_device, DeviceContext *ctx, affine *out) {
  MSMConfig c = {.ctx = *ctx, .points_size = n, .precompute = factor, .c = width, .points_on_device = on_device};
  return bn254_precompute_msm_points_cuda(points, n, &c, out);
}

static unsigned digit(element s, int from, int width) {
  unsigned d = 0;
  for (int i = 0; i < width && from + i < 256; i++) d |= (unsigned)(s.l[(from + i) / 64] >> ((from + i) % 64) & 1) << i;
  return d;
}

cudaError_t bn254_msm_cuda(const element *scalars, const affine *points, int n, MSMConfig *c, projective *out) {
  shim_fields();
  cudaError_t e = shim_call();
  if (e != cudaSuccess) return e;
  if (!c || !c->ctx.stream || n <= 0 || c->precompute < 1 || c->batch < 1 || c->c < 0 || c->c > 24) return cudaErrorInvalidValue;
  if (c->points_size != n && c->points_size != n * c->batch) return cudaErrorInvalidValue;
  bool shared = c->points_size == n;
  if ((e = shim_argument(scalars, (size_t)n * c->batch * sizeof *scalars, c->scalars_on_device)) != cudaSuccess) return e;
  if ((e = shim_argument(points, (size_t)c->points_size * c->precompute * sizeof *points, c->points_on_device)) != cudaSuccess) return e;
  if ((e = shim_argument(out, c->batch * sizeof *out, c->results_on_device)) != cudaSuccess) return e;
  int width = window(c, n);
  int groups = (windows(c, width) - 1) / c->precompute + 1; /* windows that share buckets */
  projective *buckets = malloc(sizeof *buckets << width);
  if (!buckets) return cudaErrorMemoryAllocation;
  for (int b = 0; b < c->batch; b++) {
    projective sum = infinity();
    for (int g = groups - 1; g >= 0; g--) {
      for (int i = 0; i < width; i++) sum = add(sum, sum);
      for (int i = 0; i < 1 << width; i++) buckets[i] = infinity();
      for (int i = 0; i < n; i++) {
        element s = scalars[(size_t)b * n + i];
        if (!f_reduced(&Fr, s)) e = cudaErrorInvalidValue;
        if (c->scalars_montgomery) s = f_from(&Fr, s);
        for (int k = 0; k < c->precompute; k++) {
          unsigned d = digit(s, (g + k * groups) * width, width);
          affine p = points[(shared ? i : b * n + i) + (size_t)k * c->points_size];
          if (g == 0 && !on_curve(p, c->points_montgomery)) e = cudaErrorInvalidValue;
          if (d) buckets[d] = add(buckets[d], lift(p, c->points_montgomery));
        }
      }
      projective running = infinity();
      for (int i = (1 << width) - 1; i > 0; i--) running = add(running, buckets[i]), sum = add(sum, running);
    }
    if (shim_wrong()) sum = add(sum, lift((affine){{{1}}, {{2}}}, false));
    /* Not normalised, as a card leaves it. */
    out[b] = (projective){f_from(&Fp, sum.x), f_from(&Fp, sum.y), f_from(&Fp, sum.z)};
  }
  free(buckets);
  return e;
}

bool bn254_eq(projective *p, projective *q) {
  shim_fields();
  return f_equal(f_mul(&Fp, p->x, q->z), f_mul(&Fp, q->x, p->z)) && f_equal(f_mul(&Fp, p->y, q->z), f_mul(&Fp, q->y, p->z));
}

void bn254_to_affine(projective *p, affine *out) {
  shim_fields();
  projective m = {f_into(&Fp, p->x), f_into(&Fp, p->y), f_into(&Fp, p->z)};
  *out = lower(m);
}

void bn254_generate_affine_points(affine *p, int n) {
  shim_fields();
  projective g = lift((affine){{{1}}, {{2}}}, false), sum = g;
  for (int i = 0; i < n; i++, sum = add(sum, g)) p[i] = lower(sum);
}

void bn254_generate_projective_points(projective *p, int n) {
  for (int i = 0; i < n; i++) {
    affine a;
    bn254_generate_affine_points(&a, 1);
    p[i] = (projective){a.x, a.y, {{1}}};
  }
}
