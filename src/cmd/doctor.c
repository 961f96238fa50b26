/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/doctor.h"

#include <errno.h>
#include <linux/landlock.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "as/defaults.h"
#include "base/clock.h"
#include "base/io.h"
#include "cmd/serve.h"
#include "crypto/crypto.h"
#include "kbs/kbs.h"
#include "tee/cca/trust.h"
#include "tee/dcap/trust.h"
#include "value/json.h"

enum {
    FILE_MAX = 4 * 1024 * 1024,
    DAY = 86400,
    SOON_DAYS = 30,
    LEAST_FREE_MIB = 64,
    LEAST_FILES = 4096,
    TEXT = 2 * VS_ERROR_TEXT,
};

void doctor_add(doctor *d, finding_level level, const char *area, const char *subject,
                const char *advice, const char *fmt, ...)
{
    char text[TEXT];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    finding f = {level, area, vs_sprintf(d->a, "%s", subject), vs_sprintf(d->a, "%s", text),
                 advice ? vs_sprintf(d->a, "%s", advice) : ""};
    if (!vs_arena_ok(d->a) || d->n >= FINDINGS_MAX - 1) {
        d->findings[FINDINGS_MAX - 1] =
            (finding){FINDING_PROBLEM, "doctor", "", "there is more than can be shown", ""};
        d->n = FINDINGS_MAX;
        return;
    }
    d->findings[d->n++] = f;
}

void doctor_add_error(doctor *d, finding_level level, const char *area, const char *subject,
                      const char *advice, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    doctor_add(d, level, area, subject, advice, "%s", vs_error_text(err, text, sizeof text));
}

/* ---- files of keys and certificates -----------------------------------------------------------
 */

static bool is_url(const char *uri)
{
    return strncmp(uri, "https://", 8) == 0;
}

static const char *path_of(const char *uri)
{
    return strncmp(uri, "file://", 7) == 0 ? uri + 7 : uri;
}

/* False, with a finding, when it cannot be read. */
static bool read_file(doctor *d, const char *area, const char *path, vs_buf *out)
{
    vs_error err = {0};
    if (vs_read_file(path, out, &err) == VS_OK)
        return true;
    doctor_add_error(d, FINDING_PROBLEM, area, path,
                     "correct the path in the configuration, or let the server's user read it",
                     &err);
    return false;
}

/* A private key is the owner's alone; what is trusted is not for others to write. */
static void check_mode(doctor *d, const char *area, const char *path, bool secret)
{
    struct stat st;
    mode_t wrong = secret ? 077 : 022;
    if (stat(path, &st) != 0 || (st.st_mode & wrong) == 0)
        return;
    doctor_add(d, (st.st_mode & (secret ? 07 : 02)) ? FINDING_PROBLEM : FINDING_WARNING, area, path,
               vs_sprintf(d->a, "chmod %s %s", secret ? "600" : "go-w", path),
               "mode %04o: others may %s it", (unsigned)st.st_mode & 07777,
               secret ? "read" : "change");
}

static void check_private_key(doctor *d, const char *path, vs_key **key)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(FILE_MAX);
    vs_error err = {0};
    if (!path || !read_file(d, "private key", path, &pem))
        return;
    check_mode(d, "private key", path, true);
    if (vs_key_from_pem(vs_buf_span(&pem), true, key, &err) == VS_OK)
        doctor_add(d, FINDING_OK, "private key", path, NULL, "readable");
    else
        doctor_add_error(d, FINDING_PROBLEM, "private key", path,
                         "give a PEM file with an unencrypted private key", &err);
}

