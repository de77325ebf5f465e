// What attention over BF16 and E4M3 pages shares, whichever instruction multiplies: codes expanded, and the softmax of four rows
// at once, where a row's maximum, sum and factor fill a quarter of a vector. A row alone fills all four.
//
// The includer has an expand_*.h and CK_ROWS: the rows that share a page.
#include "contract.h"

enum { CK_ABREAST = 4 };  // rows whose softmax is calculated together

// 64 codes as two vectors, in the page's order: quadwords in this order leave the unpacks with consecutive codes.
CK_INLINE ck_pair v_expand_in_order(const ck_tables *tables, __m512i codes) {
  return v_expand(tables, _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), codes));
}

CK_INLINE void v_prefetch_scales(const float *scales) {
  CK_UNROLL for (size_t i = 0; i < 2 * CK_PAGE_POSITIONS; i += 16) _mm_prefetch((const char *)(scales + i), _MM_HINT_T0);
}

// Running maxima and sums of the rows, each number four times.
typedef struct {
  float top[CK_ROWS][4], weight[CK_ROWS][4];
} ck_softmax;

CK_INLINE f32x16 v_quarters_of(size_t R, const float (*rows)[4]) {
  return R == 1 ? _mm512_broadcast_f32x4(_mm_loadu_ps(rows[0])) : v_load(rows);
}

CK_INLINE void v_set_quarters(size_t R, float (*rows)[4], f32x16 a) {
  if (R == 1) {
    _mm_storeu_ps(rows[0], _mm512_castps512_ps128(a));
  } else {
    v_store(rows[0], a);
  }
}

CK_INLINE f32x16 v_spread_quarter(f32x16 a, size_t r) {
  switch (r) {
    case 0: return _mm512_shuffle_f32x4(a, a, 0x00);
    case 1: return _mm512_shuffle_f32x4(a, a, 0x55);
    case 2: return _mm512_shuffle_f32x4(a, a, 0xAA);
    default: return _mm512_shuffle_f32x4(a, a, 0xFF);
  }
}

// Quarter r is row r's reduction by the tree of v_reduce_add.
#define CK_REDUCE_ROWS(name, op)                                                                                  \
  CK_INLINE f32x16 name(f32x16 a, f32x16 b, f32x16 c, f32x16 d) {                                                 \
    const f32x16 ab = op(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));                     \
    const f32x16 cd = op(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xEE));                     \
    const f32x16 four = op(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD));               \
    const f32x16 two = op(four, _mm512_shuffle_ps(four, four, 0x4E));                                             \
    return op(two, _mm512_shuffle_ps(two, two, 0xB1));                                                            \
  }
CK_REDUCE_ROWS(v_reduce_max_rows, v_max)
CK_REDUCE_ROWS(v_reduce_add_rows, v_add)

// One page's softmax of R rows: scores become probabilities, exactly zero from counts[r] on. The rows' maxima rise; the
// factor of what was summed before is left in factor[4 * r].
CK_INLINE void v_rows_softmax(size_t R, ck_softmax *softmax, size_t row, f32x16 score[CK_ABREAST][CK_HALF_PAGE],
                              const size_t counts[CK_ABREAST], float factor[CK_LANES]) {
  const f32x16 lowest = v_set1(-INFINITY);
  f32x16 part[CK_ABREAST];
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    const uint32_t seen = (uint32_t)((1ull << counts[r]) - 1);  // an unwritten slot may hold anything
    score[r][0] = _mm512_mask_mov_ps(lowest, (__mmask16)seen, score[r][0]);
    score[r][1] = _mm512_mask_mov_ps(lowest, (__mmask16)(seen >> 16), score[r][1]);
    part[r] = v_max(v_max(score[r][0], score[r][1]), lowest);
  }
  const size_t last = R - 1, second = R > 1 ? 1 : last, third = R > 2 ? 2 : last;
  const f32x16 before = v_quarters_of(R, softmax->top + row);
  const f32x16 top = v_max(v_reduce_max_rows(part[0], part[second], part[third], part[last]), before);
  // All scores -inf or NaN so far: subtract nothing.
  const f32x16 base = _mm512_mask_mov_ps(top, _mm512_cmp_ps_mask(top, lowest, _CMP_EQ_OQ), v_zero());
  const f32x16 factors = v_exp(v_sub(before, base));
  v_set_quarters(R, softmax->top + row, top);
  v_store(factor, factors);
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    const f32x16 row_base = v_spread_quarter(base, r);
    CK_UNROLL for (size_t h = 0; h < CK_HALF_PAGE; h++) score[r][h] = v_exp(v_sub(score[r][h], row_base));
    part[r] = v_add(score[r][0], score[r][1]);
  }
  const f32x16 sum = v_reduce_add_rows(part[0], part[second], part[third], part[last]);
  v_set_quarters(R, softmax->weight + row, v_fma(v_quarters_of(R, softmax->weight + row), factors, sum));
}
