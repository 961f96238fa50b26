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
#include "realm/describe.h"
#include "realm/device.h"

typedef struct options {
    const char *dir;
    const char *description, *profile, *form, *lifecycle, *hash; /* init */
    const char *rim, *rpv, *cpak, *rak;
    const char *mount, *socket;                 /* run */
    const char *challenge, *out;                /* token */
    const char *index, *data;                   /* extend */
    const char *format, *out_dir, *tag_version; /* endorse */
} options;

static int run_init(void *opts);
static int run_run(void *opts);
static int run_rim(void *opts);
static int run_token(void *opts);
static int run_extend(void *opts);
static int run_endorse(void *opts);

#define AT(member) .at = offsetof(options, member)
#define DIR_OPTION                                                                                 \
    {                                                                                              \
        .name = "dir", .letter = 'd', .value = "DIR", .required = true, AT(dir),                   \
        .help = "Directory of the realm"                                                           \
    }

static const cli_option init_options[] = {
    DIR_OPTION,
    {.name = "description",
     .letter = 'f',
     .value = "FILE",
     AT(description),
     .help = "What tokens say where it is not the default: members of realm.json (JSON, *.toml)"},
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
     .value = "STATE",
     AT(lifecycle),
     .help = "Platform lifecycle: a state such as secured (default), or a number such as 0x3001"},
    {.name = "hash",
     .value = "NAME",
     AT(hash),
     .help = "Hash of the measurements: sha-256, sha-384 (2.0.0), sha-512 (default)"},
    {.name = "cpak",
     .value = "CURVE",
     .fallback = "P-384",
     AT(cpak),
     .help = "Curve of the test platform key: P-256, P-384 (default) or P-521"},
    {.name = "rak",
     .value = "CURVE",
     .fallback = "P-384",
     AT(rak),
     .help = "Curve of the test realm key; hardware has P-384"},
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
static const cli_option endorse_options[] = {
    DIR_OPTION,
    {.name = "output",
     .letter = 'o',
     .value = "DIR",
     AT(out_dir),
     .help = "Where the files go; default: the realm's directory"},
    {.name = "format",
     .value = "NAME",
     .fallback = "all",
     AT(format),
     .help = "stores (JSON for the local verifier), corim (templates), or all (default)"},
    {.name = "tag-version",
     .value = "NUMBER",
     .fallback = "0",
     AT(tag_version),
     .help = "Version of the tags: higher ones replace what was provisioned before"},
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
     .run = run_extend,
     .more = "  A device that is being served has the new value in its next token.\n"},
    {.name = "endorse",
     .summary = "Write endorsements of the realm as it is now",
     .options = endorse_options,
     .run = run_endorse,
     .more = "  stores: ta-store.json, rv-store.json, cca-config.json\n"
             "  corim:  corim-platform.json with comid-platform.json and comid-cpak.json,\n"
             "          corim-realm.json with comid-realm.json, as cocli reads them\n"},
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

/* The length of a RIM selects the hash, and with it the size of the (zero) REMs. */
static vs_code set_rim(vs_arena *a, realm_spec *spec, const char *text, vs_error *err)
{
    vs_span rim;
    VS_TRY(bytes_of(a, "--rim", text, &rim, err));
    if (!is_digest_size(rim.n))
        return vs_fail(err, VS_E_INVALID, "--rim has %zu bytes, must have 32, 48 or 64", rim.n);
    VS_TRY(realm_spec_set_hash(a, spec,
                               rim.n == 32   ? VS_SHA256
                               : rim.n == 48 ? VS_SHA384
                                             : VS_SHA512,
                               err));
    spec->rim = rim;
    return VS_OK;
}

static vs_code set_hash(vs_arena *a, realm_spec *spec, const options *o, vs_error *err)
{
    vs_hash h = vs_hash_of_name(vs_str(o->hash));
    if (h != VS_SHA256 && h != VS_SHA384 && h != VS_SHA512)
        return vs_fail(err, VS_E_INVALID, "--hash must be sha-256, sha-384 or sha-512, not %s",
                       o->hash);
    if (!o->rim)
        return realm_spec_set_hash(a, spec, h, err);
    return h == spec->hash
               ? VS_OK
               : vs_fail(err, VS_E_INVALID, "--hash is %s, but --rim has the size of a %s value",
                         o->hash, vs_hash_name(spec->hash));
}

static vs_code set_lifecycle(realm_spec *spec, const char *text, vs_error *err)
{
    unsigned long number;
    if (*text < '0' || *text > '9') {
        VS_TRY_WRAP(realm_lifecycle_of(vs_str(text), &spec->lifecycle, err), err, "--lifecycle");
        return VS_OK;
    }
    VS_TRY(number_of("--lifecycle", text, UINT16_MAX, &number, err));
    spec->lifecycle = (uint16_t)number;
    return VS_OK;
}

