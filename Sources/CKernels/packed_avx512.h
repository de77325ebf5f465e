// Products whose activations `pack` lays down in sixteen bits, on AVX-512: tiles of rows by tokens, for the instruction that the
// includer has. It defines, before:
//
//  CK_CODE_FACTOR          what an expanded code has to be multiplied by to be its value
//  CK_BLOCK                elements of K that are expanded at a time, 64
//  CK_PIECE                elements of K, a multiple of CK_BLOCK, after which a tile's sums have to leave it; 0: never
//  CK_FEW_MOST             tokens up to which each tile expands its weights
//  CK_FEW_AHEAD            bytes that each of its rows is fetched ahead into the first-level cache
//  CK_TILES                neighbouring tiles that take a chunk each before the next chunk comes; 1: a tile takes whole rows
//  CK_MAX_DIRECT           sums of a tile beside which expanded weights have room in the registers
//  ck_word                 a register of 32 elements of a row or token
//  ck_sum                  one of sums
//  ck_pair                 {ck_word first, second}: CK_BLOCK elements, of an expand_*.h
//  ck_tables, v_tables()   what expanding keeps in registers
//  v_weight_block(dtype, tables, p, n)   n elements of a row of weights, of which CK_BLOCK at most are read; the rest is zero
//  v_dot(sum, row, token)  sum + row . token
//  v_zero_sum()
//  v_sum_add(a, b)         lane by lane; f32x16 that hold the lanes of ck_sum
//  v_last_lanes(elements)  what is left in 32 bits of each of 16 sums, as 16 floats; number i is element i % 4 * 4 + i / 4
//  v_token_factor(x, cols) what a packed row of activations has to be multiplied by to be their values
//  ck_is_packed(dtype)     whether the instruction is for weights of that type
//
// Without pieces ck_sum is f32x16, and a sum's lanes stay apart until its row's or block's end.
#include "contract.h"
#include "shared_names.h"

enum {
  CK_MAX_ROWS = 4,    // of a tile of up to CK_SLIM tokens
  CK_FAT_ROWS = 3,    // of a tile of more
  CK_SLIM = 6,
  CK_MAX_TOKENS = 8,  // of a tile

  CK_FEW_FAR_AHEAD = 4096,  // bytes that each row is fetched ahead into the second-level cache
  CK_FEW_BYTES = 12 << 10,  // of several tokens, that stay in the first-level cache beside all that is fetched

  CK_CHUNK = 1024,             // of many tokens, without pieces: elements of K between visits of the sums, an integer number of blocks
  CK_PANEL_BYTES = 600 << 10,  // of expanded weights: they stay in the second-level cache
  CK_PANEL_TOKENS = 8,         // tokens whose chunk stays in the first-level cache while a panel passes
};

// --- tiles -----------------------------------------------------------------------------------------------------

typedef struct {
  ck_sum at[CK_MAX_ROWS][CK_MAX_TOKENS];
} ck_acc;

// acc[r][t] += row r . token t over one block of n <= 64 elements.
// Tokens in the inner loop, twice: two products into one accumulator then stand as far apart as they can.
CK_INLINE void v_dots_block(ck_dtype dtype, const ck_tables *tables, size_t R, size_t T, ck_acc *acc, const uint8_t *w,
                            size_t row_bytes, const uint8_t *x, size_t x_stride, size_t n) {
  ck_pair row[CK_MAX_ROWS];
  CK_UNROLL for (size_t r = 0; r < R; r++) row[r] = v_weight_block(dtype, tables, w + r * row_bytes, n);
  // Many sums leave no registers for the expanded rows: they pass through memory.
  if (dtype == CK_E4M3 && R * T > CK_MAX_DIRECT) __asm__ volatile("" : "+m"(row));
  CK_UNROLL for (size_t t = 0; t < T; t++) {
    const ck_word token = (ck_word)_mm512_load_si512(x + t * x_stride);
    CK_UNROLL for (size_t r = 0; r < R; r++) acc->at[r][t] = v_dot(acc->at[r][t], row[r].first, token);
  }
  CK_UNROLL for (size_t t = 0; t < T; t++) {
    const ck_word token = (ck_word)_mm512_load_si512(x + t * x_stride + 64);
    CK_UNROLL for (size_t r = 0; r < R; r++) acc->at[r][t] = v_dot(acc->at[r][t], row[r].second, token);
  }
}

