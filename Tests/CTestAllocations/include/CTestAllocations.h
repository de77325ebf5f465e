// Counts how often a thread asks for memory, so that a test can say "never".
#ifndef CTESTALLOCATIONS_H
#define CTESTALLOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

// Whether requests are counted here: with the GNU C library only, whose functions can be stood in front of.
bool cta_counts(void);
// Calls of malloc, calloc, realloc, their aligned relatives and mmap by the calling thread so far.
uint64_t cta_count(void);

#endif
