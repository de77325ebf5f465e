// The arithmetic of a forward pass: one table of function pointers an instruction set.
//
// scalar.c is the specification. Every other file is an optimisation of it and is tested against it.
// No function allocates, does I/O, or checks its arguments: the caller (Numerics/Kernels.swift) does.
//
// Order of accumulation. Each dot product along K has 16 lanes, visited in one order that depends on K,
// the weight's type, its blocks of scales and the instruction set, and on nothing else: not on m, not on the row range, not
// on the number of threads. The lanes are reduced in one fixed tree: lanes (i, i+8), (i, i+4), (i, i+2), (i, i+1).
// In half precision (avx512fp16) there are 32 for each 1,024 elements.
// So a row of logits has the same bits alone, in a batch, or in a prompt cut anywhere.
// scalar, neon, avx2 and avx512 give the same bits as one another in everything. avx512bf16 and amx differ from them and
// from each other in `matmul` with CK_BF16 and CK_E4M3 weights and in `attend` over CK_BF16 and CK_E4M3 pages, avx512fp16
// in those of CK_E4M3, within stated bounds.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
  CK_ISA_SCALAR = 0,
  CK_ISA_NEON = 1,
  CK_ISA_AVX2 = 2,         // AVX2, FMA, F16C
  CK_ISA_AVX512 = 3,       // F, BW, VL, DQ
  CK_ISA_AVX512_BF16 = 4,  // the former with VBMI and BF16
  CK_ISA_AVX512_FP16 = 5,  // AVX512 with FP16 and GFNI
  CK_ISA_AMX = 6,          // AVX512_BF16 with AMX-TILE and AMX-BF16
} ck_isa;

typedef enum { CK_F32 = 0, CK_F16 = 1, CK_BF16 = 2, CK_E4M3 = 3 } ck_dtype;

// A weight matrix W, row-major [rows, cols], as it lies in the checkpoint; never repacked.
// The value of an element is data[r][c] * scales[r / block_rows][c / block_cols]. `scales` is row-major
// [ceil(rows / block_rows), ceil(cols / block_cols)], or NULL where the type needs none.
// One scale a channel: block_rows = 1, block_cols = cols. One a tensor: block_rows = rows, block_cols = cols.
// If block_cols < cols it is a multiple of 64.
typedef struct {
  const void *data;
  const float *scales;
  size_t rows, cols;
  size_t block_rows, block_cols;
  ck_dtype dtype;
} ck_weights;

// Keys and values of `CK_PAGE_POSITIONS` consecutive positions in one layer, all key-value heads:
//   for each head: K as [head_dim / 2][CK_PAGE_POSITIONS][2] elements (two neighbouring dimensions of one
//   position side by side), then V as [CK_PAGE_POSITIONS / 2][head_dim][2] (two neighbouring positions of one
//   dimension side by side); after all heads, for CK_E4M3 only, float scales [kv_heads][2][CK_PAGE_POSITIONS]
//   (K's, then V's: absmax / 448 of that position's head vector; 1 where it is all zero, NaN where it holds a NaN or
//   an infinity).
// head_dim is even. dtype is CK_F32, CK_BF16 or CK_E4M3.
enum { CK_PAGE_POSITIONS = 32 };
typedef struct {
  size_t kv_heads, head_dim;
  ck_dtype dtype;
} ck_kv_layout;

