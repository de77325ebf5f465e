// Attention whose queries and probabilities have sixteen bits, as expanded keys and values have, on AVX-512: for the instruction that
// the includer has. It defines, before, beside lanes_avx512.h and an expand_*.h:
//
//  ck_word, ck_sum, v_zero_sum(), v_dot(sum, word, word)   as in packed_avx512.h
//  v_pairs(sum)            the 16 sums of two neighbouring elements each, in float32
//  v_values_begin(lanes, at, factor)                a sum before a page's values: at[0..<16], of which `lanes` exist, times factor;
//                                                   or zero, where v_values_end adds that
//  v_values_end(sum, lanes, at, factor, unit)       leaves in at[0..<16] what was there, times factor, plus the page's sum times unit
//  v_pack_words(out, q, head_dim)                   a row of queries as words; returns what a score has to be multiplied by
//  v_pack_probabilities(out, low, high)             a page's 32 probabilities as words; returns the unit
//  CK_FETCHES_HEADS        whether a page's next head has to be fetched: not where the processor sees by itself that it follows
//  ck_attends_words(dtype)           whether the instruction is for pages of that type; others go to the shared kernel
//
// Both layouts of a page put the two factors of a pair side by side, so a word holds 16 positions (scores) or 16 dimensions
// (values) of a pair, against a pair of the query or of the probabilities in every place.
#include "contract.h"
#include "shared_attention.h"

enum { CK_ROWS = 32 };  // rows that share the expansion of a page

#include "softmax_avx512.h"

typedef struct {
  const uint8_t *keys, *values;  // of 16 bits: in the page, or expanded in scratch
  const float *scales;           // NULL, or [2][CK_PAGE_POSITIONS]
  const uint8_t *next;           // what to fetch meanwhile, or NULL
} ck_page_view;

// A page's keys and values of one head, expanded in the page's order.
CK_INLINE void v_expand_page(uint8_t *out, const uint8_t *codes, size_t bytes, const uint8_t *next) {
  const ck_tables tables = v_tables();
  for (size_t i = 0; i < bytes; i += 64) {
    _mm_prefetch((const char *)(next + i), _MM_HINT_T0);
    const ck_pair block = v_expand_in_order(&tables, _mm512_loadu_si512(codes + i));
    _mm512_store_si512(out + 2 * i, (__m512i)block.first);
    _mm512_store_si512(out + 2 * i + 64, (__m512i)block.second);
  }
}

CK_INLINE ck_word v_broadcast_pair(const uint32_t *pair) { return (ck_word)_mm512_set1_epi32((int)*pair); }

// score[r][h] = sum over pairs of dimensions; even and odd pairs in accumulators of their own.
// q: packed pairs, rows q_stride apart.
CK_INLINE void v_word_scores(size_t R, f32x16 score[CK_ABREAST][CK_HALF_PAGE], const uint32_t *q, size_t q_stride,
                             const ck_page_view *page, size_t head_dim) {
  ck_sum acc[2][CK_ABREAST][CK_HALF_PAGE];
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    CK_UNROLL for (size_t h = 0; h < CK_HALF_PAGE; h++) acc[0][r][h] = acc[1][r][h] = v_zero_sum();
  }
  const size_t pairs = head_dim / 2;
  size_t i = 0;
  for (; i + 2 <= pairs; i += 2) {
    CK_UNROLL for (size_t parity = 0; parity < 2; parity++) {
      CK_UNROLL for (size_t h = 0; h < CK_HALF_PAGE; h++) {
        const size_t at = ((i + parity) * CK_HALF_PAGE + h) * 64;
        if (!page->scales && page->next) _mm_prefetch((const char *)(page->next + at), _MM_HINT_T0);
        const ck_word key = (ck_word)_mm512_loadu_si512(page->keys + at);
        CK_UNROLL for (size_t r = 0; r < R; r++) {
          acc[parity][r][h] = v_dot(acc[parity][r][h], key, v_broadcast_pair(q + r * q_stride + i + parity));
        }
      }
    }
  }
  if (i < pairs) {
    CK_UNROLL for (size_t h = 0; h < CK_HALF_PAGE; h++) {
      const ck_word key = (ck_word)_mm512_loadu_si512(page->keys + (i * CK_HALF_PAGE + h) * 64);
      CK_UNROLL for (size_t r = 0; r < R; r++) {
        acc[0][r][h] = v_dot(acc[0][r][h], key, v_broadcast_pair(q + r * q_stride + i));
      }
    }
  }
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    CK_UNROLL for (size_t h = 0; h < CK_HALF_PAGE; h++) score[r][h] = v_add(v_pairs(acc[0][r][h]), v_pairs(acc[1][r][h]));
  }
}

