/* SPDX-License-Identifier: Apache-2.0 */
/* The public face of the KBS client: include/vouchsafe/client.h on top of client/client.h. */
#include "../../include/vouchsafe/client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "client/attester_tee.h"
#include "client/client.h"
#include "value/json.h"

enum {
    SECRET_MAX = 16 << 20, /* as the client's answers */
    TEXT_MAX = 1 << 20,    /* init data, evidence, tokens, keys */
    NAME_MAX_BYTES = 31,   /* of a TEE */
    RESOURCE_MAX = 4000,
    TRIES_MAX = 1000,
};

struct vouchsafe_secret {
    vs_buf bytes;
};

struct vouchsafe_client {
    kbsc *kbs;
    attester *att; /* NULL until it is needed */
    vs_buf init_data;
    char *tee, *device; /* NULL = not given */
    bool allow_sample;
    vouchsafe_evidence evidence;
    void *evidence_user;
    void (*warn)(void *user, const char *line);
    void *warn_user;
};

const char *vouchsafe_client_version(void)
{
    return "1.0.0";
}

/* ---- failures ----------------------------------------------------------------------------------
 */

static void clear(vouchsafe_failure *why)
{
    if (why)
        *why = (vouchsafe_failure){0};
}

/* Nothing that a peer said may be more than text on a terminal or in a log. */
static void make_printable(char *s)
{
    for (; *s; s++)
        if (*s < ' ' || *s >= 0x7f)
            *s = '?';
}

static vouchsafe_result fail(vouchsafe_failure *why, vouchsafe_result result, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    if (!why)
        return result;
    (void)snprintf(why->message, sizeof why->message, "%s", vs_error_text(err, text, sizeof text));
    make_printable(why->message);
    return result;
}

static vouchsafe_result wrong(vouchsafe_failure *why, const char *what)
{
    if (why)
        (void)snprintf(why->message, sizeof why->message, "%s", what);
    return VOUCHSAFE_BAD_ARGUMENT;
}

static vouchsafe_result out_of_memory(vouchsafe_failure *why)
{
    (void)wrong(why, "out of memory");
    return VOUCHSAFE_OUT_OF_MEMORY;
}

/* Of an argument, before anything was sent. */
static vouchsafe_result refuse(vouchsafe_failure *why, vs_code code, const vs_error *err)
{
    return fail(why, code == VS_E_NOMEM ? VOUCHSAFE_OUT_OF_MEMORY : VOUCHSAFE_BAD_ARGUMENT, err);
}

/* What the status of the refusal says that ended the call. */
static vouchsafe_result result_of_status(int status)
{
    switch (status) {
    case 401:
    case 403: return VOUCHSAFE_DENIED;
    case 404: return VOUCHSAFE_NOT_FOUND;
    default: return VOUCHSAFE_REFUSED;
    }
}

static vouchsafe_result result_of(vs_code code, const kbsc_failure *f)
{
    if (f->version)
        return VOUCHSAFE_NO_COMMON_PROTOCOL;
    if (f->evidence)
        return VOUCHSAFE_NO_EVIDENCE;
    switch (code) {
    case VS_E_NOMEM: return VOUCHSAFE_OUT_OF_MEMORY;
    case VS_E_TIMEOUT: return VOUCHSAFE_TIMEOUT;
    case VS_E_UNTRUSTED: return VOUCHSAFE_UNTRUSTED;
    default: break;
    }
    if (f->status)
        return result_of_status(f->status);
    return code == VS_E_IO ? VOUCHSAFE_UNREACHABLE : VOUCHSAFE_BAD_ANSWER;
}

/* Of a call to the server. */
static vouchsafe_result finish(const vouchsafe_client *c, vs_code code, const vs_error *err,
                               vouchsafe_failure *why)
{
    const kbsc_failure *f = kbsc_why(c->kbs);
    if (code == VS_OK)
        return VOUCHSAFE_DONE;
    if (why) {
        why->http_status = f->status;
        (void)snprintf(why->server_error, sizeof why->server_error, "%s", f->name);
        (void)snprintf(why->decision, sizeof why->decision, "%s", f->decision);
    }
    return fail(why, result_of(code, f), err);
}

/* ---- secrets -----------------------------------------------------------------------------------
 */

static void free_secret(vouchsafe_secret **s)
{
    vouchsafe_secret_free(*s);
}

static vouchsafe_secret *new_secret(void)
{
    vouchsafe_secret *s = calloc(1, sizeof *s);
    if (s)
        s->bytes.cap = SECRET_MAX;
    return s;
}

/* What was collected goes out when the call was good. */
static vouchsafe_result hand_over(vouchsafe_result result, vouchsafe_secret **s,
                                  vouchsafe_secret **out)
{
    if (result == VOUCHSAFE_DONE) {
        *out = *s;
        *s = NULL;
    }
    return result;
}

