/* SPDX-License-Identifier: Apache-2.0 */
/* kbs-client: attest, fetch a secret, administrate (kbs.md 10.1, and the older dialect of 12.1). */
#include "cmd/kbs_client.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"

/* ---- shared -----------------------------------------------------------------------------------
 */

static vs_code read_options(const kc_options *o, kbsc_config *cfg, vs_error *err)
{
    uint64_t seconds;
    if (o->oldest_protocol && !kbsc_version_of(vs_str(o->oldest_protocol), &cfg->oldest))
        return vs_fail(err, VS_E_INVALID,
                       "--oldest-protocol is one of " KBSC_VERSIONS ", not %.60s",
                       o->oldest_protocol);
    if (!o->timeout)
        return VS_OK;
    if (!vs_span_decimal(vs_str(o->timeout), 86400, &seconds) || seconds == 0)
        return vs_fail(err, VS_E_INVALID, "--timeout is 1 to 86400 seconds, not %.60s", o->timeout);
    cfg->deadline_ms = (unsigned)seconds * 1000;
    return VS_OK;
}

vs_code kc_connect(const kc_options *o, kbsc **out, vs_error *err)
{
    kbsc_config cfg = {.url = o->url,
                       .ca_file = o->cert_file,
                       .user_agent = "kbs-client/" VS_VERSION,
                       .cert = o->client_cert,
                       .key = o->client_key,
                       .unix_socket = o->unix_socket,
                       .proxy = o->proxy};
    VS_TRY(read_options(o, &cfg, err));
    return kbsc_new(&cfg, out, err);
}

vs_code kc_print(const vs_buf *text, vs_error *err)
{
    VS_TRY(vs_buf_check(text, err));
    return vs_write_fd(STDOUT_FILENO, vs_buf_span(text), err);
}

int kc_finish(vs_code code, const vs_error *err)
{
    if (code == VS_OK)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "Error: %s\n", vs_error_at(err, 0));
    if (vs_error_at(err, 1))
        (void)fputs("\nCaused by:\n", stderr);
    for (unsigned i = 1; vs_error_at(err, i); i++)
        (void)fprintf(stderr, "    %u: %s\n", i - 1, vs_error_at(err, i));
    return EXIT_FAILURE;
}

static vs_code load_tee_key(const kc_options *o, kbsc *c, vs_error *err)
{
    if (!o->tee_key_file)
        return kbsc_set_tee_key(c, NULL, err);
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(KC_FILE_MAX);
    vs_key *key = NULL;
    VS_TRY_WRAP(vs_read_file(o->tee_key_file, &pem, err), err, "reading the TEE key");
    VS_TRY_WRAP(vs_key_from_pem(vs_buf_span(&pem), true, &key, err), err,
                "the TEE private key in %s is not RSA (PKCS#1) nor EC P256/P521 (PKCS#8)",
                o->tee_key_file);
    VS_TRY_WRAP(kbsc_set_tee_key(c, key, err), err, "the TEE key in %s", o->tee_key_file);
    return VS_OK;
}

static vs_code detect(const kc_options *o, attester **out, vs_error *err)
{
    const char *env = getenv("KBS_CLIENT_ALLOW_SAMPLE");
    attester_config cfg = {.allow_sample = o->allow_sample || (env && strcmp(env, "1") == 0),
                           .sample_by = "--allow-sample or KBS_CLIENT_ALLOW_SAMPLE=1"};
    return attester_detect(&cfg, out, err);
}

/* ---- attest -----------------------------------------------------------------------------------
 */

static vs_code attest(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(kbsc_free) kbsc *c = NULL;
    VS_CLEANUP(attester_free) attester *att = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(KC_FILE_MAX);
    VS_TRY(kc_connect(o, &c, err));
    VS_TRY(load_tee_key(o, c, err));
    VS_TRY(detect(o, &att, err));
    VS_TRY(kbsc_attest(c, att, vs_str(o->init_data), &token, err));
    vs_buf_putc(&token, '\n');
    return kc_print(&token, err);
}

/* ---- get-resource -----------------------------------------------------------------------------
 */

static vs_code get_with_token(const kc_options *o, kbsc *c, vs_buf *secret, vs_error *err)
{
    if (!o->tee_key_file)
        return vs_fail(
            err, VS_E_INVALID,
            "--attestation-token needs --tee-key-file, the key that the token was made with");
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(KC_FILE_MAX);
    VS_TRY_WRAP(vs_read_file(o->attestation_token, &token, err), err,
                "reading the attestation token");
    bool token_refused;
    return kbsc_get_with_token(c, vs_span_trim(vs_buf_span(&token)),
                               &(kbsc_resource){"resource", o->path, NULL}, secret, &token_refused,
                               err);
}

static vs_code get_by_attesting(const kc_options *o, kbsc *c, vs_buf *secret, vs_error *err)
{
    VS_CLEANUP(attester_free) attester *att = NULL;
    VS_TRY(detect(o, &att, err));
    return kbsc_get_resource(c, att, vs_str(o->init_data),
                             &(kbsc_resource){"resource", o->path, NULL}, secret, err);
}

