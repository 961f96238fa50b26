/* SPDX-License-Identifier: Apache-2.0 */
/* kbs-client config ...: the administrator's requests (kbs.md 3, 10.1). */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "as/policies.h"
#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"
#include "cmd/admin_token.h"
#include "cmd/kbs_client.h"
#include "value/json.h"

/* An identity that the connection shows needs no token beside it. */
static vs_code token_of(const kc_options *o, vs_buf *token, vs_error *err)
{
    bool given = o->admin_token_file || o->auth_private_key;
    if (!given && (o->unix_socket || o->client_cert))
        return VS_OK;
    return admin_token(o->admin_token_file, o->auth_private_key, token, err);
}

vs_code kc_administrate(const kc_options *o, kbsc_admin_call call, vs_buf *answer, vs_buf *etag,
                        vs_error *err)
{
    VS_CLEANUP(kbsc_free) kbsc *c = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(1024 * 1024);
    VS_TRY(kc_connect(o, &c, err));
    VS_TRY(token_of(o, &token, err));
    call.bearer = vs_buf_span(&token);
    vs_code code = kbsc_administrate(c, &call, answer, err);
    if (code != VS_OK && answer->n) {
        VS_CLEANUP(vs_buf_free) vs_buf quoted = VS_BUF(KC_FILE_MAX);
        vs_json_quote(&quoted, vs_span_head(vs_buf_span(answer), 400));
        (void)vs_wrap(err, "Request Failed, Response: %.*s", VS_FMT(vs_buf_span(&quoted)));
    }
    if (etag)
        vs_buf_put(etag, kbsc_etag(c));
    return code;
}

static vs_code admin(const kc_options *o, const char *method, const char *path, const char *type,
                     vs_span body, vs_buf *answer, vs_error *err)
{
    const kbsc_admin_call call = {
        .method = method, .path = path, .content_type = type, .body = body};
    return kc_administrate(o, call, answer, NULL, err);
}

static vs_code post_json(const kc_options *o, const char *path, const vs_buf *json, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(KC_FILE_MAX);
    VS_TRY(vs_buf_check(json, err));
    return admin(o, "POST", path, "application/json", vs_buf_span(json), &answer, err);
}

/* "Set resource success \n resource: <base64>\n": both spaces are Trustee's. */
static vs_code say_set(const char *what, const char *label, vs_span data, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(2 * KC_FILE_MAX);
    vs_buf_printf(&text, "Set %s success \n %s: ", what, label);
    vs_b64_encode(&text, VS_B64_STD, data);
    vs_buf_putc(&text, '\n');
    return kc_print(&text, err);
}

static vs_code say(const char *line, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1024);
    vs_buf_puts(&text, line);
    vs_buf_putc(&text, '\n');
    return kc_print(&text, err);
}

static void write_base64(vs_jw *w, const char *key, vs_b64_form form, vs_span data)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(2 * KC_FILE_MAX);
    vs_b64_encode(&text, form, data);
    vs_jw_key(w, key);
    vs_jw_span(w, vs_buf_span(&text));
}

/* ---- policies ---------------------------------------------------------------------------------
 */

/* None of the shipped resource policies is one of these, whatever it is called. */
static vs_code choose_attestation_policy(const kc_options *o, const char *id, vs_buf *policy,
                                         vs_error *err)
{
    if (o->policy_default) {
        vs_span text = vs_policy_text(id);
        if (strncmp(id, "kbs_", 4) == 0 || !text.n)
            return vs_fail(err, VS_E_INVALID, "no policy \"%.80s\" is shipped", id);
        vs_buf_put(policy, text);
        return vs_buf_check(policy, err);
    }
    if (!o->policy_file)
        return vs_fail(err, VS_E_INVALID, "No policy specified: give --policy-file or --default");
    VS_TRY_WRAP(vs_read_file(o->policy_file, policy, err), err, "reading the policy");
    return VS_OK;
}

