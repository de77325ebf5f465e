// The shared kernels on NEON, which every AArch64 has: bit for bit the scalar ones.
#if defined(__aarch64__)
#pragma STDC FP_CONTRACT OFF
#include <arm_neon.h>

#include "contract.h"
#include "fill.h"
#include "shared_names.h"

#include "lanes_neon.h"

#include "shared_layer.h"
#include "shared_logits.h"
#include "shared_matmul.h"
#include "shared_panel.h"
#include "shared_attention.h"

void ck_fill_neon(ck_table *table) {
  ck_fill_layer_neon(table);
  ck_fill_logits_neon(table);
  ck_fill_matmul_neon(table);
  ck_fill_panel_neon(table);
  ck_fill_attention_neon(table);
}
#endif
