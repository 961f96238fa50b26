/* SPDX-License-Identifier: Apache-2.0 */
/* UEFI device paths as text, in the words policies know (attestation-service.md 9.3). A node that
 * is not known, or too short for what it says it is, is shown with its numbers. */
#include <stdio.h>

#include "base/enc.h"
#include "tee/cursor.h"
#include "tee/eventlog/eventlog.h"

enum { NODE_HEAD = 4, GUID_SIZE = 16, GUID_TEXT = 37 };

static const char *hex_of(vs_arena *a, vs_span bytes)
{
    return vs_sprintf(a, "%.*s", VS_FMT(vs_hex_encode_arena(a, bytes)));
}

/* Mixed endian, upper case. */
static void guid_text(vs_span g, char out[GUID_TEXT])
{
    const uint8_t *p = g.p;
    (void)snprintf(out, GUID_TEXT,
                   "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X", p[3],
                   p[2], p[1], p[0], p[5], p[4], p[7], p[6], p[8], p[9], p[10], p[11], p[12], p[13],
                   p[14], p[15]);
}

/* What a kind of node gives that is not of its form. */
static const vs_span unknown = {NULL, 0};

static vs_span pci(vs_arena *a, vs_cursor *c)
{
    unsigned function = le_u8(c), device = le_u8(c);
    return vs_str(vs_sprintf(a, "Pci(%u,%u)", function, device));
}

/* The hardware id is a compressed EISA id: three letters of five bits, and a number. */
static vs_span acpi(vs_arena *a, vs_cursor *c)
{
    uint32_t hid = le_u32(c), uid = le_u32(c);
    char letters[4] = {(char)('@' + (hid >> 10 & 31)), (char)('@' + (hid >> 5 & 31)),
                       (char)('@' + (hid & 31)), 0};
    return vs_str(vs_sprintf(a, "ACPI(%s%04X,%u)", letters, hid >> 16, uid));
}

static vs_span usb(vs_arena *a, vs_cursor *c)
{
    unsigned port = le_u8(c), interface = le_u8(c);
    return vs_str(vs_sprintf(a, "USB(%u,%u)", port, interface));
}

static vs_span mac(vs_arena *a, vs_cursor *c)
{
    static const char digits[] = "0123456789ABCDEF";
    vs_span address = vs_cursor_take(c, 32);
    unsigned type = le_u8(c);
    char text[64];
    size_t n = 0;
    for (size_t i = 0; i < address.n; i++) {
        text[n++] = digits[address.p[i] >> 4];
        text[n++] = digits[address.p[i] & 15];
    }
    while (n && text[n - 1] == '0') /* of the text: what Trustee's policies see */
        n--;
    return vs_str(vs_sprintf(a, "Mac(%.*s,0x%x)", (int)n, text, type));
}

static vs_span ipv4(vs_arena *a, vs_cursor *c)
{
    vs_span local = vs_cursor_take(c, 4), remote = vs_cursor_take(c, 4);
    (void)vs_cursor_take(c, 4); /* ports */
    unsigned protocol = le_u16(c), is_static = le_u8(c);
    if (c->code != VS_OK)
        return unknown;
    const char *end = ")";
    if (vs_cursor_left(c) >= 8) {
        uint32_t gateway = le_u32(c), mask = le_u32(c);
        end = vs_sprintf(a, ",%u,%u)", gateway, mask);
    }
    const char *transport = protocol == 6 ? "TCP" : protocol == 17 ? "UDP" : "";
    const char *origin = is_static == 0 ? "DHCP" : is_static == 1 ? "Static" : "";
    return vs_str(vs_sprintf(a, "IPv4(%u.%u.%u.%u,%s,%s,%u.%u.%u.%u%s", remote.p[0], remote.p[1],
                             remote.p[2], remote.p[3], transport, origin, local.p[0], local.p[1],
                             local.p[2], local.p[3], end));
}

static vs_span fibre_ex(vs_arena *a, vs_cursor *c)
{
    (void)le_u32(c);
    vs_span name = vs_cursor_take(c, 8), unit = vs_cursor_take(c, 8);
    return vs_str(vs_sprintf(a, "FibreEx(0x%s,0x%s)", hex_of(a, name), hex_of(a, unit)));
}