// Where what is fetched lies, in bytes from where is read.
typedef struct {
  ptrdiff_t near, far;  // into the first-level and into the second-level cache
} ck_ahead;

// acc[r][t] += row r . token t over n elements. x: tokens' packed blocks; gap_bytes from one row to the next.
CK_INLINE void v_dots(ck_dtype dtype, size_t R, size_t T, ck_acc *acc, const uint8_t *w, size_t gap_bytes,
                      const uint8_t *x, size_t x_stride, size_t n, ck_ahead ahead) {
  const ck_tables tables = v_tables();
  const size_t bytes = ck_dtype_bytes(dtype);
  size_t k = 0;
  for (; k + CK_BLOCK <= n; k += CK_BLOCK, w += CK_BLOCK * bytes, x += 2 * CK_BLOCK) {
    CK_UNROLL for (size_t r = 0; r < R; r++) {
      CK_UNROLL for (size_t line = 0; line < CK_BLOCK * bytes; line += 64) {
        const char *at = (const char *)w + r * gap_bytes + line;
        _mm_prefetch(at + ahead.near, _MM_HINT_T0);
        _mm_prefetch(at + ahead.far, _MM_HINT_T1);
      }
    }
    v_dots_block(dtype, &tables, R, T, acc, w, gap_bytes, x, x_stride, CK_BLOCK);
  }
  if (k < n) v_dots_block(dtype, &tables, R, T, acc, w, gap_bytes, x, x_stride, n - k);
}

typedef struct {
  float *out;
  size_t out_stride;
  const ck_weights *w;
  const uint8_t *x;
  size_t x_stride;        // bytes
  size_t cols;
  size_t chunk, chunks;   // elements of K between visits of the sums: a block of scales, a part of one, or of a row with one scale
  size_t blocks;          // of a row; 1: the scale is applied to the sum
  size_t chunks_a_block;
} ck_job;

// Elements of a chunk, the last one rounded up to whole blocks.
CK_INLINE size_t v_chunk_width(const ck_job *job, size_t chunk) {
  return ck_min(job->chunk, ck_round_up(job->cols - chunk * job->chunk, CK_BLOCK));
}

CK_INLINE float v_factor(const ck_job *job, size_t row, size_t chunk) {
  const ck_weights *w = job->w;
  const float scale = w->scales ? w->scales[row / w->block_rows * job->blocks + chunk / job->chunks_a_block] : 1.0f;
  return w->dtype == CK_E4M3 ? scale * CK_CODE_FACTOR : scale;
}

