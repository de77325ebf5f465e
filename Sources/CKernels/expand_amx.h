// E4M3 to bfloat16, where every code is exact: a normal code's exponent and fraction only move, which two affine maps over
// bits do, and its exponent gets another bias; subnormal numbers and NaN, which are rare, are looked up. The order is that of
// expand_avx512bf16.h: codes 0-7, 16-23, 32-39, 48-55 in the first vector and the others in the second.
#include "contract.h"

typedef struct {
  __m512bh first, second;
} bf16x64;
typedef bf16x64 ck_pair;

// What subnormal codes and NaN become, by the code's lower six bits.
_Alignas(64) static const uint8_t ck_rare_high[64] = {0, 0x3B, 0x3B, 0x3B, 0x3C, 0x3C, 0x3C, 0x3C, [63] = 0x7F};
_Alignas(64) static const uint8_t ck_rare_low[64] = {0, 0x00, 0x80, 0xC0, 0x00, 0x20, 0x40, 0x60, [63] = 0xC0};

// Nothing that would have to stay in registers; expand_avx512bf16.h has something.
typedef struct {
  char none;
} ck_tables;
CK_INLINE ck_tables v_tables(void) { return (ck_tables){0}; }

CK_INLINE bf16x64 v_expand(const ck_tables *tables, __m512i codes) {
  (void)tables;
  // Each byte of a map tells which bits of a code make one bit of the result; the first byte's makes bit 7.
  const __m512i sign_and_exponent = _mm512_set1_epi64(0x1020400000000080), fraction = _mm512_set1_epi64(0x0000000001020408);
  const __m512i unbiased = _mm512_gf2p8affine_epi64_epi8(codes, sign_and_exponent, 0);
  __m512i high = _mm512_add_epi8(unbiased, _mm512_set1_epi8(0x3C));
  __m512i low = _mm512_gf2p8affine_epi64_epi8(codes, fraction, 0);
  // Without its sign and plus one, a code that is rare is at most 8.
  const __m512i twice = _mm512_add_epi8(_mm512_add_epi8(codes, codes), _mm512_set1_epi8(2));
  const __mmask64 rare = _mm512_cmple_epu8_mask(twice, _mm512_set1_epi8(16));
  if (__builtin_expect(rare != 0, 0)) {
    const __m512i magnitude = _mm512_permutexvar_epi8(codes, _mm512_load_si512(ck_rare_high));
    // magnitude | (codes & 0x80)
    const __m512i value = _mm512_ternarylogic_epi32(magnitude, codes, _mm512_set1_epi8((char)0x80), 0xF8);
    high = _mm512_mask_mov_epi8(high, rare, value);
    low = _mm512_mask_permutexvar_epi8(low, rare, codes, _mm512_load_si512(ck_rare_low));
  }
  return (bf16x64){(__m512bh)_mm512_unpacklo_epi8(low, high), (__m512bh)_mm512_unpackhi_epi8(low, high)};
}
