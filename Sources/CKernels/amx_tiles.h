// Intel AMX's tiles: eight registers of 16 rows by 64 bytes, and TDPBF16PS, which adds the product of two of them to a third.
//
// sums[i][j] += sum over k of left[i][2k] * right[k][2j] + left[i][2k + 1] * right[k][2j + 1], in float32: the even and the odd
// products of the 16 k each in their order, those two sums together, then to what was there. A sum has the same bits whatever
// its row or column is and however many there are. Subnormal numbers count as zero.
#include "contract.h"

enum {
  CK_TILE = 16,          // rows of a tile; columns of sums
  CK_TILE_DEPTH = 32,    // elements of bfloat16 that a row of `left` holds
  CK_TILE_BYTES = 1024,
};

// Register numbers must be constants. Sums of row tile r and column tile c are in T_SUMS + 2 * r + c.
enum { T_SUMS = 0, T_LEFT = 4, T_RIGHT = 6 };

// What LDTILECFG reads.
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} ck_tile_shapes;

// Row tiles of `above` and `below` rows, column tiles of `first` and `second` columns. All tiles become zero.
CK_INLINE void t_configure(size_t above, size_t below, size_t first, size_t second) {
  ck_tile_shapes shapes = {.palette = 1};
  for (size_t i = 0; i < 2; i++) {
    const size_t rows = i ? below : above, columns = i ? second : first;
    shapes.rows[T_LEFT + i] = shapes.rows[T_SUMS + 2 * i] = shapes.rows[T_SUMS + 2 * i + 1] = (uint8_t)rows;
    shapes.row_bytes[T_RIGHT + i] = shapes.row_bytes[T_SUMS + i] = shapes.row_bytes[T_SUMS + 2 + i] = (uint16_t)(4 * columns);
    shapes.rows[T_RIGHT + i] = CK_TILE;
    shapes.row_bytes[T_LEFT + i] = 2 * CK_TILE_DEPTH;
  }
  _tile_loadconfig(&shapes);
}

CK_INLINE void t_clear_sums(void) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

// Sixteen vectors of sixteen words become their columns.
CK_INLINE void v_transpose(__m512i rows[16]) {
  __m512i pairs[16], quads[16];
  CK_UNROLL for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  // quads[4 * i + j]: in each quarter q, word 4 * q + j of rows 4 * i to 4 * i + 3.
  CK_UNROLL for (int i = 0; i < 16; i += 4) {
    quads[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    quads[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    quads[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    quads[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  CK_UNROLL for (int j = 0; j < 4; j++) {
    const __m512i even_low = _mm512_shuffle_i32x4(quads[j], quads[4 + j], 0x88);
    const __m512i odd_low = _mm512_shuffle_i32x4(quads[j], quads[4 + j], 0xDD);
    const __m512i even_high = _mm512_shuffle_i32x4(quads[8 + j], quads[12 + j], 0x88);
    const __m512i odd_high = _mm512_shuffle_i32x4(quads[8 + j], quads[12 + j], 0xDD);
    rows[j] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
    rows[8 + j] = _mm512_shuffle_i32x4(even_low, even_high, 0xDD);
    rows[4 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
    rows[12 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xDD);
  }
}
