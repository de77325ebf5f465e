// The memory of one sandboxed state: a region of its own, so that what it takes has a hard bound whatever the script's
// pattern of allocations, and so that letting it all go is one call, without running anything of Lua's.
//
// Two-level segregated fit (Masmano et al. 2004): constant time for every request, neighbours join when freed.
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LB_SANITIZED 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define LB_SANITIZED 1
#endif

#ifndef LB_SANITIZED

enum {
  LB_UNIT = 8,            // sizes are multiples of this
  LB_LEAST_BLOCK = 24,    // two links, and the word that the next block keeps its back link in
  LB_MINOR_LOG = 5,
  LB_MINORS = 1 << LB_MINOR_LOG,
  LB_SMALL = LB_UNIT * LB_MINORS,  // below it every size has a list of its own
  LB_SMALL_LOG = 8,
  LB_MAJORS = 40 - LB_SMALL_LOG,
};
static const size_t LB_FREE = 1, LB_AFTER_FREE = 2, LB_FLAGS = 7;
static const size_t LB_LARGEST = (size_t)1 << 38;

// `before` belongs to the block in front while that one is in use: a block in use costs one word.
typedef struct lb_block {
  struct lb_block *before;
  size_t size;  // of what follows, with flags
  struct lb_block *next, *previous;  // in its list, while free
} lb_block;
enum { LB_HEADER = offsetof(lb_block, next), LB_COST = sizeof(size_t) };

struct lb_arena {
  size_t bytes;  // of the mapping, this header included
  uint32_t majors;
  uint32_t minors[LB_MAJORS];
  lb_block *lists[LB_MAJORS][LB_MINORS];
};

static size_t lb_size(const lb_block *block) { return block->size & ~LB_FLAGS; }
static void *lb_payload(lb_block *block) { return (char *)block + LB_HEADER; }
static lb_block *lb_block_of(void *payload) { return (lb_block *)((char *)payload - LB_HEADER); }
static lb_block *lb_following(lb_block *block) {
  return (lb_block *)((char *)lb_payload(block) + lb_size(block) - LB_COST);
}

static void lb_class(size_t size, int *major, int *minor) {
  if (size < LB_SMALL) {
    *major = 0;
    *minor = (int)(size / LB_UNIT);
    return;
  }
  int log = 63 - __builtin_clzll((unsigned long long)size);
  *minor = (int)(size >> (log - LB_MINOR_LOG)) & (LB_MINORS - 1);
  *major = log - LB_SMALL_LOG + 1;
}

static void lb_unlink(lb_arena *arena, lb_block *block) {
  int major, minor;
  lb_class(lb_size(block), &major, &minor);
  if (block->next) block->next->previous = block->previous;
  if (block->previous) {
    block->previous->next = block->next;
    return;
  }
  arena->lists[major][minor] = block->next;
  if (block->next == NULL && (arena->minors[major] &= ~(1u << minor)) == 0) arena->majors &= ~(1u << major);
}

// Marks the block as free, and joins nothing.
static void lb_link(lb_arena *arena, lb_block *block) {
  int major, minor;
  lb_class(lb_size(block), &major, &minor);
  block->size |= LB_FREE;
  lb_block *after = lb_following(block);
  after->before = block;
  after->size |= LB_AFTER_FREE;
  block->previous = NULL;
  block->next = arena->lists[major][minor];
  if (block->next) block->next->previous = block;
  arena->lists[major][minor] = block;
  arena->minors[major] |= 1u << minor;
  arena->majors |= 1u << major;
}

// A free block of at least `size`, off its list; NULL for none.
static lb_block *lb_find(lb_arena *arena, size_t size) {
  // Rounded up to the next list, so that whatever hangs there fits.
  size_t wanted = size;
  if (size >= LB_SMALL) wanted += ((size_t)1 << (63 - __builtin_clzll((unsigned long long)size) - LB_MINOR_LOG)) - 1;
  int major, minor;
  lb_class(wanted, &major, &minor);
  uint32_t minors = arena->minors[major] & (~0u << minor);
  if (minors == 0) {
    uint32_t majors = major + 1 < 32 ? arena->majors & (~0u << (major + 1)) : 0;
    if (majors == 0) return NULL;
    major = __builtin_ctz(majors);
    minors = arena->minors[major];
  }
  lb_block *block = arena->lists[major][__builtin_ctz(minors)];
  lb_unlink(arena, block);
  return block;
}

