// The shared_*.h files are written once over the 16 lanes of lanes_<isa>.h and compiled for each instruction set:
// CK_FN(op) is ck_<op>_<isa>, static in the including file.
#ifndef CK_SHARED_NAMES_H
#define CK_SHARED_NAMES_H

#define CK_JOIN2(op, isa) ck_##op##_##isa
#define CK_JOIN(op, isa) CK_JOIN2(op, isa)
#define CK_FN(op) CK_JOIN(op, CK_ISA_NAME)

#define CK_UNROLL _Pragma("clang loop unroll(full)")

// A tail shorter than 16, copied so that nothing beyond it is read; the rest is zero.
#define CK_TAIL(name, p, bytes)            \
  _Alignas(64) uint8_t name[4 * 32] = {0}; \
  memcpy(name, p, bytes)

#endif