// sum[r][d] = sum[r][d] * factor[4 * r] + unit[r] * sum over pairs of positions, for D vectors of 16 dimensions from d on.
// lanes: the dimensions that exist. An odd count's last pair has no second position: it is not read.
CK_INLINE void v_word_values_part(size_t R, size_t D, __mmask16 lanes, CK_FN(attend_row) *rows, const float *factor,
                                  const float *unit, const uint32_t (*p)[CK_PAIRS], const ck_page_view *page, size_t head_dim, size_t d,
                                  size_t count) {
  ck_sum acc[CK_ABREAST][8];
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    CK_UNROLL for (size_t j = 0; j < D; j++) {
      acc[r][j] = v_values_begin(lanes, rows[r].sum + d + j * CK_LANES, v_set1(factor[4 * r]));
    }
  }
  const __mmask32 half = (__mmask32)_mm512_movepi16_mask(_mm512_maskz_set1_epi32(lanes, 0x8000)), whole = half * 3;
  for (size_t pair = 0; pair < (count + 1) / 2; pair++) {
    const __mmask32 mask = 2 * pair + 1 < count ? whole : half;
    CK_UNROLL for (size_t j = 0; j < D; j++) {
      const size_t at = 4 * (pair * head_dim + d + j * CK_LANES);
      if (!page->scales && page->next) _mm_prefetch((const char *)(page->next + (page->values - page->keys) + at), _MM_HINT_T0);
      const ck_word value = (ck_word)_mm512_maskz_loadu_epi16(mask, page->values + at);
      CK_UNROLL for (size_t r = 0; r < R; r++) {
        acc[r][j] = v_dot(acc[r][j], value, v_broadcast_pair(&p[r][pair]));
      }
    }
  }
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    CK_UNROLL for (size_t j = 0; j < D; j++) {
      v_values_end(acc[r][j], lanes, rows[r].sum + d + j * CK_LANES, v_set1(factor[4 * r]), unit[r]);
    }
  }
}

CK_INLINE void v_word_values(size_t R, size_t D, CK_FN(attend_row) *rows, const float *factor, const float *unit,
                             const uint32_t (*p)[CK_PAIRS], const ck_page_view *page, size_t head_dim, size_t count) {
  size_t d = 0;
  for (; d + D * CK_LANES <= head_dim; d += D * CK_LANES) {
    v_word_values_part(R, D, 0xFFFF, rows, factor, unit, p, page, head_dim, d, count);
  }
  for (; d < head_dim; d += CK_LANES) {
    v_word_values_part(R, 1, v_first(ck_min(CK_LANES, head_dim - d)), rows, factor, unit, p, page, head_dim, d, count);
  }
}

// At byte `at` of a head's codes, keys and then values: what is read half a head later goes to the first-level cache, what is read
// a whole head later to the second-level cache. Without CK_FETCHES_HEADS only a page's first head is fetched, to the first-level cache, a
// head ahead.
CK_INLINE void v_fetch_codes(const ck_page_view *page, size_t at) {
  if (!page->next) return;
  const size_t half = (size_t)(page->values - page->keys);
  const uint8_t *whole_ahead = page->next + at, *half_ahead = at < half ? page->values + at : page->next + (at - half);
  _mm_prefetch((const char *)(CK_FETCHES_HEADS ? half_ahead : whole_ahead), _MM_HINT_T0);
  if (CK_FETCHES_HEADS) _mm_prefetch((const char *)whole_ahead, _MM_HINT_T1);
}

