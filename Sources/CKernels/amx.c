// Products of E4M3 and BF16 weights with bfloat16 activations by TDPBF16PS, whose sums amx_tiles.h describes.
//
// Weights are the left factor, expanded a block of rows and columns at a time into tiles that stay in the first-level
// cache; tokens are the right one, and `pack` interleaves 16 of them so that their tiles lie ready in memory. One token
// and five hundred go the same way, through the same sums.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>

#include "contract.h"
#include "fill.h"

#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512bf16,gfni,avx2,fma,f16c"))), apply_to = function)
#define CK_ISA_NAME amx
#include "lanes_avx512.h"

#include "expand_amx.h"
#include "shared_names.h"

#include "amx_tiles.h"
#include "bf16_blocks.h"

enum {
  CK_CHUNK = 512,                // columns of an expanded block: an integer number of CK_BLOCK
  CK_FEW_CHUNK = 256,            // the same for few tokens: two blocks fit the first-level cache
  CK_BLOCK_ROWS = 2 * CK_TILE,   // rows of one
  CK_PAIR = 2 * CK_TILE,         // tokens that meet it at a time
  CK_PANEL_ROWS = 256,           // rows whose sums wait in the second-level cache while the chunks pass
  CK_SWEEP_TOKENS = 512,         // tokens of those sums
  CK_STEPS = CK_CHUNK / CK_TILE_DEPTH,
  CK_WEIGHT_BYTES = CK_BLOCK_ROWS * CK_CHUNK * 2,
  CK_TILE_SUMS = CK_TILE * CK_TILE,
  CK_PAIR_SUMS = 4 * CK_TILE_SUMS,  // sums of a block of rows and a pair of token tiles: row tiles in the outer place
};

typedef struct {
  float *out;
  size_t out_stride;
  const ck_weights *w;
  size_t row_end;
  const uint8_t *x;      // the sweep's tokens
  size_t x_stride;       // bytes a token
  size_t m, pairs;       // of the sweep
  size_t block_columns;  // of a block of scales
  size_t panel_rows, chunk;  // rows of a panel, columns of a block
  uint8_t *weights[2];   // two expanded blocks, [2][CK_STEPS] tiles each
  float *sums;           // [rows / CK_BLOCK_ROWS][pairs][CK_PAIR_SUMS], a tile's rows as long as its tokens are many
  float *totals;         // the same, where a row has several scales
} ck_job;

// Tokens of tile `tile` of the sweep.
CK_INLINE size_t v_tile_tokens(const ck_job *job, size_t tile) {
  return tile * CK_TILE >= job->m ? 0 : ck_min(CK_TILE, job->m - tile * CK_TILE);
}

// --- weights into tiles --------------------------------------------------------------------------------------------

// Where a block of rows and columns begins.
typedef struct {
  size_t panel, row, k;
} ck_place;

// A block on its way into tiles, row by row.
typedef struct {
  const uint8_t *from;  // the next row's
  uint8_t *to;          // [2][CK_STEPS] tiles
  size_t row_bytes, row, rows, width;
  size_t step, steps;  // of the products meanwhile
  ptrdiff_t ahead;     // bytes to what is fetched meanwhile: the same place of the block that comes then
} ck_expansion;

// The next row, of `width` elements. Rows that are not there keep what was there: their sums are not looked at.
CK_INLINE void v_expand_columns(ck_dtype dtype, ck_expansion *e, size_t width) {
  const ck_tables tables = v_tables();
  const size_t bytes = ck_dtype_bytes(dtype);
  const uint8_t *from = e->from;
  uint8_t *to = e->to + (e->row / CK_TILE * CK_STEPS) * CK_TILE_BYTES + e->row % CK_TILE * 64;
  for (size_t j = 0; j < width; j += CK_BLOCK, from += CK_BLOCK * bytes, to += 2 * CK_TILE_BYTES) {
    // Rows of a multiple of 4 KiB would meet in the same sets of the first-level cache.
    _mm_prefetch((const char *)(from + e->ahead), _MM_HINT_T1);
    if (bytes == 2) _mm_prefetch((const char *)(from + e->ahead + 64), _MM_HINT_T1);
    const bf16x64 block = v_weight_block(dtype, &tables, from, width - j);
    _mm512_store_si512(to, (__m512i)block.first);
    _mm512_store_si512(to + CK_TILE_BYTES, (__m512i)block.second);
  }
  e->from += e->row_bytes;
  e->row += 1;
}

