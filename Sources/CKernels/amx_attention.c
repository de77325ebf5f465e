// Attention over BF16 and E4M3 pages by TDPBF16PS. F32 pages and heads that are no multiple of 32 wide go to the lesser table.
//
// A page's layout is that of a right factor: keys for queries, values for probabilities. Rows and rounding are those of
// avx512bf16_attention.c, sums those of amx_tiles.h; the unnormalised output goes from page to page in float32.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>

#include "contract.h"
#include "fill.h"

#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512bf16,gfni,avx2,fma,f16c"))), apply_to = function)
#define CK_ISA_NAME amx
#include "lanes_avx512.h"

#include "expand_amx.h"
#include "shared_exp.h"
#include "shared_names.h"

#include "amx_tiles.h"

enum {
  CK_ROWS = 64,           // rows that share a page
  CK_BAND = 2 * CK_TILE,  // rows that share a tile of it
  CK_GROUP = 4,           // pages whose scores are there before the first one's softmax: that is a chain of slow steps
  CK_HALF_PAGE = CK_PAGE_POSITIONS / CK_LANES,
  CK_PAGE_SCORES = CK_ROWS * CK_PAGE_POSITIONS,
};

#include "bf16_blocks.h"
#include "softmax_avx512.h"

// One block of rows on its way through the pages.
typedef struct {
  const ck_kv_layout *layout;
  size_t n, head_dim;
  size_t visible[CK_ROWS];  // positions that a row sees: they do not fall
  float scale;
  ck_softmax softmax;
  size_t shape;            // rows of the band that tiles are configured for
  uint8_t *queries;        // [n][head_dim] bfloat16
  float *sums;             // [n][head_dim]: the unnormalised output
  float *scores;           // [CK_GROUP][CK_ROWS][CK_PAGE_POSITIONS]
  uint8_t *probabilities;  // [n][CK_PAGE_POSITIONS] bfloat16
  uint8_t *keys, *values;  // copies of a page's, as large as bfloat16 is
} ck_block;

// A head's part of a page, and of the one that is fetched meanwhile.
typedef struct {
  size_t start;  // the page's first position
  const uint8_t *keys, *next;
  const float *scales;  // NULL, or [2][CK_PAGE_POSITIONS]
} ck_page;

// Half of a head's part, keys or values: codes are expanded into `copy`.
CK_INLINE const uint8_t *v_half_page(const ck_block *block, const uint8_t *half, const uint8_t *next, uint8_t *copy) {
  const ck_tables tables = v_tables();
  const size_t bytes = ck_page_part_bytes(block->layout);
  if (block->layout->dtype == CK_BF16) {
    for (size_t i = 0; i < bytes; i += 64) _mm_prefetch((const char *)(next + i), _MM_HINT_T1);
    return half;
  }
  for (size_t i = 0; i < bytes; i += 64) {
    _mm_prefetch((const char *)(next + i), _MM_HINT_T1);
    const bf16x64 block = v_expand_in_order(&tables, _mm512_loadu_si512(half + i));
    _mm512_store_si512(copy + 2 * i, (__m512i)block.first);
    _mm512_store_si512(copy + 2 * i + 64, (__m512i)block.second);
  }
  return copy;
}

CK_INLINE void t_configure_band(ck_block *block, size_t rows) {
  if (block->shape == rows) return;
  block->shape = rows;
  t_configure(ck_min(rows, CK_TILE), rows > CK_TILE ? rows - CK_TILE : CK_TILE, CK_TILE, CK_TILE);
}