static void check_dates(doctor *d, const char *path, const vs_certs *certs, size_t i)
{
    char time[VS_TIME_TEXT];
    int64_t from = 0, until = 0;
    vs_error err = {0};
    static const char renew[] = "renew it; a running server takes the new file over on SIGHUP";
    if (vs_certs_validity(certs, i, &from, &until, &err) != VS_OK)
        doctor_add_error(d, FINDING_PROBLEM, "certificate", path, renew, &err);
    else if (d->now > until)
        doctor_add(d, FINDING_PROBLEM, "certificate", path, renew, "certificate %zu expired at %s",
                   i + 1, vs_time_rfc3339(until, time));
    else if (d->now < from)
        doctor_add(d, FINDING_PROBLEM, "certificate", path,
                   "wait, or correct the clock of this machine",
                   "certificate %zu is not valid before %s", i + 1, vs_time_rfc3339(from, time));
    else if (until - d->now < (int64_t)SOON_DAYS * DAY)
        doctor_add(d, FINDING_WARNING, "certificate", path, renew,
                   "certificate %zu expires in %lld days, at %s", i + 1,
                   (long long)((until - d->now) / DAY), vs_time_rfc3339(until, time));
    else
        doctor_add(d, FINDING_OK, "certificate", path, NULL, "certificate %zu is valid until %s",
                   i + 1, vs_time_rfc3339(until, time));
}

/* With `key`, the first certificate must be its. */
static void check_certs(doctor *d, const char *path, const vs_key *key)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(FILE_MAX);
    VS_CLEANUP(vs_certs_free) vs_certs *certs = NULL;
    VS_CLEANUP(vs_key_free) vs_key *own = NULL;
    vs_error err = {0};
    if (!path || !read_file(d, "certificate", path, &pem))
        return;
    check_mode(d, "certificate", path, false);
    if (vs_certs_from_pem(vs_buf_span(&pem), &certs, &err) != VS_OK) {
        doctor_add_error(d, FINDING_PROBLEM, "certificate", path, "give a PEM file", &err);
        return;
    }
    for (size_t i = 0; i < vs_certs_count(certs); i++)
        check_dates(d, path, certs, i);
    if (key && (vs_certs_key(certs, 0, &own, &err) != VS_OK || !vs_key_public_eq(key, own)))
        doctor_add(d, FINDING_PROBLEM, "certificate", path,
                   "give the key that the certificate was made for; the leaf stands first",
                   "the first certificate does not belong to the private key");
}

static void check_public_key(doctor *d, const char *uri)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(FILE_MAX);
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    vs_error err = {0};
    if (!uri || is_url(uri) || !read_file(d, "administrator", path_of(uri), &pem))
        return;
    check_mode(d, "administrator", path_of(uri), false);
    if (vs_key_from_pem(vs_buf_span(&pem), false, &key, &err) == VS_OK)
        doctor_add(d, FINDING_OK, "administrator", path_of(uri), NULL, "public key is readable");
    else
        doctor_add_error(d, FINDING_PROBLEM, "administrator", path_of(uri),
                         "give the PEM file of the public key", &err);
}

static void check_jwk_set(doctor *d, const char *area, const char *uri)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(FILE_MAX);
    vs_error err = {0};
    vs_val doc, keys;
    if (!uri || is_url(uri) || !read_file(d, area, path_of(uri), &text))
        return;
    check_mode(d, area, path_of(uri), false);
    if (vs_json_parse(d->a, vs_dup(d->a, vs_buf_span(&text)), NULL, &doc, &err) == VS_OK &&
        vs_need(doc, "keys", VS_ARRAY, &keys, &err) == VS_OK)
        doctor_add(d, keys.len ? FINDING_OK : FINDING_PROBLEM, area, path_of(uri),
                   keys.len ? NULL : "give a set with keys", "%u keys", keys.len);
    else
        doctor_add_error(d, FINDING_PROBLEM, area, path_of(uri), "give a JWK set", &err);
}

static void check_keys(doctor *d, const kbs_config *cfg)
{
    VS_CLEANUP(vs_key_free) vs_key *tls = NULL;
    VS_CLEANUP(vs_key_free) vs_key *signer = NULL;
    if (!cfg->insecure_http) {
        check_private_key(d, cfg->private_key, &tls);
        check_certs(d, cfg->certificate, tls);
    }
    check_private_key(d, cfg->as.signer_key_path, &signer);
    check_certs(d, cfg->as.signer_cert_path, signer);
    for (size_t i = 0; i < cfg->n_trusted_certs; i++)
        check_certs(d, cfg->trusted_certs_paths[i], NULL);
    for (size_t i = 0; i < cfg->n_trusted_jwk_sets; i++)
        check_jwk_set(d, "token trust", cfg->trusted_jwk_sets[i]);
    for (size_t i = 0; i < cfg->admin.n_personas; i++)
        check_public_key(d, cfg->admin.personas[i].public_key_path);
    for (size_t i = 0; i < cfg->admin.n_providers; i++) {
        check_public_key(d, cfg->admin.providers[i].public_key_uri);
        check_jwk_set(d, "administrator", cfg->admin.providers[i].jwk_set_uri);
    }
}