// The same for one row and codes, which are expanded on their way: a copy would cost more than it saves. The sums and
// their order are those of the two functions above.
CK_INLINE void v_codes_scores(f32x16 score[CK_HALF_PAGE], const uint32_t *q, const ck_page_view *page, size_t head_dim) {
  const ck_tables tables = v_tables();
  ck_sum acc[2][CK_HALF_PAGE] = {{v_zero_sum(), v_zero_sum()}, {v_zero_sum(), v_zero_sum()}};
  const size_t pairs = head_dim / 2;
  _Pragma("clang loop unroll_count(2)") for (size_t i = 0; i < pairs; i++) {
    v_fetch_codes(page, i * 64);
    const ck_pair keys = v_expand_in_order(&tables, _mm512_loadu_si512(page->keys + i * 64));
    const ck_word pair = v_broadcast_pair(q + i);
    acc[i % 2][0] = v_dot(acc[i % 2][0], keys.first, pair);
    acc[i % 2][1] = v_dot(acc[i % 2][1], keys.second, pair);
  }
  CK_UNROLL for (size_t h = 0; h < CK_HALF_PAGE; h++) score[h] = v_add(v_pairs(acc[0][h]), v_pairs(acc[1][h]));
}

// D vectors of 16 dimensions from d on; D is even.
CK_INLINE void v_codes_values_part(size_t D, float *sum, float factor, float unit, const uint32_t *p, const ck_page_view *page,
                                   size_t head_dim, size_t d, size_t count) {
  const ck_tables tables = v_tables();
  ck_sum acc[8];
  CK_UNROLL for (size_t j = 0; j < D; j++) acc[j] = v_values_begin(0xFFFF, sum + d + j * CK_LANES, v_set1(factor));
  for (size_t pair = 0; pair < (count + 1) / 2; pair++) {
    // An odd count's last pair has no second position: it is not read.
    const __mmask64 mask = 2 * pair + 1 < count ? ~0ull : 0x5555555555555555ull;
    const ck_word probabilities = v_broadcast_pair(p + pair);
    CK_UNROLL for (size_t j = 0; j < D; j += 2) {
      const size_t at = 2 * (pair * head_dim + d + j * CK_LANES);
      v_fetch_codes(page, (size_t)(page->values - page->keys) + at);
      const ck_pair values = v_expand_in_order(&tables, _mm512_maskz_loadu_epi8(mask, page->values + at));
      acc[j] = v_dot(acc[j], values.first, probabilities);
      acc[j + 1] = v_dot(acc[j + 1], values.second, probabilities);
    }
  }
  CK_UNROLL for (size_t j = 0; j < D; j++) v_values_end(acc[j], 0xFFFF, sum + d + j * CK_LANES, v_set1(factor), unit);
}

CK_INLINE void v_codes_values(float *sum, float factor, float unit, const uint32_t *p, const ck_page_view *page, size_t head_dim,
                              size_t count) {
  size_t d = 0;
  for (; d + 8 * CK_LANES <= head_dim; d += 8 * CK_LANES) {
    v_codes_values_part(8, sum, factor, unit, p, page, head_dim, d, count);
  }
  for (; d < head_dim; d += 2 * CK_LANES) v_codes_values_part(2, sum, factor, unit, p, page, head_dim, d, count);
}

// --- pages -------------------------------------------------------------------------------------------------------

