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

enum { CK_FEW_MOST = 16, CK_FEW_TOKENS = 8, CK_FEW_SLIM = 5, CK_FEW_FAT_ROWS = 3 };
typedef __m512i v_codes_64;
CK_INLINE v_codes_64 v_codes_64_none(void) { return _mm512_setzero_si512(); }
CK_INLINE bool v_codes_64_have_nan(v_codes_64 seen) {
  return _mm512_cmpeq_epi8_mask(seen, _mm512_set1_epi8((char)0xFE)) != 0;
}
CK_INLINE void v_halves_64(uint16_t *out, const uint8_t *p, v_codes_64 *seen) {
  const __m512i codes = _mm512_loadu_si512(p), kept = _mm512_set1_epi16((short)0xBF80);
  *seen = _mm512_max_epu8(*seen, _mm512_add_epi8(codes, codes));
  CK_UNROLL for (size_t k = 0; k < 64; k += 32) {
    const __m512i words = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(p + k)));
    _mm512_storeu_si512(out + k, _mm512_and_si512(_mm512_slli_epi16(words, 7), kept));
  }
}
#include "shared_few.h"
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
