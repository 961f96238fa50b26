/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cli.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>

/* The state of one parse: the commands named so far, outermost first. */
typedef struct parse {
    const cli_command *path[CLI_DEPTH_MAX];
    size_t depth;
    bool seen[CLI_DEPTH_MAX][CLI_OPTIONS_MAX];
    int entered;        /* `next` when the innermost command was named */
    size_t n_arguments; /* of the innermost command */
    bool options_over;  /* "--" was seen */
    char **argv;
    int argc, next;
    void *opts;
    FILE *out, *err;
    int exit_code; /* -1 = go on */
} parse;

static const cli_option no_options[] = {{0}};
static const cli_argument no_arguments[] = {{0}};
static const cli_command no_commands[] = {{0}};

static const cli_option *options_of(const cli_command *c)
{
    return c->options ? c->options : no_options;
}

static const cli_argument *arguments_of(const cli_command *c)
{
    return c->arguments ? c->arguments : no_arguments;
}

static const cli_command *commands_of(const cli_command *c)
{
    return c->commands ? c->commands : no_commands;
}

static const cli_command *innermost(const parse *p)
{
    return p->path[p->depth - 1];
}

/* ---- did you mean -----------------------------------------------------------------------------
 */

/* Damerau-Levenshtein distance (adjacent swaps count once) of words up to 31 bytes. */
static unsigned distance(const char *a, const char *b)
{
    enum { MAX = 31 };
    size_t n = strlen(a), m = strlen(b);
    if (n > MAX || m > MAX)
        return MAX;
    unsigned d[MAX + 1][MAX + 1];
    for (size_t i = 0; i <= n; i++)
        d[i][0] = (unsigned)i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    }
    return d[n][m];
}

const char *cli_nearest(const char *given, const char *const *words)
{
    const char *best = NULL;
    unsigned least = (unsigned)strlen(given) / 3 + 1;
    if (least > 3)
        least = 3;
    for (; *words; words++) {
        unsigned d = distance(given, *words);
        if (d < least || (d == least && !best)) {
            least = d;
            best = *words;
        }
    }
    return best;
}

/* ---- help -------------------------------------------------------------------------------------
 */

static void put_path(const parse *p, FILE *to)
{
    for (size_t i = 0; i < p->depth; i++)
        (void)fprintf(to, i ? " %s" : "%s", p->path[i]->name);
}

static void put_usage(const parse *p, FILE *to)
{
    const cli_command *c = innermost(p);
    (void)fputs("Usage: ", to);
    put_path(p, to);
    bool more = false;
    for (const cli_option *o = options_of(c); o->name; o++) {
        if (o->required)
            (void)fprintf(to, " --%s <%s>", o->name, o->value);
        else
            more |= o->help != NULL;
    }
    if (more)
        (void)fputs(" [OPTIONS]", to);
    for (const cli_argument *a = arguments_of(c); a->name; a++)
        (void)fprintf(to, a->required ? " <%s>%s" : " [%s]%s", a->name, a->repeat ? "..." : "");
    (void)fputs(c->commands ? " <COMMAND> ...\n" : "\n", to);
}

/* "  -c, --config-file <FILE>" in a column, then the help text. */
static void put_row(FILE *to, const char *left, const char *help)
{
    enum { COLUMN = 34 };
    int n = fprintf(to, "  %s", left);
    (void)fprintf(to, n < COLUMN - 1 ? "%*s%s" : "\n%*s%s", n < COLUMN - 1 ? COLUMN - n : COLUMN,
                  "", help);
}

static void put_option(FILE *to, const cli_option *o)
{
    char left[128], letter[5] = "    ";
    if (o->letter)
        (void)snprintf(letter, sizeof letter, "-%c, ", o->letter);
    (void)snprintf(left, sizeof left, "%s--%s%s%s%s%s", letter, o->name, o->value ? " <" : "",
                   o->value ? o->value : "", o->value ? ">" : "", o->repeat ? "..." : "");
    put_row(to, left, o->help);
    if (o->env)
        (void)fprintf(to, " [env: %s]", o->env);
    if (o->fallback)
        (void)fprintf(to, " [default: %s]", o->fallback);
    (void)fputc('\n', to);
}

static void put_help(const parse *p, FILE *to)
{
    const cli_command *c = innermost(p);
    (void)fprintf(to, "%s\n\n", c->summary);
    put_usage(p, to);
    if (c->commands)
        (void)fputs("\nCommands:\n", to);
    for (const cli_command *s = commands_of(c); s->name; s++) {
        put_row(to, s->name, s->summary);
        (void)fputc('\n', to);
    }
    if (c->arguments)
        (void)fputs("\nArguments:\n", to);
    for (const cli_argument *a = arguments_of(c); a->name; a++) {
        put_row(to, a->name, a->help);
        (void)fputc('\n', to);
    }
    (void)fputs("\nOptions:\n", to);
    for (const cli_option *o = options_of(c); o->name; o++)
        if (o->help)
            put_option(to, o);
    put_option(to, &(cli_option){.name = "help", .letter = 'h', .help = "Print this help"});
    if (c->version)
        put_option(to,
                   &(cli_option){.name = "version", .letter = 'V', .help = "Print the version"});
    if (c->more)
        (void)fprintf(to, "\n%s\n", c->more);
}