static vs_code get_resource(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(kbsc_free) kbsc *c = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf secret = VS_BUF(KC_FILE_MAX), text = VS_BUF(2 * KC_FILE_MAX);
    VS_TRY(kc_connect(o, &c, err));
    VS_TRY(load_tee_key(o, c, err));
    VS_TRY(o->attestation_token ? get_with_token(o, c, &secret, err)
                                : get_by_attesting(o, c, &secret, err));
    vs_b64_encode(&text, VS_B64_STD, vs_buf_span(&secret));
    vs_buf_putc(&text, '\n');
    return kc_print(&text, err);
}

/* ---- the command line -------------------------------------------------------------------------
 */

static int run_attest(void *opts)
{
    vs_error err = {0};
    return kc_finish(attest(opts, &err), &err);
}

static int run_get_resource(void *opts)
{
    vs_error err = {0};
    return kc_finish(get_resource(opts, &err), &err);
}

#define TEE_KEY                                                                                    \
    {                                                                                              \
        .name = "tee-key-file", .value = "PEM", .at = offsetof(kc_options, tee_key_file),          \
        .help = "Private key of the TEE: RSA, EC P-256 or P-521; a fresh one without it"           \
    }
#define ALLOW_SAMPLE                                                                               \
    {                                                                                              \
        .name = "allow-sample", .at = offsetof(kc_options, allow_sample),                          \
        .help = "Without a TEE use the sample attester, which proves nothing"                      \
    }

static const cli_argument init_data[] = {{.name = "INIT_DATA",
                                          .at = offsetof(kc_options, init_data),
                                          .help = "Init-data document: its text, not a file"},
                                         {0}};

static const cli_option attest_options[] = {TEE_KEY, ALLOW_SAMPLE, {0}};

static const cli_option get_resource_options[] = {
    {.name = "path",
     .value = "PATH",
     .at = offsetof(kc_options, path),
     .required = true,
     .help = "The resource: REPOSITORY/TYPE/TAG"},
    TEE_KEY,
    {.name = "attestation-token",
     .value = "FILE",
     .at = offsetof(kc_options, attestation_token),
     .help = "A token from attest; needs its --tee-key-file"},
    ALLOW_SAMPLE,
    {0}};

static const cli_command commands[] = {
    {.name = "attest",
     .summary = "Attest this TEE to the server and print the token (a JWT)",
     .options = attest_options,
     .arguments = init_data,
     .run = run_attest},
    {.name = "get-resource",
     .summary = "Fetch a secret and print it in base64",
     .options = get_resource_options,
     .arguments = init_data,
     .run = run_get_resource,
     .more = "Examples:\n"
             "  kbs-client get-resource --path default/key/1\n"
             "  kbs-client get-resource --path default/key/1 --tee-key-file realm.key "
             "--attestation-token ear.jwt"},
    {.name = "config",
     .summary = "Administrate policies, secrets and reference values",
     .options = kc_config_options,
     .commands = kc_config_commands},
    {0}};

static const cli_option top_options[] = {
    {.name = "url",
     .value = "URL",
     .at = offsetof(kc_options, url),
     .fallback = "http://127.0.0.1:8080",
     .help = "Root of the server"},
    {.name = "cert-file",
     .value = "PEM",
     .at = offsetof(kc_options, cert_file),
     .help = "An additional trust root"},
    {.name = "unix-socket",
     .value = "PATH",
     .at = offsetof(kc_options, unix_socket),
     .help = "Socket of a server on this machine"},
    {.name = "client-cert",
     .value = "PEM",
     .at = offsetof(kc_options, client_cert),
     .help = "Certificate of an administrator"},
    {.name = "client-key",
     .value = "PEM",
     .at = offsetof(kc_options, client_key),
     .help = "Its private key, when not in the same file"},
    {.name = "proxy",
     .value = "URL",
     .at = offsetof(kc_options, proxy),
     .help = "http://HOST:PORT, or \"\" for none, instead of "
             "what the environment says"},
    {.name = "timeout",
     .value = "SECONDS",
     .at = offsetof(kc_options, timeout),
     .help = "For an operation with all its requests and pauses"},
    {.name = "oldest-protocol",
     .value = "VERSION",
     .at = offsetof(kc_options, oldest_protocol),
     .help = "Oldest version of the KBS protocol to go back to "
             "when the server wants it: 0.2.0; 0.1.1 has "
             "weaker encryption"},
    ALLOW_SAMPLE,
    {0}};

static const cli_command top = {
    .name = "kbs-client",
    .summary = "Client of a Confidential Containers key broker service (KBS)",
    .version = "KBS client " VS_VERSION,
    .options = top_options,
    .commands = commands,
    .more = "Environment:\n"
            "  VOUCHSAFE_TSM_PATH         Report device: a directory or a Unix socket\n"
            "  KBS_CLIENT_ALLOW_SAMPLE=1  As --allow-sample\n"
            "  RUST_LOG                   error, warn, info, debug",
};

int main(int argc, char **argv)
{
    vs_log_level level = VS_LOG_INFO;
    const char *wanted = getenv("RUST_LOG");
    if (wanted)
        (void)vs_log_level_of(wanted, &level);
    vs_log_setup(level, false, STDERR_FILENO);
    kc_options o = {0};
    return cli_main(&top, argc, argv, &o);
}
