// The 16 lanes as a plain array: what each operation of the other lanes_*.h must equal, bit for bit.
#include "contract.h"

#define CK_ISA_NAME scalar

typedef struct {
  float at[CK_LANES];
} f32x16;

#define CK_EACH_LANE for (int i = 0; i < CK_LANES; i++)

CK_INLINE f32x16 v_set1(float a) {
  f32x16 r;
  CK_EACH_LANE r.at[i] = a;
  return r;
}
CK_INLINE f32x16 v_zero(void) { return v_set1(0); }

// --- memory; the _n forms touch the first n elements only, n <= 16, and read zeros beyond
CK_INLINE f32x16 v_load(const void *p) {
  f32x16 r;
  memcpy(&r, p, sizeof r);
  return r;
}
CK_INLINE f32x16 v_load_n(const void *p, size_t n) {
  f32x16 r = v_zero();
  memcpy(&r, p, n * 4);
  return r;
}
CK_INLINE void v_store(float *p, f32x16 a) { memcpy(p, &a, sizeof a); }
CK_INLINE void v_store_n(float *p, f32x16 a, size_t n) { memcpy(p, &a, n * 4); }

// --- arithmetic
CK_INLINE f32x16 v_add(f32x16 a, f32x16 b) {
  CK_EACH_LANE a.at[i] = a.at[i] + b.at[i];
  return a;
}
CK_INLINE f32x16 v_sub(f32x16 a, f32x16 b) {
  CK_EACH_LANE a.at[i] = a.at[i] - b.at[i];
  return a;
}
CK_INLINE f32x16 v_mul(f32x16 a, f32x16 b) {
  CK_EACH_LANE a.at[i] = a.at[i] * b.at[i];
  return a;
}
CK_INLINE f32x16 v_div(f32x16 a, f32x16 b) {
  CK_EACH_LANE a.at[i] = a.at[i] / b.at[i];
  return a;
}
// a * b + c, rounded once
CK_INLINE f32x16 v_fma(f32x16 a, f32x16 b, f32x16 c) {
  CK_EACH_LANE c.at[i] = fmaf(a.at[i], b.at[i], c.at[i]);
  return c;
}
// a > b ? a : b, so a NaN in a loses
CK_INLINE f32x16 v_max(f32x16 a, f32x16 b) {
  CK_EACH_LANE b.at[i] = a.at[i] > b.at[i] ? a.at[i] : b.at[i];
  return b;
}
// a < b ? yes : no
CK_INLINE f32x16 v_select_less(f32x16 a, f32x16 b, f32x16 yes, f32x16 no) {
  CK_EACH_LANE no.at[i] = a.at[i] < b.at[i] ? yes.at[i] : no.at[i];
  return no;
}
// NaN where a is NaN, else b
CK_INLINE f32x16 v_keep_nan(f32x16 a, f32x16 b) {
  CK_EACH_LANE b.at[i] = a.at[i] != a.at[i] ? a.at[i] : b.at[i];
  return b;
}
// bits(p) + (bits(t) << 23): p * 2^n where t = CK_EXP_ROUND + n
CK_INLINE f32x16 v_scale_by_power(f32x16 p, f32x16 t) {
  CK_EACH_LANE p.at[i] = ck_float(ck_bits(p.at[i]) + (ck_bits(t.at[i]) << 23));
  return p;
}
// Rounded to bfloat16 and back
CK_INLINE f32x16 v_round_bf16(f32x16 a) {
  CK_EACH_LANE a.at[i] = ck_from_bf16(ck_to_bf16(a.at[i]));
  return a;
}

// --- across lanes
CK_INLINE float v_reduce_add(f32x16 a) {
  for (int width = CK_LANES / 2; width >= 1; width /= 2)
    for (int i = 0; i < width; i++) a.at[i] = a.at[i] + a.at[i + width];
  return a.at[0];
}
CK_INLINE float v_reduce_max(f32x16 a) {
  float m = a.at[0];
  for (int i = 1; i < CK_LANES; i++) m = a.at[i] > m ? a.at[i] : m;
  return m;
}
// bit i: a >= b in lane i
CK_INLINE uint32_t v_mask_not_less(f32x16 a, f32x16 b) {
  uint32_t mask = 0;
  CK_EACH_LANE mask |= (uint32_t)(a.at[i] >= b.at[i]) << i;
  return mask;
}

// --- weights: 16 consecutive elements at any address
typedef bool v_codes;  // whether a NaN code was among the bytes
CK_INLINE v_codes v_codes_none(void) { return false; }
CK_INLINE bool v_codes_have_nan(v_codes seen) { return seen; }

CK_INLINE f32x16 v_load_bf16(const void *p) {
  uint16_t b[CK_LANES];
  f32x16 r;
  memcpy(b, p, sizeof b);
  CK_EACH_LANE r.at[i] = ck_from_bf16(b[i]);
  return r;
}
CK_INLINE f32x16 v_load_f16(const void *p) {
  uint16_t h[CK_LANES];
  f32x16 r;
  memcpy(h, p, sizeof h);
  CK_EACH_LANE r.at[i] = ck_from_f16(h[i]);
  return r;
}
// value / 256
CK_INLINE f32x16 v_load_e4m3(const void *p, v_codes *seen) {
  uint8_t c[CK_LANES];
  f32x16 r;
  memcpy(c, p, sizeof c);
  CK_EACH_LANE {
    r.at[i] = ck_e4m3_part(c[i]);
    *seen |= ck_e4m3_is_nan(c[i]);
  }
  return r;
}

// 32 codes at once
typedef v_codes v_codes_32;
CK_INLINE v_codes_32 v_codes_32_none(void) { return v_codes_none(); }
CK_INLINE void v_codes_32_into(v_codes *seen, v_codes_32 more) { *seen |= more; }
CK_INLINE void v_load_e4m3_32(const void *p, v_codes_32 *seen, f32x16 *low, f32x16 *high) {
  *low = v_load_e4m3(p, seen);
  *high = v_load_e4m3((const uint8_t *)p + CK_LANES, seen);
}

// --- pages: 16 pairs of elements, parted into first and second
CK_INLINE void v_load_pairs_f32(const void *p, f32x16 *first, f32x16 *second) {
  float x[2 * CK_LANES];
  memcpy(x, p, sizeof x);
  CK_EACH_LANE first->at[i] = x[2 * i], second->at[i] = x[2 * i + 1];
}
CK_INLINE void v_load_pairs_bf16(const void *p, f32x16 *first, f32x16 *second) {
  uint16_t x[2 * CK_LANES];
  memcpy(x, p, sizeof x);
  CK_EACH_LANE first->at[i] = ck_from_bf16(x[2 * i]), second->at[i] = ck_from_bf16(x[2 * i + 1]);
}
// value / 256; pages hold no NaN codes (kv_store makes the scale NaN instead)
CK_INLINE void v_load_pairs_e4m3(const void *p, f32x16 *first, f32x16 *second) {
  uint8_t x[2 * CK_LANES];
  memcpy(x, p, sizeof x);
  CK_EACH_LANE first->at[i] = ck_e4m3_part(x[2 * i]), second->at[i] = ck_e4m3_part(x[2 * i + 1]);
}

// Shape of the product's tile, rows of the product with one token, and rows of attention that share the loads of a page.
enum { CK_TILE_ROWS = 2, CK_TILE_TOKENS = 2, CK_VECTOR_ROWS = 1, CK_ATTEND_TOGETHER = 2 };
