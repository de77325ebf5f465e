// Products of several tokens: weights are expanded to float32 once for all of them.
//
// The loops, from the outside: CK_PANEL_ROWS rows of W, up to CK_PANEL_TOKENS tokens, a chunk of columns. A chunk of the
// rows is expanded into a panel, which stays in the second-level cache; groups of tokens, whose chunk stays in the
// first-level one, pass over it in tiles of CK_PANEL_TILE_ROWS rows by up to CK_PANEL_TILE_TOKENS tokens. Between chunks
// a tile's 16 lanes wait in memory, exact as they are, so each lane sees its columns in the contract's order.
//
// A tile takes one slice of the 16 lanes (a register) at a time: more rows and tokens then have their sums in registers.
#include "shared_names.h"

enum {
  CK_PANEL_LEAST = 4,        // tokens for which expanding pays
  CK_PANEL_ROWS = 96,        // a multiple of the tile's
  CK_PANEL_TILE_ROWS = 3,
  CK_PANEL_CHUNK = 512,      // columns, a multiple of 64
  CK_PANEL_GROUP = 8,        // tokens that pass together
  CK_PANEL_TOKENS = 128,     // tokens whose sums wait at the same time
  CK_SLICES = CK_LANES / CK_SLICE_LANES,
};

typedef struct {
  float *out;
  size_t out_stride;
  const ck_weights *w;
  const float *x;
  size_t x_stride;  // floats
  size_t chunk;     // columns of a panel: whole blocks of scales, or a part of the row that has one scale
  size_t block;     // columns that share a scale within a panel
  size_t blocks;    // of a row; 1: the scale is applied to the sum
  size_t rows;      // of a panel
} CK_FN(panels);

// One tile's place in the work.
typedef struct {
  size_t row, token;     // absolute
  size_t column, width;  // of the chunk; width is a multiple of 16
  bool is_first, is_last;
} CK_FN(panel_tile);

// The sums of one slice over `count` columns. panel, x: the slice's first lanes.
CK_INLINE void v_slice_sums(size_t R, size_t T, v_slice acc[CK_PANEL_TILE_ROWS][CK_PANEL_TILE_TOKENS], const float *panel,
                            size_t panel_stride, const float *x, size_t x_stride, size_t count) {
  for (size_t k = 0; k < count; k += CK_LANES) {
    v_slice row[CK_PANEL_TILE_ROWS];
    CK_UNROLL for (size_t r = 0; r < R; r++) row[r] = v_slice_load(panel + r * panel_stride + k);
    CK_UNROLL for (size_t t = 0; t < T; t++) {
      const v_slice token = v_slice_load(x + t * x_stride + k);
      CK_UNROLL for (size_t r = 0; r < R; r++) acc[r][t] = v_slice_fma(row[r], token, acc[r][t]);
    }
  }
}

// waiting: [R][T][16], the tile's sums so far.
CK_INLINE void v_panel_tile(size_t R, size_t T, const CK_FN(panels) *job, const CK_FN(panel_tile) *tile, const float *panel,
                            float *waiting) {
  const bool is_blocked = job->blocks > 1;
  const float *x = job->x + tile->token * job->x_stride + tile->column;
  CK_UNROLL for (size_t i = 0; i < R * T; i++) __builtin_prefetch(waiting + (R * T + i) * CK_LANES, 1);
  for (size_t begin = 0; begin == 0 || begin < tile->width; begin += job->block) {
    const size_t count = ck_min(job->block, tile->width - begin);
    const bool is_fresh = tile->is_first && begin == 0;
    CK_UNROLL for (size_t s = 0; s < CK_SLICES; s++) {
      float *lanes = waiting + s * CK_SLICE_LANES;
      v_slice acc[CK_PANEL_TILE_ROWS][CK_PANEL_TILE_TOKENS];
      CK_UNROLL for (size_t r = 0; r < R; r++) {
        CK_UNROLL for (size_t t = 0; t < T; t++) {
          acc[r][t] = is_fresh || is_blocked ? v_slice_set1(0) : v_slice_load(lanes + (r * T + t) * CK_LANES);
        }
      }
      v_slice_sums(R, T, acc, panel + begin + s * CK_SLICE_LANES, job->chunk, x + begin + s * CK_SLICE_LANES, job->x_stride,
                   count);
      CK_UNROLL for (size_t r = 0; r < R; r++) {
        CK_UNROLL for (size_t t = 0; t < T; t++) {
          float *to = lanes + (r * T + t) * CK_LANES;
          if (is_blocked) {
            const float factor = ck_block_factor(job->w, tile->row + r, (tile->column + begin) / job->block, job->blocks);
            acc[r][t] = v_slice_fma(acc[r][t], v_slice_set1(factor), is_fresh ? v_slice_set1(0) : v_slice_load(to));
          }
          v_slice_store(to, acc[r][t]);
        }
      }
    }
  }
  if (!tile->is_last) return;
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    const float factor = is_blocked ? 1.0f : ck_block_factor(job->w, tile->row + r, 0, 1);
    CK_UNROLL for (size_t t = 0; t < T; t++) {
      job->out[(tile->token + t) * job->out_stride + tile->row + r] =
          v_reduce_add(v_load(waiting + (r * T + t) * CK_LANES)) * factor;
    }
  }
}

