/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe config`: which settings are in effect, and where each comes from. */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/cli.h"
#include "cmd/commands.h"
#include "cmd/config_as.h"
#include "cmd/config_rvps.h"
#include "cmd/view.h"
#include "kbs/config_keys.h"
#include "value/json.h"

typedef struct options {
    const char *file, *of;
    bool changed, json;
} options;

static int run(void *opts);

#define AT(member) .at = offsetof(options, member)
static const cli_option table[] = {
    {.name = "config-file",
     .letter = 'c',
     .value = "FILE",
     .env = "KBS_CONFIG_FILE",
     AT(file),
     .help = "The file; without one the defaults are shown"},
    {.name = "of",
     .value = "PROGRAM",
     .fallback = "kbs",
     AT(of),
     .help = "Whose file it is: kbs (also vouchsafe serve), as (grpc-as, restful-as) or rvps"},
    {.name = "changed", AT(changed), .help = "Only what the file says"},
    {.name = "json", .letter = 'j', AT(json), .help = "Print JSON, as is done into a pipe"},
    {0}};

static const cli_command top = {
    .name = "vouchsafe config",
    .summary = "Show which settings are in effect, and where each comes from",
    .options = table,
    .run = run,
    .more = "  The file is checked as at the server's start: exit code 1, and the reason, when it "
            "would refuse it.\n"
            "  Options of the command line win over the file and are not part of it. PINs, tokens "
            "and\n"
            "  passwords are not shown.\n"
            "\n"
            "  vouchsafe config -c /etc/vouchsafe/vouchsafe.toml --changed\n"
            "  vouchsafe config --of as -c /etc/as-config.json\n"};

/* ---- reading ------------------------------------------------------------------------------------
 */

static vs_val setting(vs_arena *a, const char *key, const char *value)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "key", vs_cstring(key));
    vs_obj_put(&o, "value", vs_cstring(value));
    vs_obj_put(&o, "from", vs_cstring("default"));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* Two defaults of the KBS depend on the dialect of its file. */
static vs_code settle_dialect(const kbs_config *cfg, vs_arena *a, vs_val *list, vs_error *err)
{
    vs_vec out = {.a = a};
    bool told = false;
    for (VS_ARR_FOR (s, *list)) {
        vs_span key = vs_text(vs_getc(*s, "key"));
        told |= vs_span_is(key, "policy_engine.policy_path");
        bool store = cfg->policy_in_file && vs_span_is(key, "storage_backend.backends.sqlite.path");
        vs_vec_add(&out, store
                             ? setting(a, "storage_backend.backends.sqlite.path", cfg->storage.path)
                             : *s);
    }
    if (!told)
        vs_vec_add(&out, setting(a, "policy_engine.policy_path", cfg->legacy_policy_path));
    *list = vs_vec_end_array(&out);
    return vs_arena_check(a, err);
}

/* Each file is loaded as the program itself does it, so that all it refuses is refused here.
 * Without one (path == NULL) the defaults. */
static vs_code kbs_settings(const char *path, vs_arena *a, vs_val *out, vs_error *err)
{
    size_t n;
    const config_key *keys = config_keys(&n);
    kbs_config cfg = {.file = vs_empty(VS_OBJECT)};
    if (path)
        VS_TRY(kbs_config_load(path, a, &cfg, err));
    VS_TRY(config_table_show(&(config_table){.keys = keys, .n = n}, cfg.file, a, out, err));
    return cfg.legacy_policy_path ? settle_dialect(&cfg, a, out, err) : VS_OK;
}

static vs_code as_settings(const char *path, vs_arena *a, vs_val *out, vs_error *err)
{
    as_file checked;
    vs_val file = vs_empty(VS_OBJECT);
    if (path)
        VS_TRY(config_file_parse(path, CONFIG_JSON, a, &file, err));
    VS_TRY(as_file_read(file, a, &checked, err));
    return config_table_show(&as_file_table, file, a, out, err);
}

static vs_code rvps_settings(const char *path, vs_arena *a, vs_val *out, vs_error *err)
{
    rvps_file checked;
    vs_val file = vs_empty(VS_OBJECT);
    if (path)
        VS_TRY(config_file_parse(path, CONFIG_JSON, a, &file, err));
    VS_TRY(rvps_file_read(file, a, &checked, err));
    return config_table_show(&rvps_file_table, file, a, out, err);
}

static vs_code settings(const options *o, vs_arena *a, vs_val *out, vs_error *err)
{
    static const struct {
        const char *name;
        vs_code (*settings)(const char *path, vs_arena *a, vs_val *out, vs_error *err);
    } programs[] = {{"kbs", kbs_settings}, {"as", as_settings}, {"rvps", rvps_settings}};
    for (size_t i = 0; i < VS_COUNT(programs); i++)
        if (strcmp(o->of, programs[i].name) == 0)
            return programs[i].settings(o->file, a, out, err);
    return vs_fail(err, VS_E_INVALID, "--of is kbs, as or rvps");
}

/* ---- showing ------------------------------------------------------------------------------------
 */

static bool from_file(vs_val setting)
{
    return vs_span_is(vs_text(vs_getc(setting, "from")), "file");
}

static void show(view *v, vs_val list)
{
    int width = 0;
    for (VS_ARR_FOR (s, list))
        width =
            (int)vs_text(vs_getc(*s, "key")).n > width ? (int)vs_text(vs_getc(*s, "key")).n : width;
    for (VS_ARR_FOR (s, list)) {
        VS_CLEANUP(vs_buf_free) vs_buf value = VS_BUF(1 << 20);
        vs_span key = vs_text(vs_getc(*s, "key"));
        vs_json_print(&value, vs_getc(*s, "value"));
        view_styled(v, from_file(*s) ? VIEW_BOLD : VIEW_PLAIN, "%-*.*s", width, VS_FMT(key));
        vs_buf_puts(&v->out, " = ");
        view_text(v, vs_buf_span(&value));
        if (!from_file(*s))
            vs_buf_puts(&v->out, "  (default)");
        if (vs_defined(vs_getc(*s, "now")))
            view_styled(v, VIEW_YELLOW, "  obsolete, now %.*s",
                        VS_FMT(vs_text(vs_getc(*s, "now"))));
        if (vs_defined(vs_getc(*s, "no-effect")))
            view_styled(v, VIEW_YELLOW, "  no effect: %.*s",
                        VS_FMT(vs_text(vs_getc(*s, "no-effect"))));
        vs_buf_putc(&v->out, '\n');
    }
}

static vs_val only_from_file(vs_arena *a, vs_val list)
{
    vs_vec kept = {.a = a};
    for (VS_ARR_FOR (s, list))
        if (from_file(*s))
            vs_vec_add(&kept, *s);
    return vs_vec_end_array(&kept);
}

static int run(void *opts)
{
    const options *o = opts;
    vs_error err = {0};
    vs_arena a;
    vs_val list;
    view v;
    vs_arena_init(&a, 0);
    view_init(&v);
    bool ok = settings(o, &a, &list, &err) == VS_OK;
    if (ok && o->changed)
        list = only_from_file(&a, list);
    if (!ok) {
        view_complain("vouchsafe config", o->file ? o->file : "defaults", &err);
    } else {
        if (v.terminal && !o->json)
            show(&v, list);
        else
            vs_json_print(&v.out, list), vs_buf_putc(&v.out, '\n');
        ok = view_flush(&v);
    }
    view_free(&v);
    vs_arena_free(&a);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cmd_config(int argc, char **argv)
{
    options o = {0};
    vs_log_setup(VS_LOG_ERROR, false, STDERR_FILENO); /* what has no effect is in the list */
    return cli_main(&top, argc, argv, &o);
}