CK_INLINE void v_expand_row(ck_dtype dtype, ck_expansion *e) {
  if (e->width == CK_FEW_CHUNK) {
    v_expand_columns(dtype, e, CK_FEW_CHUNK);
  } else {
    v_expand_columns(dtype, e, e->width);
  }
}

CK_INLINE void v_expand_all(ck_dtype dtype, ck_expansion *e) {
  while (e->row < e->rows) v_expand_row(dtype, e);
}

// What is done for the next block after each step of this one's products, for as many rows as leave none behind the last
// step. With few tokens a row is expanded, so that memory and processor work side by side; with many it is fetched again into
// the second-level cache, as a second expanded block would not fit the first.
CK_INLINE void v_do_due(ck_dtype dtype, bool few, ck_expansion *e) {
  e->step += 1;
  while (e->row * e->steps < e->rows * e->step) {
    if (few) {
      v_expand_row(dtype, e);
      continue;
    }
    const uint8_t *row = e->from + e->row * e->row_bytes;
    for (size_t at = 0; at < e->width * ck_dtype_bytes(dtype); at += 64) _mm_prefetch((const char *)(row + at), _MM_HINT_T1);
    e->row += 1;
  }
}

// --- tiles -----------------------------------------------------------------------------------------------------------

// What is fetched while a block meets a pair: the pair's tokens of the next chunk, a slice for each block of a panel, and
// the sums of the next pair.
typedef struct {
  const uint8_t *tokens[2];
  const float *sums;
} ck_fetch;

enum {
  CK_SUM_LINES = CK_PAIR_SUMS / 16 / CK_STEPS,                   // a step
  CK_TOKEN_LINES = CK_TILE / (CK_PANEL_ROWS / CK_BLOCK_ROWS),  // a step and tile
};

CK_INLINE void v_fetch(const ck_fetch *fetch, size_t step) {
  CK_UNROLL for (size_t i = 0; i < CK_SUM_LINES; i++) {
    _mm_prefetch((const char *)(fetch->sums + (step * CK_SUM_LINES + i) * 16), _MM_HINT_T0);
  }
  CK_UNROLL for (size_t i = 0; i < CK_TOKEN_LINES; i++) {
    _mm_prefetch((const char *)(fetch->tokens[0] + (step * CK_TOKEN_LINES + i) * 64), _MM_HINT_T1);
    _mm_prefetch((const char *)(fetch->tokens[1] + (step * CK_TOKEN_LINES + i) * 64), _MM_HINT_T1);
  }
}

// The tiles' sums += the expanded block . one or two tiles of tokens over `steps` steps. n: tokens of each.
CK_INLINE void t_multiply(ck_dtype dtype, bool few, size_t tiles, const uint8_t *weights, const uint8_t *first,
                          const uint8_t *second, const size_t n[2], size_t steps, const ck_fetch *fetch, ck_expansion *next) {
  const size_t stride[2] = {4 * n[0], 4 * n[1]};
  for (size_t step = 0; step < steps; step++) {
    _tile_stream_loadd(T_RIGHT, first + step * CK_TILE * stride[0], stride[0]);
    _tile_loadd(T_LEFT, weights + step * CK_TILE_BYTES, 64);
    _tile_dpbf16ps(T_SUMS, T_LEFT, T_RIGHT);
    if (tiles == 2) {
      _tile_stream_loadd(T_RIGHT + 1, second + step * CK_TILE * stride[1], stride[1]);
      _tile_dpbf16ps(T_SUMS + 1, T_LEFT, T_RIGHT + 1);
    }
    _tile_loadd(T_LEFT + 1, weights + (CK_STEPS + step) * CK_TILE_BYTES, 64);
    _tile_dpbf16ps(T_SUMS + 2, T_LEFT + 1, T_RIGHT);
    if (!few) v_fetch(fetch, step);
    if (tiles == 2) _tile_dpbf16ps(T_SUMS + 3, T_LEFT + 1, T_RIGHT + 1);
    v_do_due(dtype, few, next);
  }
}