// R rows from `row` on over one page that begins at position `start`. codes: the page still holds codes; R is 1.
CK_INLINE void v_word_page(size_t R, bool codes, CK_FN(attend_row) *rows, ck_softmax *softmax, size_t row,
                           const uint32_t *q, size_t q_stride, const float *query_factor, const ck_page_view *page,
                           size_t head_dim, size_t start, float scale) {
  f32x16 score[CK_ABREAST][CK_HALF_PAGE];
  _Alignas(64) uint32_t p[CK_ABREAST][CK_PAIRS];
  _Alignas(64) float factor[CK_LANES];
  float unit[CK_ABREAST];
  size_t counts[CK_ABREAST];
  bool whole = true;
  rows += row;
  q += row * q_stride;
  if (codes) {
    v_codes_scores(score[0], q, page, head_dim);
  } else {
    v_word_scores(R, score, q, q_stride, page, head_dim);
  }
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    counts[r] = ck_min(CK_PAGE_POSITIONS, rows[r].visible - start);
    whole = whole && counts[r] == CK_PAGE_POSITIONS;
    CK_UNROLL for (size_t h = 0; h < CK_HALF_PAGE; h++) {
      if (page->scales) score[r][h] = v_mul(score[r][h], v_load(page->scales + h * CK_LANES));
      score[r][h] = v_mul(score[r][h], v_set1(scale * query_factor[row + r]));
    }
  }
  v_rows_softmax(R, softmax, row, score, counts, factor);
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    f32x16 low = score[r][0], high = score[r][1];
    if (page->scales) {
      const float *scales = page->scales + CK_PAGE_POSITIONS;
      const uint32_t seen = (uint32_t)((1ull << counts[r]) - 1);
      low = _mm512_maskz_mul_ps((__mmask16)seen, low, v_load(scales));
      high = _mm512_maskz_mul_ps((__mmask16)(seen >> 16), high, v_load(scales + CK_LANES));
    }
    unit[r] = v_pack_probabilities(p[r], low, high);
  }
  if (codes) {
    v_codes_values(rows->sum, factor[0], unit[0], p[0], page, head_dim, counts[0]);
  } else if (whole) {
    v_word_values(R, R == 1 ? 8 : 4, rows, factor, unit, p, page, head_dim, CK_PAGE_POSITIONS);
  } else {
    for (size_t r = 0; r < R; r++) v_word_values(1, 8, rows + r, factor + 4 * r, unit + r, p + r, page, head_dim, counts[r]);
  }
}

// scratch: sums [CK_ROWS][head_dim] float, queries [CK_ROWS][head_dim] of 16 bits, keys and values of a page
static size_t ck_attend_scratch_bytes(const ck_kv_layout *layout, size_t group) {
  const size_t sums = ck_round_up(4 * layout->head_dim, 64), queries = ck_round_up(2 * layout->head_dim, 64);
  const size_t own = CK_ROWS * (sums + queries) + 2 * 2 * CK_PAGE_POSITIONS * layout->head_dim;
  const size_t shared = CK_FN(attend_scratch_bytes)(layout, group);
  return own > shared ? own : shared;
}