static vs_span hard_drive(vs_arena *a, vs_cursor *c)
{
    uint32_t number = le_u32(c);
    uint64_t start = le_u64(c), size = le_u64(c);
    vs_span signature = vs_cursor_take(c, GUID_SIZE);
    (void)le_u8(c); /* partition table format; the kind of signature says as much */
    unsigned kind = le_u8(c);
    if (c->code != VS_OK || kind < 1 || kind > 2)
        return unknown;
    const char *range = "";
    if (number)
        range =
            vs_sprintf(a, ",0x%llx,0x%llx", (unsigned long long)start, (unsigned long long)size);
    if (kind == 1) {
        vs_cursor s = vs_cursor_of(signature, NULL);
        return vs_str(vs_sprintf(a, "HD(%u,MBR,0x%08x%s)", number, le_u32(&s), range));
    }
    char guid[GUID_TEXT];
    guid_text(signature, guid);
    return vs_str(vs_sprintf(a, "HD(%u,GPT,%s%s)", number, guid, range));
}

static vs_span vendor_media(vs_arena *a, vs_cursor *c)
{
    char guid[GUID_TEXT];
    vs_span vendor = vs_cursor_take(c, GUID_SIZE);
    if (c->code != VS_OK)
        return unknown;
    guid_text(vendor, guid);
    return vs_str(
        vs_sprintf(a, "VenMedia(%s,%s)", guid, hex_of(a, vs_cursor_take(c, vs_cursor_left(c)))));
}

static vs_span file(vs_arena *a, vs_cursor *c)
{
    vs_span name = eventlog_utf16(a, vs_cursor_take(c, vs_cursor_left(c)));
    if (name.n && name.p[name.n - 1] == 0)
        name.n--;
    uint8_t *text = vs_alloc(a, name.n + 6); /* by hand, since there may be a NUL inside */
    if (!text)
        return unknown;
    memcpy(text, "File(", 5);
    if (name.n)
        memcpy(text + 5, name.p, name.n);
    text[name.n + 5] = ')';
    return vs_span_of(text, name.n + 6);
}

static vs_span bios_boot(vs_arena *a, vs_cursor *c)
{
    static const struct {
        uint16_t type;
        const char *name;
    } names[] = {{1, "FLOPPY"}, {2, "HARD_DRIVE"},       {3, "CDROM"},  {4, "PCMCIA"},
                 {5, "USB"},    {6, "EMBEDDED_NETWORK"}, {0x80, "DEV"}, {0xff, "UNKNOWN"}};
    uint16_t type = le_u16(c), status = le_u16(c);
    if (c->code != VS_OK)
        return unknown;
    vs_span text = vs_span_cut(vs_cursor_take(c, vs_cursor_left(c)), 0, &(vs_span){0}, NULL);
    const char *name = vs_sprintf(a, "%u", type);
    for (size_t i = 0; i < VS_COUNT(names); i++)
        if (names[i].type == type)
            name = names[i].name;
    return vs_str(vs_sprintf(a, "BBS(%s,%.*s,%u)", name, VS_FMT(eventlog_utf8(a, text)), status));
}

static const struct {
    uint8_t type, subtype;
    vs_span (*text)(vs_arena *a, vs_cursor *data);
} kinds[] = {
    {1, 0x01, pci},  {2, 0x01, acpi},      {3, 0x05, usb},        {3, 0x0b, mac},
    {3, 0x0c, ipv4}, {3, 0x15, fibre_ex},  {4, 0x01, hard_drive}, {4, 0x03, vendor_media},
    {4, 0x04, file}, {5, 0x01, bios_boot},
};

static vs_span node_text(vs_arena *a, uint8_t type, uint8_t subtype, vs_span data)
{
    for (size_t i = 0; i < VS_COUNT(kinds); i++) {
        if (kinds[i].type != type || kinds[i].subtype != subtype)
            continue;
        vs_cursor c = vs_cursor_of(data, NULL);
        vs_span text = kinds[i].text(a, &c);
        if (text.p && c.code == VS_OK)
            /* cppcheck-suppress returnDanglingLifetime ; the text is on the arena */
            return text;
    }
    return vs_str(vs_sprintf(a, "Path(%u,%u,%s)", type, subtype, hex_of(a, data)));
}

vs_code eventlog_device_paths(vs_arena *a, vs_span nodes, vs_val *out, vs_error *err)
{
    vs_vec paths = {.a = a};
    vs_cursor c = vs_cursor_of(nodes, err);
    while (vs_cursor_left(&c)) {
        uint8_t type = le_u8(&c), subtype = le_u8(&c);
        uint16_t length = le_u16(&c);
        VS_TRY_WRAP(c.code, err, "device path");
        if (length < NODE_HEAD)
            return vs_fail(err, VS_E_INVALID, "device path node of %u bytes", length);
        vs_span data = vs_cursor_take(&c, length - (uint64_t)NODE_HEAD);
        VS_TRY_WRAP(c.code, err, "device path");
        vs_vec_add(&paths, vs_string(node_text(a, type, subtype, data)));
    }
    *out = vs_vec_end_array(&paths);
    return vs_arena_check(a, err);
}