static vs_code set_attestation_policy(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf policy = VS_BUF(KC_FILE_MAX), json = VS_BUF(2 * KC_FILE_MAX);
    const char *id = o->id;
    if (!id) {
        id = "default_cpu";
        vs_log(VS_LOG_WARN, "kbs-client", "no --id: the policy for CPUs is set", "id", id, NULL);
    }
    VS_TRY(choose_attestation_policy(o, id, &policy, err));
    vs_jw w = {.out = &json};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "type");
    vs_jw_str(&w, o->policy_type);
    vs_jw_key(&w, "policy_id");
    vs_jw_str(&w, id);
    write_base64(&w, "policy", VS_B64_URL, vs_buf_span(&policy));
    vs_jw_close(&w, '}');
    VS_TRY(post_json(o, "attestation-policy", &json, err));
    return say_set("attestation policy", "policy", vs_buf_span(&policy), err);
}

static vs_code choose_policy(const kc_options *o, vs_buf *policy, vs_error *err)
{
    const struct {
        bool chosen;
        const char *name;
    } shipped[] = {{o->policy_default, "kbs_default"},
                   {o->policy_allow_all, "kbs_allow_all"},
                   {o->policy_deny_all, "kbs_deny_all"},
                   {o->policy_affirming, "kbs_affirming"}};
    for (size_t i = 0; i < VS_COUNT(shipped); i++) {
        if (shipped[i].chosen) {
            vs_buf_put(policy, vs_policy_text(shipped[i].name));
            return vs_buf_check(policy, err);
        }
    }
    if (!o->policy_file)
        return vs_fail(err, VS_E_INVALID,
                       "No policy specified: give --policy-file, --default, --affirming, "
                       "--allow-all or --deny-all");
    VS_TRY_WRAP(vs_read_file(o->policy_file, policy, err), err, "reading the policy");
    return VS_OK;
}

static vs_code set_resource_policy(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf policy = VS_BUF(KC_FILE_MAX), json = VS_BUF(2 * KC_FILE_MAX);
    VS_TRY(choose_policy(o, &policy, err));
    vs_jw w = {.out = &json};
    vs_jw_open(&w, '{');
    write_base64(&w, "policy", VS_B64_URL, vs_buf_span(&policy));
    vs_jw_close(&w, '}');
    VS_TRY(post_json(o, "resource-policy", &json, err));
    return say_set("resource policy", "policy", vs_buf_span(&policy), err);
}

/* ---- resources --------------------------------------------------------------------------------
 */

static vs_code on_resource(const kc_options *o, const char *method, vs_span body, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf path = VS_BUF(PATH_MAX), answer = VS_BUF(KC_FILE_MAX);
    vs_buf_printf(&path, "resource/%s", o->path);
    VS_TRY(vs_buf_check(&path, err));
    return admin(o, method, (const char *)path.p, "application/octet-stream", body, &answer, err);
}

static vs_code set_resource(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf secret = VS_BUF(KC_FILE_MAX);
    VS_TRY_WRAP(vs_read_file(o->resource_file, &secret, err), err, "reading the resource");
    VS_TRY(on_resource(o, "POST", vs_buf_span(&secret), err));
    return say_set("resource", "resource", vs_buf_span(&secret), err);
}

static vs_code delete_resource(const kc_options *o, vs_error *err)
{
    VS_TRY(on_resource(o, "DELETE", (vs_span){0}, err));
    return say("Delete resource success", err);
}

/* ---- reference values -------------------------------------------------------------------------
 */

static vs_code get_reference_value(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_buf_free)
    vs_buf path = VS_BUF(PATH_MAX), answer = VS_BUF(KC_FILE_MAX), text = VS_BUF(2 * KC_FILE_MAX);
    vs_buf_printf(&path, "reference-value/%s", o->id);
    VS_TRY(vs_buf_check(&path, err));
    VS_TRY(admin(o, "GET", (const char *)path.p, NULL, (vs_span){0}, &answer, err));
    vs_json_quote(&text, vs_buf_span(&answer));
    vs_buf_putc(&text, '\n');
    return kc_print(&text, err);
}