const unsigned char *vouchsafe_secret_bytes(const vouchsafe_secret *s, size_t *size)
{
    if (size)
        *size = s->bytes.n;
    return s->bytes.p ? s->bytes.p : (const unsigned char *)"";
}

void vouchsafe_secret_free(vouchsafe_secret *s)
{
    if (!s)
        return;
    vs_buf_free(&s->bytes);
    free(s);
}

/* ---- evidence of the caller's ------------------------------------------------------------------
 */

struct vouchsafe_answer {
    vs_buf *json;
    bool given, bad;
    char why[256];
};

typedef struct caller_attester {
    attester base; /* first: attester_free frees all of it */
    tee_attester tee;
    char name[NAME_MAX_BYTES + 1];
    vouchsafe_evidence evidence;
    void *user;
} caller_attester;

/* What is no JSON text could say more than evidence where it is put. */
bool vouchsafe_evidence_give(vouchsafe_answer *answer, const char *json, size_t size)
{
    const vs_json_opts opts = {.depth = 32, .nodes = 2 * TEXT_MAX};
    vs_arena a;
    vs_val v;
    vs_error err = {0};
    vs_arena_init(&a, 256 << 20);
    vs_code code = size > TEXT_MAX ? vs_fail(&err, VS_E_LIMIT, "more than %d bytes", TEXT_MAX)
                                   : vs_json_parse(&a, vs_span_of(json, size), &opts, &v, &err);
    vs_arena_free(&a);
    if (code == VS_OK && !answer->given)
        vs_buf_put(answer->json, vs_span_of(json, size));
    answer->bad |= code != VS_OK || answer->given || !vs_buf_ok(answer->json);
    if (code != VS_OK)
        (void)snprintf(answer->why, sizeof answer->why, "the caller's evidence: %s",
                       vs_error_at(&err, 0));
    else if (answer->bad && !answer->why[0])
        (void)snprintf(answer->why, sizeof answer->why, "the caller gave evidence more than once");
    answer->given = true;
    return !answer->bad;
}

void vouchsafe_evidence_fail(vouchsafe_answer *answer, const char *why)
{
    answer->bad = true;
    (void)snprintf(answer->why, sizeof answer->why, "%s", why ? why : "");
}

static vs_code ask_caller(const attester *a, vs_span report_data, vs_buf *json, vs_error *err)
{
    const caller_attester *c = (const caller_attester *)a;
    vouchsafe_answer answer = {.json = json};
    bool good = c->evidence(c->user, report_data.p, report_data.n, &answer);
    if (good && answer.given && !answer.bad)
        return VS_OK;
    return vs_fail(err, VS_E_INTERNAL, "%s",
                   answer.why[0] ? answer.why : "the caller has given no evidence");
}

static attester *attester_of_caller(const vouchsafe_client *c)
{
    caller_attester *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    (void)snprintf(a->name, sizeof a->name, "%s", c->tee);
    a->tee = (tee_attester){.name = a->name, .evidence = ask_caller};
    a->base.tee = &a->tee;
    a->evidence = c->evidence;
    a->user = c->evidence_user;
    return &a->base;
}

/* ---- clients -----------------------------------------------------------------------------------
 */

/* What would go to stderr goes to the caller's `warn`, or nowhere. */
static void be_quiet(void)
{
    vs_log_set_level(VS_LOG_ERROR);
}

static void warn(void *user, const char *text, const vs_error *err)
{
    const vouchsafe_client *c = user;
    char cause[VS_ERROR_TEXT], line[VS_ERROR_TEXT + 300];
    if (!c->warn)
        return;
    (void)snprintf(line, sizeof line, "%.280s%s%s", text, err ? ": " : "",
                   err ? vs_error_text(err, cause, sizeof cause) : "");
    make_printable(line);
    c->warn(c->warn_user, line);
}

