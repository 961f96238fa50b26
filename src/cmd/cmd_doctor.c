/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe doctor`: what would go wrong, before it does. */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cmd/cli.h"
#include "cmd/commands.h"
#include "cmd/doctor.h"
#include "cmd/view.h"
#include "value/json.h"

typedef struct options {
    const char *config_file, *data_dir, *cca_config;
    bool json;
} options;

static const cli_option doctor_options[] = {
    {.name = "config-file",
     .letter = 'c',
     .value = "FILE",
     .env = "KBS_CONFIG_FILE",
     .at = offsetof(options, config_file),
     .help = "Configuration that the server is started with"},
    {.name = "data-dir",
     .value = "DIR",
     .at = offsetof(options, data_dir),
     .help = "Where the database lives when there is no file"},
    {.name = "cca-config",
     .value = "FILE",
     .env = "CCA_CONFIG_FILE",
     .at = offsetof(options, cca_config),
     .help = "CCA verifier configuration"},
    {.name = "json",
     .letter = 'j',
     .at = offsetof(options, json),
     .help = "Print JSON, as is done into a pipe"},
    {0}};

static const char more[] =
    "Run it as the server's user. It changes nothing but for one small write that tries the "
    "store.\n"
    "Exit code 0: nothing is wrong (there may be warnings); 1: there are problems.\n\n"
    "  vouchsafe doctor -c /etc/vouchsafe/vouchsafe.toml\n";

static const cli_command doctor_command = {
    .name = "vouchsafe doctor",
    .summary = "Checks what a server would need, and says what to do",
    .more = more,
    .options = doctor_options};

static const char *const level_name[] = {"ok", "warning", "problem"};

static bool read_config(doctor *d, const options *o, kbs_config *cfg)
{
    vs_error err = {0};
    const char *dir = o->data_dir ? o->data_dir : "/var/lib/vouchsafe";
    if (!o->config_file) {
        kbs_config_defaults(cfg, vs_sprintf(d->a, "%s/vouchsafe.sqlite", dir));
        doctor_add(d, FINDING_OK, "configuration", "", NULL, "no file: the defaults");
    } else if (kbs_config_load(o->config_file, d->a, cfg, &err) == VS_OK) {
        doctor_add(d, FINDING_OK, "configuration", o->config_file, NULL, "well formed");
    } else {
        doctor_add_error(d, FINDING_PROBLEM, "configuration", o->config_file,
                         "correct the file (docs/configuration.md)", &err);
        return false;
    }
    if (o->cca_config)
        cfg->as.cca_config_path = o->cca_config;
    return true;
}

static void print_json(const doctor *d, vs_buf *out, bool well)
{
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "well");
    vs_jw_bool(&w, well);
    vs_jw_key(&w, "findings");
    vs_jw_open(&w, '[');
    for (size_t i = 0; i < d->n; i++) {
        const finding *f = &d->findings[i];
        vs_jw_open(&w, '{');
        const char *const members[][2] = {{"level", level_name[f->level]},
                                          {"area", f->area},
                                          {"subject", f->subject},
                                          {"finding", f->text},
                                          {"advice", f->advice}};
        for (size_t m = 0; m < VS_COUNT(members); m++) {
            vs_jw_key(&w, members[m][0]);
            vs_jw_str(&w, members[m][1]);
        }
        vs_jw_close(&w, '}');
    }
    vs_jw_close(&w, ']');
    vs_jw_close(&w, '}');
    vs_buf_puts(out, "\n");
}

static void print_table(const doctor *d, view *v)
{
    static const view_style style[] = {VIEW_GREEN, VIEW_YELLOW, VIEW_RED};
    for (size_t i = 0; i < d->n; i++) {
        const finding *f = &d->findings[i];
        view_styled(v, style[f->level], "%-8s", level_name[f->level]);
        view_styled(v, VIEW_PLAIN, " %-14s ", f->area);
        view_text(v, vs_str(f->subject));
        view_text(v, vs_str(*f->subject ? ": " : ""));
        view_text(v, vs_str(f->text));
        vs_buf_puts(&v->out, "\n");
        if (*f->advice) {
            vs_buf_printf(&v->out, "%-24s-> ", "");
            view_text(v, vs_str(f->advice));
            vs_buf_puts(&v->out, "\n");
        }
    }
}

static bool report(const doctor *d, bool json, bool well)
{
    view v;
    view_init(&v);
    if (json)
        print_json(d, &v.out, well);
    else
        print_table(d, &v);
    bool written = view_flush(&v);
    view_free(&v);
    return written;
}

int cmd_doctor(int argc, char **argv)
{
    options o = {0};
    int exit_code = 0;
    if (!cli_parse(&doctor_command, argc, argv, &o, stdout, stderr, &exit_code))
        return exit_code;
    vs_log_setup(VS_LOG_ERROR, false, 2); /* what is to be said stands in the findings */
    vs_arena a;
    vs_arena_init(&a, 0);
    static doctor d;
    d = (doctor){.a = &a, .now = vs_now_s()};
    kbs_config cfg = {0};
    if (read_config(&d, &o, &cfg))
        doctor_look(&d, &cfg);
    bool well = true;
    for (size_t i = 0; i < d.n; i++)
        well = well && d.findings[i].level != FINDING_PROBLEM;
    bool written = report(&d, o.json || !isatty(1), well);
    vs_arena_free(&a);
    return well && written ? EXIT_SUCCESS : EXIT_FAILURE;
}
