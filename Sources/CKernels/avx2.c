// The shared kernels on AVX2 with FMA and F16C: bit for bit the scalar ones.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>

#include "contract.h"
#include "fill.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "lanes_avx2.h"

#include "shared_layer.h"
#include "shared_logits.h"
#include "shared_matmul.h"
#include "shared_panel.h"
#include "shared_attention.h"
#include "few_avx2.h"
#pragma clang attribute pop

void ck_fill_avx2(ck_table *table) {
  ck_fill_layer_avx2(table);
  ck_fill_logits_avx2(table);
  ck_fill_matmul_avx2(table);
  ck_fill_panel_avx2(table);
  ck_fill_attention_avx2(table);
  table->matmul = ck_matmul_few_or_lanes_avx2;
}
#endif
