/* Arithmetic of the two fields of BN254, in Montgomery's form. */
#include "shim.h"
#include <pthread.h>

typedef unsigned __int128 wide;

field Fr = {.m = {{0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029}}};
field Fp = {.m = {{0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}}};

bool f_reduced(const field *f, element a) {
  for (int i = 3; i >= 0; i--)
    if (a.l[i] != f->m.l[i]) return a.l[i] < f->m.l[i];
  return false;
}

bool f_zero(element a) { return !(a.l[0] | a.l[1] | a.l[2] | a.l[3]); }

bool f_equal(element a, element b) {
  return a.l[0] == b.l[0] && a.l[1] == b.l[1] && a.l[2] == b.l[2] && a.l[3] == b.l[3];
}

static uint64_t subtract(element *r, element a, element b) {
  uint64_t borrow = 0;
  for (int i = 0; i < 4; i++) {
    wide t = (wide)a.l[i] - b.l[i] - borrow;
    r->l[i] = (uint64_t)t;
    borrow = (uint64_t)(t >> 64) & 1;
  }
  return borrow;
}

static void accumulate(element *r, element a) {
  uint64_t carry = 0;
  for (int i = 0; i < 4; i++) {
    wide t = (wide)r->l[i] + a.l[i] + carry;
    r->l[i] = (uint64_t)t;
    carry = (uint64_t)(t >> 64);
  }
}

/* The moduli have 254 bits: a sum of two elements doesn't overflow. */
element f_add(const field *f, element a, element b) {
  accumulate(&a, b);
  if (!f_reduced(f, a)) subtract(&a, a, f->m);
  return a;
}

element f_sub(const field *f, element a, element b) {
  if (subtract(&a, a, b)) accumulate(&a, f->m);
  return a;
}

element f_mont(const field *f, element a, element b) {
  uint64_t t[6] = {0};
  for (int i = 0; i < 4; i++) {
    wide c = 0;
    for (int j = 0; j < 4; j++) {
      c += (wide)a.l[j] * b.l[i] + t[j];
      t[j] = (uint64_t)c;
      c >>= 64;
    }
    c += t[4];
    t[4] = (uint64_t)c;
    t[5] = (uint64_t)(c >> 64);
    uint64_t k = t[0] * f->inv;
    c = ((wide)k * f->m.l[0] + t[0]) >> 64;
    for (int j = 1; j < 4; j++) {
      c += (wide)k * f->m.l[j] + t[j];
      t[j - 1] = (uint64_t)c;
      c >>= 64;
    }
    c += t[4];
    t[3] = (uint64_t)c;
    t[4] = t[5] + (uint64_t)(c >> 64);
  }
  element r = {{t[0], t[1], t[2], t[3]}};
  if (!f_reduced(f, r)) subtract(&r, r, f->m);
  return r;
}

element f_mul(const field *f, element a, element b) { return f_mont(f, f_into(f, a), b); }

element f_pow(const field *f, element a, element e) {
  element r = f->one, x = f_into(f, a);
  for (int i = 255; i >= 0; i--) {
    r = f_mont(f, r, r);
    if (e.l[i / 64] >> (i % 64) & 1) r = f_mont(f, r, x);
  }
  return f_from(f, r);
}

static void fill(field *f) {
  f->inv = 1;
  for (int i = 0; i < 6; i++) f->inv *= 2 - f->m.l[0] * f->inv;
  f->inv = -f->inv;
  element x = {{1}};
  for (int i = 0; i < 512; i++) {
    x = f_add(f, x, x);
    if (i == 255) f->one = x;
  }
  f->r2 = x;
}

static void fill_both(void) { fill(&Fr); fill(&Fp); }

void shim_fields(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, fill_both);
}