static vs_code value_of(const kc_options *o, vs_val *out, vs_error *err)
{
    *out = vs_cstring(o->value);
    if (o->as_bool) {
        bool yes = strcmp(o->value, "true") == 0;
        if (!yes && strcmp(o->value, "false") != 0)
            return vs_fail(err, VS_E_INVALID, "\"%s\" is neither true nor false", o->value);
        *out = vs_bool(yes);
    }
    if (o->as_integer) {
        char *end;
        errno = 0;
        long n = strtol(o->value, &end, 10);
        if (errno || end == o->value || *end || n > INT32_MAX || n < INT32_MIN)
            return vs_fail(err, VS_E_INVALID, "\"%s\" is not an integer of 32 bits", o->value);
        *out = vs_int(n);
    }
    return VS_OK;
}

/* attestation-service.md 8.6: {"NAME": value}, the value in a list unless --as-single-value. */
static vs_code write_payload(const kc_options *o, vs_buf *json, vs_error *err)
{
    vs_val value;
    VS_TRY(value_of(o, &value, err));
    vs_jw w = {.out = json};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, o->name);
    if (!o->as_single_value)
        vs_jw_open(&w, '[');
    vs_jw_val(&w, value);
    if (!o->as_single_value)
        vs_jw_close(&w, ']');
    vs_jw_close(&w, '}');
    return vs_buf_check(json, err);
}

static vs_code set_sample_reference_value(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf payload = VS_BUF(KC_FILE_MAX), json = VS_BUF(2 * KC_FILE_MAX);
    VS_TRY(write_payload(o, &payload, err));
    vs_jw w = {.out = &json};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "version");
    vs_jw_str(&w, "0.1.0");
    vs_jw_key(&w, "type");
    vs_jw_str(&w, "sample");
    write_base64(&w, "payload", VS_B64_STD, vs_buf_span(&payload));
    vs_jw_close(&w, '}');
    VS_TRY(post_json(o, "reference-value", &json, err));
    return say("Reference Values Updated", err);
}

/* ---- the command line -------------------------------------------------------------------------
 */

#define RUN(command)                                                                               \
    static int run_##command(void *opts)                                                           \
    {                                                                                              \
        vs_error err = {0};                                                                        \
        return kc_finish(command(opts, &err), &err);                                               \
    }
RUN(set_attestation_policy)
RUN(set_resource_policy)
RUN(set_resource)
RUN(delete_resource)
RUN(get_reference_value)
static int run_get_reference_values(void *opts)
{
    return ((const kc_options *)opts)->id ? run_get_reference_value(opts)
                                          : kc_run_list_values(opts);
}
RUN(set_sample_reference_value)

#define AT(member) .at = offsetof(kc_options, member)

const cli_option kc_config_options[] = {
    {.name = "admin-token-file",
     .value = "FILE",
     AT(admin_token_file),
     .group = 1,
     .help = "Token (JWT) of an administrator"},
    {.name = "auth-private-key",
     .value = "PEM",
     AT(auth_private_key),
     .group = 1,
     .help = "Ed25519 private key of an administrator: makes a token for two hours"},
    {0}};

static const cli_option attestation_policy_options[] = {
    {.name = "policy-file", .value = "FILE", AT(policy_file), .group = 1, .help = "Policy in Rego"},
    {.name = "default",
     AT(policy_default),
     .group = 1,
     .help = "The policy that this release ships under the ID"},
    {.name = "type",
     .value = "TYPE",
     AT(policy_type),
     .fallback = "rego",
     .help = "Language of the policy"},
    {.name = "id",
     .value = "ID",
     AT(id),
     .help = "Name of the policy: default_cpu, default_gpu, ..."},
    {0}};

