// Tapes: values between Lua and the host, in C's memory.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

void lb_tape_init(lb_tape *tape, lb_state *state, bool from_lua) {
  memset(tape, 0, sizeof *tape);
  tape->state = state;
  tape->from_lua = from_lua;
}

// A call for every token would make and free two tapes each time: a few small ones are kept for the next call.
enum { LB_SPARE_TAPES = 4, LB_SPARE_ITEMS = 64, LB_SPARE_BYTES = 1024 };

lb_tape *lb_tape_make(lb_state *state) {
  if (state->spare_tapes != NULL) {
    lb_tape *spare = state->spare_tapes;
    state->spare_tapes = spare->next_spare;
    state->spare_tape_count--;
    return spare;
  }
  lb_tape *tape = lb_reallocate(state, NULL, 0, sizeof *tape);
  if (tape != NULL) lb_tape_init(tape, state, false);
  return tape;
}

void lb_release_owner(lb_state *state, lb_item *item) {
  void *owner = item->owner;
  item->owner = NULL;
  if (owner != NULL) state->host.release(state->host.context, LB_TYPE_VEC, owner, false);
}

static void lb_drop_contents(lb_tape *tape) {
  lb_state *state = tape->state;
  for (size_t i = 0; i < tape->count; i++) {
    lb_item *item = &tape->items[i];
    if (item->kind == LB_FUNCTION && tape->from_lua) lb_release(state, (lb_ref)item->integer);
    if (item->kind == LB_VEC && !tape->from_lua) lb_release_owner(state, item);
    if (item->kind == LB_HANDLE && !tape->from_lua && item->pointer != NULL)
      state->host.release(state->host.context, item->type, item->pointer, false);
    if (item->kind == LB_VIEW && item->source != NULL) lb_source_drop(item->source);
  }
  tape->count = tape->byte_count = 0;
  tape->failed = tape->too_large = false;
}

void lb_tape_clear(lb_tape *tape) {
  lb_drop_contents(tape);
  tape->from_lua = false;
}

void lb_tape_release(lb_tape *tape) {
  lb_drop_contents(tape);
  lb_reallocate(tape->state, tape->items, tape->room * sizeof *tape->items, 0);
  lb_reallocate(tape->state, tape->bytes, tape->byte_room, 0);
  tape->items = NULL;
  tape->bytes = NULL;
  tape->room = tape->byte_room = 0;
}

void lb_tape_free(lb_tape *tape) {
  if (tape == NULL) return;
  lb_state *state = tape->state;
  if (state->spare_tape_count < LB_SPARE_TAPES && tape->room <= LB_SPARE_ITEMS && tape->byte_room <= LB_SPARE_BYTES) {
    lb_tape_clear(tape);
    tape->next_spare = state->spare_tapes;
    state->spare_tapes = tape;
    state->spare_tape_count++;
    return;
  }
  lb_tape_release(tape);
  lb_reallocate(tape->state, tape, sizeof *tape, 0);
}

void lb_free_spare_tapes(lb_state *state) {
  while (state->spare_tapes != NULL) {
    lb_tape *spare = state->spare_tapes;
    state->spare_tapes = spare->next_spare;
    lb_tape_release(spare);
    lb_reallocate(state, spare, sizeof *spare, 0);
  }
}

size_t lb_tape_count(const lb_tape *tape) { return tape->count; }
const lb_item *lb_tape_items(const lb_tape *tape) { return tape->items; }
const char *lb_tape_bytes(const lb_tape *tape) { return tape->bytes ? tape->bytes : ""; }

lb_ref lb_tape_take_function(lb_tape *tape, size_t item) {
  lb_ref ref = (lb_ref)tape->items[item].integer;
  tape->items[item].integer = LB_NO_REF;
  return ref;
}

