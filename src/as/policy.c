/* SPDX-License-Identifier: Apache-2.0 */
#include "as/policy.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/enc.h"
#include "base/log.h"
#include "crypto/crypto.h"

enum {
    ID_MAX = 128,
    PREFIX_MAX = 32,
    KEY_MAX = PREFIX_MAX + ID_MAX + 5,
    COMPILED_MAX = 64, /* policies kept compiled; far more than an installation has classes */
    POOL_MAX = 16,     /* idle contexts per policy */
};

/* One text, compiled. Owned by the cache while current, and by the leases on it. */
struct as_compiled {
    unsigned refs;
    bool current;
    uint64_t used; /* for eviction: the cache's clock at the last lease */
    char id[ID_MAX + 1], sha256[64 + 1];
    vs_buf text;
    uint64_t changes; /* vs_store_changes at which the store had this text; 0: not known */
    rego_program *program;
    rego_eval *idle[POOL_MAX];
    size_t n_idle;
};

struct as_policies {
    as_policy_place place;
    const rego_host_decl *hosts;
    size_t n_hosts;
    pthread_mutex_t lock; /* over everything below and all as_compiled of this cache */
    struct as_compiled *compiled[COMPILED_MAX];
    size_t n_compiled;
    uint64_t clock;
};

bool as_policy_id_ok(vs_span id)
{
    if (id.n == 0 || id.n > ID_MAX || id.p[0] == '.')
        return false;
    for (size_t i = 0; i < id.n; i++) {
        uint8_t c = id.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* "<prefix><id>.rego" */
static vs_code key_of(const as_policies *p, vs_span id, char out[KEY_MAX + 1], vs_span *key,
                      vs_error *err)
{
    if (!as_policy_id_ok(id))
        return vs_fail(
            err, VS_E_INVALID,
            "a policy id is 1 to %d letters, digits, '.', '_' or '-', not starting with '.'",
            ID_MAX);
    (void)snprintf(out, KEY_MAX + 1, "%s%.*s.rego", p->place.prefix, VS_FMT(id));
    *key = vs_str(out);
    return VS_OK;
}

/* ---- compiled policies ------------------------------------------------------------------------
 */

static void compiled_unref(struct as_compiled *c)
{
    if (!c || --c->refs > 0)
        return;
    for (size_t i = 0; i < c->n_idle; i++)
        rego_eval_free(&c->idle[i]);
    rego_program_unref(&c->program);
    vs_buf_free(&c->text);
    free(c);
}

static vs_code compile(const as_policies *p, const char *file, vs_span text, rego_program **out,
                       vs_error *err)
{
    const rego_module module = {.name = file, .text = text};
    const rego_options opts = {
        .hosts = p->hosts, .n_hosts = p->n_hosts, .late_unknown_functions = true};
    return rego_compile(&module, 1, &opts, out, NULL, err);
}

static vs_code digest_text(struct as_compiled *c, vs_error *err)
{
    uint8_t md[VS_HASH_MAX];
    VS_CLEANUP(vs_buf_free) vs_buf hex = VS_BUF(sizeof c->sha256 - 1);
    VS_TRY(vs_digest(VS_SHA256, vs_buf_span(&c->text), VS_LIT(""), VS_LIT(""), md, err));
    vs_hex_encode(&hex, vs_span_of(md, vs_hash_size(VS_SHA256)));
    VS_TRY(vs_buf_check(&hex, err));
    memcpy(c->sha256, hex.p, hex.n);
    return VS_OK;
}

/* Once per text and process. A verdict does not fail for it, but cannot be replayed later. */
static void keep_text(const as_policies *p, const struct as_compiled *c)
{
    vs_error err = {0};
    vs_code code = vs_store_put(p->place.store, AS_POLICY_TEXTS, vs_str(c->sha256),
                                vs_buf_span(&c->text), 0, VS_PUT_CREATE, &err);
    if (code != VS_OK && code != VS_E_EXISTS)
        vs_log_error(VS_LOG_WARN, "as", "a policy's text was not kept for later replay", &err);
}

static vs_code compiled_new(const as_policies *p, const char *file, vs_span id, vs_span text,
                            struct as_compiled **out, vs_error *err)
{
    struct as_compiled *c = calloc(1, sizeof *c);
    if (!c)
        return vs_fail(err, VS_E_NOMEM, "out of memory for a policy");
    c->refs = 1;
    memcpy(c->id, id.p, id.n);
    c->text = (vs_buf)VS_BUF(AS_POLICY_TEXT_MAX);
    vs_buf_put(&c->text, text);
    vs_code code = vs_buf_check(&c->text, err);
    if (code == VS_OK)
        code = compile(p, file, text, &c->program, err);
    if (code == VS_OK)
        code = digest_text(c, err);
    if (code != VS_OK) {
        compiled_unref(c);
        return code;
    }
    *out = c;
    return VS_OK;
}

static struct as_compiled **slot_of(as_policies *p, vs_span id)
{
    for (size_t i = 0; i < p->n_compiled; i++) {
        if (vs_span_is(id, p->compiled[i]->id))
            return &p->compiled[i];
    }
    return NULL;
}

static struct as_compiled **slot_for_new(as_policies *p)
{
    if (p->n_compiled < COMPILED_MAX)
        return &p->compiled[p->n_compiled++];
    struct as_compiled **oldest = &p->compiled[0];
    for (size_t i = 1; i < p->n_compiled; i++) {
        if (p->compiled[i]->used < (*oldest)->used)
            oldest = &p->compiled[i];
    }
    return oldest;
}

/* Makes `c` the current one for its id. Takes over the caller's reference. */
static void install(as_policies *p, struct as_compiled *c)
{
    struct as_compiled **slot = slot_of(p, vs_str(c->id));
    if (!slot)
        slot = slot_for_new(p);
    if (*slot) {
        (*slot)->current = false;
        compiled_unref(*slot);
    }
    c->current = true;
    *slot = c;
}

/* ---- interface --------------------------------------------------------------------------------
 */

vs_code as_policies_under(vs_store *store, const char *ns, const char *prefix,
                          const rego_host_decl *hosts, size_t n_hosts, as_policies **out,
                          vs_error *err)
{
    if (strlen(prefix) > PREFIX_MAX)
        return vs_fail(err, VS_E_INTERNAL, "prefix \"%s\" is too long", prefix);
    as_policies *p = calloc(1, sizeof *p);
    if (!p)
        return vs_fail(err, VS_E_NOMEM, "out of memory for the policy cache");
    p->place = (as_policy_place){store, ns, prefix};
    p->hosts = hosts;
    p->n_hosts = n_hosts;
    (void)pthread_mutex_init(&p->lock, NULL);
    *out = p;
    return VS_OK;
}

vs_code as_policies_new(vs_store *store, const char *ns, const rego_host_decl *hosts,
                        size_t n_hosts, as_policies **out, vs_error *err)
{
    return as_policies_under(store, ns, "", hosts, n_hosts, out, err);
}

const as_policy_place *as_policies_place(const as_policies *p)
{
    return &p->place;
}

void as_policies_free(as_policies **p)
{
    if (!p || !*p)
        return;
    for (size_t i = 0; i < (*p)->n_compiled; i++)
        compiled_unref((*p)->compiled[i]);
    (void)pthread_mutex_destroy(&(*p)->lock);
    free(*p);
    *p = NULL;
}

vs_code as_policies_check(const as_policies *p, vs_span id, vs_span text, vs_error *err)
{
    char file[KEY_MAX + 1];
    vs_span key;
    VS_TRY(key_of(p, id, file, &key, err));
    if (text.n > AS_POLICY_TEXT_MAX)
        return vs_fail(err, VS_E_LIMIT, "policy of %zu bytes, at most %d are allowed", text.n,
                       AS_POLICY_TEXT_MAX);
    if (!vs_utf8_ok(text))
        return vs_fail(err, VS_E_PARSE, "policy text is not UTF-8");
    rego_program *program = NULL;
    VS_TRY(compile(p, file, text, &program, err));
    rego_program_unref(&program);
    return VS_OK;
}

vs_code as_policies_set(as_policies *p, vs_span id, vs_span text, vs_put_mode mode, vs_error *err)
{
    char file[KEY_MAX + 1];
    vs_span key;
    VS_TRY(as_policies_check(p, id, text, err));
    VS_TRY(key_of(p, id, file, &key, err));
    return vs_store_put(p->place.store, p->place.ns, key, text, 0, mode, err);
}

typedef struct ids {
    vs_vec list;
    vs_span prefix;
} ids;

/* Only what could have been set: other programs may keep other things in the namespace. */
static vs_code add_id(void *user, vs_span key)
{
    ids *n = user;
    if (!vs_span_starts(key, n->prefix) || !vs_span_ends(key, VS_LIT(".rego")))
        return VS_OK;
    vs_span id = vs_span_of(key.p + n->prefix.n, key.n - n->prefix.n - 5);
    if (as_policy_id_ok(id))
        vs_vec_add(&n->list, vs_string_dup(n->list.a, id));
    return VS_OK;
}

vs_code as_policies_list(as_policies *p, vs_arena *a, vs_val *out, vs_error *err)
{
    ids n = {.list = {.a = a}, .prefix = vs_str(p->place.prefix)};
    VS_TRY(vs_store_list(p->place.store, p->place.ns, add_id, &n, err));
    *out = vs_vec_end_array(&n.list);
    return vs_arena_check(a, err);
}

/* The current compiled policy, with a reference for the caller, if it is what the store has:
 * because nothing has changed since, or (`text` given) since that is what was read. NULL otherwise.
 */
static struct as_compiled *find_current(as_policies *p, vs_span id, uint64_t changes,
                                        const vs_span *text, rego_eval **idle)
{
    struct as_compiled *found = NULL;
    (void)pthread_mutex_lock(&p->lock);
    struct as_compiled **slot = slot_of(p, id);
    bool current = slot && (text ? vs_span_eq(vs_buf_span(&(*slot)->text), *text)
                                 : changes && (*slot)->changes == changes);
    if (current) {
        found = *slot;
        found->refs++;
        found->changes = changes;
        found->used = ++p->clock;
        if (found->n_idle > 0)
            *idle = found->idle[--found->n_idle];
    }
    (void)pthread_mutex_unlock(&p->lock);
    return found;
}

static vs_code compile_new(as_policies *p, const char *file, vs_span id, uint64_t changes,
                           vs_span text, struct as_compiled **out, vs_error *err)
{
    struct as_compiled *c = NULL;
    VS_TRY(compiled_new(p, file, id, text, &c, err));
    keep_text(p, c);
    (void)pthread_mutex_lock(&p->lock);
    c->refs++; /* one for the cache, one for the lease */
    c->used = ++p->clock;
    c->changes = changes;
    install(p, c);
    (void)pthread_mutex_unlock(&p->lock);
    *out = c;
    return VS_OK;
}

/* `changes` was asked for before. */
static vs_code read_current(as_policies *p, vs_span id, uint64_t changes, as_policy_lease *out,
                            vs_error *err)
{
    char file[KEY_MAX + 1];
    vs_span key;
    VS_TRY(key_of(p, id, file, &key, err));
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(AS_POLICY_TEXT_MAX);
    vs_code code = vs_store_get(p->place.store, p->place.ns, key, 0, &text, err);
    if (code == VS_E_NOT_FOUND)
        return vs_fail(err, code, "Policy `%s` not found", file);
    VS_TRY(code);
    vs_span read = vs_buf_span(&text);
    out->compiled = find_current(p, id, changes, &read, &out->eval);
    return out->compiled ? VS_OK : compile_new(p, file, id, changes, read, &out->compiled, err);
}

vs_code as_policies_lease(as_policies *p, vs_span id, as_policy_lease *out, vs_error *err)
{
    *out = (as_policy_lease){0};
    uint64_t changes = 0;
    VS_TRY(vs_store_changes(p->place.store, p->place.ns, &changes, err));
    out->compiled = find_current(p, id, changes, NULL, &out->eval);
    if (!out->compiled)
        VS_TRY(read_current(p, id, changes, out, err));
    out->sha256 = out->compiled->sha256;
    if (out->eval)
        return VS_OK;
    vs_code code = rego_eval_new(out->compiled->program, &out->eval, err);
    if (code != VS_OK)
        as_policies_return(p, out);
    return code;
}

void as_policies_return(as_policies *p, as_policy_lease *lease)
{
    struct as_compiled *c = lease->compiled;
    if (!c)
        return;
    (void)pthread_mutex_lock(&p->lock);
    if (lease->eval && c->current && c->n_idle < POOL_MAX) {
        c->idle[c->n_idle++] = lease->eval;
        lease->eval = NULL; /* transferred */
    }
    rego_eval_free(&lease->eval);
    compiled_unref(c);
    (void)pthread_mutex_unlock(&p->lock);
    *lease = (as_policy_lease){0};
}