// scores = queries . keys of a page, for R row tiles from `row` on. Tiles: [rows][half a page].
CK_INLINE void t_scores(size_t R, const ck_block *block, const uint8_t *keys, float *scores, size_t row) {
  const size_t query_bytes = 2 * block->head_dim, key_bytes = 4 * CK_PAGE_POSITIONS;
  t_clear_sums();
  for (size_t step = 0; step < block->head_dim / CK_TILE_DEPTH; step++, keys += CK_TILE * key_bytes) {
    const uint8_t *queries = block->queries + row * query_bytes + step * 2 * CK_TILE_DEPTH;
    _tile_loadd(T_RIGHT, keys, key_bytes);
    _tile_loadd(T_RIGHT + 1, keys + 64, key_bytes);
    _tile_loadd(T_LEFT, queries, query_bytes);
    _tile_dpbf16ps(T_SUMS, T_LEFT, T_RIGHT);
    _tile_dpbf16ps(T_SUMS + 1, T_LEFT, T_RIGHT + 1);
    if (R < 2) continue;
    _tile_loadd(T_LEFT + 1, queries + CK_TILE * query_bytes, query_bytes);
    _tile_dpbf16ps(T_SUMS + 2, T_LEFT + 1, T_RIGHT);
    _tile_dpbf16ps(T_SUMS + 3, T_LEFT + 1, T_RIGHT + 1);
  }
  const size_t score_bytes = 4 * CK_PAGE_POSITIONS;
  scores += row * CK_PAGE_POSITIONS;
  _tile_stored(T_SUMS, scores, score_bytes);
  _tile_stored(T_SUMS + 1, scores + CK_TILE, score_bytes);
  if (R < 2) return;
  _tile_stored(T_SUMS + 2, scores + CK_TILE * CK_PAGE_POSITIONS, score_bytes);
  _tile_stored(T_SUMS + 3, scores + CK_TILE * CK_PAGE_POSITIONS + CK_TILE, score_bytes);
}

// sums += probabilities . values of a page, for R row tiles from `row` on. Tiles: [rows][16 dimensions].
CK_INLINE void t_values(size_t R, const ck_block *block, const uint8_t *values, size_t row) {
  const size_t value_bytes = 4 * block->head_dim, sum_bytes = 4 * block->head_dim;
  const uint8_t *probabilities = block->probabilities + row * 2 * CK_PAGE_POSITIONS;
  _tile_loadd(T_LEFT, probabilities, 2 * CK_PAGE_POSITIONS);
  if (R == 2) _tile_loadd(T_LEFT + 1, probabilities + CK_TILE * 2 * CK_PAGE_POSITIONS, 2 * CK_PAGE_POSITIONS);
  for (size_t d = 0; d < block->head_dim; d += 2 * CK_TILE) {
    float *sums = block->sums + row * block->head_dim + d, *below = sums + CK_TILE * block->head_dim;
    _tile_loadd(T_RIGHT, values + 4 * d, value_bytes);
    _tile_loadd(T_RIGHT + 1, values + 4 * d + 64, value_bytes);
    _tile_loadd(T_SUMS, sums, sum_bytes);
    _tile_loadd(T_SUMS + 1, sums + CK_TILE, sum_bytes);
    _tile_dpbf16ps(T_SUMS, T_LEFT, T_RIGHT);
    _tile_dpbf16ps(T_SUMS + 1, T_LEFT, T_RIGHT + 1);
    _tile_stored(T_SUMS, sums, sum_bytes);
    _tile_stored(T_SUMS + 1, sums + CK_TILE, sum_bytes);
    if (R < 2) continue;
    _tile_loadd(T_SUMS + 2, below, sum_bytes);
    _tile_loadd(T_SUMS + 3, below + CK_TILE, sum_bytes);
    _tile_dpbf16ps(T_SUMS + 2, T_LEFT + 1, T_RIGHT);
    _tile_dpbf16ps(T_SUMS + 3, T_LEFT + 1, T_RIGHT + 1);
    _tile_stored(T_SUMS + 2, below, sum_bytes);
    _tile_stored(T_SUMS + 3, below + CK_TILE, sum_bytes);
  }
}

// Positions of the page from `start` on that row r sees.
CK_INLINE size_t v_count(const ck_block *block, size_t r, size_t start) {
  return block->visible[r] <= start ? 0 : ck_min(CK_PAGE_POSITIONS, block->visible[r] - start);
}