CK_INLINE void t_load_sums(size_t tiles, const float *sums, const size_t n[2]) {
  _tile_loadd(T_SUMS, sums, 4 * n[0]);
  _tile_loadd(T_SUMS + 2, sums + 2 * CK_TILE_SUMS, 4 * n[0]);
  if (tiles < 2) return;
  _tile_loadd(T_SUMS + 1, sums + CK_TILE_SUMS, 4 * n[1]);
  _tile_loadd(T_SUMS + 3, sums + 3 * CK_TILE_SUMS, 4 * n[1]);
}

CK_INLINE void t_store_sums(size_t tiles, float *sums, const size_t n[2]) {
  _tile_stored(T_SUMS, sums, 4 * n[0]);
  _tile_stored(T_SUMS + 2, sums + 2 * CK_TILE_SUMS, 4 * n[0]);
  if (tiles < 2) return;
  _tile_stored(T_SUMS + 1, sums + CK_TILE_SUMS, 4 * n[1]);
  _tile_stored(T_SUMS + 3, sums + 3 * CK_TILE_SUMS, 4 * n[1]);
}

// --- what becomes of sums --------------------------------------------------------------------------------------------

// The factors of sixteen rows from `row` on in block `block` of scales; 0 beyond the last row.
CK_INLINE f32x16 v_factors(const ck_job *job, size_t row, size_t block) {
  const ck_weights *w = job->w;
  const size_t count = ck_min(CK_TILE, job->row_end - row);
  if (!w->scales) return v_set1(1.0f);
  const size_t blocks = w->cols ? (w->cols + job->block_columns - 1) / job->block_columns : 1;
  if (w->block_rows == 1 && blocks == 1) return v_load_n(w->scales + row, count);
  float factors[CK_TILE] __attribute__((aligned(64))) = {0};
  for (size_t i = 0; i < count; i++) factors[i] = w->scales[(row + i) / w->block_rows * blocks + block];
  return v_load(factors);
}

// totals += sums * factors, for a tile of n tokens.
static void ck_scale_sums(float *totals, const float *sums, size_t n, f32x16 factors, bool is_first) {
  float factor[CK_TILE] __attribute__((aligned(64)));
  v_store(factor, factors);
  for (size_t r = 0; r < CK_TILE; r++) {
    const f32x16 before = is_first ? v_zero() : v_load_n(totals + r * n, n);
    v_store_n(totals + r * n, v_fma(v_load_n(sums + r * n, n), v_set1(factor[r]), before), n);
  }
}

// out[token + t][row + r] = sums[r][t] * factors[r], for n tokens and the rows that there are.
static void ck_write_sums(const ck_job *job, const float *sums, size_t n, f32x16 factors, size_t row, size_t token) {
  float *out = job->out + token * job->out_stride + row;
  const size_t count = ck_min(CK_TILE, job->row_end - row);
  if (n == 1) {
    v_store_n(out, v_mul(v_load(sums), factors), count);
    return;
  }
  __m512i columns[CK_TILE];
  CK_UNROLL for (size_t r = 0; r < CK_TILE; r++) columns[r] = _mm512_castps_si512(v_load_n(sums + r * n, n));
  v_transpose(columns);
  CK_UNROLL for (size_t t = 0; t < CK_TILE; t++) {
    if (t < n) v_store_n(out + t * job->out_stride, v_mul(_mm512_castsi512_ps(columns[t]), factors), count);
  }
}

