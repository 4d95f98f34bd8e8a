/* CUDA's runtime on the CPU: cards that are blocks of memory. Allocations are recorded, so
 * that a call finds out what a card would not forgive: memory that was freed, that is too
 * short, that is another card's or the host's. */
#include "shim.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct allocation { char *base; size_t size; int device; struct allocation *next; } allocation;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static allocation *allocations;
static size_t used[32], memory = (size_t)8 << 30;
static int devices = 1;
static long calls, fail_at, results, wrong_at;
static cudaError_t failure;
static __thread int device;
static __thread cudaError_t last;

static void from_environment(void) {
  const char *n = getenv("ZKML_SHIM_FAIL_AT"), *count = getenv("ZKML_SHIM_DEVICES");
  if (n) fail_at = atol(n), failure = cudaErrorUnknown;
  if (count) devices = atoi(count);
}

static pthread_once_t environment = PTHREAD_ONCE_INIT;

static cudaError_t done(cudaError_t e) {
  if (e != cudaSuccess) last = e;
  return e;
}

cudaError_t shim_call(void) {
  pthread_once(&environment, from_environment);
  pthread_mutex_lock(&lock);
  calls++;
  cudaError_t e = fail_at > 0 && calls >= fail_at ? failure : cudaSuccess;
  pthread_mutex_unlock(&lock);
  return done(e);
}

void zkml_shim_fail_at(long n, int error) {
  pthread_once(&environment, from_environment);
  pthread_mutex_lock(&lock);
  calls = 0, fail_at = n, failure = error;
  pthread_mutex_unlock(&lock);
}

bool shim_wrong(void) {
  pthread_mutex_lock(&lock);
  bool wrong = ++results == wrong_at;
  pthread_mutex_unlock(&lock);
  return wrong;
}

void zkml_shim_wrong_at(long n) {
  pthread_mutex_lock(&lock);
  results = 0, wrong_at = n;
  pthread_mutex_unlock(&lock);
}

long zkml_shim_results(void) {
  pthread_mutex_lock(&lock);
  long n = results;
  pthread_mutex_unlock(&lock);
  return n;
}

long zkml_shim_calls(void) {
  pthread_mutex_lock(&lock);
  long n = calls;
  pthread_mutex_unlock(&lock);
  return n;
}

long zkml_shim_allocated(void) {
  pthread_mutex_lock(&lock);
  long n = 0;
  for (int i = 0; i < 32; i++) n += used[i];
  pthread_mutex_unlock(&lock);
  return n;
}

void zkml_shim_devices(int n) {
  pthread_once(&environment, from_environment);
  pthread_mutex_lock(&lock);
  devices = n;
  pthread_mutex_unlock(&lock);
}

void zkml_shim_memory(size_t n) {
  pthread_mutex_lock(&lock);
  memory = n;
  pthread_mutex_unlock(&lock);
}

/* The allocation that ptr points into; the lock is held. */
static allocation *find(const void *ptr) {
  for (allocation *a = allocations; a; a = a->next)
    if ((const char *)ptr >= a->base && (const char *)ptr < a->base + a->size) return a;
  return NULL;
}

bool shim_on_device(const void *ptr, size_t size) {
  pthread_mutex_lock(&lock);
  allocation *a = find(ptr);
  bool ok = a && a->device == device && size <= (size_t)(a->base + a->size - (const char *)ptr);
  pthread_mutex_unlock(&lock);
  return ok;
}

cudaError_t shim_argument(const void *ptr, size_t size, bool on_device) {
  if (on_device) return done(shim_on_device(ptr, size) ? cudaSuccess : cudaErrorIllegalAddress);
  pthread_mutex_lock(&lock);
  bool ok = ptr && !find(ptr);
  pthread_mutex_unlock(&lock);
  return done(ok ? cudaSuccess : cudaErrorInvalidValue);
}

#define COUNTED { cudaError_t e = shim_call(); if (e != cudaSuccess) return e; }

cudaError_t cudaGetDeviceCount(int *count) {
  COUNTED
  *count = devices;
  return done(devices ? cudaSuccess : cudaErrorNoDevice);
}

cudaError_t cudaGetDevice(int *d) {
  COUNTED
  *d = device;
  return done(devices ? cudaSuccess : cudaErrorNoDevice);
}

cudaError_t cudaSetDevice(int d) {
  COUNTED
  if (d < 0 || d >= devices) return done(cudaErrorInvalidDevice);
  device = d;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *prop, int d) {
  COUNTED
  if (d < 0 || d >= devices) return done(cudaErrorInvalidDevice);
  memset(prop, 0, sizeof *prop);
  strcpy(prop->name, "shim on the CPU, no card");
  prop->totalGlobalMem = memory;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attr, int d) {
  COUNTED
  (void)attr, (void)d;
  *value = 0;
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *at, const void *ptr) {
  COUNTED
  pthread_mutex_lock(&lock);
  allocation *a = find(ptr);
  at->type = a ? 2 : 0; /* device, unregistered */
  at->device = a ? a->device : -2;
  at->devicePointer = a ? (void *)ptr : NULL;
  at->hostPointer = NULL;
  pthread_mutex_unlock(&lock);
  return cudaSuccess;
}