static bool is_tee_name(const char *s)
{
    size_t n = strlen(s);
    return n && n <= NAME_MAX_BYTES && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

/* Members that this version of the library has, of callers of its own time and later. */
static const char *read_config(const vouchsafe_config *given, vouchsafe_config *out)
{
    *out = (vouchsafe_config){0};
    if (!given || given->size < sizeof *out)
        return "the configuration's size must be sizeof(vouchsafe_config)";
    for (size_t i = sizeof *out; i < given->size; i++)
        if (((const unsigned char *)given)[i])
            return "the configuration has something that this version of the library does not know";
    memcpy(out, given, sizeof *out);
    return NULL;
}

/* NULL: all is well. */
static const char *check_config(const vouchsafe_config *c, kbsc_version *oldest)
{
    *oldest = 0;
    if (!c->url)
        return "the configuration has no url";
    if (c->oldest_protocol && !kbsc_version_of(vs_str(c->oldest_protocol), oldest))
        return "oldest_protocol must be one of " KBSC_VERSIONS;
    if (c->tee && !is_tee_name(c->tee))
        return "tee is not the name of a TEE";
    if (c->evidence && !c->tee)
        return "evidence of one's own needs the name of the TEE in tee";
    if (c->init_data_size > TEXT_MAX || (c->init_data_size && !c->init_data))
        return "init_data_size is more than there can be";
    if (c->tries > TRIES_MAX)
        return "tries is at most 1000";
    if (c->user_agent && strpbrk(c->user_agent, "\r\n"))
        return "user_agent is not one line";
    return NULL;
}

static bool copy(const char *text, char **out)
{
    *out = text ? strdup(text) : NULL;
    return *out || !text;
}

static vs_code open_client(const vouchsafe_config *cfg, kbsc_version oldest, vouchsafe_client *c,
                           vs_error *err)
{
    const kbsc_config kbs = {.url = cfg->url,
                             .ca_file = cfg->ca_file,
                             .ca_pem = cfg->ca_pem ? vs_str(cfg->ca_pem) : (vs_span){0},
                             .user_agent =
                                 cfg->user_agent ? cfg->user_agent : "vouchsafe-client/" VS_VERSION,
                             .unix_socket = cfg->unix_socket,
                             .proxy = cfg->proxy,
                             .oldest = oldest,
                             .attest_tries = cfg->tries,
                             .retry_ms = cfg->pause_ms,
                             .connect_ms = cfg->connect_ms,
                             .request_ms = cfg->request_ms,
                             .deadline_ms = cfg->deadline_ms,
                             .warn = warn,
                             .user = c};
    c->init_data = (vs_buf)VS_BUF(TEXT_MAX);
    vs_buf_put(&c->init_data, vs_span_of(cfg->init_data, cfg->init_data_size));
    if (!vs_buf_ok(&c->init_data) || !copy(cfg->tee, &c->tee) || !copy(cfg->device, &c->device))
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    c->allow_sample = cfg->allow_sample;
    c->evidence = cfg->evidence;
    c->evidence_user = cfg->evidence_user;
    c->warn = cfg->warn;
    c->warn_user = cfg->warn_user;
    return kbsc_new(&kbs, &c->kbs, err);
}

vouchsafe_result vouchsafe_client_new(const vouchsafe_config *config, vouchsafe_client **out,
                                      vouchsafe_failure *why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    vouchsafe_config cfg;
    kbsc_version oldest;
    vs_error err = {0};
    *out = NULL;
    clear(why);
    (void)pthread_once(&once, be_quiet);
    const char *bad = read_config(config, &cfg);
    bad = bad ? bad : check_config(&cfg, &oldest);
    if (bad)
        return wrong(why, bad);
    vouchsafe_client *c = calloc(1, sizeof *c);
    if (!c)
        return out_of_memory(why);
    vs_code code = open_client(&cfg, oldest, c, &err);
    if (code != VS_OK) {
        vouchsafe_client_free(c);
        return refuse(why, code, &err);
    }
    *out = c;
    return VOUCHSAFE_DONE;
}

void vouchsafe_client_free(vouchsafe_client *c)
{
    if (!c)
        return;
    kbsc_free(&c->kbs);
    if (c->att)
        attester_free(&c->att);
    vs_buf_free(&c->init_data);
    free(c->tee);
    free(c->device);
    free(c);
}

/* ---- the TEE key -------------------------------------------------------------------------------
 */

vouchsafe_result vouchsafe_set_key(vouchsafe_client *c, const char *pem, size_t size,
                                   vouchsafe_failure *why)
{
    vs_key *key = NULL;
    vs_error err = {0};
    clear(why);
    if (!pem || size > TEXT_MAX)
        return wrong(why, "the key is no PEM text");
    vs_code code = vs_key_from_pem(vs_span_of(pem, size), true, &key, &err);
    if (code == VS_OK)
        code = kbsc_set_tee_key(c->kbs, key, &err);
    return code == VS_OK ? VOUCHSAFE_DONE : refuse(why, code, &err);
}

vouchsafe_result vouchsafe_get_key(vouchsafe_client *c, vouchsafe_secret **pem,
                                   vouchsafe_failure *why)
{
    vs_error err = {0};
    *pem = NULL;
    clear(why);
    const vs_key *key = kbsc_tee_key(c->kbs);
    if (!key)
        return wrong(why, "there is no TEE key yet");
    VS_CLEANUP(free_secret) vouchsafe_secret *s = new_secret();
    if (!s)
        return out_of_memory(why);
    vs_code code = vs_key_to_pem(&s->bytes, key, true, &err);
    return hand_over(code == VS_OK ? VOUCHSAFE_DONE : refuse(why, code, &err), &s, pem);
}

/* ---- calls -------------------------------------------------------------------------------------
 */

static vouchsafe_result need_attester(vouchsafe_client *c, vouchsafe_failure *why)
{
    vs_error err = {0};
    if (c->att)
        return VOUCHSAFE_DONE;
    if (c->evidence) {
        c->att = attester_of_caller(c);
        return c->att ? VOUCHSAFE_DONE : out_of_memory(why);
    }
    const attester_config cfg = {
        .tsm_path = c->device, .allow_sample = c->allow_sample, .tee = c->tee};
    vs_code code = attester_detect(&cfg, &c->att, &err);
    if (code != VS_OK)
        return fail(why, code == VS_E_NOMEM ? VOUCHSAFE_OUT_OF_MEMORY : VOUCHSAFE_NO_EVIDENCE,
                    &err);
    if (strcmp(attester_tee(c->att), "sample") == 0)
        warn(c, "the sample attester is used, which proves nothing", NULL);
    return VOUCHSAFE_DONE;
}

static vs_span init_data(const vouchsafe_client *c)
{
    return c->init_data.n ? vs_buf_span(&c->init_data) : (vs_span){0};
}

vouchsafe_result vouchsafe_attest(vouchsafe_client *c, vouchsafe_secret **token,
                                  vouchsafe_failure *why)
{
    vs_error err = {0};
    *token = NULL;
    clear(why);
    vouchsafe_result result = need_attester(c, why);
    if (result != VOUCHSAFE_DONE)
        return result;
    VS_CLEANUP(free_secret) vouchsafe_secret *s = new_secret();
    if (!s)
        return out_of_memory(why);
    vs_code code = kbsc_attest(c->kbs, c->att, init_data(c), &s->bytes, &err);
    return hand_over(finish(c, code, &err, why), &s, token);
}

static const char *check_resource(const vouchsafe_resource *r, kbsc_resource *out)
{
    if (!r || !r->path || !*r->path)
        return "the resource has no path";
    *out = (kbsc_resource){r->plugin ? r->plugin : "resource", r->path, r->query};
    if (strlen(out->plugin) + strlen(out->path) > RESOURCE_MAX)
        return "plugin and path of the resource are longer than 4000 bytes";
    if (!*out->plugin || strchr(out->plugin, '/'))
        return "the plugin's name is not one segment of a path";
    for (const char *p = out->query ? out->query : ""; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == '#' || p - out->query >= RESOURCE_MAX)
            return "the query is not form-urlencoded, or longer than 4000 bytes";
    return NULL;
}

vouchsafe_result vouchsafe_get(vouchsafe_client *c, const vouchsafe_resource *resource,
                               vouchsafe_secret **secret, vouchsafe_failure *why)
{
    vs_error err = {0};
    kbsc_resource what;
    *secret = NULL;
    clear(why);
    const char *bad = check_resource(resource, &what);
    if (bad)
        return wrong(why, bad);
    vouchsafe_result result = need_attester(c, why);
    if (result != VOUCHSAFE_DONE)
        return result;
    VS_CLEANUP(free_secret) vouchsafe_secret *s = new_secret();
    if (!s)
        return out_of_memory(why);
    vs_code code = kbsc_get_resource(c->kbs, c->att, init_data(c), &what, &s->bytes, &err);
    return hand_over(finish(c, code, &err, why), &s, secret);
}

/* It goes into a header. */
static bool is_token(const char *token, size_t size)
{
    for (size_t i = 0; token && i < size; i++)
        if (token[i] <= ' ' || token[i] >= 0x7f)
            return false;
    return token && size && size <= TEXT_MAX;
}

vouchsafe_result vouchsafe_get_with_token(vouchsafe_client *c, const char *token, size_t size,
                                          const vouchsafe_resource *resource,
                                          vouchsafe_secret **secret, vouchsafe_failure *why)
{
    vs_error err = {0};
    kbsc_resource what;
    bool refused;
    *secret = NULL;
    clear(why);
    const char *bad = check_resource(resource, &what);
    if (!bad && !is_token(token, size))
        bad = "the token is not a compact JWS";
    if (!bad && !kbsc_tee_key(c->kbs))
        bad = "a token needs the TEE key that it was made with";
    if (bad)
        return wrong(why, bad);
    VS_CLEANUP(free_secret) vouchsafe_secret *s = new_secret();
    if (!s)
        return out_of_memory(why);
    vs_code code =
        kbsc_get_with_token(c->kbs, vs_span_of(token, size), &what, &s->bytes, &refused, &err);
    return hand_over(finish(c, code, &err, why), &s, secret);
}

const char *vouchsafe_protocol(const vouchsafe_client *c)
{
    return kbsc_version_name(kbsc_spoken(c->kbs));
}

const char *vouchsafe_tee(const vouchsafe_client *c)
{
    return c->att ? attester_tee(c->att) : "";
}