// At the end of a block of scales: sums go to the totals or, where there are none, out; after the last block totals go.
static void ck_end_block(const ck_job *job, size_t row, size_t pair, size_t slot, size_t block, bool is_last) {
  const bool blocked = job->block_columns < job->w->cols;
  for (size_t tile = 0; tile < 4; tile++) {
    const size_t tile_row = row + tile / 2 * CK_TILE, n = v_tile_tokens(job, 2 * pair + tile % 2);
    if (tile_row >= job->row_end || n == 0) continue;
    float *sums = job->sums + slot * CK_PAIR_SUMS + tile * CK_TILE_SUMS;
    f32x16 factors = v_factors(job, tile_row, block);
    if (blocked) {
      float *totals = job->totals + slot * CK_PAIR_SUMS + tile * CK_TILE_SUMS;
      ck_scale_sums(totals, sums, n, factors, block == 0);
      sums = totals;
      factors = v_set1(1.0f);
    }
    if (is_last) ck_write_sums(job, sums, n, factors, tile_row, (2 * pair + tile % 2) * CK_TILE);
  }
}

// --- blocks ----------------------------------------------------------------------------------------------------------

// A chunk of columns: k..<k + width, all of one block of scales.
typedef struct {
  size_t width, block;
  bool begins, ends, is_last;  // the block's first, its last, the row's last
} ck_chunk;

CK_INLINE ck_chunk v_chunk(const ck_job *job, size_t k) {
  const size_t cols = job->w->cols, block = job->block_columns ? k / job->block_columns : 0;
  const size_t border = ck_min((block + 1) * job->block_columns, cols), width = ck_min(job->chunk, border - k);
  return (ck_chunk){width, block, k == block * job->block_columns, k + width == border, k + width == cols};
}

// Blocks follow each other down a panel, then chunk by chunk, then panel by panel. Whether there is one more.
CK_INLINE bool v_advance(const ck_job *job, ck_place *place) {
  if (place->row + CK_BLOCK_ROWS < ck_min(place->panel + job->panel_rows, job->row_end)) {
    place->row += CK_BLOCK_ROWS;
    return true;
  }
  const ck_chunk chunk = v_chunk(job, place->k);
  place->k = chunk.is_last ? 0 : place->k + chunk.width;
  if (chunk.is_last) place->panel += job->panel_rows;
  place->row = place->panel;
  return place->row < job->row_end;
}

CK_INLINE const uint8_t *v_weights_at(const ck_job *job, const ck_place *place) {
  return (const uint8_t *)job->w->data + (place->row * job->w->cols + place->k) * ck_dtype_bytes(job->w->dtype);
}

// The expansion of the block at `place` into `to`, during `steps` steps.
CK_INLINE ck_expansion v_begin_expansion(const ck_job *job, const ck_place *place, uint8_t *to, size_t steps) {
  ck_place then = *place;
  const uint8_t *from = v_weights_at(job, place);
  return (ck_expansion){
      .from = from, .to = to, .row_bytes = job->w->cols * ck_dtype_bytes(job->w->dtype),
      .rows = ck_min(CK_BLOCK_ROWS, job->row_end - place->row), .width = v_chunk(job, place->k).width, .steps = steps,
      .ahead = v_advance(job, &then) ? v_weights_at(job, &then) - from : 0};
}

CK_INLINE size_t v_steps(size_t width) { return ck_round_up(width, CK_BLOCK) / CK_TILE_DEPTH; }

// An expanded block meets a pair of token tiles.
CK_INLINE void v_meet(ck_dtype dtype, bool few, const ck_job *job, const ck_place *place, const ck_chunk *chunk,
                      const uint8_t *weights, size_t pair, ck_expansion *next) {
  const size_t n[2] = {v_tile_tokens(job, 2 * pair), v_tile_tokens(job, 2 * pair + 1)}, steps = v_steps(chunk->width);
  const uint8_t *first = job->x + pair * CK_PAIR * job->x_stride, *second = first + CK_TILE * job->x_stride;
  const size_t slot = (place->row - place->panel) / CK_BLOCK_ROWS * job->pairs + pair;
  float *sums = job->sums + slot * CK_PAIR_SUMS;
  const size_t tiles = n[1] ? 2 : 1, next_k = chunk->is_last ? 0 : place->k + chunk->width;
  const size_t slice = (place->row - place->panel) / CK_BLOCK_ROWS * CK_TOKEN_LINES * CK_STEPS * 64 + CK_PAIR * next_k;
  const ck_fetch fetch = {{first + slice, second + slice}, sums + CK_PAIR_SUMS};
  first += 2 * place->k * n[0];
  second += 2 * place->k * n[1];
  if (chunk->begins) {
    t_clear_sums();
  } else if (!few) {
    t_load_sums(tiles, sums, n);
  }
  if (tiles == 1) {
    t_multiply(dtype, few, 1, weights, first, second, n, steps, &fetch, next);
  } else {
    t_multiply(dtype, few, 2, weights, first, second, n, steps, &fetch, next);
  }
  // Few tokens' sums stay in their tiles until they are whole.
  if (!few || chunk->ends) t_store_sums(tiles, sums, n);
  if (chunk->ends) ck_end_block(job, place->row, pair, slot, chunk->block, chunk->is_last);
}