// The lanes of 16 sums added up, each sum's by one tree of halves, quarters, eighths and sixteenths; number i belongs to sums[i].
CK_INLINE f32x16 v_reduce_16(const f32x16 sums[16]) {
  f32x16 eight[8], four[4], two[2];
  CK_UNROLL for (int i = 0; i < 8; i++) {
    const f32x16 a = sums[2 * i], b = sums[2 * i + 1];
    eight[i] = v_sum_add(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
  }
  CK_UNROLL for (int i = 0; i < 4; i++) {
    const f32x16 a = eight[2 * i], b = eight[2 * i + 1];
    four[i] = v_sum_add(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
  }
  CK_UNROLL for (int i = 0; i < 2; i++) {
    const f32x16 a = four[2 * i], b = four[2 * i + 1];
    two[i] = v_sum_add(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE));
  }
  return v_last_lanes(v_sum_add(_mm512_shuffle_ps(two[0], two[1], 0x88), _mm512_shuffle_ps(two[0], two[1], 0xDD)));
}

// Between chunks sums wait in memory, 64-byte aligned: [R][T][16] lanes, or, with pieces, [R][T] numbers.

CK_INLINE void v_chunk_begin(const ck_job *job, size_t R, size_t T, ck_acc *acc, const float *waiting, size_t chunk) {
  const bool is_fresh = CK_PIECE > 0 || chunk == 0 || job->blocks > 1;
  CK_UNROLL for (size_t i = 0; i < R * T; i++) {
    if (is_fresh) {
      acc->at[i / T][i % T] = v_zero_sum();
    } else {
      memcpy(&acc->at[i / T][i % T], waiting + i * CK_LANES, CK_LANES * sizeof(float));
    }
  }
}

// Sums begin..<begin + 16 of a tile at a chunk's end, with those of the chunks before.
CK_INLINE f32x16 v_sums_of_pieces(const ck_job *job, size_t R, size_t T, const ck_acc *acc, const float *waiting, size_t begin,
                                  size_t chunk, size_t row, size_t gap) {
  f32x16 sums[16];
  CK_UNROLL for (size_t j = 0; j < 16; j++) {
    sums[j] = begin + j < R * T ? (f32x16)acc->at[(begin + j) / T][(begin + j) % T] : v_zero();
  }
  const f32x16 added = v_reduce_16(sums), before = chunk == 0 ? v_zero() : v_load(waiting + begin);
  if (job->blocks == 1) return v_add(before, added);
  float factors[16] = {0};
  for (size_t j = 0; j < 16 && begin + j < R * T; j++) factors[j] = v_factor(job, row + (begin + j) / T * gap, chunk);
  return v_fma(added, v_load(factors), before);
}

// The same without pieces, where lanes wait and only those of the last chunk are added up.
CK_INLINE f32x16 v_sums_of_lanes(const ck_job *job, size_t R, size_t T, const ck_acc *acc, float *waiting, size_t begin,
                                 size_t chunk, size_t row, size_t gap) {
  f32x16 lanes[16];
  const size_t count = ck_min(16, R * T - begin);
  CK_UNROLL for (size_t j = 0; j < 16; j++) {
    lanes[j] = j < count ? (f32x16)acc->at[(begin + j) / T][(begin + j) % T] : v_zero();
  }
  waiting += begin * CK_LANES;
  if (job->blocks > 1) {
    CK_UNROLL for (size_t j = 0; j < count; j++) {
      const f32x16 factor = v_set1(v_factor(job, row + (begin + j) / T * gap, chunk));
      lanes[j] = v_fma(lanes[j], factor, chunk == 0 ? v_zero() : v_load(waiting + j * CK_LANES));
    }
  }
  if (chunk + 1 == job->chunks) return v_reduce_16(lanes);
  CK_UNROLL for (size_t j = 0; j < count; j++) v_store(waiting + j * CK_LANES, lanes[j]);
  return v_zero();
}

// What is done with a tile's sums at a chunk's end: kept for the next chunk, multiplied by the chunk's scale where there are
// several; after the last chunk written. The tile's rows lie `gap` rows apart.
CK_INLINE void v_chunk_end(const ck_job *job, size_t R, size_t T, const ck_acc *acc, float *waiting, size_t chunk, size_t row,
                           size_t gap, size_t token) {
  float sums[(CK_MAX_ROWS * CK_MAX_TOKENS + 15) / 16 * 16] __attribute__((aligned(64)));
  CK_UNROLL for (size_t begin = 0; begin < R * T; begin += 16) {
    if (CK_PIECE > 0) {
      v_store(sums + begin, v_sums_of_pieces(job, R, T, acc, waiting, begin, chunk, row, gap));
    } else {
      v_store(sums + begin, v_sums_of_lanes(job, R, T, acc, waiting, begin, chunk, row, gap));
    }
  }
  if (chunk + 1 < job->chunks) {
    if (CK_PIECE > 0) memcpy(waiting, sums, (R * T + 15) / 16 * 16 * sizeof(float));
    return;
  }
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    const float factor = job->blocks > 1 ? 1.0f : v_factor(job, row + r * gap, 0);
    CK_UNROLL for (size_t t = 0; t < T; t++) {
      const float token_factor = v_token_factor(job->x + (token + t) * job->x_stride, job->cols);
      job->out[(token + t) * job->out_stride + row + r * gap] = sums[r * T + t] * factor * token_factor;
    }
  }
}

