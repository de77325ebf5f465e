// Reading memory as fast as it comes.
#include "CProbes.h"

#if defined(__x86_64__)
#define CP_WIDE __attribute__((target("avx512f")))
#define CP_HAS_WIDE __builtin_cpu_supports("avx512f")
#endif

// Bytes that a line is asked for ahead of its use. The machines at hand differ little between 512 and 4096.
enum { AHEAD = 2048, LINE = 64 };

// A cache line.
typedef uint64_t line __attribute__((vector_size(LINE), aligned(8)));

__attribute__((always_inline)) static inline uint64_t read_side_by_side(const char *data, size_t bytes, size_t streams,
                                                                        size_t run) {
  line sums[16] = {{0}};
  size_t done = 0;
  while (bytes - done >= streams * run) {
    for (size_t column = 0; column < run; column += LINE) {
#pragma clang loop unroll(full)
      for (size_t i = 0; i < streams; i++) {
        const char *at = data + done + i * run + column;
        __builtin_prefetch(at + AHEAD);
        sums[i] ^= *(const line *)at;
      }
    }
    done += streams * run;
  }
  for (; bytes - done >= LINE; done += LINE) sums[0] ^= *(const line *)(data + done);
  uint64_t digest = 0;
  for (size_t i = 0; i < 16; i++)
    for (size_t j = 0; j < 8; j++) digest ^= sums[i][j];
  return digest;
}

// One loop for each number of streams: the sums stay in registers.
#define CP_READ(name, attribute)                                                                       \
  attribute static uint64_t name(const char *data, size_t bytes, size_t streams, size_t run) {         \
    switch (streams) {                                                                                 \
      case 1: return read_side_by_side(data, bytes, 1, run);                                           \
      case 2: return read_side_by_side(data, bytes, 2, run);                                           \
      case 4: return read_side_by_side(data, bytes, 4, run);                                           \
      case 8: return read_side_by_side(data, bytes, 8, run);                                           \
      default: return read_side_by_side(data, bytes, 16, run);                                         \
    }                                                                                                  \
  }

CP_READ(read_any, )
#ifdef CP_WIDE
CP_READ(read_wide, CP_WIDE)
#endif

uint64_t cp_read(const void *data, size_t bytes, size_t streams, size_t run) {
  if (run == 0) run = bytes / streams / LINE * LINE;
  if (run < LINE) run = LINE;
#ifdef CP_WIDE
  if (CP_HAS_WIDE) return read_wide(data, bytes, streams, run);
#endif
  return read_any(data, bytes, streams, run);
}
