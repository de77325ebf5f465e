// Products of several tokens: weights are expanded once for all of them.
//
// The loops, from the outside: a panel's rows of W, up to CK_PANEL_TOKENS tokens, a chunk of columns. A chunk of the
// rows is expanded into the panel, which stays in the second-level cache; groups of tokens, whose chunk stays in the
// first-level one, pass over it in tiles of CK_PANEL_TILE_ROWS rows by up to CK_PANEL_TILE_TOKENS tokens. Between chunks
// a tile's 16 lanes wait in memory, exact as they are, so each lane sees its columns in the contract's order.
//
// A tile takes one slice of the 16 lanes (a register) at a time: more rows and tokens then have their sums in registers.
// A panel holds E4M3 and half-precision weights as v_narrow, others as float32.
#include "shared_names.h"

enum {
  CK_PANEL_LEAST = 4,            // tokens for which expanding pays
  CK_PANEL_TILE_ROWS = 3,
  CK_PANEL_ROWS = 96,            // at most, a multiple of the tile's
  CK_PANEL_FEW_ROWS = 24,        // where one group is all: what is fetched is needed soon
  CK_PANEL_BYTES = 192 << 10,    // of a panel, unless a few rows take more
  CK_PANEL_TOKENS = 128,         // tokens whose sums wait at the same time
  CK_GROUP_TOKENS = 8,           // tokens that pass together; many pass a narrow panel tile by tile, in longer chunks
  CK_GROUP_FLOATS = 4096,        // of a group's chunk
  CK_EXPANDED = 32,              // columns that are expanded at a time
};

typedef struct {
  float *out;
  size_t out_stride;
  const ck_weights *w;
  const float *x;
  size_t x_stride;  // floats
  size_t chunk;     // columns of a panel: whole blocks of scales, or a part of the row that has one scale
  size_t stride;    // elements from one of a panel's rows to the next
  size_t block;     // columns that share a scale within a panel
  size_t blocks;    // of a row; 1: the scale is applied to the sum
  size_t rows;      // of a panel
  size_t group;     // tokens that pass together
} CK_FN(panels);

// One tile's place in the work.
typedef struct {
  size_t row, token;     // absolute
  size_t column, width;  // of the chunk; width is a multiple of 16
  bool is_first, is_last;
  size_t first;          // token of those that pass over the chunk
  const uint8_t *next;   // what the first row's place in the panel will hold next
  size_t lines;          // of 64 bytes that each token fetches of it
} CK_FN(panel_tile);

// Whether a panel holds such weights as v_narrow.
CK_INLINE bool v_is_narrow(ck_dtype dtype) { return dtype == CK_E4M3 || dtype == CK_F16; }
CK_INLINE size_t v_panel_bytes(bool is_narrow) { return is_narrow ? sizeof(v_narrow) : sizeof(float); }

// The sums of one slice over `count` columns. panel, x: the slice's first lanes.
CK_INLINE void v_slice_sums(bool is_narrow, size_t R, size_t T, v_slice acc[CK_PANEL_TILE_ROWS][CK_PANEL_TILE_TOKENS],
                            const uint8_t *panel, size_t panel_stride, const float *x, size_t x_stride, size_t count) {
  const size_t bytes = v_panel_bytes(is_narrow);
  for (size_t k = 0; k < count; k += CK_LANES) {
    v_slice row[CK_PANEL_TILE_ROWS];
    CK_UNROLL for (size_t r = 0; r < R; r++) {
      const uint8_t *from = panel + (r * panel_stride + k) * bytes;
      row[r] = is_narrow ? v_narrow_load((const void *)from) : v_slice_load((const void *)from);
    }
    CK_UNROLL for (size_t t = 0; t < T; t++) {
      const v_slice token = v_slice_load(x + t * x_stride + k);
      CK_UNROLL for (size_t r = 0; r < R; r++) acc[r][t] = v_slice_fma(row[r], token, acc[r][t]);
    }
  }
}

