/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pb.h"

#include "base/enc.h"

static void *take(void *arena, size_t n)
{
    return vs_alloc(arena, n);
}

static void leave(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

static vs_code check_message(const ProtobufCMessage *m, vs_error *err);

static vs_code check_string(const ProtobufCFieldDescriptor *f, const char *text, vs_error *err)
{
    return !text || vs_utf8_ok(vs_str(text))
               ? VS_OK
               : vs_fail(err, VS_E_PARSE, "field \"%s\" is not UTF-8", f->name);
}

static vs_code check_value(const ProtobufCFieldDescriptor *f, const void *value, vs_error *err)
{
    if (f->type == PROTOBUF_C_TYPE_STRING)
        return check_string(f, *(char *const *)value, err);
    const ProtobufCMessage *m = *(ProtobufCMessage *const *)value;
    return m ? check_message(m, err) : VS_OK;
}

/* The depth is that of the types, which do not contain themselves. */
static vs_code check_field(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                           vs_error *err)
{
    const uint8_t *base = (const uint8_t *)m;
    if (f->type != PROTOBUF_C_TYPE_STRING && f->type != PROTOBUF_C_TYPE_MESSAGE)
        return VS_OK;
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t n = *(const size_t *)(const void *)(base + f->quantifier_offset);
        void *const *values = *(void *const *const *)(const void *)(base + f->offset);
        for (size_t i = 0; i < n; i++)
            VS_TRY(check_value(f, &values[i], err));
        return VS_OK;
    }
    bool oneof = f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
    if (oneof && *(const uint32_t *)(const void *)(base + f->quantifier_offset) != f->id)
        return VS_OK; /* another member is set */
    return check_value(f, base + f->offset, err);
}

static vs_code check_message(const ProtobufCMessage *m, vs_error *err)
{
    for (unsigned i = 0; i < m->descriptor->n_fields; i++)
        VS_TRY(check_field(m, &m->descriptor->fields[i], err));
    return VS_OK;
}

vs_code vs_pb_unpack(vs_arena *a, const ProtobufCMessageDescriptor *type, vs_span in,
                     ProtobufCMessage **out, vs_error *err)
{
    ProtobufCAllocator on_arena = {take, leave, a};
    ProtobufCMessage *m = protobuf_c_message_unpack(type, &on_arena, in.n, in.p);
    VS_TRY(vs_arena_check(a, err));
    if (!m)
        return vs_fail(err, VS_E_PARSE, "not a message %s", type->name);
    *out = m;
    return check_message(m, err);
}

void vs_pb_pack(vs_buf *out, const ProtobufCMessage *m)
{
    size_t n = protobuf_c_message_get_packed_size(m);
    uint8_t *at = vs_buf_reserve(out, n);
    if (at)
        (void)protobuf_c_message_pack(m, at);
}
