// Attention over pages in float32: written once over the 16 lanes.
//
// A "row" is one query head of one position. Rows are taken CK_ATTEND_ROWS at a time so that a page is read once for
// all of them. Where a head has few, those of several heads are taken, whose parts of a page follow each other. Each row's own
// arithmetic does not depend on which others are with it.
#include "shared_exp.h"
#include "shared_names.h"

enum {
  CK_ATTEND_ROWS = 8,                                 // rows that share the reading of a page from memory
  CK_HALF_PAGE = CK_PAGE_POSITIONS / CK_LANES,        // vectors of positions in a page: 2
  CK_PAIRS = CK_PAGE_POSITIONS / 2,
};

typedef struct {
  const float *q;  // [head_dim]
  float *out;      // [head_dim]
  float *sum;      // [head_dim] in scratch: the unnormalised output
  size_t visible;  // positions that this row sees
  float top;       // the running maximum of the scores
  float weight;    // the running sum of the probabilities
} CK_FN(attend_row);

CK_INLINE void v_load_pairs(ck_dtype dtype, const uint8_t *p, size_t n, f32x16 *first, f32x16 *second) {
  const size_t bytes = 2 * ck_dtype_bytes(dtype);
  _Alignas(64) uint8_t copy[8 * CK_LANES];
  if (n < CK_LANES) {
    memset(copy, 0, sizeof copy);
    memcpy(copy, p, n * bytes);
    p = copy;
  }
  switch (dtype) {
    case CK_BF16: v_load_pairs_bf16(p, first, second); break;
    case CK_E4M3: v_load_pairs_e4m3(p, first, second); break;
    default: v_load_pairs_f32(p, first, second); break;
  }
}

// score[r][position] = (sum over d of q[r][d] * K[d][position]) * factor; d rises, one fused multiply-add each.
// next: the keys of the page that comes next, which are fetched meanwhile.
CK_INLINE void v_scores(ck_dtype dtype, size_t R, f32x16 score[CK_ATTEND_TOGETHER][CK_HALF_PAGE], const CK_FN(attend_row) *rows,
                        const uint8_t *keys, size_t head_dim, const float *key_scales, float scale, const uint8_t *next) {
  const size_t bytes = 2 * ck_dtype_bytes(dtype);
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    CK_UNROLL for (int h = 0; h < CK_HALF_PAGE; h++) score[r][h] = v_zero();
  }
  for (size_t d = 0; d < head_dim; d += 2) {
    CK_UNROLL for (size_t line = 0; line < CK_PAGE_POSITIONS * bytes; line += 64) {
      __builtin_prefetch(next + d / 2 * CK_PAGE_POSITIONS * bytes + line);
    }
    CK_UNROLL for (int h = 0; h < CK_HALF_PAGE; h++) {
      f32x16 k_first, k_second;
      v_load_pairs(dtype, keys + (d / 2 * CK_PAGE_POSITIONS + h * CK_LANES) * bytes, CK_LANES, &k_first, &k_second);
      CK_UNROLL for (size_t r = 0; r < R; r++) {
        score[r][h] = v_fma(v_set1(rows[r].q[d + 1]), k_second, v_fma(v_set1(rows[r].q[d]), k_first, score[r][h]));
      }
    }
  }
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    CK_UNROLL for (int h = 0; h < CK_HALF_PAGE; h++) {
      if (dtype == CK_E4M3) {
        score[r][h] = v_mul(score[r][h], v_mul(v_load(key_scales + h * CK_LANES), v_set1(CK_E4M3_FACTOR)));
      }
      score[r][h] = v_mul(score[r][h], v_set1(scale));
    }
  }
}

// One page's softmax: raises row->top, returns the factor of what was summed before, and leaves probabilities in p,
// exactly zero from `count` on.
CK_INLINE float v_page_softmax(CK_FN(attend_row) *row, float p[CK_PAGE_POSITIONS], const f32x16 score[CK_HALF_PAGE],
                               size_t count) {
  CK_UNROLL for (int h = 0; h < CK_HALF_PAGE; h++) v_store(p + h * CK_LANES, score[h]);
  for (size_t i = count; i < CK_PAGE_POSITIONS; i++) p[i] = -INFINITY;  // an unwritten slot may hold anything
  const f32x16 low = v_load(p), high = v_load(p + CK_LANES);
  const float page_top = v_reduce_max(v_max(v_max(low, high), v_set1(-INFINITY)));
  const float top = page_top > row->top ? page_top : row->top;
  const float base = top == -INFINITY ? 0 : top;  // all scores -inf or NaN so far
  const f32x16 p_low = v_exp(v_sub(low, v_set1(base))), p_high = v_exp(v_sub(high, v_set1(base)));
  v_store(p, p_low);
  v_store(p + CK_LANES, p_high);
  float factor[CK_LANES];
  v_store(factor, v_exp(v_set1(row->top - base)));
  row->top = top;
  row->weight = fmaf(row->weight, factor[0], v_reduce_add(v_add(p_low, p_high)));
  return factor[0];
}