cudaError_t cudaGetLastError(void) {
  cudaError_t e = last;
  last = cudaSuccess;
  return e;
}

const char *cudaGetErrorString(cudaError_t e) {
  switch (e) {
  case cudaSuccess: return "no error";
  case cudaErrorInvalidValue: return "invalid argument";
  case cudaErrorMemoryAllocation: return "out of memory";
  case cudaErrorNoDevice: return "no CUDA-capable device is detected";
  case cudaErrorInvalidDevice: return "invalid device ordinal";
  case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
  default: return "unknown error";
  }
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total) {
  COUNTED
  pthread_mutex_lock(&lock);
  *total = memory;
  *available = memory > used[device] ? memory - used[device] : 0;
  pthread_mutex_unlock(&lock);
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void) { return shim_call(); }

/* What is fresh isn't zero, as on a card. */
cudaError_t cudaMalloc(void **ptr, size_t size) {
  COUNTED
  pthread_mutex_lock(&lock);
  bool fits = used[device] + size <= memory;
  pthread_mutex_unlock(&lock);
  char *base = fits ? malloc(size) : NULL;
  if (!base) return done(cudaErrorMemoryAllocation);
  memset(base, 0xA5, size);
  allocation *a = malloc(sizeof *a);
  pthread_mutex_lock(&lock);
  *a = (allocation){base, size, device, allocations};
  allocations = a;
  used[device] += size;
  pthread_mutex_unlock(&lock);
  *ptr = base;
  return cudaSuccess;
}

/* Frees even where it is told to fail: the process's memory is what it must give back. */
cudaError_t cudaFree(void *ptr) {
  cudaError_t e = shim_call();
  if (!ptr) return e;
  pthread_mutex_lock(&lock);
  allocation **at = &allocations;
  while (*at && (*at)->base != ptr) at = &(*at)->next;
  allocation *a = *at;
  if (a) {
    *at = a->next;
    used[a->device] -= a->size;
  }
  pthread_mutex_unlock(&lock);
  if (!a) return done(cudaErrorInvalidValue);
  memset(a->base, 0x5A, a->size);
  free(a->base);
  free(a);
  return e;
}

cudaError_t cudaMallocAsync(void **ptr, size_t size, cudaStream_t s) { (void)s; return cudaMalloc(ptr, size); }
cudaError_t cudaFreeAsync(void *ptr, cudaStream_t s) { (void)s; return cudaFree(ptr); }

cudaError_t cudaHostAlloc(void **ptr, size_t size, unsigned flags) {
  (void)flags;
  COUNTED
  *ptr = malloc(size);
  return done(*ptr ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaHostGetFlags(unsigned *flags, void *ptr) { (void)ptr; *flags = 0; return shim_call(); }
cudaError_t cudaFreeHost(void *ptr) { free(ptr); return shim_call(); }
cudaError_t cudaHostRegister(void *ptr, size_t size, unsigned flags) { (void)ptr, (void)size, (void)flags; return shim_call(); }
cudaError_t cudaHostUnregister(void *ptr) { (void)ptr; return shim_call(); }

cudaError_t cudaMemcpy(void *dst, const void *src, size_t size, enum cudaMemcpyKind kind) {
  COUNTED
  bool to = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  bool from = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  cudaError_t e = shim_argument(dst, size, to);
  if (e == cudaSuccess) e = shim_argument(src, size, from);
  if (e == cudaSuccess) memmove(dst, src, size);
  return e;
}
cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t size, enum cudaMemcpyKind kind, cudaStream_t s) {
  (void)s;
  return cudaMemcpy(dst, src, size, kind);
}

cudaError_t cudaMemset(void *ptr, int value, size_t size) {
  COUNTED
  cudaError_t e = shim_argument(ptr, size, true);
  if (e == cudaSuccess) memset(ptr, value, size);
  return e;
}
cudaError_t cudaMemsetAsync(void *ptr, int value, size_t size, cudaStream_t s) { (void)s; return cudaMemset(ptr, value, size); }

cudaError_t cudaStreamCreate(cudaStream_t *s) { *s = NULL; return shim_call(); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned flags) { (void)flags; *s = NULL; return shim_call(); }
cudaError_t cudaStreamDestroy(cudaStream_t s) { (void)s; return shim_call(); }
cudaError_t cudaStreamSynchronize(cudaStream_t s) { (void)s; return shim_call(); }
cudaError_t cudaStreamQuery(cudaStream_t s) { (void)s; return shim_call(); }
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned flags) { (void)s, (void)e, (void)flags; return shim_call(); }
