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

enum { CK_FEW_MOST = 3, CK_FEW_TOKENS = 3, CK_FEW_SLIM = 1, CK_FEW_FAT_ROWS = 2 };
typedef v_codes_32 v_codes_64;
CK_INLINE v_codes_64 v_codes_64_none(void) { return v_codes_32_none(); }
CK_INLINE bool v_codes_64_have_nan(v_codes_64 seen) {
  return _mm256_movemask_epi8(_mm256_cmpeq_epi8(seen, _mm256_set1_epi8((char)0xFE))) != 0;
}
CK_INLINE void v_halves_64(uint16_t *out, const uint8_t *p, v_codes_64 *seen) {
  v_narrow_e4m3(out, p, seen);
  v_narrow_e4m3(out + 32, p + 32, seen);
}
#include "shared_few.h"
#include "shifted_avx2.h"
#pragma clang attribute pop

void ck_fill_avx2(ck_table *table, bool by_halves) {
  ck_fill_layer_avx2(table);
  ck_fill_logits_avx2(table);
  ck_fill_matmul_avx2(table);
  ck_fill_panel_avx2(table);
  ck_fill_attention_avx2(table);
  table->matmul = by_halves ? ck_matmul_few_or_lanes_avx2 : ck_matmul_shifted_or_few_avx2;
}
#endif