// sum[d] = sum[d] * factor + (sum over positions of p * V[position][d]) for d from `begin` on; positions rise.
CK_INLINE void v_add_values_rest(ck_dtype dtype, float *sum, const float *p, const uint8_t *values, size_t begin,
                                 size_t head_dim, size_t count, float factor) {
  const size_t bytes = 2 * ck_dtype_bytes(dtype);
  for (size_t d = begin; d < head_dim; d += CK_LANES) {
    const size_t n = ck_min(CK_LANES, head_dim - d);
    const bool whole = n == CK_LANES;
    f32x16 a = v_mul(whole ? v_load(sum + d) : v_load_n(sum + d, n), v_set1(factor));
    for (size_t pair = 0; pair < (count + 1) / 2; pair++) {
      f32x16 v_first, v_second;
      v_load_pairs(dtype, values + (pair * head_dim + d) * bytes, whole ? CK_LANES : n, &v_first, &v_second);
      a = v_fma(v_set1(p[2 * pair]), v_first, a);
      // The other half of an odd count is not written yet and may be NaN: a zero probability would not hide it.
      if (2 * pair + 1 < count) a = v_fma(v_set1(p[2 * pair + 1]), v_second, a);
    }
    if (whole) {
      v_store(sum + d, a);
    } else {
      v_store_n(sum + d, a, n);
    }
  }
}

// The same for R rows and all d. Two vectors side by side, or each multiply-add would wait for the one before.
// next: the values of the page that comes next, which are fetched meanwhile.
CK_INLINE void v_add_values(ck_dtype dtype, size_t R, const CK_FN(attend_row) *rows,
                            float p[CK_ATTEND_TOGETHER][CK_PAGE_POSITIONS], const uint8_t *values, size_t head_dim,
                            size_t count, const float factor[CK_ATTEND_TOGETHER], const uint8_t *next) {
  const size_t bytes = 2 * ck_dtype_bytes(dtype);
  size_t d = 0;
  for (; d + 2 * CK_LANES <= head_dim; d += 2 * CK_LANES) {
    f32x16 a[CK_ATTEND_TOGETHER], b[CK_ATTEND_TOGETHER], a_first, a_second, b_first, b_second;
    CK_UNROLL for (size_t r = 0; r < R; r++) {
      a[r] = v_mul(v_load(rows[r].sum + d), v_set1(factor[r]));
      b[r] = v_mul(v_load(rows[r].sum + d + CK_LANES), v_set1(factor[r]));
    }
    for (size_t pair = 0; pair < count / 2; pair++) {
      const size_t at = (pair * head_dim + d) * bytes;
      CK_UNROLL for (size_t line = 0; line < 2 * CK_LANES * bytes; line += 64) __builtin_prefetch(next + at + line);
      v_load_pairs(dtype, values + at, CK_LANES, &a_first, &a_second);
      v_load_pairs(dtype, values + at + CK_LANES * bytes, CK_LANES, &b_first, &b_second);
      CK_UNROLL for (size_t r = 0; r < R; r++) {
        const f32x16 first = v_set1(p[r][2 * pair]), second = v_set1(p[r][2 * pair + 1]);
        a[r] = v_fma(second, a_second, v_fma(first, a_first, a[r]));
        b[r] = v_fma(second, b_second, v_fma(first, b_first, b[r]));
      }
    }
    if (count % 2) {  // see above
      const uint8_t *at = values + (count / 2 * head_dim + d) * bytes;
      v_load_pairs(dtype, at, CK_LANES, &a_first, &a_second);
      v_load_pairs(dtype, at + CK_LANES * bytes, CK_LANES, &b_first, &b_second);
      CK_UNROLL for (size_t r = 0; r < R; r++) {
        a[r] = v_fma(v_set1(p[r][count - 1]), a_first, a[r]);
        b[r] = v_fma(v_set1(p[r][count - 1]), b_first, b[r]);
      }
    }
    CK_UNROLL for (size_t r = 0; r < R; r++) {
      v_store(rows[r].sum + d, a[r]);
      v_store(rows[r].sum + d + CK_LANES, b[r]);
    }
  }
  for (size_t r = 0; r < R; r++) v_add_values_rest(dtype, rows[r].sum, p[r], values, d, head_dim, count, factor[r]);
}