// --- up to CK_FEW_MOST tokens -------------------------------------------------------------------------------------
// A tile goes through whole rows. They lie far apart, so that memory is read in as many long streams. Where tokens are too long for
// the first-level cache, CK_TILES tiles of neighbouring rows go through a chunk of columns each, and then through the next one.

// What is fetched from tile `tile` of `tiles` in a chunk on: the tiles that come one and two steps later.
CK_INLINE ck_ahead v_tiles_ahead(const ck_job *job, size_t tile, size_t tiles, size_t chunk, size_t bytes) {
  const ptrdiff_t row_bytes = (ptrdiff_t)(job->cols * bytes), chunk_bytes = (ptrdiff_t)(job->chunk * bytes);
  // Behind the last tile: to the first one's next chunk, or to the first chunk of the row behind the last.
  const ptrdiff_t turn = chunk + 1 < job->chunks ? chunk_bytes - (ptrdiff_t)tiles * row_bytes : -(ptrdiff_t)chunk * chunk_bytes;
  return (ck_ahead){row_bytes + (tile + 1 < tiles ? 0 : turn), 2 * row_bytes + (tile + 2 < tiles ? 0 : turn)};
}

CK_INLINE void v_few_tiles(ck_dtype dtype, size_t R, size_t T, const ck_job *job, size_t row, size_t tiles, size_t gap, size_t token) {
  const size_t bytes = ck_dtype_bytes(dtype), row_bytes = job->cols * bytes;
  const uint8_t *data = (const uint8_t *)job->w->data + row * row_bytes, *x = job->x + token * job->x_stride;
  float waiting[CK_TILES][CK_MAX_ROWS * CK_MAX_TOKENS * (CK_PIECE > 0 ? 1 : CK_LANES)] __attribute__((aligned(64)));
  ck_acc acc;
  for (size_t chunk = 0; chunk < job->chunks; chunk++) {
    const size_t k = chunk * job->chunk, n = ck_min(job->chunk, job->cols - k);
    for (size_t tile = 0; tile < tiles; tile++) {
      const ck_ahead straight = {CK_FEW_AHEAD, CK_FEW_FAR_AHEAD};
      const ck_ahead ahead = CK_TILES == 1 || tiles == 1 ? straight : v_tiles_ahead(job, tile, tiles, chunk, bytes);
      v_chunk_begin(job, R, T, &acc, waiting[tile], chunk);
      v_dots(dtype, R, T, &acc, data + tile * row_bytes + k * bytes, gap * row_bytes, x + 2 * k, job->x_stride, n, ahead);
      v_chunk_end(job, R, T, &acc, waiting[tile], chunk, row + tile, gap, token);
    }
  }
}

CK_INLINE void v_few_group(ck_dtype dtype, size_t R, const ck_job *job, size_t row, size_t tiles, size_t gap, size_t token, size_t count) {
  switch (count) {
    case 1: v_few_tiles(dtype, R, 1, job, row, tiles, gap, token); break;
    case 2: v_few_tiles(dtype, R, 2, job, row, tiles, gap, token); break;
    case 3: v_few_tiles(dtype, R, 3, job, row, tiles, gap, token); break;
    case 4: v_few_tiles(dtype, R, 4, job, row, tiles, gap, token); break;
    case 5: v_few_tiles(dtype, R, 5, job, row, tiles, gap, token); break;
    case 6: v_few_tiles(dtype, R, 6, job, row, tiles, gap, token); break;
  }
}

