/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "cmd/cli.h"

typedef struct opts {
    const char *url, *file, *name, *value;
    bool json, verbose, a, b;
    cli_list data, rest;
} opts;

static int nothing(void *o)
{
    (void)o;
    return 7;
}

static const cli_option get_options[] = {
    {.name = "file",
     .letter = 'f',
     .value = "FILE",
     .help = "What to get",
     .at = offsetof(opts, file),
     .required = true},
    {.name = "json", .letter = 'j', .help = "As JSON", .at = offsetof(opts, json)},
    {.name = "verbose", .letter = 'v', .help = "More", .at = offsetof(opts, verbose)},
    {.name = "data",
     .letter = 'd',
     .value = "DIR",
     .help = "Data",
     .at = offsetof(opts, data),
     .repeat = true},
    {.name = "all", .help = "All", .at = offsetof(opts, a), .group = 1},
    {.name = "none", .help = "None", .at = offsetof(opts, b), .group = 1},
    {0}};
static const cli_argument set_arguments[] = {
    {.name = "NAME", .help = "Its name", .at = offsetof(opts, name), .required = true},
    {.name = "VALUE", .help = "Its value", .at = offsetof(opts, value), .required = true},
    {0}};
static const cli_argument list_arguments[] = {
    {.name = "WORD", .help = "Words", .at = offsetof(opts, rest), .repeat = true}, {0}};
static const cli_command commands[] = {
    {.name = "get",
     .alias = "fetch",
     .summary = "Gets it",
     .options = get_options,
     .run = nothing,
     .more = "Example: get"},
    {.name = "set", .summary = "Sets it", .arguments = set_arguments, .run = nothing},
    {.name = "list", .summary = "Lists", .arguments = list_arguments, .run = nothing},
    {0}};
static const cli_option top_options[] = {{.name = "url",
                                          .value = "URL",
                                          .help = "Server",
                                          .at = offsetof(opts, url),
                                          .env = "VS_TEST_CLI_URL",
                                          .fallback = "http://x"},
                                         {0}};
static const cli_command top = {.name = "prog",
                                .summary = "Does things",
                                .version = "prog 1.2",
                                .options = top_options,
                                .commands = commands};

typedef struct outcome {
    opts o;
    int code;
    const cli_command *chosen;
    char *out, *err;
} outcome;

/* Parses a command line given as words separated by one space. */
static outcome parse(const char *line)
{
    static char copy[1000];
    static char *argv[100];
    int argc = 0;
    argv[argc++] = (char[]){"prog"};
    (void)snprintf(copy, sizeof copy, "%s", line);
    for (char *save, *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    argv[argc] = NULL;
    static char *out_text, *err_text;
    free(out_text);
    free(err_text);
    size_t n;
    FILE *out = open_memstream(&out_text, &n), *err = open_memstream(&err_text, &n);
    outcome r = {0};
    r.chosen = cli_parse(&top, argc, argv, &r.o, out, err, &r.code);
    (void)fclose(out);
    (void)fclose(err);
    r.out = out_text;
    r.err = err_text;
    return r;
}

static void every_form_of_an_option_is_read(void **state)
{
    (void)state;
    static const char *const lines[] = {"get --file F -j", "get --file=F --json",
                                        "get -f F -vj",    "get -fF -j",
                                        "fetch -jfF",      "--url http://x get --json --file F"};
    for (size_t i = 0; i < VS_COUNT(lines); i++) {
        outcome r = parse(lines[i]);
        assert_non_null(r.chosen);
        assert_string_equal(r.chosen->name, "get");
        assert_string_equal(r.o.file, "F");
        assert_true(r.o.json);
        assert_string_equal(r.o.url, "http://x");
    }
    assert_string_equal(parse("get --file=").o.file, "");
    assert_string_equal(parse("get --file=a=b").o.file, "a=b");
    assert_string_equal(parse("get -f -").o.file, "-");
}

static void repeated_options_make_a_list(void **state)
{
    (void)state;
    outcome r = parse("get -f F -d a -d b --data=c");
    assert_int_equal(r.o.data.n, 3);
    assert_string_equal(r.o.data.items[2], "c");
    VS_CLEANUP(vs_buf_free) vs_buf many = VS_BUF(1000);
    vs_buf_puts(&many, "list");
    for (int i = 0; i <= CLI_LIST_MAX; i++)
        vs_buf_puts(&many, " w");
    assert_int_equal(parse((const char *)many.p).code, 2);
}

static void arguments_mix_with_options_and_may_be_negative(void **state)
{
    (void)state;
    outcome r = parse("set a -5");
    assert_non_null(r.chosen);
    assert_string_equal(r.o.name, "a");
    assert_string_equal(r.o.value, "-5");
    r = parse("set -- --x -y");
    assert_string_equal(r.o.name, "--x");
    assert_string_equal(r.o.value, "-y");
    r = parse("list");
    assert_int_equal(r.o.rest.n, 0);
    r = parse("list a b c");
    assert_int_equal(r.o.rest.n, 3);
}

static void mistakes_exit_2_and_say_what_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } v[] = {{"", "Usage: prog [OPTIONS] <COMMAND>"},
             {"gte", "did you mean 'get'?"},
             {"frobnicate", "unknown command 'frobnicate'\n"},
             {"get", "Usage: prog get --file <FILE> [OPTIONS]"},
             {"get -j", "'--file <FILE>' is missing"},
             {"get --flie F", "did you mean '--file'?"},
             {"get --file F --zzz", "unknown option '--zzz'\n"},
             {"get --file", "'--file' needs a value"},
             {"get --file --json", "'--file' needs a value"},
             {"get -f", "'--file' needs a value"},
             {"get --file F --file G", "'--file' is given twice"},
             {"get --json=1", "'--json' takes no value"},
             {"get -f F -x", "unknown option '-x'"},
             {"get -f F extra", "unexpected argument 'extra'"},
             {"get -f F --all --none", "'--none' cannot be used together with '--all'"},
             {"get --url u -f F", "'--url' belongs before 'get'"},
             {"set a", "<VALUE> is missing"},
             {"set a b c", "unexpected argument 'c'"},
             {"--version=1", ""},
             {"help nothing", "unknown command 'nothing'"}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        outcome r = parse(v[i].line);
        if (v[i].says[0] == 0)
            continue;
        assert_null(r.chosen);
        assert_int_equal(r.code, 2);
        assert_string_equal(r.out, "");
        if (!strstr(r.err, v[i].says))
            fail_msg("\"%s\" says: %s", v[i].line, r.err);
    }
}