// A head's part of a page of which `count` positions are seen, and the head's part of a page that comes next.
typedef struct {
  const void *page, *next;
  size_t kv_head, next_head, count;
} CK_FN(attend_place);

// R rows that see as much of the page.
CK_INLINE void v_attend_page(ck_dtype dtype, size_t R, CK_FN(attend_row) *rows, const ck_kv_layout *layout,
                             const CK_FN(attend_place) *place, float scale) {
  const size_t head_dim = layout->head_dim, kv_head = place->kv_head, count = place->count;
  const void *page = place->page;
  const float *scales = dtype == CK_E4M3 ? ck_page_scales(layout, page, kv_head) : NULL;
  float p[CK_ATTEND_TOGETHER][CK_PAGE_POSITIONS], factor[CK_ATTEND_TOGETHER];
  f32x16 score[CK_ATTEND_TOGETHER][CK_HALF_PAGE];
  v_scores(dtype, R, score, rows, ck_page_keys(layout, page, kv_head), head_dim, scales, scale,
           ck_page_keys(layout, place->next, place->next_head));
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    factor[r] = v_page_softmax(&rows[r], p[r], score[r], count);
    if (dtype != CK_E4M3) continue;
    for (size_t i = 0; i < count; i++) p[r][i] = p[r][i] * (scales[CK_PAGE_POSITIONS + i] * CK_E4M3_FACTOR);
  }
  v_add_values(dtype, R, rows, p, ck_page_values(layout, page, kv_head), head_dim, count, factor,
               ck_page_values(layout, place->next, place->next_head));
}

CK_INLINE void v_attend_rows(size_t R, CK_FN(attend_row) *rows, const ck_kv_layout *layout, const CK_FN(attend_place) *place,
                             float scale) {
  switch (layout->dtype) {
    case CK_BF16: v_attend_page(CK_BF16, R, rows, layout, place, scale); break;
    case CK_E4M3: v_attend_page(CK_E4M3, R, rows, layout, place, scale); break;
    default: v_attend_page(CK_F32, R, rows, layout, place, scale); break;
  }
}

static size_t CK_FN(attend_scratch_bytes)(const ck_kv_layout *layout, size_t group) {
  (void)group;
  return CK_ATTEND_ROWS * ck_round_up(layout->head_dim * sizeof(float), 64);
}

typedef struct {
  float *out;
  const float *q;
  size_t stride, first_position;
  const ck_kv_layout *layout;
  const void *const *pages;
  size_t page_offset, group;
  float scale;
  void *scratch;
} CK_FN(attention);