// Takes `size` of a block that is on no list; what is left over becomes free.
static void *lb_take(lb_arena *arena, lb_block *block, size_t size) {
  block->size &= ~LB_FREE;
  lb_following(block)->size &= ~LB_AFTER_FREE;
  size_t rest = lb_size(block) - size;
  if (rest >= LB_LEAST_BLOCK + LB_COST) {
    block->size = size | (block->size & LB_FLAGS);
    lb_block *tail = lb_following(block);
    tail->size = rest - LB_COST;
    lb_block *after = lb_following(tail);
    if (after->size & LB_FREE) {
      lb_unlink(arena, after);
      tail->size += lb_size(after) + LB_COST;
    }
    lb_link(arena, tail);
  }
  return lb_payload(block);
}

static void lb_give_back(lb_arena *arena, lb_block *block) {
  if (block->size & LB_AFTER_FREE) {
    lb_block *before = block->before;
    lb_unlink(arena, before);
    before->size += lb_size(block) + LB_COST;
    block = before;
  }
  lb_block *after = lb_following(block);
  if (after->size & LB_FREE) {
    lb_unlink(arena, after);
    block->size += lb_size(after) + LB_COST;
  }
  lb_link(arena, block);
}

lb_arena *lb_arena_make(size_t bytes) {
  if (bytes > LB_LARGEST) return NULL;
  bytes = (bytes + sizeof(lb_arena) + 0xFFFF) & ~(size_t)0xFFFF;
  lb_arena *arena = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (arena == MAP_FAILED) return NULL;
#ifdef MADV_NOHUGEPAGE
  madvise(arena, bytes, MADV_NOHUGEPAGE);  // a small script would count as 2 MiB
#endif
  arena->bytes = bytes;
  size_t start = (sizeof *arena + LB_UNIT - 1) & ~(size_t)(LB_UNIT - 1);
  // Its `before` is never read; behind it a block of size 0 that is never free ends the region.
  lb_block *first = (lb_block *)((char *)arena + start);
  first->size = (bytes - start - LB_HEADER - 2 * LB_COST) & ~LB_FLAGS;
  lb_following(first)->size = 0;
  lb_link(arena, first);
  return arena;
}

void *lb_arena_reallocate(lb_arena *arena, void *payload, size_t size) {
  if (size > LB_LARGEST) return NULL;
  size = size < LB_LEAST_BLOCK ? LB_LEAST_BLOCK : (size + LB_UNIT - 1) & ~(size_t)(LB_UNIT - 1);
  if (payload == NULL) {
    lb_block *block = lb_find(arena, size);
    return block ? lb_take(arena, block, size) : NULL;
  }
  lb_block *block = lb_block_of(payload);
  size_t held = lb_size(block);
  lb_block *after = lb_following(block);
  if (size > held && (after->size & LB_FREE) && held + LB_COST + lb_size(after) >= size) {
    lb_unlink(arena, after);
    block->size += lb_size(after) + LB_COST;
    return lb_take(arena, block, size);
  }
  if (size <= held) return lb_take(arena, block, size);
  void *moved = lb_arena_reallocate(arena, NULL, size);
  if (moved == NULL) return NULL;
  memcpy(moved, payload, held);
  lb_give_back(arena, block);
  return moved;
}

void lb_arena_free(lb_arena *arena, void *payload) {
  if (payload != NULL) lb_give_back(arena, lb_block_of(payload));
}

void lb_arena_close(lb_arena *arena) { munmap(arena, arena->bytes); }

#else

// Under the address sanitizer every block is the system's, so that a stray access is seen.
typedef struct lb_block {
  struct lb_block *next, *previous;
} lb_block;

struct lb_arena {
  lb_block all;
};

lb_arena *lb_arena_make(size_t bytes) {
  (void)bytes;
  lb_arena *arena = malloc(sizeof *arena);
  if (arena) arena->all.next = arena->all.previous = &arena->all;
  return arena;
}

void *lb_arena_reallocate(lb_arena *arena, void *payload, size_t size) {
  lb_block *old = payload ? (lb_block *)payload - 1 : NULL;
  if (old) {
    old->next->previous = old->previous;
    old->previous->next = old->next;
  }
  lb_block *block = realloc(old, sizeof *block + size);
  lb_block *listed = block ? block : old;
  if (listed) {
    listed->next = arena->all.next;
    listed->previous = &arena->all;
    listed->next->previous = listed->previous->next = listed;
  }
  return block ? block + 1 : NULL;
}

void lb_arena_free(lb_arena *arena, void *payload) {
  (void)arena;
  if (payload == NULL) return;
  lb_block *block = (lb_block *)payload - 1;
  block->next->previous = block->previous;
  block->previous->next = block->next;
  free(block);
}

void lb_arena_close(lb_arena *arena) {
  while (arena->all.next != &arena->all) lb_arena_free(arena, arena->all.next + 1);
  free(arena);
}

#endif