/* ---- errors -----------------------------------------------------------------------------------
 */

static void wrong(parse *p, const char *fmt, ...) VS_PRINTF(2, 3);
static void wrong(parse *p, const char *fmt, ...)
{
    if (p->exit_code >= 0)
        return;
    va_list ap;
    va_start(ap, fmt);
    (void)fputs("error: ", p->err);
    (void)vfprintf(p->err, fmt, ap);
    va_end(ap);
    (void)fputs("\n\n", p->err);
    put_usage(p, p->err);
    (void)fputs("\nFor more information, try '--help'.\n", p->err);
    p->exit_code = CLI_EXIT_USAGE;
}

static void wrong_word(parse *p, const char *what, const char *dashes, const char *given,
                       const char *const *words)
{
    const char *meant = cli_nearest(given, words);
    if (meant)
        wrong(p, "unknown %s '%s%s'; did you mean '%s%s'?", what, dashes, given, dashes, meant);
    else
        wrong(p, "unknown %s '%s%s'", what, dashes, given);
}

static void wrong_option(parse *p, const char *given)
{
    const char *words[CLI_OPTIONS_MAX + 2];
    size_t n = 0;
    for (const cli_option *o = options_of(innermost(p)); o->name && n < CLI_OPTIONS_MAX; o++)
        if (o->help)
            words[n++] = o->name;
    words[n++] = "help";
    words[n] = NULL;
    /* The commonest mistake: an option of the outer command behind the inner one's name. */
    for (size_t d = 0; d + 1 < p->depth; d++) {
        for (const cli_option *o = options_of(p->path[d]); o->name; o++) {
            if (strcmp(o->name, given) == 0) {
                wrong(p, "option '--%s' belongs before '%s'", given, p->path[d + 1]->name);
                return;
            }
        }
    }
    wrong_word(p, "option", "--", given, words);
}

static void wrong_command(parse *p, const char *given)
{
    const char *words[CLI_OPTIONS_MAX + 1];
    size_t n = 0;
    for (const cli_command *c = commands_of(innermost(p)); c->name && n < CLI_OPTIONS_MAX; c++)
        words[n++] = c->name;
    words[n] = NULL;
    wrong_word(p, "command", "", given, words);
}

/* ---- options ----------------------------------------------------------------------------------
 */

static void write_value(parse *p, size_t at, bool repeat, const char *value)
{
    void *to = (char *)p->opts + at;
    cli_list *list = to;
    if (!repeat)
        memcpy(to, &value, sizeof value);
    else if (list->n == CLI_LIST_MAX)
        wrong(p, "more than %d values", CLI_LIST_MAX);
    else
        list->items[list->n++] = value;
}

static void check_group(parse *p, const cli_option *o)
{
    const cli_option *all = options_of(innermost(p));
    for (size_t i = 0; o->group && all[i].name; i++)
        if (all[i].group == o->group && &all[i] != o && p->seen[p->depth - 1][i])
            wrong(p, "'--%s' cannot be used together with '--%s'", o->name, all[i].name);
}

static void take_option(parse *p, const cli_option *o, const char *value)
{
    bool *seen = &p->seen[p->depth - 1][o - options_of(innermost(p))];
    if (*seen && !o->repeat)
        wrong(p, "'--%s' is given twice", o->name);
    *seen = true;
    check_group(p, o);
    if (p->exit_code >= 0)
        return;
    if (o->value)
        write_value(p, o->at, o->repeat, value);
    else
        *((bool *)((char *)p->opts + o->at)) = true;
}

/* The next word as a value; one that starts like an option is a forgotten value ("-" is stdin, and
 * negative numbers are values). */
static const char *next_value(parse *p, const cli_option *o)
{
    const char *v = p->next < p->argc ? p->argv[p->next] : NULL;
    if (!v || (v[0] == '-' && v[1] && !isdigit((unsigned char)v[1]))) {
        wrong(p, "'--%s' needs a value: --%s <%s>", o->name, o->name, o->value);
        return NULL;
    }
    p->next++;
    return v;
}

static void print_and_stop(parse *p, bool version)
{
    if (version)
        (void)fprintf(p->out, "%s\n", p->path[0]->version);
    else
        put_help(p, p->out);
    p->exit_code = 0;
}

static void take_long(parse *p, const char *word)
{
    vs_span value;
    bool has_value;
    vs_span name = vs_span_cut(vs_str(word), '=', &value, &has_value);
    for (const cli_option *o = options_of(innermost(p)); o->name; o++) {
        if (!vs_span_is(name, o->name))
            continue;
        if (has_value && !o->value)
            wrong(p, "'--%s' takes no value", o->name);
        else
            take_option(p, o,
                        !o->value   ? NULL
                        : has_value ? (const char *)value.p
                                    : next_value(p, o));
        return;
    }
    if (vs_span_is(name, "help") || (vs_span_is(name, "version") && innermost(p)->version)) {
        print_and_stop(p, vs_span_is(name, "version"));
        return;
    }
    char given[64];
    (void)snprintf(given, sizeof given, "%.*s", VS_FMT(name));
    wrong_option(p, given);
}

