/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nebula-ca plugin (kbs.md 3.1): certificates for an overlay network, made by nebula-cert.
 * Every word of its command line is ours or a parameter that was checked; nothing goes through a
 * shell.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "plugins/plugins.h"
#include "plugins/run.h"

enum {
    PATH_ROOM = 512,
    OUTPUT_MAX = 64 * 1024,
    FILE_MAX = 256 * 1024,
    WORDS = 40,
    TEXT_MAX = 1024
};

typedef struct nebula {
    const kbs_nebula_config *cfg;
    char crt[PATH_ROOM], key[PATH_ROOM];
} nebula;

/* ---- command lines ------------------------------------------------------------------------------
 */

typedef struct words {
    const char *w[WORDS + 1];
    size_t n;
} words;

static void add(words *w, const char *a, const char *b)
{
    if (!b || w->n + 2 > WORDS)
        return;
    w->w[w->n++] = a;
    w->w[w->n++] = b;
}

static vs_code run(const nebula *n, words *w, const char *what, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(OUTPUT_MAX);
    w->w[w->n] = NULL;
    vs_code code = run_program(w->w, n->cfg->timeout_ms, &out, err);
    if (code != VS_OK) {
        (void)vs_wrap(err, "%s (it said: \"%.*s\")", what,
                      VS_FMT(vs_span_head(vs_span_trim(vs_buf_span(&out)), 200)));
    }
    return code;
}

static vs_code join(char out[PATH_ROOM], const char *dir, const char *name, vs_error *err)
{
    int n = snprintf(out, PATH_ROOM, "%s/%s", dir, name);
    return n > 0 && n < PATH_ROOM
               ? VS_OK
               : vs_fail(err, VS_E_LIMIT, "the path of %s has more than %d bytes", name,
                         PATH_ROOM - 1);
}

/* ---- parameters ---------------------------------------------------------------------------------
 */

/* Words for names and groups. A '-' at the start could be taken for an option. */
static bool word_ok(vs_span s)
{
    bool ok = s.n > 0 && s.n <= 253 && s.p[0] != '-' && s.p[0] != ' ';
    for (size_t i = 0; ok && i < s.n; i++) {
        uint8_t c = s.p[i], lower = c | 0x20;
        ok = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') ||
             (c && strchr("._-:@ ", (char)c));
    }
    return ok;
}

/* "10.0.0.1/24" or "fd00::1/64"; the prefix may be left out, as Trustee allows. */
static bool network_ok(vs_span s)
{
    char text[64];
    uint8_t address[16];
    bool has_prefix;
    vs_span prefix, host = vs_span_cut(s, '/', &prefix, &has_prefix);
    if (host.n == 0 || host.n >= sizeof text || memchr(host.p, 0, host.n))
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = 0;
    bool v4 = inet_pton(AF_INET, text, address) == 1;
    if (!v4 && inet_pton(AF_INET6, text, address) != 1)
        return false;
    uint64_t bits;
    return !has_prefix || (prefix.n <= 3 && vs_span_decimal(prefix, v4 ? 32 : 128, &bits));
}

/* "8760h0m0s". */
static bool duration_ok(vs_span s)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] >= '0' && s.p[i] <= '9') {
            if (++digits > 9)
                return false;
        } else if (digits == 0 || (s.p[i] != 'h' && s.p[i] != 'm' && s.p[i] != 's')) {
            return false;
        } else {
            digits = 0;
        }
    }
    return s.n > 0 && s.n <= 40 && digits == 0;
}

static bool list_of(vs_span s, bool (*ok)(vs_span))
{
    bool more = true, good = s.n > 0 && s.n <= TEXT_MAX;
    while (good && more)
        good = ok(vs_span_cut(s, ',', &s, &more));
    return good;
}

static bool words_ok(vs_span s)
{
    return list_of(s, word_ok);
}

static bool networks_ok(vs_span s)
{
    return list_of(s, network_ok);
}