// One tile's sums of the chunk, where a row has one scale. waiting: [R][T][16], the sums so far.
CK_INLINE void v_tile_chunk(bool is_narrow, size_t R, size_t T, const CK_FN(panels) *job, const CK_FN(panel_tile) *tile,
                            const uint8_t *panel, const float *x, float *waiting) {
  CK_UNROLL for (size_t s = 0; s < CK_LANES; s += CK_SLICE_LANES) {
    v_slice acc[CK_PANEL_TILE_ROWS][CK_PANEL_TILE_TOKENS];
    CK_UNROLL for (size_t i = 0; i < R * T; i++) {
      acc[i / T][i % T] = tile->is_first ? v_slice_set1(0) : v_slice_load(waiting + i * CK_LANES + s);
    }
    v_slice_sums(is_narrow, R, T, acc, panel + s * v_panel_bytes(is_narrow), job->stride, x + s, job->x_stride, tile->width);
    CK_UNROLL for (size_t i = 0; i < R * T; i++) v_slice_store(waiting + i * CK_LANES + s, acc[i / T][i % T]);
  }
}

// The same where each block of the chunk has its own.
CK_INLINE void v_tile_blocks(bool is_narrow, size_t R, size_t T, const CK_FN(panels) *job, const CK_FN(panel_tile) *tile,
                             const uint8_t *panel, const float *x, float *waiting) {
  for (size_t begin = 0; begin < tile->width; begin += job->block) {
    const size_t count = ck_min(job->block, tile->width - begin);
    const bool is_fresh = tile->is_first && begin == 0;
    CK_UNROLL for (size_t s = 0; s < CK_LANES; s += CK_SLICE_LANES) {
      v_slice acc[CK_PANEL_TILE_ROWS][CK_PANEL_TILE_TOKENS];
      CK_UNROLL for (size_t i = 0; i < R * T; i++) acc[i / T][i % T] = v_slice_set1(0);
      v_slice_sums(is_narrow, R, T, acc, panel + (begin + s) * v_panel_bytes(is_narrow), job->stride, x + begin + s,
                   job->x_stride, count);
      CK_UNROLL for (size_t i = 0; i < R * T; i++) {
        float *to = waiting + i * CK_LANES + s;
        const float factor = ck_block_factor(job->w, tile->row + i / T, (tile->column + begin) / job->block, job->blocks);
        v_slice_store(to, v_slice_fma(acc[i / T][i % T], v_slice_set1(factor), is_fresh ? v_slice_set1(0) : v_slice_load(to)));
      }
    }
  }
}

// The tile's part of what the panel will hold next. Fetched in small parts between products, which need nothing from
// memory: fetches in a row would make the loads after them wait.
CK_INLINE void v_fetch_next(size_t R, size_t T, const CK_FN(panels) *job, const CK_FN(panel_tile) *tile) {
  const size_t bytes = ck_dtype_bytes(job->w->dtype), row_bytes = job->w->cols * bytes;
  const size_t passed = tile->token - tile->first;
  const size_t end = ck_min((passed + T) * tile->lines * 64, tile->width * bytes);
  for (size_t at = passed * tile->lines * 64; at < end; at += 64) {
    CK_UNROLL for (size_t r = 0; r < R; r++) __builtin_prefetch(tile->next + r * row_bytes + at);
  }
}

