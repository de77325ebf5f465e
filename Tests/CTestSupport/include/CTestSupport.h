// What tests need and Swift cannot reach.
#ifndef CTESTSUPPORT_H
#define CTESTSUPPORT_H

#include <stdbool.h>
#include <stdint.h>

// Whether requests for memory are counted here: with the GNU C library only, whose functions can be stood in front of.
bool ct_counts_allocations(void);
// Calls of malloc, calloc, realloc, their aligned relatives and mmap by the calling thread so far.
uint64_t ct_allocations(void);

// Opens a terminal: what is written to `theirs` can be read from `own`. Returns 0, or an error number.
int ct_open_terminal(int *own, int *theirs);

#endif