static void take_letters(parse *p, const char *letters)
{
    for (; *letters && p->exit_code < 0; letters++) {
        const cli_option *o = options_of(innermost(p));
        while (o->name && o->letter != *letters)
            o++;
        if (o->name && o->value) {
            take_option(p, o, letters[1] ? letters + 1 : next_value(p, o));
            return;
        }
        if (o->name)
            take_option(p, o, NULL);
        else if (*letters == 'h' || (*letters == 'V' && innermost(p)->version))
            print_and_stop(p, *letters == 'V');
        else
            wrong(p, "unknown option '-%c'", *letters);
    }
}

/* ---- commands and arguments -------------------------------------------------------------------
 */

static bool enter(parse *p, const char *name)
{
    for (const cli_command *c = commands_of(innermost(p)); c->name; c++) {
        if (strcmp(c->name, name) != 0 && (!c->alias || strcmp(c->alias, name) != 0))
            continue;
        if (p->depth == CLI_DEPTH_MAX)
            return false;
        p->path[p->depth++] = c;
        p->entered = p->next;
        return true;
    }
    return false;
}

/* `help config set-resource` is `config set-resource --help`. */
static void take_help_command(parse *p)
{
    while (p->next < p->argc && p->exit_code < 0) {
        const char *name = p->argv[p->next++];
        if (!enter(p, name))
            wrong_command(p, name);
    }
    if (p->exit_code < 0)
        print_and_stop(p, false);
}

static void take_word(parse *p, const char *word)
{
    const cli_command *c = innermost(p);
    if (c->commands) {
        if (p->depth == 1 && strcmp(word, "help") == 0)
            take_help_command(p);
        else if (!enter(p, word))
            wrong_command(p, word);
        return;
    }
    const cli_argument *a = arguments_of(c);
    for (size_t i = 0; i < p->n_arguments && a->name && !a->repeat; i++)
        a++;
    if (!a->name) {
        wrong(p, "unexpected argument '%s'", word);
        return;
    }
    write_value(p, a->at, a->repeat, word);
    p->n_arguments++;
}

static void take(parse *p, const char *word)
{
    if (p->options_over || word[0] != '-' || !word[1] ||
        (isdigit((unsigned char)word[1]) && !innermost(p)->commands))
        take_word(p, word);
    else if (strcmp(word, "--") == 0)
        p->options_over = true;
    else if (word[1] == '-')
        take_long(p, word + 2);
    else
        take_letters(p, word + 1);
}

/* ---- afterwards -------------------------------------------------------------------------------
 */

static void fill_in(parse *p, size_t depth)
{
    const cli_option *o = options_of(p->path[depth]);
    for (size_t i = 0; o[i].name; i++) {
        if (p->seen[depth][i])
            continue;
        const char *value = o[i].env ? getenv(o[i].env) : NULL;
        if (!value || !*value)
            value = o[i].fallback;
        if (value && o[i].value)
            write_value(p, o[i].at, o[i].repeat, value);
        else if (o[i].required)
            wrong(p, "'--%s <%s>' is missing", o[i].name, o[i].value);
    }
}

static bool needs_words(const cli_command *c)
{
    bool needs = c->commands != NULL;
    for (const cli_option *o = options_of(c); o->name; o++)
        needs |= o->required && !o->fallback && !(o->env && getenv(o->env));
    for (const cli_argument *a = arguments_of(c); a->name; a++)
        needs |= a->required;
    return needs;
}

static void check_complete(parse *p)
{
    const cli_command *c = innermost(p);
    if (c->commands || (needs_words(c) && p->next == p->entered)) {
        put_help(p, p->err);
        p->exit_code = CLI_EXIT_USAGE;
        return;
    }
    size_t i = 0;
    for (const cli_argument *a = arguments_of(c); a->name; a++, i++)
        if (a->required && i >= p->n_arguments)
            wrong(p, "<%s> is missing", a->name);
    for (size_t d = 0; d < p->depth && p->exit_code < 0; d++)
        fill_in(p, d);
}

const cli_command *cli_parse(const cli_command *top, int argc, char **argv, void *opts, FILE *out,
                             FILE *err, int *exit_code)
{
    parse p = {.path = {top},
               .depth = 1,
               .argv = argv,
               .argc = argc,
               .next = 1,
               .entered = 1,
               .opts = opts,
               .out = out,
               .err = err,
               .exit_code = -1};
    while (p.next < p.argc && p.exit_code < 0)
        take(&p, p.argv[p.next++]);
    if (p.exit_code < 0)
        check_complete(&p);
    *exit_code = p.exit_code < 0 ? 0 : p.exit_code;
    return p.exit_code < 0 ? innermost(&p) : NULL;
}

int cli_main(const cli_command *top, int argc, char **argv, void *opts)
{
    int exit_code;
    const cli_command *c = cli_parse(top, argc, argv, opts, stdout, stderr, &exit_code);
    return c ? c->run(opts) : exit_code;
}
