// Which table this machine runs.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "contract.h"
#include "fill.h"

enum { CK_ISA_COUNT = CK_ISA_AMX + 1 };

static const char *const ck_names[CK_ISA_COUNT] = {"scalar", "neon", "avx2", "avx512", "avx512bf16",
                                                    "avx512fp16", "amx"};

static ck_table ck_tables[CK_ISA_COUNT];
static const ck_table *ck_best;
static pthread_once_t ck_once = PTHREAD_ONCE_INIT;

#if defined(__x86_64__)
// Whether there are tiles, and the system saves them for this process: Linux does for those that ask.
static int ck_tiles_granted(void) {
  if (!__builtin_cpu_supports("amx-tile") || !__builtin_cpu_supports("amx-bf16") ||
      !__builtin_cpu_supports("gfni")) {
    return 0;
  }
#if defined(__linux__)
  enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
  return 0;
#endif
}
#endif

// __builtin_cpu_supports also asks whether the operating system saves the registers.
static int ck_supported(ck_isa isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  const int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                     __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  const int bf16 = avx512 && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bf16");
  switch (isa) {
    case CK_ISA_SCALAR: return 1;
    case CK_ISA_NEON: return 0;
    case CK_ISA_AVX2: return avx2;
    case CK_ISA_AVX512: return avx512;
    case CK_ISA_AVX512_BF16: return bf16;
    case CK_ISA_AVX512_FP16: return avx512 && __builtin_cpu_supports("avx512fp16") && __builtin_cpu_supports("gfni");
    case CK_ISA_AMX: return bf16 && ck_tiles_granted();
  }
  return 0;
#elif defined(__aarch64__)
  return isa == CK_ISA_SCALAR || isa == CK_ISA_NEON;
#else
  return isa == CK_ISA_SCALAR;
#endif
}

// Whether a supported table is faster than the ones before it. VDPBF16PS is four times as slow as FMA on Intel's processors,
// which have tiles for bfloat16; on others it is the fastest there is, or as fast as half precision, whose sums have to be widened.
static int ck_is_faster(ck_isa isa) {
#if defined(__x86_64__)
  if (isa == CK_ISA_AVX512_BF16) return !__builtin_cpu_is("intel");
  if (isa == CK_ISA_AVX512_FP16) return !!__builtin_cpu_is("intel");
#endif
  (void)isa;
  return 1;
}

static void ck_fill(ck_table *table, ck_isa isa) {
  ck_fill_scalar(table);
#if defined(__aarch64__)
  if (isa == CK_ISA_NEON) ck_fill_neon(table);
#endif
#if defined(__x86_64__)
  if (isa >= CK_ISA_AVX2) ck_fill_avx2(table, !__builtin_cpu_is("amd"));
  if (isa >= CK_ISA_AVX512) ck_fill_avx512(table);
  if (isa == CK_ISA_AVX512_FP16) {
    ck_fill_avx512fp16(table);
    ck_fill_avx512fp16_attention(table);
  }
  if (isa == CK_ISA_AVX512_BF16 || isa == CK_ISA_AMX) {
    ck_fill_avx512bf16(table);
    ck_fill_avx512bf16_attention(table);
  }
  if (isa == CK_ISA_AMX) {
    ck_fill_amx(table);
    ck_fill_amx_attention(table);
  }
#endif
  table->isa = isa;
  table->name = ck_names[isa];
}

static void ck_initialise(void) {
  ck_isa highest = CK_ISA_AMX;
  const char *wanted = getenv("LACUNA_ISA");
  for (int isa = 0; wanted && isa < CK_ISA_COUNT; isa++) {
    if (strcmp(wanted, ck_names[isa]) == 0) highest = (ck_isa)isa;
  }
  for (int isa = 0; isa < CK_ISA_COUNT; isa++) {
    if (!ck_supported((ck_isa)isa)) continue;
    ck_fill(&ck_tables[isa], (ck_isa)isa);
    const int is_wanted = wanted && isa == (int)highest;
    if (is_wanted || (isa <= (int)highest && ck_is_faster((ck_isa)isa))) ck_best = &ck_tables[isa];
  }
}

const ck_table *ck_table_for(ck_isa isa) {
  pthread_once(&ck_once, ck_initialise);
  return (int)isa >= 0 && isa < CK_ISA_COUNT && ck_tables[isa].name ? &ck_tables[isa] : NULL;
}

const ck_table *ck_table_best(void) {
  pthread_once(&ck_once, ck_initialise);
  return ck_best;
}

size_t ck_kv_page_bytes(const ck_kv_layout *layout) {
  const size_t scales = layout->dtype == CK_E4M3 ? 2 * CK_PAGE_POSITIONS * sizeof(float) : 0;
  return ck_round_up(layout->kv_heads * (2 * ck_page_part_bytes(layout) + scales), 64);
}