static const struct {
    const char *name, *option;
    bool needed;
    bool (*ok)(vs_span s);
} parameters[] = {
    {"name", "-name", true, word_ok},
    {"ip", "-ip", true, network_ok},
    {"duration", "-duration", false, duration_ok},
    {"groups", "-groups", false, words_ok},
    {"subnets", "-subnets", false, networks_ok},
};

/* With w == NULL only checks. */
static vs_code take_parameters(const kbs_plugin_call *call, words *w, vs_error *err)
{
    for (size_t i = 0; i < VS_COUNT(parameters); i++) {
        vs_val v = vs_getc(call->query, parameters[i].name);
        if (!vs_defined(v) && !parameters[i].needed)
            continue;
        vs_span text = vs_text(v);
        if (!vs_defined(v))
            return vs_fail(err, VS_E_INVALID, "parameter \"%s\" is missing", parameters[i].name);
        if (!parameters[i].ok(text))
            return vs_fail(err, VS_E_INVALID, "parameter \"%s\" cannot be \"%.*s\"",
                           parameters[i].name, VS_FMT(vs_span_head(text, 100)));
        if (w)
            add(w, parameters[i].option, (const char *)vs_dup(call->arena, text).p);
    }
    return vs_arena_check(call->arena, err);
}

/* ---- credentials --------------------------------------------------------------------------------
 */

static vs_code put_file(vs_buf *out, const char *name, const char *path, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf file = VS_BUF(FILE_MAX);
    VS_TRY(vs_read_file(path, &file, err));
    vs_buf_printf(out, "%c\"%s\":[", out->n ? ',' : '{', name);
    for (size_t i = 0; i < file.n; i++)
        vs_buf_printf(out, "%s%u", i ? "," : "", file.p[i]);
    vs_buf_putc(out, ']');
    return vs_buf_check(out, err);
}

static vs_code make_credential(const nebula *n, const kbs_plugin_call *call, const char *crt,
                               const char *key, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(4 * 3 * FILE_MAX);
    words sign = {.w = {n->cfg->program, "sign"}, .n = 2};
    VS_TRY(take_parameters(call, &sign, err));
    add(&sign, "-ca-key", n->key);
    add(&sign, "-ca-crt", n->crt);
    add(&sign, "-out-key", key);
    add(&sign, "-out-crt", crt);
    VS_TRY(run(n, &sign, "signing", err));
    words verify = {.w = {n->cfg->program, "verify"}, .n = 2};
    add(&verify, "-ca", n->crt);
    add(&verify, "-crt", crt);
    VS_TRY(run(n, &verify, "verifying what was signed", err));
    VS_TRY(put_file(&json, "node_crt", crt, err));
    VS_TRY(put_file(&json, "node_key", key, err));
    VS_TRY(put_file(&json, "ca_crt", n->crt, err));
    vs_buf_put(out, vs_buf_span(&json));
    vs_buf_putc(out, '}');
    return vs_buf_check(out, err);
}

static vs_code check(void *self, const kbs_plugin_call *call, vs_error *err)
{
    (void)self;
    if (call->method != KBS_GET || call->n_path != 1 || !vs_span_is(call->path[0], "credential"))
        return vs_fail(err, VS_E_UNSUPPORTED, "nebula-ca has GET nebula-ca/credential only");
    return take_parameters(call, NULL, err);
}

static vs_code handle(void *self, const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    const nebula *n = self;
    char dir[PATH_ROOM - 16], crt[PATH_ROOM], key[PATH_ROOM];
    VS_TRY(check(self, call, err));
    int len = snprintf(dir, sizeof dir, "%s/node-XXXXXX", n->cfg->work_dir);
    if (len < 0 || (size_t)len >= sizeof dir)
        return vs_fail(err, VS_E_LIMIT, "\"work_dir\" is too long");
    if (!mkdtemp(dir)) /* mode 0700 */
        return vs_fail_errno(err, VS_E_IO, errno, "cannot make a directory in %s",
                             n->cfg->work_dir);
    vs_code code = join(crt, dir, "node.crt", err);
    if (code == VS_OK)
        code = join(key, dir, "node.key", err);
    if (code == VS_OK) {
        code = make_credential(n, call, crt, key, out, err);
        (void)unlink(crt);
        (void)unlink(key);
    }
    if (rmdir(dir) != 0)
        vs_log(VS_LOG_WARN, "nebula-ca", "a directory with a node's key was left behind", "dir",
               dir, NULL);
    return code;
}

