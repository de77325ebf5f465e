// The specification: the shared kernels over plain arrays, and what needs no vectors anywhere.
#pragma STDC FP_CONTRACT OFF
#include "fill.h"
#include "lanes_scalar.h"

#include "shared_layer.h"
#include "shared_logits.h"
#include "shared_matmul.h"
#include "shared_attention.h"

static void ck_dequantize_row_scalar(float *out, const ck_weights *w, size_t row) {
  const size_t cols = w->cols, block_cols = ck_block_columns(w), bytes = ck_dtype_bytes(w->dtype);
  const size_t blocks = cols ? (cols + block_cols - 1) / block_cols : 0;
  const uint8_t *data = (const uint8_t *)w->data + row * cols * bytes;
  for (size_t block = 0; block < blocks; block++) {
    const float scale = w->scales ? w->scales[row / w->block_rows * blocks + block] : 1.0f;
    const size_t begin = block * block_cols, end = ck_min(cols, begin + block_cols);
    for (size_t k = begin; k < end; k++) {
      float value;
      uint16_t half;
      switch (w->dtype) {
        case CK_F32: memcpy(&value, data + 4 * k, 4); break;
        case CK_F16: memcpy(&half, data + 2 * k, 2), value = ck_from_f16(half); break;
        case CK_BF16: memcpy(&half, data + 2 * k, 2), value = ck_from_bf16(half); break;
        default: value = ck_from_e4m3(data[k]); break;
      }
      out[k] = value * scale;
    }
  }
}

// absmax / 448, or 1 where that is 0, or NaN where the vector holds a NaN or an infinity, so that reading it yields NaN.
static float ck_vector_scale(const float *x, size_t n) {
  uint32_t most = 0;
  for (size_t i = 0; i < n; i++) {
    const uint32_t magnitude = ck_bits(x[i]) & 0x7FFFFFFF;
    most = magnitude > most ? magnitude : most;
  }
  if (most >= 0x7F800000) return NAN;
  const float scale = ck_float(most) / 448.0f;
  return scale > 0 ? scale : 1.0f;
}

// Elements 2i and 2i + 1 go to pair_step * i and pair_step * i + element_step.
static void ck_store_vector(ck_dtype dtype, uint8_t *to, size_t pair_step, size_t element_step, const float *x, size_t n,
                            float scale) {
  enum { BATCH = 64 };
  uint8_t codes[BATCH];
  for (size_t begin = 0; begin < n; begin += BATCH) {
    const size_t count = ck_min(BATCH, n - begin);
    if (dtype == CK_E4M3) {
      // A loop of its own, which the compiler turns into vector code.
      for (size_t j = 0; j < count; j++) codes[j] = ck_to_e4m3(x[begin + j] / scale);
    }
    for (size_t j = 0; j < count; j++) {
      const size_t d = begin + j, at = d / 2 * pair_step + d % 2 * element_step;
      if (dtype == CK_E4M3) {
        to[at] = codes[j];
      } else if (dtype == CK_BF16) {
        const uint16_t b = ck_to_bf16(x[d]);
        memcpy(to + 2 * at, &b, 2);
      } else {
        memcpy(to + 4 * at, &x[d], 4);
      }
    }
  }
}

static void ck_kv_store_scalar(const ck_kv_layout *layout, void *page, size_t slot, const float *key,
                               const float *value) {
  const size_t head_dim = layout->head_dim, bytes = ck_dtype_bytes(layout->dtype);
  for (size_t head = 0; head < layout->kv_heads; head++) {
    const float *k = key + head * head_dim, *v = value + head * head_dim;
    float key_scale = 1, value_scale = 1;
    if (layout->dtype == CK_E4M3) {
      float *scales = (float *)(uintptr_t)ck_page_scales(layout, page, head);
      key_scale = scales[slot] = ck_vector_scale(k, head_dim);
      value_scale = scales[CK_PAGE_POSITIONS + slot] = ck_vector_scale(v, head_dim);
    }
    uint8_t *keys = (uint8_t *)(uintptr_t)ck_page_keys(layout, page, head) + 2 * slot * bytes;
    uint8_t *values = (uint8_t *)(uintptr_t)ck_page_values(layout, page, head) +
                      (slot / 2 * 2 * head_dim + slot % 2) * bytes;
    ck_store_vector(layout->dtype, keys, 2 * CK_PAGE_POSITIONS, 1, k, head_dim, key_scale);
    ck_store_vector(layout->dtype, values, 4, 2, v, head_dim, value_scale);
  }
}

void ck_fill_scalar(ck_table *table) {
  ck_fill_layer_scalar(table);
  ck_fill_logits_scalar(table);
  ck_fill_matmul_scalar(table);
  ck_fill_attention_scalar(table);
  table->dequantize_row = ck_dequantize_row_scalar;
  table->kv_store = ck_kv_store_scalar;
}