// The same for more than CK_SLIM tokens, or as many.
CK_INLINE void v_few_fat_group(ck_dtype dtype, size_t R, const ck_job *job, size_t row, size_t tiles, size_t gap, size_t token, size_t count) {
  switch (count) {
    case 6: v_few_tiles(dtype, R, 6, job, row, tiles, gap, token); break;
    case 7: v_few_tiles(dtype, R, 7, job, row, tiles, gap, token); break;
    case 8: v_few_tiles(dtype, R, 8, job, row, tiles, gap, token); break;
  }
}

// Rows from row_begin on, R at a time, for all tokens, in groups as even as can be. Returns the first row that is left, of
// fewer than R.
CK_INLINE size_t v_few_rows(ck_dtype dtype, bool fat, size_t R, const ck_job *job, size_t row_begin, size_t row_end, size_t m) {
  const size_t groups = (m + CK_MAX_TOKENS - 1) / CK_MAX_TOKENS, gap = (row_end - row_begin) / R;
  const size_t together = (m + groups - 1) / groups;
  const size_t most = together > 1 && 2 * job->cols * together > CK_FEW_BYTES ? CK_TILES : 1;
  for (size_t begin = 0; begin < gap; begin += most) {
    const size_t row = row_begin + begin, tiles = ck_min(most, gap - begin);
    size_t token = 0;
    for (size_t group = 0; group < groups; group++) {
      const size_t count = (m - token + groups - group - 1) / (groups - group);
      if (fat) {
        v_few_fat_group(dtype, R, job, row, tiles, gap, token, count);
      } else {
        v_few_group(dtype, R, job, row, tiles, gap, token, count);
      }
      token += count;
    }
  }
  return row_begin + gap * R;
}

CK_INLINE void v_few(ck_dtype dtype, const ck_job *job, size_t row_begin, size_t row_end, size_t m) {
  if (m <= (m + CK_MAX_TOKENS - 1) / CK_MAX_TOKENS * CK_SLIM) {
    row_begin = v_few_rows(dtype, false, CK_MAX_ROWS, job, row_begin, row_end, m);
    v_few_rows(dtype, false, 1, job, row_begin, row_end, m);
  } else {
    row_begin = v_few_rows(dtype, true, CK_FAT_ROWS, job, row_begin, row_end, m);
    v_few_rows(dtype, true, 1, job, row_begin, row_end, m);
  }
}

// --- many tokens -------------------------------------------------------------------------------------------------
// A panel of rows is expanded once, [chunk][row][width of the chunk] words of 16 bits; then tiles of 3 rows by 8 tokens walk
// over it.

CK_INLINE size_t v_panel_rows(size_t cols) {
  const size_t rows = CK_PANEL_BYTES / (2 * ck_round_up(cols + 1, CK_BLOCK)) / CK_FAT_ROWS * CK_FAT_ROWS;
  return rows < CK_FAT_ROWS ? CK_FAT_ROWS : rows > 96 ? 96 : rows;
}

CK_INLINE void v_expand_panel(ck_dtype dtype, const ck_job *job, uint8_t *panel, size_t row, size_t rows) {
  const ck_tables tables = v_tables();
  const size_t bytes = ck_dtype_bytes(dtype), row_bytes = job->cols * bytes;
  for (size_t r = 0; r < rows; r++) {
    const uint8_t *data = (const uint8_t *)job->w->data + (row + r) * row_bytes;
    for (size_t chunk = 0; chunk < job->chunks; chunk++) {
      const size_t begin = chunk * job->chunk, width = v_chunk_width(job, chunk);
      uint8_t *to = panel + 2 * (rows * begin + r * width);
      for (size_t k = begin; k < begin + width; k += CK_BLOCK, to += 2 * CK_BLOCK) {
        const ck_pair block = v_weight_block(dtype, &tables, data + k * bytes, job->cols - k);
        _mm512_store_si512(to, (__m512i)block.first);
        _mm512_store_si512(to + 64, (__m512i)block.second);
      }
    }
  }
}