/* ---- what is configured ------------------------------------------------------------------------
 */

static bool on_loopback(const char *socket)
{
    return strncmp(socket, "127.", 4) == 0 || strncmp(socket, "[::1]", 5) == 0;
}

static void check_choices(doctor *d, const kbs_config *cfg)
{
    for (size_t i = 0; cfg->insecure_http && i < cfg->n_sockets; i++)
        if (!on_loopback(cfg->sockets[i]))
            doctor_add(d, FINDING_WARNING, "choice", "http_server.insecure_http",
                       "give private_key and certificate, or let a proxy in front speak TLS",
                       "%s speaks plain HTTP: administrators' tokens can be overheard",
                       cfg->sockets[i]);
    for (size_t i = 0; i < cfg->n_ops_sockets; i++)
        if (!on_loopback(cfg->ops_sockets[i]))
            doctor_add(d, FINDING_WARNING, "choice", "operations.sockets",
                       "let only the machines that watch reach it",
                       "%s shows metrics to whoever reaches it", cfg->ops_sockets[i]);
    const struct {
        bool chosen;
        finding_level level;
        const char *subject, *advice, *text;
    } choices[] = {
        {cfg->insecure_header_jwk, FINDING_PROBLEM, "attestation_token.insecure_header_jwk",
         "give trusted_certs_paths or trusted_jwk_sets instead",
         "anybody can make an attestation token that is believed"},
        {cfg->admin.mode == KBS_ADMIN_INSECURE_ALLOW_ALL, FINDING_PROBLEM, "admin",
         "give keys of administrators", "anybody may administrate"},
        {cfg->admin.mode == KBS_ADMIN_DENY_ALL, FINDING_WARNING, "admin",
         "give keys of administrators (--admin-key, [admin])",
         "nobody may administrate: no resources, policies or reference values can be set"},
        {cfg->as.sample_tee, FINDING_PROBLEM, "attestation_service.sample_tee",
         "turn it off outside of tests", "evidence that proves nothing is accepted"},
        {cfg->storage.type == STORE_MEMORY, FINDING_WARNING, "storage_backend",
         "take Sqlite or Postgres", "everything is lost when the server stops"},
        {!cfg->as.signer_key_path, FINDING_OK, "attestation_token_broker.signer", "",
         "no key is given: one is made and kept in the store"},
    };
    for (size_t i = 0; i < VS_COUNT(choices); i++)
        if (choices[i].chosen)
            doctor_add(d, choices[i].level, "choice", choices[i].subject, choices[i].advice, "%s",
                       choices[i].text);
}

/* ---- this machine ------------------------------------------------------------------------------
 */

static void check_clock(doctor *d)
{
    char time[VS_TIME_TEXT];
    struct timex t = {0};
    struct stat st;
    (void)vs_time_rfc3339(d->now, time);
    if (stat("/proc/self/exe", &st) == 0 && d->now < st.st_mtime)
        doctor_add(d, FINDING_PROBLEM, "clock", time, "set the clock",
                   "the clock is behind the date of this program");
    else if (adjtimex(&t) == TIME_ERROR || (t.status & STA_UNSYNC))
        doctor_add(
            d, FINDING_WARNING, "clock", time, "run a time service (systemd-timesyncd, chrony)",
            "the kernel says that the clock is not synchronised: tokens and certificates are "
            "judged by it");
    else
        doctor_add(d, FINDING_OK, "clock", time, NULL, "synchronised");
}

static void check_limits(doctor *d)
{
    struct rlimit files;
    long landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < LEAST_FILES)
        doctor_add(d, FINDING_WARNING, "machine", "open files", "LimitNOFILE=65536, or ulimit -n",
                   "at most %llu connections can be held", (unsigned long long)files.rlim_cur);
    if (landlock >= 1)
        doctor_add(d, FINDING_OK, "machine", "sandbox", NULL, "Landlock version %ld", landlock);
    else
        doctor_add(d, FINDING_WARNING, "machine", "sandbox",
                   "a kernel of 5.13 or later with landlock in its list of security modules",
                   "this kernel has no Landlock: files are guarded by permissions only");
}

