// The arithmetic that every instruction set shares, for one value at a time.
//
// The numeric contract:
//  - a dot product has 16 float32 lanes; element k goes to lane k % 16 by one fused multiply-add; the last, partial
//    group of 16 is filled up with zeros; the lanes are reduced by lane_reduce's tree, then scaled;
//  - an E4M3 weight enters a product as value / 256, which is the half-precision number whose bits are the code's,
//    shifted; the 256 is part of the scale. Both steps are exact;
//  - exp is the polynomial below, log is ck_log.
// scalar, neon, avx2 and avx512 obey it to the last bit. avx512bf16 and amx depart from it in products with BF16 and E4M3
// weights and in attention over BF16 and E4M3 pages, because VDPBF16PS and TDPBF16PS sum otherwise; avx512fp16 in those
// with E4M3 weights and pages, in half precision.
#ifndef CK_CONTRACT_H
#define CK_CONTRACT_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"

#define CK_INLINE static inline __attribute__((always_inline, unused))

enum { CK_LANES = 16 };

#define CK_E4M3_FACTOR 256.0f  // see above

static inline uint32_t ck_bits(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

static inline float ck_float(uint32_t u) {
  float x;
  memcpy(&x, &u, sizeof x);
  return x;
}

// --- formats -------------------------------------------------------------------------------------------------

static inline size_t ck_dtype_bytes(ck_dtype dtype) { return dtype == CK_F32 ? 4 : dtype == CK_E4M3 ? 1 : 2; }

static inline float ck_from_bf16(uint16_t b) { return ck_float((uint32_t)b << 16); }

// Nearest, ties to even; NaN stays NaN, quiet.
static inline uint16_t ck_to_bf16(float x) {
  const uint32_t u = ck_bits(x);
  const uint32_t rounded = (u + 0x7FFF + ((u >> 16) & 1)) >> 16;
  return (uint16_t)((u & 0x7FFFFFFF) > 0x7F800000 ? (u >> 16) | 0x40 : rounded);
}

// Multiplying by 2^112 moves the exponent's bias from 15 to 127 and normalises subnormal numbers.
static inline float ck_from_f16(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16, magnitude = (uint32_t)(h & 0x7FFF) << 13;
  if (magnitude >= 0x7C00u << 13) return ck_float(sign | 0x7F800000 | magnitude);
  return ck_float(sign | ck_bits(ck_float(magnitude) * 0x1p112f));
}

// OCP FP8 E4M3 ("E4M3FN"): bias 7, no infinity, NaN is 0x7F and 0xFF.
static inline bool ck_e4m3_is_nan(uint8_t code) { return (code & 0x7F) == 0x7F; }

// value / 256; a NaN code comes out as +-480 / 256: callers look for those codes apart.
static inline float ck_e4m3_part(uint8_t code) {
  return ck_from_f16((uint16_t)((code & 0x80) << 8 | (code & 0x7F) << 7));
}

static inline float ck_from_e4m3(uint8_t code) {
  return ck_e4m3_is_nan(code) ? NAN : ck_e4m3_part(code) * CK_E4M3_FACTOR;
}

// Nearest, ties to even; beyond 448 saturates; NaN becomes the NaN code. Free of branches, so that loops vectorise.
static inline uint8_t ck_to_e4m3(float x) {
  const uint32_t u = ck_bits(x), sign = u >> 24 & 0x80;
  uint32_t magnitude = u & 0x7FFFFFFF;
  const bool nan = magnitude > 0x7F800000;
  magnitude = magnitude > 0x43E00000 ? 0x43E00000 : magnitude;  // 448
  // Normal: keep 3 bits of the fraction. Subnormal (below 2^-6): adding 2^14 leaves multiples of 2^-9 in the low bits.
  const uint32_t normal = ((magnitude + 0x7FFFF + ((magnitude >> 20) & 1)) >> 20) - (120u << 3);
  const uint32_t subnormal = ck_bits(ck_float(magnitude) + 0x1p14f) - 0x46800000u;
  const uint32_t code = magnitude < 0x3C800000 ? subnormal : normal;
  return (uint8_t)(sign | (nan ? 0x7F : code));
}

// --- functions -----------------------------------------------------------------------------------------------

// exp(x) = 2^n * exp(r), n = round(x / ln 2), |r| <= ln 2 / 2; the polynomial is that of Cephes' expf.
// Below CK_EXP_LOW the result is 0 (it would be subnormal), above CK_EXP_HIGH infinity.
// Relative error at most CK_EXP_ERROR elsewhere, tested against double exp.
#define CK_EXP_LOW -87.3365f
#define CK_EXP_HIGH 88.7228f
#define CK_EXP_ERROR 1.5e-7
#define CK_EXP_LOG2E 0x1.715476p+0f
#define CK_EXP_ROUND 0x1.8p23f  // adding it leaves the rounded number in the low bits of the fraction
#define CK_EXP_LN2_HIGH 0x1.63p-1f
#define CK_EXP_LN2_LOW -0x1.bd0106p-13f
#define CK_EXP_P0 1.9875691500e-4f
#define CK_EXP_P1 1.3981999507e-3f
#define CK_EXP_P2 8.3334519073e-3f
#define CK_EXP_P3 4.1665795894e-2f
#define CK_EXP_P4 1.6666665459e-1f
#define CK_EXP_P5 5.0000001201e-1f

// ln(x) for a finite x > 0, in double: the same on every machine, whatever its libm.
// x = 2^e * m, m in [sqrt(1/2), sqrt(2)); ln(m) = 2 artanh(s), s = (m - 1) / (m + 1), |s| <= 0.172.
static inline float ck_log(float x) {
  int e;
  double m = frexp((double)x, &e);
  if (m < 0.70710678118654752) {
    m *= 2;
    e -= 1;
  }
  const double s = (m - 1) / (m + 1), z = s * s;
  double series = 0;
  for (int k = 15; k >= 1; k -= 2) series = series * z + 1.0 / k;
  return (float)(e * 0.69314718055994531 + 2 * s * series);
}

static inline size_t ck_round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }
static inline size_t ck_min(size_t a, size_t b) { return a < b ? a : b; }