// Rows begin..<begin + count of each of `heads` heads; a head's rows are its queries' heads one after the other. At most CK_ROWS
// in all.
static void ck_attend_heads(const CK_FN(attention) *job, size_t kv_head, size_t heads, size_t begin, size_t count) {
  const ck_kv_layout *layout = job->layout;
  const size_t head_dim = layout->head_dim, part = ck_page_part_bytes(layout), n = heads * count;
  const size_t sum_stride = ck_round_up(4 * head_dim, 64) / 4, q_stride = ck_round_up(2 * head_dim, 64) / 4;
  float *sums = job->scratch;
  uint32_t *packed = (uint32_t *)(sums + CK_ROWS * sum_stride);
  uint8_t *expanded = (uint8_t *)(packed + CK_ROWS * q_stride);
  // A row alone, as in decoding, takes the codes as they are; 64 of them are 32 dimensions of a pair of positions.
  const bool alone = layout->dtype == CK_E4M3 && count == 1 && head_dim % 32 == 0;
  CK_FN(attend_row) rows[CK_ROWS];
  float query_factor[CK_ROWS];
  ck_softmax softmax;
  for (size_t i = 0; i < n; i++) {
    const size_t row = begin + i % count, query = row / job->group;
    const size_t offset = query * job->stride + ((kv_head + i / count) * job->group + row % job->group) * head_dim;
    float *sum = sums + i * sum_stride;
    memset(sum, 0, head_dim * sizeof(float));
    query_factor[i] = v_pack_words(packed + i * q_stride, job->q + offset, head_dim);
    _mm_storeu_ps(softmax.top[i], _mm_set1_ps(-INFINITY));
    _mm_storeu_ps(softmax.weight[i], _mm_setzero_ps());
    rows[i] = (CK_FN(attend_row)){job->q + offset, job->out + offset, sum, job->first_position + query + 1, -INFINITY, 0};
  }
  const size_t visible = rows[n - 1].visible, last = (visible - 1) / CK_PAGE_POSITIONS;
  for (size_t index = 0; index <= last; index++) {
    const size_t start = index * CK_PAGE_POSITIONS;
    const void *page = (const uint8_t *)job->pages[index] + job->page_offset;
    const void *next = (const uint8_t *)job->pages[ck_min(index + 1, last)] + job->page_offset;
    for (size_t h = 0; h < heads; h++) {
      // The next head's part follows this one's; the first one's of the next page lies far away.
      const bool turns = h + 1 == heads;
      const uint8_t *keys = ck_page_keys(layout, page, kv_head + h);
      const uint8_t *neighbour = CK_FETCHES_HEADS ? keys + 2 * part : NULL;
      ck_page_view view = {keys, keys + part, NULL, turns ? ck_page_keys(layout, next, kv_head) : neighbour};
      size_t i = h * count;
      const size_t end = i + count;
      if (layout->dtype == CK_E4M3) {
        view.scales = ck_page_scales(layout, page, kv_head + h);
        v_prefetch_scales(turns ? ck_page_scales(layout, next, kv_head) : ck_page_scales(layout, page, kv_head + h + 1));
        if (alone) {
          v_word_page(1, true, rows, &softmax, i, packed, q_stride, query_factor, &view, head_dim, start, job->scale);
          continue;
        }
        v_expand_page(expanded, keys, 2 * part, turns ? view.next : keys + 2 * part);
        view.keys = expanded;
        view.values = expanded + 2 * part;
      }
      while (rows[i].visible <= start) i++;
      for (; i + CK_ABREAST <= end; i += CK_ABREAST) {
        v_word_page(CK_ABREAST, false, rows, &softmax, i, packed, q_stride, query_factor, &view, head_dim, start, job->scale);
      }
      for (; i < end; i++) v_word_page(1, false, rows, &softmax, i, packed, q_stride, query_factor, &view, head_dim, start, job->scale);
    }
  }
  for (size_t i = 0; i < n; i++) {
    const float normal = 1.0f / softmax.weight[i][0];
    for (size_t d = 0; d < head_dim; d++) rows[i].out[d] = rows[i].sum[d] * normal;
  }
}

static void ck_attend(float *out, const float *q, size_t stride, size_t queries, size_t first_position,
                      const ck_kv_layout *layout, const void *const *pages, size_t page_offset, size_t kv_head,
                      size_t kv_heads, size_t group, float scale, void *scratch) {
  if (!ck_attends_words(layout->dtype)) {
    CK_FN(attend)(out, q, stride, queries, first_position, layout, pages, page_offset, kv_head, kv_heads, group, scale, scratch);
    return;
  }
  const CK_FN(attention) job = {out, q, stride, first_position, layout, pages, page_offset, group, scale, scratch};
  const size_t rows = queries * group, together = ck_heads_together(kv_heads, rows, CK_ROWS);
  for (size_t h = 0; h < kv_heads; h += together) {
    for (size_t begin = 0; begin < rows; begin += CK_ROWS) {
      ck_attend_heads(&job, kv_head + h, ck_min(together, kv_heads - h), begin, ck_min(CK_ROWS, rows - begin));
    }
  }
}
