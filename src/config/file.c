/* SPDX-License-Identifier: Apache-2.0 */
/* From a file's name to a value, and texts that several files hold. */
#include "config/config.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/io.h"
#include "config/yaml.h"
#include "value/json.h"
#include "value/toml.h"

enum { FILE_MAX = 1024 * 1024 };

config_format config_format_of(const char *path, config_format other)
{
    static const struct {
        vs_span end;
        config_format format;
    } known[] = {{VS_LIT(".toml"), CONFIG_TOML},
                 {VS_LIT(".json"), CONFIG_JSON},
                 {VS_LIT(".yaml"), CONFIG_YAML},
                 {VS_LIT(".yml"), CONFIG_YAML}};
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if (vs_span_ends(vs_str(path), known[i].end))
            return known[i].format;
    return other;
}

static vs_code parse(config_format format, vs_span text, vs_arena *a, vs_val *out, vs_error *err)
{
    switch (format) {
    case CONFIG_JSON: return vs_json_parse(a, text, NULL, out, err);
    case CONFIG_YAML: return config_parse_yaml(text, a, out, err);
    case CONFIG_TOML: break;
    }
    return vs_toml_parse(a, text, out, err);
}

vs_code config_file_parse(const char *path, config_format other, vs_arena *a, vs_val *out,
                          vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf file = VS_BUF(FILE_MAX);
    VS_TRY(vs_read_file(path, &file, err));
    vs_span text = vs_dup(a, vs_buf_span(&file)); /* JSON strings point into it */
    VS_TRY(vs_arena_check(a, err));
    return parse(config_format_of(path, other), text, a, out, err);
}

vs_code config_table_load(const config_table *t, const char *path, config_format other, vs_arena *a,
                          void *out, vs_val *file_out, vs_error *err)
{
    vs_val v;
    VS_TRY(config_file_parse(path, other, a, &v, err));
    if (file_out)
        *file_out = v;
    config_table_fallbacks(t, out);
    return config_table_read(t, a, v, out, err);
}

/* The address in network order; its length is 0 when it is none. */
static size_t socket_address(const char *text, uint8_t addr[16])
{
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    if (n == 0 || n >= sizeof host)
        return 0;
    memcpy(host, text, n);
    host[n] = 0;
    bool v6 = host[0] == '[' && host[n - 1] == ']';
    if (v6)
        host[n - 1] = 0;
    if (inet_pton(v6 ? AF_INET6 : AF_INET, host + v6, addr) != 1)
        return 0;
    return !vs_span_is_port(vs_str(colon + 1)) ? 0 : v6 ? 16 : 4;
}

bool config_socket_ok(const char *text)
{
    uint8_t addr[16];
    return socket_address(text, addr) != 0;
}

bool config_socket_is_loopback(const char *text)
{
    static const uint8_t one[16] = {[15] = 1};
    uint8_t addr[16] = {0};
    switch (socket_address(text, addr)) {
    case 4: return addr[0] == 127;
    case 16: return memcmp(addr, one, sizeof one) == 0;
    default: return false;
    }
}