static const cli_option resource_policy_options[] = {
    {.name = "policy-file", .value = "FILE", AT(policy_file), .group = 1, .help = "Policy in Rego"},
    {.name = "default",
     AT(policy_default),
     .group = 1,
     .help = "Release to all but sample evidence"},
    {.name = "affirming",
     AT(policy_affirming),
     .group = 1,
     .help = "Release when every submodule is affirming"},
    {.name = "allow-all",
     AT(policy_allow_all),
     .group = 1,
     .help = "Release to any verified token"},
    {.name = "deny-all", AT(policy_deny_all), .group = 1, .help = "Release nothing"},
    {0}};

#define RESOURCE_PATH                                                                              \
    {                                                                                              \
        .name = "path", .value = "PATH", AT(path), .required = true,                               \
        .help = "The resource: REPOSITORY/TYPE/TAG"                                                \
    }

static const cli_option set_resource_options[] = {RESOURCE_PATH,
                                                  {.name = "resource-file",
                                                   .value = "FILE",
                                                   AT(resource_file),
                                                   .required = true,
                                                   .help = "The secret; - is stdin"},
                                                  {0}};

static const cli_option delete_resource_options[] = {RESOURCE_PATH, {0}};

static const cli_option get_reference_value_options[] = {
    {.name = "id", .value = "ID", AT(id), .required = true, .help = "Name of the reference value"},
    {0}};

static const cli_option get_reference_values_options[] = {
    {.name = "id", .value = "ID", AT(id), .help = "Only the reference value of this name"}, {0}};

static const cli_option sample_reference_value_options[] = {
    {.name = "as-integer", AT(as_integer), .group = 1, .help = "VALUE is an integer of 32 bits"},
    {.name = "as-bool", AT(as_bool), .group = 1, .help = "VALUE is true or false"},
    {.name = "as-single-value",
     AT(as_single_value),
     .help = "Store VALUE itself, not a list that holds it"},
    {0}};

static const cli_argument sample_reference_value_arguments[] = {
    {.name = "NAME",
     AT(name),
     .required = true,
     .help = "Name, e.g. cca.realm.cca-realm-initial-measurement"},
    {.name = "VALUE",
     AT(value),
     .required = true,
     .help = "Value: a string unless an option says otherwise"},
    {0}};

const cli_command kc_config_commands[] = {{.name = "set-attestation-policy",
                                           .summary = "Replace a policy that appraises evidence",
                                           .options = attestation_policy_options,
                                           .run = run_set_attestation_policy},
                                          {.name = "set-resource-policy",
                                           .summary = "Replace the policy that releases secrets",
                                           .options = resource_policy_options,
                                           .run = run_set_resource_policy},
                                          {.name = "set-resource",
                                           .summary = "Store a secret",
                                           .options = set_resource_options,
                                           .run = run_set_resource},
                                          {.name = "delete-resource",
                                           .summary = "Delete a secret",
                                           .options = delete_resource_options,
                                           .run = run_delete_resource},
                                          {.name = "set-sample-reference-value",
                                           .summary = "Register a reference value",
                                           .options = sample_reference_value_options,
                                           .arguments = sample_reference_value_arguments,
                                           .run = run_set_sample_reference_value},
                                          {.name = "get-reference-value",
                                           .summary = "Print a reference value",
                                           .options = get_reference_value_options,
                                           .run = run_get_reference_value},
                                          {.name = "get-reference-values",
                                           .summary = "Print all of them, or one; older name of "
                                                      "reference-values list",
                                           .options = get_reference_values_options,
                                           .run = run_get_reference_values},
                                          {.name = "policy",
                                           .summary = "Read, list, change and roll back policies",
                                           .commands = kc_policy_commands},
                                          {.name = "reference-values",
                                           .summary = "List and delete reference values",
                                           .commands = kc_value_commands},
                                          {.name = "collect",
                                           .summary = "Propose reference values from a recorded "
                                                      "attestation, and approve them",
                                           .options = kc_collect_options,
                                           .arguments = kc_collect_arguments,
                                           .run = kc_run_collect},
                                          {.name = "list-resources",
                                           .summary = "Print the paths of all secrets",
                                           .run = kc_run_list_resources},
                                          {0}};
