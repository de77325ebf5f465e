#if defined(__x86_64__)
#include "fill.h"

void ck_fill_avx512(ck_table *table) { (void)table; }
#endif