typedef struct ck_table {
  ck_isa isa;
  const char *name;  // "scalar", "neon", "avx2", "avx512", "avx512bf16", "avx512fp16", "amx"

  // --- products with weights -------------------------------------------------------------------------------

  // Bytes of one packed activation row of `cols` values for weights of `dtype`; a multiple of 64.
  size_t (*packed_row_bytes)(size_t cols, ck_dtype dtype);

  // Rounds rows begin..<end of the m rows of activations to bfloat16 (nearest even; avx512fp16: for CK_E4M3 to half precision
  // with a power of two for each row) into the form that `matmul` reads for m rows and weights of `dtype` (CK_BF16 or
  // CK_E4M3), padded with zeros. in: [m, in_stride] floats, of which `cols` count. x: 64-byte aligned, m * x_stride bytes,
  // x_stride at least packed_row_bytes; a table may interleave rows 16 * i to 16 * i + 15 in the memory of these. For CK_F32
  // and CK_F16 weights the values stay float32.
  void (*pack)(void *x, size_t x_stride, size_t m, const float *in, size_t in_stride, size_t begin, size_t end,
               size_t cols, ck_dtype dtype);

  // out[i][r] = W[r, :] . x[i, :] for i in 0..<m, r in row_begin..<row_end; out is [m, out_stride] floats and
  // indexed by r itself, not by r - row_begin. x: m rows as `pack` left them.
  // scratch: matmul_scratch_bytes(cols), 64-byte aligned, one a thread.
  void (*matmul)(float *out, size_t out_stride, const ck_weights *w, size_t row_begin, size_t row_end,
                 const void *x, size_t x_stride, size_t m, void *scratch);
  size_t (*matmul_scratch_bytes)(size_t cols);

  // The same with float32 activations that are not rounded: x is [m, x_stride] floats. Any dtype.
  void (*matmul_f32)(float *out, size_t out_stride, const ck_weights *w, size_t row_begin, size_t row_end,
                     const float *x, size_t x_stride, size_t m);

  // One row of W as float32, scales applied: an embedding look-up. out: [cols].
  void (*dequantize_row)(float *out, const ck_weights *w, size_t row);

  // --- the rest of a layer ---------------------------------------------------------------------------------

  // out[i] = in[i] / sqrt(mean(in^2) + eps) * weight[i]. RMSNorm (Zhang & Sennrich 2019). out may equal in.
  void (*rms_norm)(float *out, const float *in, const float *weight, size_t n, float eps);

  // Rotates `heads` vectors of head_dim in place, pairing i with i + head_dim/2 as Hugging Face does.
  // cosine, sine: [head_dim / 2] of this position.
  void (*rope)(float *x, size_t heads, size_t head_dim, const float *cosine, const float *sine);

  // out[i] = gate[i] * sigmoid(gate[i]) * up[i]. out may equal gate or up.
  void (*swiglu)(float *out, const float *gate, const float *up, size_t n);

  // out[i] += in[i].
  void (*add)(float *out, const float *in, size_t n);

  // Writes the key and value of one position into slot 0..<CK_PAGE_POSITIONS of a page.
  // key, value: [kv_heads, head_dim] (key after RoPE), rounded to the layout's type.
  void (*kv_store)(const ck_kv_layout *layout, void *page, size_t slot, const float *key, const float *value);

  // Causal attention of `queries` consecutive positions, first_position, first_position + 1, ..., for `kv_heads` >= 1
  // key-value heads from kv_head on and their query heads, `group` each. Query i sees positions 0...first_position + i.
  //   q, out: row i at q + i * stride floats, [heads, head_dim]; only these heads are read and written.
  //   pages[p] + page_offset: the page of positions p * CK_PAGE_POSITIONS ... of this layer.
  // Softmax runs page by page with a running maximum (Milakov & Gimelshein 2018), page borders being absolute
  // positions, so a row does not depend on how many queries and heads came with it.
  // scratch: attend_scratch_bytes, 64-byte aligned, one a thread.
  void (*attend)(float *out, const float *q, size_t stride, size_t queries, size_t first_position,
                 const ck_kv_layout *layout, const void *const *pages, size_t page_offset, size_t kv_head,
                 size_t kv_heads, size_t group, float scale, void *scratch);
  size_t (*attend_scratch_bytes)(const ck_kv_layout *layout, size_t group);
  // What attend's softmax is taken of, for looking at: out[p] = (q . key of position p) * scale, p in 0..<visible.
  // q: one head's, [head_dim]. In float32 on every table, while attend may round its queries.
  void (*attention_scores)(float *out, const float *q, size_t visible, const ck_kv_layout *layout,
                           const void *const *pages, size_t page_offset, size_t kv_head, float scale);

  // --- over logits -----------------------------------------------------------------------------------------
  // NaN never wins a maximum. n >= 1 unless said otherwise.

  // Index of the largest value, the lowest index among equals; its value in *value. 0 and -inf where all are NaN.
  size_t (*argmax)(const float *x, size_t n, float *value);
  // The largest value, and how many lie above -inf in *open. NaN where one is NaN or +inf. n may be 0: -inf.
  float (*range)(const float *x, size_t n, size_t *open);
  // ln(sum(exp(x))). -inf where all are -inf.
  float (*logsumexp)(const float *x, size_t n);
  // out = exp(x * inverse_temperature - logsumexp(...)). out may equal in. All zero where all are -inf.
  void (*softmax)(float *out, const float *in, size_t n, float inverse_temperature);
  // out = x * inverse_temperature - logsumexp(...). out may equal in. All -inf where all are.
  void (*log_softmax)(float *out, const float *in, size_t n, float inverse_temperature);
  // The k largest, in falling order, equal values by rising index; NaN and -inf are left out.
  // Returns how many were written, at most k. ids, values: [k].
  size_t (*topk)(int32_t *ids, float *values, const float *x, size_t n, size_t k);
  // n may be 0 in all of these.
  float (*sum)(const float *x, size_t n);
  float (*dot)(const float *x, const float *y, size_t n);
  void (*scale)(float *x, size_t n, float a);
  void (*axpy)(float *y, const float *x, size_t n, float a);  // y += a * x
  void (*mask_below)(float *x, size_t n, float threshold);    // x < threshold becomes -inf
} ck_table;

// NULL where this machine cannot run it. The scalar table always exists.
const ck_table *ck_table_for(ck_isa isa);

// The fastest table, chosen once; LACUNA_ISA=scalar|neon|avx2|avx512|avx512bf16|avx512fp16|amx names another, or, where this
// machine cannot run that one, the fastest of those before it.
const ck_table *ck_table_best(void);

// A breath while spinning on a flag that another core will set.
static inline void ck_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

size_t ck_kv_page_bytes(const ck_kv_layout *layout);  // a multiple of 64

#endif
