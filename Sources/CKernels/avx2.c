#if defined(__x86_64__)
#include "fill.h"

void ck_fill_avx2(ck_table *table) { (void)table; }
#endif