/* Bound and let go of; the server itself may have it. */
static void check_socket(doctor *d, const char *socket_text)
{
    char host[64];
    const char *colon = strrchr(socket_text, ':');
    size_t n = colon ? (size_t)(colon - socket_text) : 0;
    bool v6 = socket_text[0] == '[';
    if (n < 2 || n >= sizeof host || strcmp(colon, ":0") == 0)
        return;
    (void)snprintf(host, sizeof host, "%.*s", (int)(v6 ? n - 2 : n), socket_text + v6);
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *at = NULL;
    if (getaddrinfo(host, colon + 1, &hints, &at) != 0)
        return;
    int on = 1, fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int failed = fd < 0 || bind(fd, at->ai_addr, at->ai_addrlen) != 0 ? errno : 0;
    if (fd >= 0)
        (void)close(fd);
    freeaddrinfo(at);
    if (!failed)
        doctor_add(d, FINDING_OK, "port", socket_text, NULL, "free");
    else if (failed == EADDRINUSE)
        doctor_add(
            d, FINDING_WARNING, "port", socket_text,
            "nothing, if that is the server itself; else stop the other or take another port",
            "somebody listens there");
    else
        doctor_add(d, FINDING_PROBLEM, "port", socket_text,
                   failed == EACCES ? "take a port above 1023, or vouchsafe.socket of systemd"
                                    : "take an address of this machine",
                   "%s", strerror(failed));
}

/* ---- stores ------------------------------------------------------------------------------------
 */

static void check_room(doctor *d, const char *path)
{
    struct statvfs v;
    if (statvfs(path, &v) != 0)
        return;
    uint64_t mib = (uint64_t)v.f_bavail * v.f_frsize >> 20;
    if (v.f_flag & ST_RDONLY)
        doctor_add(d, FINDING_PROBLEM, "store", path, "mount it for writing",
                   "the file system is read-only");
    else if (mib < LEAST_FREE_MIB)
        doctor_add(d, FINDING_WARNING, "store", path, "make room", "%llu MiB are free",
                   (unsigned long long)mib);
}

static void check_store(doctor *d, const store_config *cfg)
{
    vs_error err = {0};
    vs_store *store = NULL;
    const char *name = cfg->path ? cfg->path : cfg->type == STORE_POSTGRES ? "PostgreSQL" : "";
    struct stat st;
    if (cfg->type == STORE_MEMORY)
        return;
    if (cfg->path && stat(cfg->path, &st) != 0 && errno == ENOENT) {
        doctor_add(d, FINDING_OK, "store", name, NULL, "not there yet: the first start makes it");
        return;
    }
    if (cfg->path) {
        check_mode(d, "store", cfg->path, true);
        check_room(d, cfg->path);
    }
    vs_code code = store_open(cfg, &store, &err);
    if (code == VS_OK)
        code = vs_store_ping(store, &err);
    vs_store_close(&store);
    if (code == VS_OK)
        doctor_add(d, FINDING_OK, "store", name, NULL, "a write succeeds");
    else
        doctor_add_error(d, FINDING_PROBLEM, "store", name,
                         cfg->type == STORE_POSTGRES
                             ? "see that the server runs, and that user and database are there"
                             : "let the server's user own it, on a disk with room",
                         &err);
}

static void check_stores(doctor *d, const kbs_config *cfg)
{
    check_store(d, &cfg->storage);
    for (size_t i = 0; i < cfg->n_store_overrides; i++)
        check_store(d, &cfg->store_overrides[i].store);
    if (cfg->resource_has_own_store)
        check_store(d, &cfg->resource_store);
}

/* ---- policies that the server stores by itself -------------------------------------------------
 */

static void tell_default(doctor *d, const char *subject, const as_default *found,
                         const char *command)
{
    if (found->state == AS_DEFAULT_OLD)
        doctor_add(d, FINDING_WARNING, "policy", subject,
                   "start the server: it replaces what nobody has chosen",
                   "the default of an earlier release: %s", found->lacks);
    else if (found->state == AS_DEFAULT_OLD_CHOSEN)
        doctor_add(d, FINDING_WARNING, "policy", subject, command,
                   "the default of an earlier release, which an administrator has chosen: %s",
                   found->lacks);
}