// What the tiles of one chunk fetch meanwhile, a line at a step: the same tokens' next chunk, `rows` rows of `width`
// bytes. The processor's own prefetcher would begin anew with each row, every two kilobytes.
typedef struct {
  const uint8_t *row;
  size_t column, width, rows, stride;
} ck_fetch;

CK_INLINE void v_fetch(ck_fetch *fetch) {
  _mm_prefetch((const char *)(fetch->row + fetch->column), _MM_HINT_T0);
  fetch->column += 64;
  if (fetch->column < fetch->width) return;
  fetch->column = 0;
  if (fetch->rows > 1) {
    fetch->row += fetch->stride;
    fetch->rows -= 1;
  }
}

CK_INLINE void v_panel_tile(size_t R, size_t T, const ck_job *job, const uint8_t *panel, float *waiting, size_t row,
                            size_t token, size_t chunk, ck_fetch *fetch) {
  const size_t k = chunk * job->chunk;
  ck_acc acc;
  v_chunk_begin(job, R, T, &acc, waiting, chunk);
  const size_t width = v_chunk_width(job, chunk);
  const uint8_t *x = job->x + token * job->x_stride + 2 * k;
  for (size_t j = 0; j < width; j += 32) {
    v_fetch(fetch);
    ck_word w[CK_MAX_ROWS];
    CK_UNROLL for (size_t r = 0; r < R; r++) w[r] = (ck_word)_mm512_load_si512(panel + 2 * (r * width + j));
    CK_UNROLL for (size_t t = 0; t < T; t++) {
      const ck_word v = (ck_word)_mm512_load_si512(x + t * job->x_stride + 2 * j);
      CK_UNROLL for (size_t r = 0; r < R; r++) acc.at[r][t] = v_dot(acc.at[r][t], w[r], v);
    }
  }
  v_chunk_end(job, R, T, &acc, waiting, chunk, row, 1, token);
}

CK_INLINE void v_panel_tokens(size_t R, const ck_job *job, const uint8_t *panel, float *waiting, size_t row, size_t token,
                              size_t count, size_t chunk, ck_fetch *fetch) {
  if (count == 8) {
    v_panel_tile(R, 8, job, panel, waiting, row, token, chunk, fetch);
    return;
  }
  if (count & 4) {
    v_panel_tile(R, 4, job, panel, waiting, row, token, chunk, fetch);
    token += 4;
    waiting += R * 4 * CK_LANES;
  }
  if (count & 2) {
    v_panel_tile(R, 2, job, panel, waiting, row, token, chunk, fetch);
    token += 2;
    waiting += R * 2 * CK_LANES;
  }
  if (count & 1) v_panel_tile(R, 1, job, panel, waiting, row, token, chunk, fetch);
}

// scratch: sums [CK_PANEL_TOKENS][panel rows], then the panel
static void ck_many(const ck_job *job, const uint8_t *panel, float *sums, size_t row, size_t rows, size_t m) {
  for (size_t token = 0; token < m; token += CK_PANEL_TOKENS) {
    const size_t tokens = ck_min(CK_PANEL_TOKENS, m - token);
    for (size_t chunk = 0; chunk < job->chunks; chunk++) {
      const size_t begin = chunk * job->chunk, width = v_chunk_width(job, chunk);
      // After the last chunk come the first one's of the next tokens.
      const bool last = chunk + 1 == job->chunks;
      const size_t next_token = last ? ck_min(token + CK_PANEL_TOKENS, m - 1) : token, next = last ? 0 : begin + width;
      ck_fetch fetch = {job->x + next_token * job->x_stride + 2 * next, 0, 2 * job->chunk, tokens, job->x_stride};
      size_t r = 0;
      for (; r + CK_FAT_ROWS <= rows; r += CK_FAT_ROWS) {
        v_panel_tokens(CK_FAT_ROWS, job, panel + 2 * (rows * begin + r * width), sums + r * tokens * CK_LANES, row + r, token,
                       tokens, chunk, &fetch);
      }
      for (; r < rows; r++) {
        v_panel_tokens(1, job, panel + 2 * (rows * begin + r * width), sums + r * tokens * CK_LANES, row + r, token, tokens,
                       chunk, &fetch);
      }
    }
  }
}

