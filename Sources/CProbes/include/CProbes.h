// What this machine can do at best: read memory, multiply and add. The bench holds everything else against it.
// Nothing here is used by a model. No function allocates or does I/O.
#ifndef CPROBES_H
#define CPROBES_H

#include <stddef.h>
#include <stdint.h>

// Reads `bytes` of memory, `streams` (1, 2, 4, 8 or 16) runs of `run` bytes side by side, so that several lines are on
// their way at once; run 0: as long as the memory allows. Whole cache lines; what is left over at the end is read too.
// Returns a digest, so that no read can be left out.
uint64_t cp_read(const void *data, size_t bytes, size_t streams, size_t run);

typedef enum {
  CP_FMA = 0,         // fused multiply-add with the vectors that every machine of this kind has
  CP_FMA_AVX2 = 1,    // of 8 floats
  CP_FMA_AVX512 = 2,  // of 16 floats
  CP_DOT_BF16 = 3,    // VDPBF16PS: pairs of bfloat16 into 16 floats
  CP_FMA_FP16 = 4,    // VFMADDPH: of 32 half-precision numbers
  CP_TILE_BF16 = 5,   // TDPBF16PS: tiles of bfloat16 into 16 by 16 floats; the process must have asked for tiles
} cp_arithmetic;

// Multiplies and adds numbers that never leave the registers, `rounds` times.
// The machine must have the instructions.
float cp_multiply(cp_arithmetic kind, size_t rounds);
// Additions and multiplications of one round.
size_t cp_multiply_operations(cp_arithmetic kind);
const char *cp_arithmetic_name(cp_arithmetic kind);

#endif