static const store_config *store_of(const kbs_config *cfg, const char *ns)
{
    for (size_t i = 0; i < cfg->n_store_overrides; i++)
        if (strcmp(cfg->store_overrides[i].ns, ns) == 0)
            return &cfg->store_overrides[i].store;
    return &cfg->storage;
}

/* What cannot be opened or read was told of, or is told when it is used. */
static void check_default(doctor *d, const kbs_config *cfg, const char *ns, const char *id,
                          const char *name)
{
    const store_config *where = store_of(cfg, ns);
    vs_store *store = NULL;
    as_policies *policies = NULL;
    as_default found;
    if (where->type == STORE_MEMORY || (where->path && access(where->path, F_OK) != 0))
        return;
    vs_code code = store_open(where, &store, NULL);
    if (code == VS_OK)
        code = as_policies_new(store, ns, NULL, 0, &policies, NULL);
    if (code == VS_OK)
        code = as_default_look(policies, vs_str(id), name, d->a, &found, NULL);
    if (code == VS_OK)
        tell_default(d, id, &found, as_default_command(vs_str(id), name, d->a));
    as_policies_free(&policies);
    vs_store_close(&store);
}

static void check_defaults(doctor *d, const kbs_config *cfg)
{
    check_default(d, cfg, KBS_NS_POLICY, KBS_POLICY_ID, KBS_SHIPPED_POLICY);
    for (size_t i = 0; !cfg->as.remote && i < AS_DEFAULTS; i++)
        check_default(d, cfg, AS_POLICY_NAMESPACE, as_default_ids[i], as_default_ids[i]);
}

static void check_cca(doctor *d, const char *path)
{
    cca_trust *trust = NULL;
    vs_error err = {0};
    switch (cca_trust_load(path, &trust, &err)) {
    case VS_OK:
        doctor_add(d, FINDING_OK, "CCA verifier", path, NULL,
                   cca_trust_is_remote(trust) ? "a remote one, which is not asked here"
                                              : "it and the stores it names are readable");
        break;
    case VS_E_NOT_FOUND:
        doctor_add(d, FINDING_WARNING, "CCA verifier", path,
                   "give --cca-config or CCA_CONFIG_FILE if platforms are to be accepted that no "
                   "CoRIM endorses",
                   "not there: only platforms that reference values endorse will be accepted");
        break;
    default: doctor_add_error(d, FINDING_PROBLEM, "CCA verifier", path, "correct the file", &err);
    }
    cca_trust_free(&trust);
}

static void check_tdx(doctor *d, const char *url)
{
    dcap_trust *trust = NULL;
    vs_error err = {0};
    const dcap_trust_options options = {.file = config_file_of_url(url)};
    if (!url)
        return; /* who does not attest TDs need not hear of it */
    if (!options.file)
        doctor_add(d, FINDING_WARNING, "TDX verifier", url,
                   "give the file:// URL of a file of Intel's PCS client tool",
                   "no service is asked while attesting: TDX evidence will be refused");
    else if (dcap_trust_new(&options, &trust, &err) == VS_OK)
        doctor_add(d, FINDING_OK, "TDX verifier", options.file, NULL, "collateral is readable");
    else
        doctor_add_error(d, FINDING_PROBLEM, "TDX verifier", options.file,
                         "fetch the collateral again", &err);
    dcap_trust_free(&trust);
}

void doctor_look(doctor *d, const kbs_config *cfg)
{
    check_choices(d, cfg);
    check_keys(d, cfg);
    check_cca(d, cfg->as.cca_config_path);
    check_tdx(d, cfg->as.tees.collateral_service);
    check_stores(d, cfg);
    check_defaults(d, cfg);
    doctor_look_at_peers(d, cfg);
    for (size_t i = 0; i < cfg->n_sockets; i++)
        check_socket(d, cfg->sockets[i]);
    for (size_t i = 0; i < cfg->n_ops_sockets; i++)
        check_socket(d, cfg->ops_sockets[i]);
    check_clock(d);
    check_limits(d);
}
