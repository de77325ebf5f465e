// The shared kernels on AVX-512 F, BW, VL and DQ: bit for bit the scalar ones.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>

#include "contract.h"
#include "fill.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c"))), apply_to = function)
#include "lanes_avx512.h"

#include "shared_layer.h"
#include "shared_logits.h"
#include "shared_matmul.h"
#include "shared_panel.h"
#include "shared_attention.h"
#include "few_avx512.h"
#pragma clang attribute pop

void ck_fill_avx512(ck_table *table) {
  ck_fill_layer_avx512(table);
  ck_fill_logits_avx512(table);
  ck_fill_matmul_avx512(table);
  ck_fill_panel_avx512(table);
  ck_fill_attention_avx512(table);
  table->matmul = ck_matmul_few_or_lanes_avx512;
}
#endif