// `count` <= CK_PANEL_GROUP tokens from tile.token on.
CK_INLINE void v_panel_tokens(size_t R, const CK_FN(panels) *job, CK_FN(panel_tile) tile, const float *panel,
                              float *waiting, size_t count) {
  size_t left = count;
  for (; left >= CK_PANEL_TILE_TOKENS; left -= CK_PANEL_TILE_TOKENS) {
    v_panel_tile(R, CK_PANEL_TILE_TOKENS, job, &tile, panel, waiting);
    tile.token += CK_PANEL_TILE_TOKENS;
    waiting += R * CK_PANEL_TILE_TOKENS * CK_LANES;
  }
  if (CK_PANEL_TILE_TOKENS > 4 && left & 4) {
    v_panel_tile(R, 4, job, &tile, panel, waiting);
    tile.token += 4;
    waiting += R * 4 * CK_LANES;
  }
  if (left & 2) {
    v_panel_tile(R, 2, job, &tile, panel, waiting);
    tile.token += 2;
    waiting += R * 2 * CK_LANES;
  }
  if (left & 1) v_panel_tile(R, 1, job, &tile, panel, waiting);
}

// `columns` columns of a row, filled up with zeros to a multiple of 16; a row with a NaN code has NaN in it.
// The row's next chunk is fetched from memory meanwhile.
CK_INLINE void v_expand_columns(ck_dtype dtype, float *out, const uint8_t *data, size_t columns, const uint8_t *next) {
  const size_t bytes = ck_dtype_bytes(dtype);
  v_codes seen = v_codes_none();
  v_codes_32 seen_32 = v_codes_32_none();
  size_t k = 0;
  for (; k + 64 <= columns; k += 64) {
    CK_UNROLL for (size_t line = 0; line < bytes; line++) __builtin_prefetch(next + k * bytes + 64 * line);
    CK_UNROLL for (size_t j = k; j < k + 64; j += 32) {
      f32x16 low, high;
      v_weights_32(dtype, data + j * bytes, &seen_32, &low, &high);
      v_store(out + j, low);
      v_store(out + j + CK_LANES, high);
    }
  }
  for (; k + CK_LANES <= columns; k += CK_LANES) v_store(out + k, v_weights(dtype, data + k * bytes, &seen));
  if (k < columns) v_store(out + k, v_weights_tail(dtype, data + k * bytes, columns - k, &seen));
  v_codes_32_into(&seen, seen_32);
  if (dtype == CK_E4M3 && v_codes_have_nan(seen)) out[0] = NAN;
}

// The chunk of `rows` rows from tile.row on. ahead: bytes from a row's chunk to the one that its place in the panel will
// hold next.
static void CK_FN(expand_rows)(const CK_FN(panels) *job, const CK_FN(panel_tile) *tile, float *panel, size_t rows,
                               ptrdiff_t ahead) {
  const ck_weights *w = job->w;
  const size_t bytes = ck_dtype_bytes(w->dtype), row_bytes = w->cols * bytes;
  const size_t columns = ck_min(job->chunk, w->cols - tile->column);
  for (size_t r = 0; r < rows; r++) {
    float *to = panel + r * job->chunk;
    const uint8_t *data = (const uint8_t *)w->data + (tile->row + r) * row_bytes + tile->column * bytes;
    switch (w->dtype) {
      case CK_F32: v_expand_columns(CK_F32, to, data, columns, data + ahead); break;
      case CK_F16: v_expand_columns(CK_F16, to, data, columns, data + ahead); break;
      case CK_BF16: v_expand_columns(CK_BF16, to, data, columns, data + ahead); break;
      case CK_E4M3: v_expand_columns(CK_E4M3, to, data, columns, data + ahead); break;
    }
  }
}