// Rows begin..<begin + count of each of `heads` heads; a head's rows are its queries' heads one after the other. At most
// CK_ATTEND_ROWS in all.
static void CK_FN(attend_heads)(const CK_FN(attention) *job, size_t kv_head, size_t heads, size_t begin, size_t count) {
  const ck_kv_layout *layout = job->layout;
  const size_t head_dim = layout->head_dim, sum_stride = ck_round_up(head_dim, CK_LANES), n = heads * count;
  CK_FN(attend_row) rows[CK_ATTEND_ROWS];
  for (size_t i = 0; i < n; i++) {
    const size_t row = begin + i % count, query = row / job->group;
    const size_t offset = query * job->stride + ((kv_head + i / count) * job->group + row % job->group) * head_dim;
    float *sum = (float *)job->scratch + i * sum_stride;
    memset(sum, 0, head_dim * sizeof(float));
    rows[i] = (CK_FN(attend_row)){job->q + offset, job->out + offset, sum, job->first_position + query + 1, -INFINITY, 0};
  }
  const size_t last = (rows[n - 1].visible - 1) / CK_PAGE_POSITIONS;
  for (size_t index = 0; index <= last; index++) {
    const size_t start = index * CK_PAGE_POSITIONS;
    const void *page = (const uint8_t *)job->pages[index] + job->page_offset;
    for (size_t h = 0; h < heads; h++) {
      // What is fetched meanwhile: the next head's part of the page, or the first one's of the page after it.
      const bool turns = h + 1 == heads;
      const void *next = turns ? (const uint8_t *)job->pages[ck_min(index + 1, last)] + job->page_offset : page;
      const size_t next_head = turns ? kv_head : kv_head + h + 1, end = (h + 1) * count;
      for (size_t i = h * count, together; i < end; i += together) {
        together = 1;
        if (rows[i].visible <= start) continue;
        const size_t seen = ck_min(CK_PAGE_POSITIONS, rows[i].visible - start), beyond = i + CK_ATTEND_TOGETHER - 1;
        if (beyond < end && ck_min(CK_PAGE_POSITIONS, rows[beyond].visible - start) == seen) together = CK_ATTEND_TOGETHER;
        const CK_FN(attend_place) place = {page, next, kv_head + h, next_head, seen};
        if (together == CK_ATTEND_TOGETHER) {
          v_attend_rows(CK_ATTEND_TOGETHER, &rows[i], layout, &place, job->scale);
        } else {
          v_attend_rows(1, &rows[i], layout, &place, job->scale);
        }
      }
    }
  }
  for (size_t i = 0; i < n; i++) {
    const float normal = 1.0f / rows[i].weight;
    for (size_t d = 0; d < head_dim; d++) rows[i].out[d] = rows[i].sum[d] * normal;
  }
}

static void CK_FN(attend)(float *out, const float *q, size_t stride, size_t queries, size_t first_position,
                          const ck_kv_layout *layout, const void *const *pages, size_t page_offset, size_t kv_head,
                          size_t kv_heads, size_t group, float scale, void *scratch) {
  const CK_FN(attention) job = {out, q, stride, first_position, layout, pages, page_offset, group, scale, scratch};
  const size_t rows = queries * group, together = ck_heads_together(kv_heads, rows, CK_ATTEND_ROWS);
  for (size_t h = 0; h < kv_heads; h += together) {
    for (size_t begin = 0; begin < rows; begin += CK_ATTEND_ROWS) {
      CK_FN(attend_heads)(&job, kv_head + h, ck_min(together, kv_heads - h), begin, ck_min(CK_ATTEND_ROWS, rows - begin));
    }
  }
}

CK_INLINE void v_page_scores(ck_dtype dtype, float *out, const float *q, size_t count, const ck_kv_layout *layout,
                             const void *page, size_t kv_head, float scale) {
  const float *scales = dtype == CK_E4M3 ? ck_page_scales(layout, page, kv_head) : NULL;
  const uint8_t *keys = ck_page_keys(layout, page, kv_head);
  const CK_FN(attend_row) row = {.q = q};
  f32x16 score[CK_ATTEND_TOGETHER][CK_HALF_PAGE];
  float values[CK_PAGE_POSITIONS];
  v_scores(dtype, 1, score, &row, keys, layout->head_dim, scales, scale, keys);
  CK_UNROLL for (int h = 0; h < CK_HALF_PAGE; h++) v_store(values + h * CK_LANES, score[0][h]);
  memcpy(out, values, count * sizeof(float));
}

static void CK_FN(attention_scores)(float *out, const float *q, size_t visible, const ck_kv_layout *layout,
                                    const void *const *pages, size_t page_offset, size_t kv_head, float scale) {
  for (size_t start = 0; start < visible; start += CK_PAGE_POSITIONS) {
    const void *page = (const uint8_t *)pages[start / CK_PAGE_POSITIONS] + page_offset;
    const size_t count = ck_min(CK_PAGE_POSITIONS, visible - start);
    switch (layout->dtype) {
      case CK_BF16: v_page_scores(CK_BF16, out + start, q, count, layout, page, kv_head, scale); break;
      case CK_E4M3: v_page_scores(CK_E4M3, out + start, q, count, layout, page, kv_head, scale); break;
      default: v_page_scores(CK_F32, out + start, q, count, layout, page, kv_head, scale); break;
    }
  }
}

static inline void CK_FN(fill_attention)(ck_table *table) {
  table->attend = CK_FN(attend);
  table->attention_scores = CK_FN(attention_scores);
  table->attend_scratch_bytes = CK_FN(attend_scratch_bytes);
}