CK_INLINE void v_panel_tile(bool is_narrow, size_t R, size_t T, const CK_FN(panels) *job, const CK_FN(panel_tile) *tile,
                            const uint8_t *panel, float *waiting) {
  const bool is_blocked = job->blocks > 1;
  const float *x = job->x + tile->token * job->x_stride + tile->column;
  CK_UNROLL for (size_t i = 0; i < R * T; i++) __builtin_prefetch(waiting + (R * T + i) * CK_LANES, 1);
  v_fetch_next(R, T, job, tile);
  if (is_blocked) {
    v_tile_blocks(is_narrow, R, T, job, tile, panel, x, waiting);
  } else {
    v_tile_chunk(is_narrow, R, T, job, tile, panel, x, waiting);
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

// `count` tokens from tile.token on.
CK_INLINE void v_panel_tokens(bool is_narrow, size_t R, const CK_FN(panels) *job, CK_FN(panel_tile) tile,
                              const uint8_t *panel, float *waiting, size_t count) {
  size_t left = count;
  for (; left >= CK_PANEL_TILE_TOKENS; left -= CK_PANEL_TILE_TOKENS) {
    v_panel_tile(is_narrow, R, CK_PANEL_TILE_TOKENS, job, &tile, panel, waiting);
    tile.token += CK_PANEL_TILE_TOKENS;
    waiting += R * CK_PANEL_TILE_TOKENS * CK_LANES;
  }
  if (CK_PANEL_TILE_TOKENS > 4 && left & 4) {
    v_panel_tile(is_narrow, R, 4, job, &tile, panel, waiting);
    tile.token += 4;
    waiting += R * 4 * CK_LANES;
  }
  switch (left & 3) {
    case 3: v_panel_tile(is_narrow, R, 3, job, &tile, panel, waiting); break;
    case 2: v_panel_tile(is_narrow, R, 2, job, &tile, panel, waiting); break;
    case 1: v_panel_tile(is_narrow, R, 1, job, &tile, panel, waiting); break;
  }
}

CK_INLINE void v_expand_32(ck_dtype dtype, uint8_t *out, const uint8_t *data, v_codes_32 *seen) {
  f32x16 low, high;
  switch (dtype) {
    case CK_E4M3: v_narrow_e4m3((void *)out, data, seen); break;
    case CK_F16: v_narrow_f16((void *)out, data); break;
    default:
      v_weights_32(dtype, data, seen, &low, &high);
      v_store((void *)out, low);
      v_store((void *)(out + CK_LANES * sizeof(float)), high);
  }
}

// The chunk of `rows` rows from tile->row on, filled up with zeros to a multiple of CK_EXPANDED columns; a row with a NaN
// code has NaN in it.
CK_INLINE void v_expand_rows(ck_dtype dtype, const CK_FN(panels) *job, const CK_FN(panel_tile) *tile, uint8_t *panel,
                             size_t rows) {
  const size_t bytes = ck_dtype_bytes(dtype), out_bytes = v_panel_bytes(v_is_narrow(dtype));
  const size_t row_bytes = job->w->cols * bytes, columns = ck_min(job->chunk, job->w->cols - tile->column);
  const uint8_t *data = (const uint8_t *)job->w->data + tile->row * row_bytes + tile->column * bytes;
  v_codes_32 seen = v_codes_32_none();
  for (size_t r = 0; r < rows; r++) {
    const uint8_t *from = data + r * row_bytes;
    uint8_t *to = panel + r * job->stride * out_bytes;
    size_t k = 0;
    for (; k + 64 <= columns; k += 64) {
      CK_UNROLL for (size_t j = 0; j < 64; j += CK_EXPANDED) {
        v_expand_32(dtype, to + (k + j) * out_bytes, from + (k + j) * bytes, &seen);
      }
    }
    for (; k < columns; k += CK_EXPANDED) {
      CK_TAIL(tail, from + k * bytes, ck_min(CK_EXPANDED, columns - k) * bytes);
      v_expand_32(dtype, to + k * out_bytes, tail, &seen);
    }
  }
  v_codes all = v_codes_none();
  v_codes_32_into(&all, seen);
  if (dtype != CK_E4M3 || !v_codes_have_nan(all)) return;
  for (size_t r = 0; r < rows; r++) {
    if (CK_FN(row_has_nan)(data + r * row_bytes, columns)) *(v_narrow *)(void *)(panel + r * job->stride * out_bytes) = CK_NARROW_NAN;
  }
}

static void CK_FN(expand_rows)(const CK_FN(panels) *job, const CK_FN(panel_tile) *tile, uint8_t *panel, size_t rows) {
  switch (job->w->dtype) {
    case CK_F32: v_expand_rows(CK_F32, job, tile, panel, rows); break;
    case CK_F16: v_expand_rows(CK_F16, job, tile, panel, rows); break;
    case CK_BF16: v_expand_rows(CK_BF16, job, tile, panel, rows); break;
    case CK_E4M3: v_expand_rows(CK_E4M3, job, tile, panel, rows); break;
  }
}

// Each tile's rows are expanded when the first group of tokens comes to them. If there is no other group, all tiles' rows
// take the same place, in the first-level cache.
CK_INLINE void v_panel_rows(bool is_narrow, const CK_FN(panels) *job, uint8_t *panel, float *waiting, size_t row,
                            size_t rows, size_t token, size_t tokens) {
  const size_t cols = job->w->cols, bytes = ck_dtype_bytes(job->w->dtype);
  const size_t step = tokens > job->group ? job->stride * v_panel_bytes(is_narrow) : 0;
  for (size_t column = 0; column == 0 || column < cols; column += job->chunk) {
    const size_t columns = ck_min(job->chunk, cols - column);
    // After the last chunk comes the first one of the next rows.
    const bool is_last = column + columns == cols;
    const size_t ahead = is_last ? (rows * cols - column) * bytes : columns * bytes;
    CK_FN(panel_tile) tile = {row, token, column, ck_round_up(columns, CK_LANES), column == 0, is_last, token, NULL, 0};
    tile.lines = (columns * bytes + 64 * tokens - 1) / (64 * tokens);
    float *lanes = waiting;
    for (size_t done = 0; done < tokens; done += job->group) {
      const size_t count = ck_min(job->group, tokens - done);
      tile.token = token + done;
      for (size_t r = 0; r < rows;) {
        const size_t height = r + CK_PANEL_TILE_ROWS <= rows ? CK_PANEL_TILE_ROWS : 1;
        tile.row = row + r;
        tile.next = (const uint8_t *)job->w->data + (tile.row * cols + column) * bytes + ahead;
        if (done == 0) CK_FN(expand_rows)(job, &tile, panel + r * step, height);
        if (height == CK_PANEL_TILE_ROWS) {
          v_panel_tokens(is_narrow, CK_PANEL_TILE_ROWS, job, tile, panel + r * step, lanes, count);
        } else {
          v_panel_tokens(is_narrow, 1, job, tile, panel + r * step, lanes, count);
        }
        lanes += height * count * CK_LANES;
        r += height;
      }
    }
  }
}

static void CK_FN(panel_rows)(const CK_FN(panels) *job, uint8_t *panel, float *waiting, size_t row, size_t rows,
                              size_t token, size_t tokens) {
  if (sizeof(v_narrow) < sizeof(float) && v_is_narrow(job->w->dtype)) {
    v_panel_rows(true, job, panel, waiting, row, rows, token, tokens);
  } else {
    v_panel_rows(false, job, panel, waiting, row, rows, token, tokens);
  }
}

// scratch: the panel, then the waiting sums [CK_PANEL_TOKENS][CK_PANEL_ROWS][16]
static size_t CK_FN(panel_scratch_bytes)(size_t cols) {
  const size_t least = CK_PANEL_TILE_ROWS * ck_round_up(cols, CK_EXPANDED) * sizeof(float);
  return (least > CK_PANEL_BYTES ? least : CK_PANEL_BYTES) + CK_PANEL_TOKENS * CK_PANEL_ROWS * CK_LANES * sizeof(float);
}

static void CK_FN(matmul_panels)(float *out, size_t out_stride, const ck_weights *w, size_t row_begin, size_t row_end,
                                 const void *x, size_t x_stride, size_t m, void *scratch) {
  CK_FN(panels) job = {.out = out, .out_stride = out_stride, .w = w, .x = x, .x_stride = x_stride / sizeof(float), .blocks = 1};
  const bool is_narrow = v_is_narrow(w->dtype);
  job.group = is_narrow && m > CK_GROUP_TOKENS ? CK_PANEL_TILE_TOKENS : CK_GROUP_TOKENS;
  job.chunk = job.block = CK_GROUP_FLOATS / job.group;
  const size_t block_cols = ck_block_columns(w);
  if (block_cols < w->cols) {
    job.block = block_cols;
    job.blocks = (w->cols + block_cols - 1) / block_cols;
    job.chunk = block_cols < job.chunk ? job.chunk / block_cols * block_cols : block_cols;
  }
  job.stride = ck_round_up(job.chunk, CK_EXPANDED);
  const size_t row_bytes = job.stride * v_panel_bytes(is_narrow);
  const size_t most = m <= CK_GROUP_TOKENS ? CK_PANEL_FEW_ROWS : CK_PANEL_ROWS;
  const size_t rows = ck_min(CK_PANEL_BYTES / row_bytes, most) / CK_PANEL_TILE_ROWS * CK_PANEL_TILE_ROWS;
  job.rows = rows == 0 ? CK_PANEL_TILE_ROWS : rows;
  uint8_t *panel = scratch;
  float *waiting = (float *)(void *)(panel + job.rows * row_bytes);
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