static void help_goes_to_stdout_and_exits_0(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } v[] = {{"--help", "  get                             Gets it\n"},
             {"-h", "[env: VS_TEST_CLI_URL] [default: http://x]"},
             {"help", "Commands:"},
             {"get --help", "-f, --file <FILE>"},
             {"get -jh", "Example: get"},
             {"help get", "-d, --data <DIR>..."},
             {"set --help", "Usage: prog set <NAME> <VALUE>"},
             {"list --help", "Usage: prog list [WORD]..."},
             {"--version", "prog 1.2\n"},
             {"-V", "prog 1.2\n"}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        outcome r = parse(v[i].line);
        assert_null(r.chosen);
        assert_int_equal(r.code, 0);
        assert_string_equal(r.err, "");
        if (!strstr(r.out, v[i].says))
            fail_msg("\"%s\" prints: %s", v[i].line, r.out);
    }
}

static void the_environment_is_used_when_the_option_is_not_given(void **state)
{
    (void)state;
    (void)setenv("VS_TEST_CLI_URL", "http://env", 1);
    assert_string_equal(parse("get -f F").o.url, "http://env");
    assert_string_equal(parse("--url http://arg get -f F").o.url, "http://arg");
    (void)setenv("VS_TEST_CLI_URL", "", 1);
    assert_string_equal(parse("get -f F").o.url, "http://x");
    (void)unsetenv("VS_TEST_CLI_URL");
}

static void only_near_words_are_suggested(void **state)
{
    (void)state;
    static const char *const words[] = {"set-resource", "delete-resource", "get", NULL};
    assert_string_equal(cli_nearest("set-resuorce", words), "set-resource");
    assert_string_equal(cli_nearest("delete_resource", words), "delete-resource");
    assert_null(cli_nearest("attest", words));
    assert_null(cli_nearest("a-very-long-word-that-is-longer-than-any-known-one", words));
    assert_null(cli_nearest("", words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_an_option_is_read),
        cmocka_unit_test(repeated_options_make_a_list),
        cmocka_unit_test(arguments_mix_with_options_and_may_be_negative),
        cmocka_unit_test(mistakes_exit_2_and_say_what_to_do),
        cmocka_unit_test(help_goes_to_stdout_and_exits_0),
        cmocka_unit_test(the_environment_is_used_when_the_option_is_not_given),
        cmocka_unit_test(only_near_words_are_suggested),
    };
    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
