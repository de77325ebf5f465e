// E4M3 to bfloat16, where every code is exact: 64 codes become two vectors by table look-up of both bytes of |value| and
// two unpacks, which leave codes 0-7, 16-23, 32-39, 48-55 in the first vector and the others in the second.
#include "contract.h"

// The bfloat16 bits of a positive code: normal numbers only need another bias; the seven subnormal ones are listed.
#define CK_BF16_OF(c)                                                                                         \
  ((c) == 0x7F ? 0x7FC0 : (c) >= 8 ? ((c) << 4) + 0x3C00 : (c) == 0 ? 0 : (c) == 1 ? 0x3B00 : (c) == 2 ? 0x3B80 \
   : (c) == 3 ? 0x3BC0 : 0x3C00 + ((c) - 4) * 0x20)
#define CK_EIGHT(f, c) f(c), f((c) + 1), f((c) + 2), f((c) + 3), f((c) + 4), f((c) + 5), f((c) + 6), f((c) + 7)
#define CK_SIXTY_FOUR(f, c)                                                                           \
  CK_EIGHT(f, c), CK_EIGHT(f, (c) + 8), CK_EIGHT(f, (c) + 16), CK_EIGHT(f, (c) + 24), CK_EIGHT(f, (c) + 32), \
      CK_EIGHT(f, (c) + 40), CK_EIGHT(f, (c) + 48), CK_EIGHT(f, (c) + 56)
#define CK_HIGH(c) (uint8_t)(CK_BF16_OF(c) >> 8)
#define CK_LOW(c) (uint8_t)(CK_BF16_OF(c) & 0xFF)
_Alignas(64) static const uint8_t ck_high_bytes[128] = {CK_SIXTY_FOUR(CK_HIGH, 0), CK_SIXTY_FOUR(CK_HIGH, 64)};
_Alignas(64) static const uint8_t ck_low_bytes[128] = {CK_SIXTY_FOUR(CK_LOW, 0), CK_SIXTY_FOUR(CK_LOW, 64)};

typedef struct {
  __m512i high0, high1, low0, low1;
} ck_tables;

CK_INLINE ck_tables v_tables(void) {
  return (ck_tables){_mm512_load_si512(ck_high_bytes), _mm512_load_si512(ck_high_bytes + 64),
                     _mm512_load_si512(ck_low_bytes), _mm512_load_si512(ck_low_bytes + 64)};
}

typedef struct {
  __m512bh first, second;
} bf16x64;
typedef bf16x64 ck_pair;

CK_INLINE bf16x64 v_expand(const ck_tables *tables, __m512i codes) {
  const __m512i magnitude = _mm512_permutex2var_epi8(tables->high0, codes, tables->high1);
  const __m512i low = _mm512_permutex2var_epi8(tables->low0, codes, tables->low1);
  // magnitude | (codes & 0x80)
  const __m512i high = _mm512_ternarylogic_epi32(magnitude, codes, _mm512_set1_epi8((char)0x80), 0xF8);
  return (bf16x64){(__m512bh)_mm512_unpacklo_epi8(low, high), (__m512bh)_mm512_unpackhi_epi8(low, high)};
}