// Whether so many more bytes may cross.
static bool lb_may_cross(lb_tape *tape, size_t bytes) {
  const lb_state *state = tape->state;
  if (!lb_is_sandboxed(state)) return true;
  size_t held = tape->count * sizeof(lb_item) + tape->byte_count;
  if (bytes <= state->limits.crossing && held <= state->limits.crossing - bytes) return true;
  tape->failed = tape->too_large = true;
  return false;
}

void lb_raise_tape(lua_State *L, const lb_tape *tape) {
  lb_state *state = lb_of(L);
  if (tape->too_large)
    lb_raise(L, "too_large", "more than %I bytes cannot pass between a sandboxed script and its host in one call",
             (LUAI_UACINT)state->limits.crossing);
  if (lb_is_sandboxed(state)) {
    lb_exceed(state, LB_LIMIT_MEMORY);
    lb_leave_script(state);
  }
  luaL_error(L, "not enough memory");
  abort();
}

lb_item *lb_tape_append(lb_tape *tape, lb_kind kind) {
  if (tape->failed || !lb_may_cross(tape, sizeof(lb_item))) return NULL;
  if (tape->count == tape->room) {
    size_t room = tape->room ? tape->room * 2 : 16;
    lb_item *items = room > LB_MAX_TAPE_ITEMS
                       ? NULL
                       : lb_reallocate(
                           tape->state, tape->items, tape->room * sizeof *items, room * sizeof *items);
    if (items == NULL) {
      tape->failed = true;
      return NULL;
    }
    tape->items = items;
    tape->room = room;
  }
  lb_item *item = &tape->items[tape->count++];
  memset(item, 0, sizeof *item);
  item->kind = kind;
  return item;
}

bool lb_tape_append_bytes(lb_tape *tape, const void *bytes, size_t count, size_t *offset) {
  if (tape->failed || !lb_may_cross(tape, count)) return false;
  // Numbers are kept here too: keep them aligned.
  size_t start = (tape->byte_count + 7) & ~(size_t)7;
  if (count > SIZE_MAX / 4 - start) {
    tape->failed = true;
    return false;
  }
  if (start + count > tape->byte_room) {
    size_t room = tape->byte_room ? tape->byte_room : 64;
    while (room < start + count) room *= 2;
    char *block = lb_reallocate(tape->state, tape->bytes, tape->byte_room, room);
    if (block == NULL) {
      tape->failed = true;
      return false;
    }
    tape->bytes = block;
    tape->byte_room = room;
  }
  if (count != 0) memcpy(tape->bytes + start, bytes, count);
  tape->byte_count = start + count;
  *offset = start;
  return true;
}

void lb_add_nil(lb_tape *tape) { lb_tape_append(tape, LB_NIL); }
void lb_add_null(lb_tape *tape) { lb_tape_append(tape, LB_NULL); }
void lb_add_receiver(lb_tape *tape) { lb_tape_append(tape, LB_RECEIVER); }

void lb_add_bool(lb_tape *tape, bool value) {
  lb_item *item = lb_tape_append(tape, LB_BOOL);
  if (item) item->boolean = value;
}

void lb_add_integer(lb_tape *tape, int64_t value) {
  lb_item *item = lb_tape_append(tape, LB_INTEGER);
  if (item) item->integer = value;
}

void lb_add_number(lb_tape *tape, double value) {
  lb_item *item = lb_tape_append(tape, LB_NUMBER);
  if (item) item->number = value;
}

static void lb_add_block(lb_tape *tape, lb_kind kind, const void *bytes, size_t size, size_t count) {
  size_t offset;
  if (count > SIZE_MAX / 8 || !lb_tape_append_bytes(tape, bytes, size * count, &offset)) {
    tape->failed = true;
    return;
  }
  lb_item *item = lb_tape_append(tape, kind);
  if (!item) return;
  item->offset = offset;
  item->count = count;
}

void lb_add_string(lb_tape *tape, const char *bytes, size_t count) {
  lb_add_block(tape, LB_STRING, bytes, 1, count);
}

void lb_add_integers(lb_tape *tape, const int32_t *values, size_t count) {
  lb_add_block(tape, LB_INTEGERS, values, sizeof *values, count);
}