CK_INLINE void v_many(ck_dtype dtype, const ck_job *job, size_t row_begin, size_t row_end, size_t m, float *scratch) {
  const size_t panel_rows = v_panel_rows(job->cols);
  uint8_t *panel = (uint8_t *)(scratch + CK_PANEL_TOKENS * panel_rows * CK_LANES);
  for (size_t row = row_begin; row < row_end; row += panel_rows) {
    const size_t rows = ck_min(panel_rows, row_end - row);
    v_expand_panel(dtype, job, panel, row, rows);
    ck_many(job, panel, scratch, row, rows, m);
  }
}

// --- entries -------------------------------------------------------------------------------------------------------

// Weights of other types are float32 products, as on any AVX-512.
static const ck_table *ck_lesser(void) { return ck_table_for(CK_ISA_AVX512); }

CK_INLINE void v_product(ck_dtype dtype, const ck_job *job, size_t row_begin, size_t row_end, size_t m, void *scratch) {
  if (m <= CK_FEW_MOST) {
    v_few(dtype, job, row_begin, row_end, m);
  } else {
    v_many(dtype, job, row_begin, row_end, m, scratch);
  }
}

// Columns of a chunk: the same for any m wherever that could be seen in a sum's bits.
static size_t ck_chunk_columns(size_t block_cols, size_t cols, size_t m) {
  if (block_cols == cols) return CK_PIECE ? CK_PIECE : m <= CK_FEW_MOST ? cols : CK_CHUNK;
  size_t pieces = 1;
  while (CK_PIECE > 0 && (block_cols / pieces > CK_PIECE || block_cols % (pieces * CK_BLOCK))) pieces++;
  return block_cols / pieces;
}

static void ck_matmul(float *out, size_t out_stride, const ck_weights *w, size_t row_begin, size_t row_end,
                      const void *x, size_t x_stride, size_t m, void *scratch) {
  if (!ck_is_packed(w->dtype)) {
    ck_lesser()->matmul(out, out_stride, w, row_begin, row_end, x, x_stride, m, scratch);
    return;
  }
  const size_t cols = w->cols, block_cols = ck_block_columns(w), chunk = ck_chunk_columns(block_cols, cols, m);
  const ck_job job = {
      .out = out, .out_stride = out_stride, .w = w, .x = x, .x_stride = x_stride, .cols = cols, .chunk = chunk,
      .chunks = cols ? (cols + chunk - 1) / chunk : 1, .blocks = cols ? (cols + block_cols - 1) / block_cols : 1,
      .chunks_a_block = block_cols < cols ? block_cols / chunk : SIZE_MAX};
  if (w->dtype == CK_E4M3) {
    v_product(CK_E4M3, &job, row_begin, row_end, m, scratch);
  } else {
    v_product(CK_BF16, &job, row_begin, row_end, m, scratch);
  }
}

static size_t ck_matmul_scratch_bytes(size_t cols) {
  const size_t rows = v_panel_rows(cols), lanes = CK_LANES * sizeof(float);
  const size_t many = CK_PANEL_TOKENS * rows * lanes + 2 * rows * ck_round_up(cols, CK_BLOCK);
  const size_t exact = ck_lesser()->matmul_scratch_bytes(cols);
  return many > exact ? many : exact;
}

// Rows of a multiple of 4 KiB would meet in the same sets of the first-level cache; half a page between them spreads
// a chunk of eight tokens evenly.
CK_INLINE size_t v_spread(size_t row_bytes, size_t cols) {
  return cols < CK_CHUNK ? row_bytes : row_bytes + (4096 + 2048 - row_bytes % 4096) % 4096;
}
