// Stands in front of the C library's allocator for the whole test process. The library's own names, which begin with
// __libc_, do the work, so what is given out here can be freed there.
#define _GNU_SOURCE
#include "CTestSupport.h"

#include <errno.h>
#include <stddef.h>

#if defined(__linux__) && defined(__GLIBC__)

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Thread_local uint64_t ct_requests;

void *malloc(size_t size) {
  ct_requests++;
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  ct_requests++;
  return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
  ct_requests++;
  return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
  ct_requests++;
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  ct_requests++;
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
  ct_requests++;
  if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
  void *block = __libc_memalign(alignment, size);
  if (block == NULL) return ENOMEM;
  *out = block;
  return 0;
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
  ct_requests++;
  return (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset);
}

bool ct_counts_allocations(void) { return true; }
uint64_t ct_allocations(void) { return ct_requests; }

#else

bool ct_counts_allocations(void) { return false; }
uint64_t ct_allocations(void) { return 0; }

#endif