/* ---- start --------------------------------------------------------------------------------------
 */

static vs_code check_version(const nebula *n, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(OUTPUT_MAX);
    const char *const argv[] = {n->cfg->program, "--version", NULL};
    VS_TRY(run_program(argv, n->cfg->timeout_ms, &out, err));
    unsigned major = 0, minor = 0, patch = 0;
    if (!out.p || sscanf((const char *)out.p, "Version: %9u.%9u.%9u", &major, &minor, &patch) != 3)
        return vs_fail(err, VS_E_INVALID, "%s --version says \"%.*s\"", n->cfg->program,
                       VS_FMT(vs_span_head(vs_span_trim(vs_buf_span(&out)), 80)));
    if (major < 1 || (major == 1 && (minor < 9 || (minor == 9 && patch < 5))))
        return vs_fail(err, VS_E_UNSUPPORTED, "%s is version %u.%u.%u; 1.9.5 is needed",
                       n->cfg->program, major, minor, patch);
    return VS_OK;
}

static const char *number(int64_t v, char out[24])
{
    if (v <= 0)
        return NULL;
    (void)snprintf(out, 24, "%lld", (long long)v);
    return out;
}

static vs_code make_authority(const nebula *n, vs_error *err)
{
    const kbs_nebula_config *c = n->cfg;
    char iterations[24], memory[24], parallelism[24];
    words w = {.w = {c->program, "ca"}, .n = 2};
    add(&w, "-name", c->ca_name);
    add(&w, "-argon-iterations", number(c->argon_iterations, iterations));
    add(&w, "-argon-memory", number(c->argon_memory, memory));
    add(&w, "-argon-parallelism", number(c->argon_parallelism, parallelism));
    add(&w, "-curve", c->curve);
    add(&w, "-duration", c->duration);
    add(&w, "-groups", c->groups);
    add(&w, "-ips", c->ips);
    add(&w, "-out-qr", c->out_qr);
    add(&w, "-subnets", c->subnets);
    add(&w, "-out-crt", n->crt);
    add(&w, "-out-key", n->key);
    VS_TRY(run(n, &w, "making the authority", err));
    vs_log(VS_LOG_INFO, "nebula-ca", "a certificate authority was made", "certificate", n->crt,
           NULL);
    return VS_OK;
}

static vs_code set_up(nebula *n, vs_error *err)
{
    char dir[PATH_ROOM];
    VS_TRY(join(dir, n->cfg->work_dir, "ca", err));
    VS_TRY(join(n->crt, n->cfg->work_dir, "ca/ca.crt", err));
    VS_TRY(join(n->key, n->cfg->work_dir, "ca/ca.key", err));
    VS_TRY(check_version(n, err));
    VS_TRY(vs_make_dirs(dir, 0700, err));
    if (access(n->crt, F_OK) != 0 && access(n->key, F_OK) != 0)
        VS_TRY(make_authority(n, err));
    if (access(n->crt, R_OK) != 0 || access(n->key, R_OK) != 0)
        return vs_fail_errno(err, VS_E_NOT_FOUND, errno, "%s or ca.key cannot be read", n->crt);
    return VS_OK;
}

static const kbs_plugin_ops ops = {.check = check, .handle = handle, .free = free};

vs_code nebula_plugin(const kbs_nebula_config *cfg, kbs_plugin *out, vs_error *err)
{
    nebula *n = calloc(1, sizeof *n);
    if (!n)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    n->cfg = cfg;
    vs_code code = set_up(n, err);
    if (code != VS_OK)
        free(n);
    else
        *out = (kbs_plugin){&ops, n};
    return code;
}
