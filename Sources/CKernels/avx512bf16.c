#if defined(__x86_64__)
#include "fill.h"

void ck_fill_avx512bf16(ck_table *table) { (void)table; }
#endif