// Softmax of R rows from r on: their scores become probabilities, and what was summed before is scaled.
CK_INLINE void v_weigh(size_t R, ck_block *block, const ck_page *page, const float *scores, size_t r) {
  f32x16 score[CK_ABREAST][CK_HALF_PAGE];
  _Alignas(64) float factor[CK_LANES];
  size_t counts[CK_ABREAST];
  CK_UNROLL for (size_t i = 0; i < R; i++) {
    counts[i] = v_count(block, r + i, page->start);
    CK_UNROLL for (size_t h = 0; h < CK_HALF_PAGE; h++) {
      score[i][h] = v_load(scores + (r + i) * CK_PAGE_POSITIONS + h * CK_LANES);
      if (page->scales) score[i][h] = v_mul(score[i][h], v_load(page->scales + h * CK_LANES));
      score[i][h] = v_mul(score[i][h], v_set1(block->scale));
    }
  }
  v_rows_softmax(R, &block->softmax, r, score, counts, factor);
  CK_UNROLL for (size_t i = 0; i < R; i++) {
    f32x16 low = score[i][0], high = score[i][1];
    if (page->scales) {
      const float *scales = page->scales + CK_PAGE_POSITIONS;
      const uint32_t seen = (uint32_t)((1ull << counts[i]) - 1);
      low = _mm512_maskz_mul_ps((__mmask16)seen, low, v_load(scales));
      high = _mm512_maskz_mul_ps((__mmask16)(seen >> 16), high, v_load(scales + CK_LANES));
    }
    _mm512_store_si512(block->probabilities + (r + i) * 2 * CK_PAGE_POSITIONS, (__m512i)_mm512_cvtne2ps_pbh(high, low));
    if (factor[4 * i] == 1) continue;
    float *sums = block->sums + (r + i) * block->head_dim;
    for (size_t d = 0; d < block->head_dim; d += CK_LANES) v_store(sums + d, v_mul(v_load(sums + d), v_set1(factor[4 * i])));
  }
}

// Copies a page's values, zero from position `count` on, which may hold anything. Returns whether all are finite.
static bool ck_copy_values(uint8_t *out, const uint8_t *values, size_t head_dim, size_t count) {
  const __m512i exponent = _mm512_set1_epi16(0x7F80);
  __mmask32 infinite = 0;
  for (size_t pair = 0; pair < CK_PAGE_POSITIONS / 2; pair++) {
    const __mmask32 seen = 2 * pair + 1 < count ? 0xFFFFFFFF : 2 * pair < count ? 0x55555555 : 0;
    for (size_t d = 0; d < head_dim; d += CK_LANES) {
      const size_t at = 4 * (pair * head_dim + d);
      const __m512i value = _mm512_maskz_loadu_epi16(seen, values + at);
      infinite |= _mm512_cmpeq_epi16_mask(_mm512_and_si512(value, exponent), exponent);
      _mm512_store_si512(out + at, value);
    }
  }
  return infinite == 0;
}

// A position that a row does not see has no share in its sums: its probability is zero, and so is the product with any finite
// value. But what is not finite would spoil them, so such a page's rows go one by one.
static bool ck_goes_row_by_row(ck_block *block, const uint8_t *values, size_t start) {
  if (ck_copy_values(block->values, values, block->head_dim, v_count(block, block->n - 1, start))) return false;
  t_configure_band(block, 1);
  for (size_t r = block->n; r-- > 0;) {
    ck_copy_values(block->values, block->values, block->head_dim, v_count(block, r, start));
    t_values(1, block, block->values, r);
  }
  return true;
}

// `count` <= CK_GROUP pages, one after the other.
static void ck_pages(ck_block *block, const ck_page *pages, size_t count) {
  const size_t part = ck_page_part_bytes(block->layout), n = block->n;
  for (size_t p = 0; p < count; p++) {
    const uint8_t *keys = v_half_page(block, pages[p].keys, pages[p].next, block->keys);
    for (size_t row = 0; row < n; row += CK_BAND) {
      t_configure_band(block, ck_min(CK_BAND, n - row));
      if (n - row > CK_TILE) t_scores(2, block, keys, block->scores + p * CK_PAGE_SCORES, row);
      else t_scores(1, block, keys, block->scores + p * CK_PAGE_SCORES, row);
    }
  }
  for (size_t p = 0; p < count; p++) {
    const float *scores = block->scores + p * CK_PAGE_SCORES;
    size_t r = 0;
    for (; r + CK_ABREAST <= n; r += CK_ABREAST) v_weigh(CK_ABREAST, block, pages + p, scores, r);
    for (; r < n; r++) v_weigh(1, block, pages + p, scores, r);
    const uint8_t *values = v_half_page(block, pages[p].keys + part, pages[p].next + part, block->values);
    if (v_count(block, 0, pages[p].start) < CK_PAGE_POSITIONS) {
      if (ck_goes_row_by_row(block, values, pages[p].start)) continue;
      values = block->values;
    }
    for (size_t row = 0; row < n; row += CK_BAND) {
      t_configure_band(block, ck_min(CK_BAND, n - row));
      if (n - row > CK_TILE) t_values(2, block, values, row);
      else t_values(1, block, values, row);
    }
  }
}

