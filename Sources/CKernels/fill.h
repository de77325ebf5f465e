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
// by_halves: up to three tokens times FP8 weights by way of half precision, else by shifted floats (shifted_avx2.h).
void ck_fill_avx2(ck_table *table, bool by_halves);
void ck_fill_avx512(ck_table *table);
void ck_fill_avx512bf16(ck_table *table);
void ck_fill_avx512bf16_attention(ck_table *table);
void ck_fill_avx512fp16(ck_table *table);
void ck_fill_avx512fp16_attention(ck_table *table);
void ck_fill_amx(ck_table *table);
void ck_fill_amx_attention(ck_table *table);
#endif

#endif