// Each tile's rows are expanded when the first group of tokens comes to them. If there is no other group, all tiles' rows
// take the same place, in the first-level cache.
static void CK_FN(panel_rows)(const CK_FN(panels) *job, float *panel, float *waiting, size_t row, size_t rows, size_t token,
                              size_t tokens) {
  const size_t cols = job->w->cols, bytes = ck_dtype_bytes(job->w->dtype);
  const size_t step = tokens > CK_PANEL_GROUP ? job->chunk : 0;
  for (size_t column = 0; column == 0 || column < cols; column += job->chunk) {
    const size_t columns = ck_min(job->chunk, cols - column);
    // After the last chunk comes the first one of the next rows.
    const bool is_last = column + columns == cols;
    const ptrdiff_t ahead = is_last ? (ptrdiff_t)((rows * cols - column) * bytes) : (ptrdiff_t)(columns * bytes);
    CK_FN(panel_tile) tile = {row, token, column, ck_round_up(columns, CK_LANES), column == 0, is_last};
    float *lanes = waiting;
    for (size_t done = 0; done < tokens; done += CK_PANEL_GROUP) {
      const size_t count = ck_min(CK_PANEL_GROUP, tokens - done);
      tile.token = token + done;
      for (size_t r = 0; r < rows;) {
        const size_t height = r + CK_PANEL_TILE_ROWS <= rows ? CK_PANEL_TILE_ROWS : 1;
        tile.row = row + r;
        if (done == 0) CK_FN(expand_rows)(job, &tile, panel + r * step, height, ahead);
        if (height == CK_PANEL_TILE_ROWS) {
          v_panel_tokens(CK_PANEL_TILE_ROWS, job, tile, panel + r * step, lanes, count);
        } else {
          v_panel_tokens(1, job, tile, panel + r * step, lanes, count);
        }
        lanes += height * count * CK_LANES;
        r += height;
      }
    }
  }
}

// scratch: the panel, then the waiting sums [CK_PANEL_TOKENS][CK_PANEL_ROWS][16]
static size_t CK_FN(panel_scratch_bytes)(size_t cols) {
  const size_t chunk = cols < CK_PANEL_CHUNK ? CK_PANEL_CHUNK : cols;
  const size_t most = CK_PANEL_TILE_ROWS * chunk > CK_PANEL_ROWS * CK_PANEL_CHUNK ? CK_PANEL_TILE_ROWS * chunk
                                                                                 : CK_PANEL_ROWS * CK_PANEL_CHUNK;
  return (ck_round_up(most, CK_LANES) + CK_PANEL_TOKENS * CK_PANEL_ROWS * CK_LANES) * sizeof(float);
}

static void CK_FN(matmul_panels)(float *out, size_t out_stride, const ck_weights *w, size_t row_begin, size_t row_end,
                                 const void *x, size_t x_stride, size_t m, void *scratch) {
  const size_t block_cols = ck_block_columns(w);
  const bool is_blocked = block_cols < w->cols;
  CK_FN(panels) job = {out, out_stride, w, x, x_stride / sizeof(float), CK_PANEL_CHUNK, CK_PANEL_CHUNK, 1, CK_PANEL_ROWS};
  if (is_blocked) {
    job.block = block_cols;
    job.blocks = (w->cols + block_cols - 1) / block_cols;
    job.chunk = block_cols < CK_PANEL_CHUNK ? CK_PANEL_CHUNK / block_cols * block_cols : block_cols;
    const size_t rows = CK_PANEL_ROWS * CK_PANEL_CHUNK / job.chunk / CK_PANEL_TILE_ROWS * CK_PANEL_TILE_ROWS;
    job.rows = rows == 0 ? CK_PANEL_TILE_ROWS : ck_min(rows, CK_PANEL_ROWS);
  }
  float *panel = scratch, *waiting = panel + job.rows * job.chunk;
  for (size_t row = row_begin; row < row_end; row += job.rows) {
    for (size_t token = 0; token < m; token += CK_PANEL_TOKENS) {
      CK_FN(panel_rows)(&job, panel, waiting, row, ck_min(job.rows, row_end - row), token, ck_min(CK_PANEL_TOKENS, m - token));
    }
  }
}

static void CK_FN(matmul_lanes)(float *out, size_t out_stride, const ck_weights *w, size_t row_begin, size_t row_end,
                                const void *x, size_t x_stride, size_t m, void *scratch) {
  if (m < CK_PANEL_LEAST) {
    CK_FN(matmul)(out, out_stride, w, row_begin, row_end, x, x_stride, m, scratch);
  } else {
    CK_FN(matmul_panels)(out, out_stride, w, row_begin, row_end, x, x_stride, m, scratch);
  }
}

static inline void CK_FN(fill_panel)(ck_table *table) {
  table->matmul = CK_FN(matmul_lanes);
  table->matmul_scratch_bytes = CK_FN(panel_scratch_bytes);
}