void lb_add_floats(lb_tape *tape, const float *values, size_t count) {
  lb_add_block(tape, LB_FLOATS, values, sizeof *values, count);
}

void lb_add_vec(lb_tape *tape, const float *values, size_t count, void *owner) {
  lb_item *item = lb_tape_append(tape, LB_VEC);
  if (item == NULL) {
    tape->state->host.release(tape->state->host.context, LB_TYPE_VEC, owner, false);
    return;
  }
  item->pointer = (void *)values;
  item->count = count;
  item->owner = owner;
}

void lb_add_error(
  lb_tape *tape, const char *code, size_t code_count, const char *message, size_t message_count) {
  // Three blocks side by side would be padded: one copy, ended by a zero each.
  size_t count = code_count + message_count + 2;
  char *text = malloc(count);
  if (text == NULL) {
    tape->failed = true;
    return;
  }
  memcpy(text, code, code_count);
  text[code_count] = 0;
  memcpy(text + code_count + 1, message, message_count);
  text[count - 1] = 0;
  lb_add_block(tape, LB_ERROR, text, 1, count);
  free(text);
}

void lb_add_set(lb_tape *tape, uint32_t universe, const uint64_t *words) {
  lb_add_block(tape, LB_SET, words, sizeof *words, ((size_t)universe + 63) / 64);
  if (!tape->failed) tape->items[tape->count - 1].type = universe;
}

void lb_add_rng(lb_tape *tape, uint64_t seed, uint64_t stream, uint64_t position) {
  const uint64_t words[] = {seed, stream, position};
  lb_add_block(tape, LB_RNG, words, sizeof *words, 3);
}

void lb_add_handle(lb_tape *tape, uint32_t type, void *object) {
  lb_item *item = lb_tape_append(tape, LB_HANDLE);
  if (item == NULL) {
    tape->state->host.release(tape->state->host.context, type, object, false);
    return;
  }
  item->type = type;
  item->pointer = object;
}

void lb_add_ref(lb_tape *tape, lb_ref value) {
  lb_item *item = lb_tape_append(tape, LB_REF);
  if (item) item->integer = value;
}

void lb_begin_table(lb_tape *tape, size_t array_count, size_t field_count, bool marked_as_array) {
  lb_item *item = lb_tape_append(tape, LB_TABLE);
  if (!item) return;
  item->count = array_count;
  item->integer = (int64_t)field_count;
  item->type = marked_as_array;
}

void lb_begin_change(lb_tape *tape, lb_ref table) {
  lb_item *item = lb_tape_append(tape, LB_CHANGE);
  if (item) item->integer = table;
}

void lb_end_table(lb_tape *tape) { lb_tape_append(tape, LB_END); }

void lb_add_view(
  lb_tape *tape, float *data, size_t count, lb_source *source, bool writable, const void *anchor) {
  size_t offset;
  // The epoch as it is now: until the view is pushed a finalizer may move the source on. All of it does not fit one item.
  const lb_view_origin origin = {anchor, source->epoch ? *source->epoch : 0};
  if (!lb_tape_append_bytes(tape, &origin, sizeof origin, &offset)) return;
  lb_item *item = lb_tape_append(tape, LB_VIEW);
  if (!item) return;
  item->pointer = data;
  item->count = count;
  item->type = writable;
  item->origin_offset = offset;
  item->source = source;
  source->references++;
}

// --- sources -----------------------------------------------------------------------------------------------------

lb_source *lb_source_make(const uint64_t *epoch) {
  lb_source *source = calloc(1, sizeof *source);
  if (source == NULL) return NULL;
  source->references = 1;
  source->epoch = epoch ? epoch : &source->own;
  return source;
}

void lb_source_advance(lb_source *source) { source->own++; }

void lb_source_drop(lb_source *source) {
  if (--source->references == 0) free(source);
}

void lb_source_close(lb_source *source) {
  if (source == NULL) return;
  source->epoch = NULL;
  lb_source_drop(source);
}
