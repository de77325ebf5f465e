// How a table is built: each file overwrites the entries that it does better than the next lower one.
#ifndef CK_FILL_H
#define CK_FILL_H

#include <stdbool.h>

#include "CKernels.h"

void ck_fill_scalar(ck_table *table);
#if defined(__aarch64__)
void ck_fill_neon(ck_table *table);
#endif
#if defined(__x86_64__)
// subnormals_are_slow: a multiplication of a subnormal number takes a hundred cycles.
void ck_fill_avx2(ck_table *table, bool subnormals_are_slow);
void ck_fill_avx512(ck_table *table);
void ck_fill_avx512bf16(ck_table *table);
void ck_fill_avx512bf16_attention(ck_table *table);
void ck_fill_avx512fp16(ck_table *table);
void ck_fill_avx512fp16_attention(ck_table *table);
void ck_fill_amx(ck_table *table);
void ck_fill_amx_attention(ck_table *table);
#endif

#endif
