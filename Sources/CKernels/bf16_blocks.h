// Sixty-four elements of a row of weights, and of a row of activations in the order in which they meet: that of v_expand for
// E4M3, that of memory for BF16; and a row of queries in the order of memory. The includer has v_expand.
#include "contract.h"
#include "shared_names.h"

enum { CK_BLOCK = 64 };

// n <= CK_BLOCK elements of a row of weights; what lies beyond n is not read and counts as zero.
CK_INLINE bf16x64 v_weight_block(ck_dtype dtype, const ck_tables *tables, const uint8_t *p, size_t n) {
  if (dtype == CK_E4M3) {
    const __mmask64 mask = n >= 64 ? ~0ull : (1ull << n) - 1;
    return v_expand(tables, n >= 64 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(mask, p));
  }
  if (n >= 64) return (bf16x64){(__m512bh)_mm512_loadu_si512(p), (__m512bh)_mm512_loadu_si512(p + 64)};
  const uint64_t mask = (1ull << n) - 1;
  return (bf16x64){(__m512bh)_mm512_maskz_loadu_epi16((__mmask32)mask, p),
                   (__m512bh)_mm512_maskz_loadu_epi16((__mmask32)(mask >> 32), p + 64)};
}

// Elements k..<k + CK_BLOCK of a row of `cols` activations, rounded; zero beyond the last.
CK_INLINE bf16x64 v_token_block(ck_dtype dtype, const float *in, size_t k, size_t cols) {
  const __m512i first = _mm512_setr_epi64(0, 1, 4, 5, 8, 9, 12, 13), second = _mm512_setr_epi64(2, 3, 6, 7, 10, 11, 14, 15);
  __m256i part[4];
  CK_UNROLL for (size_t j = 0; j < 4; j++) {
    const size_t at = k + j * CK_LANES, left = at < cols ? cols - at : 0;
    const f32x16 x = left >= CK_LANES ? v_load(in + at) : left ? v_load_n(in + at, left) : v_zero();
    part[j] = _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_castps_si512(v_round_bf16(x)), 16));
  }
  const __m512i low = _mm512_inserti64x4(_mm512_castsi256_si512(part[0]), part[1], 1);
  const __m512i high = _mm512_inserti64x4(_mm512_castsi256_si512(part[2]), part[3], 1);
  if (dtype == CK_BF16) return (bf16x64){(__m512bh)low, (__m512bh)high};
  return (bf16x64){(__m512bh)_mm512_permutex2var_epi64(low, first, high), (__m512bh)_mm512_permutex2var_epi64(low, second, high)};
}

// A row of queries, rounded to bfloat16.
CK_INLINE void v_pack_query(void *out, const float *q, size_t head_dim) {
  uint16_t *to = out;
  for (size_t i = 0; i < head_dim; i += CK_LANES) {
    const size_t n = ck_min(CK_LANES, head_dim - i);
    const f32x16 x = n == CK_LANES ? v_load(q + i) : v_load_n(q + i, n);
    const __m256i rounded = _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_castps_si512(v_round_bf16(x)), 16));
    _mm256_mask_storeu_epi16(to + i, v_first(n), rounded);
  }
}