// scratch: sums, queries, scores, probabilities, keys and values of a page
static size_t ck_attend_scratch_bytes(const ck_kv_layout *layout, size_t group) {
  const size_t rows = CK_ROWS * ((sizeof(float) + 2) * layout->head_dim + 2 * CK_PAGE_POSITIONS);
  const size_t own = rows + CK_GROUP * CK_PAGE_SCORES * sizeof(float) + 2 * 2 * CK_PAGE_POSITIONS * layout->head_dim;
  const size_t lesser = ck_table_for(CK_ISA_AVX512_BF16)->attend_scratch_bytes(layout, group);
  return own > lesser ? own : lesser;
}

static void ck_attend(float *out, const float *q, size_t stride, size_t queries, size_t first_position,
                      const ck_kv_layout *layout, const void *const *pages, size_t page_offset, size_t kv_head,
                      size_t kv_heads, size_t group, float scale, void *scratch) {
  const size_t head_dim = layout->head_dim;
  if (layout->dtype == CK_F32 || head_dim % CK_TILE_DEPTH != 0) {
    ck_table_for(CK_ISA_AVX512_BF16)->attend(out, q, stride, queries, first_position, layout, pages, page_offset, kv_head,
                                             kv_heads, group, scale, scratch);
    return;
  }
  ck_block block;
  block.layout = layout;
  block.head_dim = head_dim;
  block.scale = scale;
  block.shape = 0;
  block.sums = scratch;
  block.queries = (uint8_t *)(block.sums + CK_ROWS * head_dim);
  block.scores = (float *)(block.queries + 2 * CK_ROWS * head_dim);
  block.probabilities = (uint8_t *)(block.scores + CK_GROUP * CK_PAGE_SCORES);
  block.keys = block.probabilities + 2 * CK_ROWS * CK_PAGE_POSITIONS;
  block.values = block.keys + 2 * CK_PAGE_POSITIONS * head_dim;
  for (const size_t end = kv_head + kv_heads; kv_head < end; kv_head++) {
    for (size_t begin = 0; begin < queries * group; begin += CK_ROWS) {
      block.n = ck_min(CK_ROWS, queries * group - begin);
      for (size_t i = 0; i < block.n; i++) {
        const size_t query = (begin + i) / group, head = kv_head * group + (begin + i) % group;
        v_pack_query(block.queries + i * 2 * head_dim, q + query * stride + head * head_dim, head_dim);
        block.visible[i] = first_position + query + 1;
        _mm_storeu_ps(block.softmax.top[i], _mm_set1_ps(-INFINITY));
        _mm_storeu_ps(block.softmax.weight[i], _mm_setzero_ps());
      }
      memset(block.sums, 0, block.n * head_dim * sizeof(float));
      const size_t count = (block.visible[block.n - 1] + CK_PAGE_POSITIONS - 1) / CK_PAGE_POSITIONS;
      for (size_t first = 0; first < count; first += CK_GROUP) {
        ck_page group_pages[CK_GROUP];
        const size_t in_group = ck_min(CK_GROUP, count - first);
        for (size_t p = 0; p < in_group; p++) {
          const size_t index = first + p, next = ck_min(index + CK_GROUP, count - 1);
          const void *page = (const uint8_t *)pages[index] + page_offset, *next_page = (const uint8_t *)pages[next] + page_offset;
          group_pages[p] = (ck_page){index * CK_PAGE_POSITIONS, ck_page_keys(layout, page, kv_head),
                                     ck_page_keys(layout, next_page, kv_head), NULL};
          if (layout->dtype == CK_E4M3) {
            group_pages[p].scales = ck_page_scales(layout, page, kv_head);
            v_prefetch_scales(ck_page_scales(layout, next_page, kv_head));
          }
        }
        ck_pages(&block, group_pages, in_group);
      }
      for (size_t i = 0; i < block.n; i++) {
        const size_t query = (begin + i) / group, head = kv_head * group + (begin + i) % group;
        const f32x16 normal = v_set1(1.0f / block.softmax.weight[i][0]);
        float *to = out + query * stride + head * head_dim;
        for (size_t d = 0; d < head_dim; d += CK_LANES) v_store(to + d, v_mul(v_load(block.sums + i * head_dim + d), normal));
      }
    }
  }
  _tile_release();
}
#pragma clang attribute pop

void ck_fill_amx_attention(ck_table *table) {
  table->attend = ck_attend;
  table->attend_scratch_bytes = ck_attend_scratch_bytes;
}
#endif