// few: there is one pair.
CK_INLINE void v_sweep(ck_dtype dtype, bool few, const ck_job *job, size_t row_begin) {
  const size_t rest = job->m % CK_PAIR;
  const size_t last[2] = {rest && rest < CK_TILE ? rest : CK_TILE, rest > CK_TILE ? rest - CK_TILE : CK_TILE};
  ck_place place = {row_begin, row_begin, 0};
  ck_expansion next = v_begin_expansion(job, &place, job->weights[0], 1);
  v_expand_all(dtype, &next);
  t_configure(CK_TILE, CK_TILE, few ? last[0] : CK_TILE, few ? last[1] : CK_TILE);
  bool goes_on = true;
  for (size_t turn = 0; goes_on; turn ^= few) {
    const ck_place here = place;
    const ck_chunk chunk = v_chunk(job, here.k);
    goes_on = v_advance(job, &place);
    next = (ck_expansion){0};
    if (goes_on) next = v_begin_expansion(job, &place, job->weights[turn ^ few], v_steps(chunk.width) * job->pairs);
    for (size_t pair = 0; pair < job->pairs; pair++) {
      if (!few && rest && pair + 1 == job->pairs) t_configure(CK_TILE, CK_TILE, last[0], last[1]);
      v_meet(dtype, few, job, &here, &chunk, job->weights[turn], pair, &next);
    }
    if (few) continue;
    if (rest) t_configure(CK_TILE, CK_TILE, CK_TILE, CK_TILE);
    next.row = 0;
    v_expand_all(dtype, &next);
  }
}

CK_INLINE void v_product(ck_dtype dtype, ck_job *job, size_t row_begin, size_t m) {
  const uint8_t *x = job->x;
  float *out = job->out;
  for (size_t token = 0; token < m && row_begin < job->row_end; token += CK_SWEEP_TOKENS) {
    job->x = x + token * job->x_stride;
    job->out = out + token * job->out_stride;
    job->m = ck_min(CK_SWEEP_TOKENS, m - token);
    job->pairs = (job->m + CK_PAIR - 1) / CK_PAIR;
    job->panel_rows = job->pairs == 1 ? CK_BLOCK_ROWS : CK_PANEL_ROWS;
    job->chunk = job->pairs == 1 ? CK_FEW_CHUNK : CK_CHUNK;
    if (job->pairs == 1) {
      v_sweep(dtype, true, job, row_begin);
    } else {
      v_sweep(dtype, false, job, row_begin);
    }
  }
  _tile_release();
}

// --- entries ---------------------------------------------------------------------------------------------------------

static bool ck_is_packed(ck_dtype dtype) { return dtype == CK_BF16 || dtype == CK_E4M3; }

// Weights of other types are float32 products, as on any AVX-512.
static const ck_table *ck_lesser(void) { return ck_table_for(CK_ISA_AVX512); }

// Chunks of consecutive tiles of tokens would meet in the same sets of the second-level cache if sixteen rows took a
// multiple of 16 KiB: half of that between them spreads them evenly.
static size_t ck_packed_row_bytes(size_t cols, ck_dtype dtype) {
  if (!ck_is_packed(dtype)) return ck_lesser()->packed_row_bytes(cols, dtype);
  const size_t bytes = ck_round_up(2 * cols, 2 * CK_BLOCK);
  return cols < 1024 ? bytes : bytes + (1024 + 512 - bytes % 1024) % 1024;
}