static vs_code set_form(realm_spec *spec, const char *text, vs_error *err)
{
    unsigned long number;
    VS_TRY(number_of("--form", text, CCA_TAG_CMW, &number, err));
    if (number != CCA_TAG_EAT && number != CCA_TAG_CMW)
        return vs_fail(err, VS_E_INVALID, "--form must be 399 or 907");
    spec->tag = (unsigned)number;
    return VS_OK;
}

/* The description, or the defaults. */
static vs_code start_spec(vs_arena *a, const options *o, realm_spec *spec, vs_error *err)
{
    if (!o->description)
        return realm_spec_default(a, spec, err);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(REALM_FILE_MAX);
    bool toml = vs_span_ends(vs_str(o->description), VS_LIT(".toml"));
    VS_TRY(vs_read_file(o->description, &text, err));
    VS_TRY_WRAP(realm_spec_describe(a, vs_buf_span(&text), toml, spec, err), err, "%s",
                o->description);
    return VS_OK;
}

static vs_code spec_of(vs_arena *a, const options *o, realm_spec *spec, vs_error *err)
{
    vs_span bytes;
    VS_TRY(start_spec(a, o, spec, err));
    if (o->profile)
        VS_TRY(realm_spec_set_profile(spec, o->profile, err));
    if (o->rim)
        VS_TRY(set_rim(a, spec, o->rim, err));
    if (o->hash)
        VS_TRY(set_hash(a, spec, o, err));
    if (o->rpv) {
        VS_TRY(bytes_of(a, "--rpv", o->rpv, &bytes, err));
        VS_TRY(padded(a, "--rpv", bytes, &spec->rpv, err));
    }
    if (o->lifecycle)
        VS_TRY(set_lifecycle(spec, o->lifecycle, err));
    return o->form ? set_form(spec, o->form, err) : VS_OK;
}

static vs_code curve_of(const char *what, const char *text, vs_key_type *out, vs_error *err)
{
    static const struct {
        const char *name;
        vs_key_type type;
    } curves[] = {{"P-256", VS_KEY_P256}, {"P-384", VS_KEY_P384}, {"P-521", VS_KEY_P521}};
    for (size_t i = 0; i < VS_COUNT(curves); i++)
        if (strcmp(text, curves[i].name) == 0) {
            *out = curves[i].type;
            return VS_OK;
        }
    return vs_fail(err, VS_E_INVALID, "%s must be P-256, P-384 or P-521, not %s", what, text);
}

static vs_code keys_of(const options *o, realm_keys *out, vs_error *err)
{
    vs_key_type cpak, rak;
    VS_TRY(curve_of("--cpak", o->cpak, &cpak, err));
    VS_TRY(curve_of("--rak", o->rak, &rak, err));
    return realm_keys_generate_on(cpak, rak, out, err);
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

static vs_code init(const options *o, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    VS_CLEANUP(realm_keys_free) realm_keys keys = {0};
    realm_spec spec;
    VS_TRY(spec_of(&a, o, &spec, err));
    VS_TRY(keys_of(o, &keys, err));
    VS_TRY(realm_create(o->dir, &spec, &keys, err));
    printf("A software CCA realm (test device, proves nothing) is in %s\n"
           "  verifier:  CCA_CONFIG_FILE=%s/cca-config.json\n"
           "  guest:     vouchsafe realm run --dir %s\n"
           "  endorse:   vouchsafe realm rim --dir %s\n",
           o->dir, o->dir, o->dir, o->dir);
    return VS_OK;
}

static int run_init(void *opts)
{
    vs_error err = {0};
    return finish(init(opts, &err), &err);
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
    return realm_extend(r, (unsigned)index, data, err);
}

static int run_extend(void *opts)
{
    vs_error err = {0};
    return finish(extend(opts, &err), &err);
}

static vs_code endorse(const options *o, vs_error *err)
{
    VS_CLEANUP(realm_close) realm_home *r = NULL;
    const char *to = o->out_dir ? o->out_dir : o->dir;
    bool all = strcmp(o->format, "all") == 0, stores = all || strcmp(o->format, "stores") == 0,
         corim = all || strcmp(o->format, "corim") == 0;
    unsigned long version;
    if (!stores && !corim)
        return vs_fail(err, VS_E_INVALID, "--format must be stores, corim or all, not %s",
                       o->format);
    VS_TRY(number_of("--tag-version", o->tag_version, INT32_MAX, &version, err));
    VS_TRY(realm_open(o->dir, &r, err));
    VS_TRY(vs_make_dirs(to, 0755, err));
    if (stores)
        VS_TRY(realm_write_stores(&r->spec, &r->keys, to, err));
    return corim ? realm_write_templates(&r->spec, &r->keys, to, (unsigned)version, err) : VS_OK;
}

static int run_endorse(void *opts)
{
    vs_error err = {0};
    return finish(endorse(opts, &err), &err);
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

static vs_code serve_fuse(realm_home *r, const char *dir, bool *served, vs_error *err)
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
static vs_code serve_socket(realm_home *r, const char *path, vs_error *err)
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
static vs_code serve_anywhere(realm_home *r, vs_error *err)
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
