/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe realm`: the software CCA realm, a test device. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/io.h"
#include "cmd/cli.h"
#include "cmd/commands.h"
#include "realm/device.h"

typedef struct options {
    const char *dir;
    const char *rim, *rpv, *profile, *form, *lifecycle; /* init */
    const char *mount, *socket;                         /* run */
    const char *challenge, *out;                        /* token */
    const char *index, *data;                           /* extend */
} options;

static int run_init(void *opts);
static int run_run(void *opts);
static int run_rim(void *opts);
static int run_token(void *opts);
static int run_extend(void *opts);

#define AT(member) .at = offsetof(options, member)
#define DIR_OPTION                                                                                 \
    {                                                                                              \
        .name = "dir", .letter = 'd', .value = "DIR", .required = true, AT(dir),                   \
        .help = "Directory of the realm"                                                           \
    }

static const cli_option init_options[] = {
    DIR_OPTION,
    {.name = "rim",
     .value = "HEX|BASE64",
     AT(rim),
     .help = "Realm initial measurement, 32, 48 or 64 bytes; its length selects the hash"},
    {.name = "rpv",
     .value = "HEX|BASE64",
     AT(rpv),
     .help = "Realm personalization value (init data), up to 64 bytes, padded with zeros"},
    {.name = "profile",
     .value = "NAME",
     AT(profile),
     .help = "legacy, 1.0.0 (default), 2.0.0, or a pair PLATFORM/REALM such as legacy/1.0.0"},
    {.name = "form",
     .value = "TAG",
     AT(form),
     .help = "Outer form of the token: 399 (default) or 907 (TF-RMM from 0.9.0)"},
    {.name = "lifecycle",
     .value = "NUMBER",
     AT(lifecycle),
     .help = "Platform lifecycle, such as 0x3000 (secured, default)"},
    {0}};
static const cli_option run_options[] = {DIR_OPTION,
                                         {.name = "mount",
                                          .value = "DIR",
                                          .group = 1,
                                          AT(mount),
                                          .help = "Mount the device here (FUSE)"},
                                         {.name = "socket",
                                          .value = "PATH",
                                          .group = 1,
                                          AT(socket),
                                          .help = "Serve the device on this Unix socket"},
                                         {0}};
static const cli_option rim_options[] = {DIR_OPTION, {0}};
static const cli_option token_options[] = {
    DIR_OPTION,
    {.name = "challenge",
     .value = "HEX",
     .required = true,
     AT(challenge),
     .help = "Up to 64 bytes, padded with zeros"},
    {.name = "output",
     .letter = 'o',
     .value = "FILE",
     .fallback = "-",
     AT(out),
     .help = "Where the token (CBOR) goes; - is standard output"},
    {0}};
static const cli_option extend_options[] = {
    DIR_OPTION,
    {.name = "index",
     .value = "1..4",
     .required = true,
     AT(index),
     .help = "Which extensible measurement"},
    {.name = "data", .value = "HEX", .required = true, AT(data), .help = "Up to 64 bytes"},
    {0}};

static const cli_command commands[] = {
    {.name = "init",
     .summary = "Make a realm: test keys, realm.json, and the trust stores that match them",
     .options = init_options,
     .run = run_init,
     .more = "  Then: CCA_CONFIG_FILE=DIR/cca-config.json for the verifier, `realm run` for the "
             "guest.\n"
             "  Everything a token says is in DIR/realm.json and may be edited.\n"},
    {.name = "run",
     .summary = "Serve the attestation device until SIGTERM or SIGINT",
     .options = run_options,
     .run = run_run,
     .more = "  Prints one line: \"ready fuse DIR\" or \"ready socket PATH\". Without --mount and "
             "--socket:\n"
             "  FUSE on a temporary directory, or a socket where FUSE is not to be had.\n"
             "  VOUCHSAFE_TSM_PATH=DIR-or-PATH points kbs-client at it.\n"},
    {.name = "rim",
     .summary = "Print the initial measurement in base64, as it is endorsed",
     .options = rim_options,
     .run = run_rim},
    {.name = "token", .summary = "Write one token", .options = token_options, .run = run_token},
    {.name = "extend",
     .summary = "Extend a measurement as a realm does at run time (RSI_MEASUREMENT_EXTEND)",
     .options = extend_options,
     .run = run_extend},
    {0}};
static const cli_command top = {
    .name = "vouchsafe realm",
    .summary = "A software CCA realm: a TEST DEVICE for machines without CCA. It proves nothing.",
    .commands = commands,
    .version = "vouchsafe-realm " VS_VERSION};

/* ---- values of options ----------------------------------------------------------------------- */

static bool is_digest_size(size_t n)
{
    return n == 32 || n == 48 || n == 64;
}

/* Hexadecimal when it can be, else base64 in any form. */
static vs_code bytes_of(vs_arena *a, const char *what, const char *text, vs_span *out,
                        vs_error *err)
{
    vs_span s = vs_str(text);
    if (vs_hex_decode_arena(a, s, out, NULL) == VS_OK)
        return VS_OK;
    VS_TRY_WRAP(vs_b64_decode_arena(a, VS_B64_ANY, s, out, err), err,
                "%s is neither hexadecimal nor base64", what);
    return VS_OK;
}

/* Padded with zeros to 64 bytes. */
static vs_code padded(vs_arena *a, const char *what, vs_span s, vs_span *out, vs_error *err)
{
    uint8_t *p = vs_zalloc(a, CCA_CHALLENGE);
    if (!p)
        return vs_arena_check(a, err);
    if (s.n > CCA_CHALLENGE)
        return vs_fail(err, VS_E_INVALID, "%s has %zu bytes, at most %d are possible", what, s.n,
                       CCA_CHALLENGE);
    if (s.n)
        memcpy(p, s.p, s.n);
    *out = vs_span_of(p, CCA_CHALLENGE);
    return VS_OK;
}

static vs_code number_of(const char *what, const char *text, unsigned long max, unsigned long *out,
                         vs_error *err)
{
    char *end;
    errno = 0;
    *out = strtoul(text, &end, 0);
    if (*end || end == text || errno || *text == '-' || *out > max)
        return vs_fail(err, VS_E_INVALID, "%s must be a number up to %lu, not %s", what, max, text);
    return VS_OK;
}

static vs_code set_rim(vs_arena *a, realm_spec *spec, const char *text, vs_error *err)
{
    static const uint8_t zeros[64];
    VS_TRY(bytes_of(a, "--rim", text, &spec->rim, err));
    if (!is_digest_size(spec->rim.n))
        return vs_fail(err, VS_E_INVALID, "--rim has %zu bytes, must have 32, 48 or 64",
                       spec->rim.n);
    spec->hash = spec->rim.n == 32 ? VS_SHA256 : spec->rim.n == 48 ? VS_SHA384 : VS_SHA512;
    for (unsigned i = 0; i < CCA_REMS; i++)
        spec->rem[i] = vs_span_of(zeros, spec->rim.n);
    return VS_OK;
}

static vs_code spec_of(vs_arena *a, const options *o, realm_spec *spec, vs_error *err)
{
    unsigned long number;
    vs_span bytes;
    VS_TRY(realm_spec_default(a, spec, err));
    if (o->profile)
        VS_TRY(realm_spec_set_profile(spec, o->profile, err));
    if (o->rim)
        VS_TRY(set_rim(a, spec, o->rim, err));
    if (o->rpv) {
        VS_TRY(bytes_of(a, "--rpv", o->rpv, &bytes, err));
        VS_TRY(padded(a, "--rpv", bytes, &spec->rpv, err));
    }
    if (o->lifecycle) {
        VS_TRY(number_of("--lifecycle", o->lifecycle, UINT16_MAX, &number, err));
        spec->lifecycle = (uint16_t)number;
    }
    if (o->form) {
        VS_TRY(number_of("--form", o->form, CCA_TAG_CMW, &number, err));
        if (number != CCA_TAG_EAT && number != CCA_TAG_CMW)
            return vs_fail(err, VS_E_INVALID, "--form must be 399 or 907");
        spec->tag = (unsigned)number;
    }
    return VS_OK;
}

/* ---- subcommands ----------------------------------------------------------------------------- */

static int finish(vs_code code, const vs_error *err)
{
    if (code == VS_OK)
        return EXIT_SUCCESS;
    char text[VS_ERROR_TEXT];
    fprintf(stderr, "vouchsafe realm: %s\n", vs_error_text(err, text, sizeof text));
    return EXIT_FAILURE;
}

static int run_init(void *opts)
{
    const options *o = opts;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_error err = {0};
    realm_spec spec;
    vs_code code = spec_of(&a, o, &spec, &err);
    if (code == VS_OK)
        code = realm_create(o->dir, &spec, &err);
    if (code == VS_OK)
        printf("A software CCA realm (test device, proves nothing) is in %s\n"
               "  verifier:  CCA_CONFIG_FILE=%s/cca-config.json\n"
               "  guest:     vouchsafe realm run --dir %s\n"
               "  endorse:   vouchsafe realm rim --dir %s\n",
               o->dir, o->dir, o->dir, o->dir);
    return finish(code, &err);
}

static vs_code print_rim(const char *dir, vs_error *err)
{
    VS_CLEANUP(realm_close) realm_home *r = NULL;
    VS_TRY(realm_open(dir, &r, err));
    vs_span text = vs_b64_encode_arena(&r->arena, VS_B64_STD, r->spec.rim);
    VS_TRY(vs_arena_check(&r->arena, err));
    printf("%.*s\n", VS_FMT(text));
    return VS_OK;
}

static int run_rim(void *opts)
{
    vs_error err = {0};
    return finish(print_rim(((options *)opts)->dir, &err), &err);
}

static vs_code write_token(const options *o, vs_error *err)
{
    VS_CLEANUP(realm_close) realm_home *r = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    vs_span challenge;
    VS_TRY(realm_open(o->dir, &r, err));
    VS_TRY_WRAP(vs_hex_decode_arena(&r->arena, vs_str(o->challenge), &challenge, err), err,
                "--challenge");
    VS_TRY(padded(&r->arena, "--challenge", challenge, &challenge, err));
    VS_TRY(realm_attest(r, challenge, &token, err));
    if (strcmp(o->out, "-") == 0)
        return vs_write_fd(STDOUT_FILENO, vs_buf_span(&token), err);
    return vs_write_file(o->out, vs_buf_span(&token), 0644, err);
}

static int run_token(void *opts)
{
    vs_error err = {0};
    return finish(write_token(opts, &err), &err);
}

static vs_code extend(const options *o, vs_error *err)
{
    VS_CLEANUP(realm_close) realm_home *r = NULL;
    unsigned long index;
    vs_span data;
    VS_TRY(realm_open(o->dir, &r, err));
    VS_TRY(number_of("--index", o->index, CCA_REMS, &index, err));
    VS_TRY_WRAP(vs_hex_decode_arena(&r->arena, vs_str(o->data), &data, err), err, "--data");
    return realm_extend(r, o->dir, (unsigned)index, data, err);
}

static int run_extend(void *opts)
{
    vs_error err = {0};
    return finish(extend(opts, &err), &err);
}

/* ---- run ------------------------------------------------------------------------------------- */

typedef struct announcement {
    const char *kind, *path;
    bool made;
} announcement;

static void announce(void *user)
{
    announcement *a = user;
    a->made = true;
    printf("ready %s %s\n", a->kind, a->path);
    (void)fflush(stdout);
}

static vs_code serve_fuse(const realm_home *r, const char *dir, bool *served, vs_error *err)
{
    char full[PATH_MAX];
    if (!realpath(dir, full))
        return vs_fail_errno(err, VS_E_IO, errno, "cannot find %s", dir);
    announcement a = {.kind = "fuse", .path = full};
    vs_code code = realm_serve_fuse(r, full, announce, &a, err);
    *served = a.made;
    return code;
}

/* SIGTERM and SIGINT become readable, so that the socket can be removed. */
static vs_code serve_socket(const realm_home *r, const char *path, vs_error *err)
{
    sigset_t stop;
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTERM);
    (void)sigaddset(&stop, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &stop, NULL);
    int fd = signalfd(-1, &stop, SFD_CLOEXEC);
    if (fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "signalfd");
    announcement a = {.kind = "socket", .path = path};
    vs_code code = realm_serve_socket(r, path, fd, announce, &a, err);
    (void)close(fd);
    return code;
}

/* FUSE on a temporary directory, else a socket in it. */
static vs_code serve_anywhere(const realm_home *r, vs_error *err)
{
    const char *base = getenv("TMPDIR");
    char dir[PATH_MAX / 2], path[PATH_MAX];
    (void)snprintf(dir, sizeof dir, "%s/vouchsafe-realm.XXXXXX", base && *base ? base : P_tmpdir);
    if (!mkdtemp(dir))
        return vs_fail_errno(err, VS_E_IO, errno, "cannot make a temporary directory %s", dir);
    bool served = false;
    vs_code code = serve_fuse(r, dir, &served, err);
    if (code != VS_OK && !served) {
        char text[VS_ERROR_TEXT];
        fprintf(stderr, "vouchsafe realm: %s; serving on a Unix socket instead\n",
                err ? vs_error_text(err, text, sizeof text) : "no FUSE");
        (void)snprintf(path, sizeof path, "%s/tsm.sock", dir);
        code = serve_socket(r, path, err);
    }
    (void)rmdir(dir);
    return code;
}

static vs_code serve(const options *o, vs_error *err)
{
    VS_CLEANUP(realm_close) realm_home *r = NULL;
    bool served;
    VS_TRY(realm_open(o->dir, &r, err));
    if (o->socket)
        return serve_socket(r, o->socket, err);
    return o->mount ? serve_fuse(r, o->mount, &served, err) : serve_anywhere(r, err);
}

static int run_run(void *opts)
{
    vs_error err = {0};
    return finish(serve(opts, &err), &err);
}

int cmd_realm(int argc, char **argv)
{
    options o = {0};
    return cli_main(&top, argc, argv, &o);
}