// Row `row` of the n that are interleaved from `group` on: its pairs are n words apart.
static void ck_pack_row(uint8_t *group, size_t row, size_t n, const float *in, size_t cols, ck_dtype dtype) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i places = _mm512_mullo_epi32(lanes, _mm512_set1_epi32((int)n));
  for (size_t k = 0; k < cols; k += CK_BLOCK) {
    const bf16x64 block = v_token_block(dtype, in, k, cols);
    _mm512_i32scatter_epi32(group + 4 * (k / 2 * n + row), places, (__m512i)block.first, 4);
    _mm512_i32scatter_epi32(group + 4 * ((k / 2 + CK_LANES) * n + row), places, (__m512i)block.second, 4);
  }
}

static void ck_pack_tile(uint8_t *group, const float *in, size_t in_stride, size_t cols, ck_dtype dtype) {
  for (size_t k = 0; k < cols; k += CK_BLOCK) {
    __m512i halves[2][CK_TILE];
    CK_UNROLL for (size_t r = 0; r < CK_TILE; r++) {
      const bf16x64 block = v_token_block(dtype, in + r * in_stride, k, cols);
      halves[0][r] = (__m512i)block.first;
      halves[1][r] = (__m512i)block.second;
    }
    CK_UNROLL for (size_t half = 0; half < 2; half++) {
      v_transpose(halves[half]);
      CK_UNROLL for (size_t i = 0; i < CK_TILE; i++) {
        _mm512_store_si512(group + 4 * (k / 2 + half * CK_LANES + i) * CK_TILE, halves[half][i]);
      }
    }
  }
}

static void ck_pack(void *x, size_t x_stride, size_t m, const float *in, size_t in_stride, size_t begin, size_t end,
                    size_t cols, ck_dtype dtype) {
  if (!ck_is_packed(dtype)) {
    ck_lesser()->pack(x, x_stride, m, in, in_stride, begin, end, cols, dtype);
    return;
  }
  for (size_t row = begin; row < end;) {
    const size_t first = row / CK_TILE * CK_TILE, n = ck_min(CK_TILE, m - first);
    uint8_t *group = (uint8_t *)x + first * x_stride;
    if (row == first && n == CK_TILE && end - row >= CK_TILE) {
      ck_pack_tile(group, in + row * in_stride, in_stride, cols, dtype);
      row += CK_TILE;
    } else {
      ck_pack_row(group, row - first, n, in + row * in_stride, cols, dtype);
      row += 1;
    }
  }
}

static void ck_matmul(float *out, size_t out_stride, const ck_weights *w, size_t row_begin, size_t row_end,
                      const void *x, size_t x_stride, size_t m, void *scratch) {
  if (!ck_is_packed(w->dtype)) {
    ck_lesser()->matmul(out, out_stride, w, row_begin, row_end, x, x_stride, m, scratch);
    return;
  }
  uint8_t *weights = scratch;
  float *sums = (float *)(weights + 2 * CK_WEIGHT_BYTES), *totals = sums + CK_PANEL_ROWS * CK_SWEEP_TOKENS;
  ck_job job = {
      .out = out, .out_stride = out_stride, .w = w, .row_end = row_end, .x = x, .x_stride = x_stride,
      .block_columns = ck_block_columns(w), .weights = {weights, weights + CK_WEIGHT_BYTES}, .sums = sums, .totals = totals};
  if (w->dtype == CK_E4M3) {
    v_product(CK_E4M3, &job, row_begin, m);
  } else {
    v_product(CK_BF16, &job, row_begin, m);
  }
}

static size_t ck_matmul_scratch_bytes(size_t cols) {
  const size_t own = 2 * CK_WEIGHT_BYTES + 2 * CK_PANEL_ROWS * CK_SWEEP_TOKENS * sizeof(float);
  const size_t exact = ck_lesser()->matmul_scratch_bytes(cols);
  return own > exact ? own : exact;
}
#pragma clang attribute pop

void ck_fill_amx(ck_table *table) {
  table->packed_row_bytes = ck_packed_row_bytes;
  table->pack = ck_pack;
  table->matmul = ck_matmul;
  table->matmul_scratch_bytes = ck_matmul_scratch_bytes;
}
#endif