// --- weights and pages ---------------------------------------------------------------------------------------

static inline size_t ck_block_columns(const ck_weights *w) {
  return w->scales && w->block_cols && w->block_cols < w->cols ? w->block_cols : w->cols;
}

// The factor of one block, CK_E4M3_FACTOR included.
static inline float ck_block_factor(const ck_weights *w, size_t row, size_t block, size_t blocks) {
  const float scale = w->scales ? w->scales[row / w->block_rows * blocks + block] : 1.0f;
  return w->dtype == CK_E4M3 ? scale * CK_E4M3_FACTOR : scale;
}

// One head's keys or values in a page: head_dim * CK_PAGE_POSITIONS elements.
static inline size_t ck_page_part_bytes(const ck_kv_layout *layout) {
  return layout->head_dim * CK_PAGE_POSITIONS * ck_dtype_bytes(layout->dtype);
}

static inline const uint8_t *ck_page_keys(const ck_kv_layout *layout, const void *page, size_t head) {
  return (const uint8_t *)page + 2 * head * ck_page_part_bytes(layout);
}

static inline const uint8_t *ck_page_values(const ck_kv_layout *layout, const void *page, size_t head) {
  return ck_page_keys(layout, page, head) + ck_page_part_bytes(layout);
}

// Heads that attention takes together, so that a page is read from its beginning to its end: as many as their rows fit among
// `most` rows.
static inline size_t ck_heads_together(size_t kv_heads, size_t rows_a_head, size_t most) {
  return rows_a_head == 0 || rows_a_head >= most ? 1 : ck_min(kv_heads, most / rows_a_head);
}

// [2][CK_PAGE_POSITIONS]
static inline const float *ck_page_scales(const ck_kv_layout *layout, const void *page, size_t head) {
  const uint8_t *scales = (const uint8_t *)page + 2 * layout->kv_heads * ck_page_part_bytes(layout);
  return (const float *)(const void *)scales + head * 2 * CK_PAGE_POSITIONS;
}

#endif
