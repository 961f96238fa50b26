/* SPDX-License-Identifier: Apache-2.0 */
/* The PostgreSQL back end on a server of the test's own (pg_server.h). */
#include "suite.h"

#include "pg_server.h"
#include "store/pg.h"

static pg_server server;

static int start_server(void **state)
{
    (void)state;
    return pg_server_new(&server) ? 0 : -1;
}

static int stop_server(void **state)
{
    (void)state;
    pg_server_stop(&server, SIGQUIT);
    (void)nftw(server.dir, drop_entry, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static vs_store_postgres settings(void)
{
    return (vs_store_postgres){.host = server.dir,
                               .db = "postgres",
                               .username = "postgres",
                               .connect_ms = 2000,
                               .statement_ms = 3000};
}

/* As another program, Trustee or the operator, would. */
static PGresult *query(const char *sql)
{
    char info[200];
    (void)snprintf(info, sizeof info,
                   "host=%s user=postgres dbname=postgres "
                   "options='-c default_transaction_read_only=off'",
                   server.dir);
    PGconn *c = PQconnectdb(info);
    assert_int_equal(PQstatus(c), CONNECTION_OK);
    PGresult *r = PQexec(c, sql);
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(c));
    PQfinish(c);
    return r;
}

static void execute(const char *sql)
{
    PQclear(query(sql));
}

static void answer_is(const char *sql, const char *want)
{
    PGresult *r = query(sql);
    assert_int_equal(PQntuples(r), 1);
    assert_string_equal(PQgetvalue(r, 0, 0), want);
    PQclear(r);
}

static int open_postgres(void **state)
{
    if (!server.pid)
        pg_server_start(&server);
    execute("SET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    fixture *f = fixture_new();
    vs_store_postgres cfg = settings();
    vs_error err = {0};
    assert_vs_ok(vs_store_open_postgres(&cfg, &f->s, &err), &err);
    *state = f;
    return 0;
}

static void reopen(fixture *f)
{
    vs_store_postgres cfg = settings();
    vs_error err = {0};
    vs_store_close(&f->s);
    assert_vs_ok(vs_store_open_postgres(&cfg, &f->s, &err), &err);
}

static void says(vs_code code, vs_code want, const vs_error *err, const char *text)
{
    char all[VS_ERROR_TEXT];
    if (code != want || !strstr(vs_error_text(err, all, sizeof all), text))
        fail_msg("got %s: %s\nwant %s: %s", vs_code_name(code), all, vs_code_name(want), text);
}

/* ---- side by side with Trustee --------------------------------------------------------------- */

static void trustees_statements_work_on_our_tables(void **state)
{
    fixture *f = *state;
    put(f->s, "kbs", "resource-policy.rego", "ours");
    execute("INSERT INTO kbs (key, value) VALUES ('a/b', 'theirs') "
            "ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value");
    execute("INSERT INTO kbs (key, value) VALUES ('resource-policy.rego', 'theirs') "
            "ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value");
    expect(f->s, "kbs", "resource-policy.rego", 0, "theirs");
    expect(f->s, "kbs", "a/b", 0, "theirs");
    answer_is("SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position) "
              "FROM information_schema.columns WHERE table_name = 'kbs'",
              "key text, value bytea");
}

static void a_table_that_trustees_operator_made_is_used_as_it_is(void **state)
{
    fixture *f = *state;
    execute("CREATE TABLE repository (key VARCHAR PRIMARY KEY, value BYTEA)");
    execute("INSERT INTO repository VALUES ('b/b/b', 'x'), ('a/a/a', 'y'), ('not ours%', 'z'), "
            "('nothing', NULL)");
    expect(f->s, "repository", "b/b/b", 0, "x");
    assert_vs_code(get_code(f->s, "repository", VS_LIT("nothing"), 0), VS_E_NOT_FOUND);
    seen s = {0};
    vs_error err = {0};
    assert_vs_ok(vs_store_list(f->s, "repository", see, &s, &err), &err);
    assert_string_equal(s.text, "a/a/a\nb/b/b\nnothing\n");
    put(f->s, "repository", "b/b/b", "new");
    answer_is("SELECT encode(value, 'escape') FROM repository WHERE key = 'b/b/b'", "new");
}

static void a_value_that_trustee_put_in_place_does_not_inherit_an_expiry(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_ok(vs_store_put(f->s, "reference_value", VS_LIT("k"), VS_LIT("ours"), 1000,
                              VS_PUT_REPLACE, &err),
                 &err);
    execute("UPDATE reference_value SET value = 'theirs' WHERE key = 'k'");
    expect(f->s, "reference_value", "k", 2000, "theirs");
    assert_vs_code(
        vs_store_put(f->s, "reference_value", VS_LIT("k"), VS_LIT("x"), 0, VS_PUT_CREATE, NULL),
        VS_E_EXISTS);
    assert_vs_ok(vs_store_purge(f->s, 2000, 100, &err), &err);
    expect(f->s, "reference_value", "k", 2000, "theirs");
    answer_is("SELECT count(*) FROM vouchsafe_expiry", "0");
}

static void names_of_our_own_tables_and_too_long_ones_are_refused(void **state)
{
    fixture *f = *state;
    char longest[65];
    memset(longest, 'n', 64);
    longest[64] = 0;
    assert_vs_code(
        vs_store_put(f->s, "vouchsafe_expiry", VS_LIT("k"), VS_LIT("v"), 0, VS_PUT_REPLACE, NULL),
        VS_E_INVALID);
    assert_vs_code(vs_store_put(f->s, longest, VS_LIT("k"), VS_LIT("v"), 0, VS_PUT_REPLACE, NULL),
                   VS_E_INVALID);
    longest[63] = 0;
    put(f->s, longest, "k", "v");
    expect(f->s, longest, "k", 0, "v");
}

static void hostile_text_stays_a_value(void **state)
{
    fixture *f = *state;
    static const char text[] = "'; DROP TABLE kbs; --\"$1";
    put(f->s, "kbs", text, text);
    expect(f->s, "kbs", text, 0, text);
    put(f->s, "select", "k", "a reserved word is a name as well");
    expect(f->s, "select", "k", 0, "a reserved word is a name as well");
}

/* ---- the schema ------------------------------------------------------------------------------ */

static void a_database_of_a_newer_release_is_refused(void **state)
{
    fixture *f = *state;
    vs_store_close(&f->s);
    execute("UPDATE vouchsafe_schema SET version = 7");
    vs_store_postgres cfg = settings();
    vs_error err = {0};
    says(vs_store_open_postgres(&cfg, &f->s, &err), VS_E_UNSUPPORTED, &err,
         "has schema version 7, this build knows up to 1: it was written by a newer release");
    assert_null(f->s);
    answer_is("SELECT version FROM vouchsafe_schema", "7");
}

static void a_new_connection_notices_a_newer_schema(void **state)
{
    fixture *f = *state;
    put(f->s, "kbs", "k", "v");
    execute("UPDATE vouchsafe_schema SET version = 2");
    execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'vouchsafe'");
    vs_code code = VS_OK;
    for (int i = 0; i < 100 && code != VS_E_UNSUPPORTED; i++) {
        code = get_code(f->s, "kbs", VS_LIT("k"), 0);
        (void)usleep(10000);
    }
    assert_vs_code(code, VS_E_UNSUPPORTED);
}

static void migrations_run_once_and_keep_what_they_change(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_ok(
        vs_store_put(f->s, "session", VS_LIT("k"), VS_LIT("v"), 5000, VS_PUT_REPLACE, &err), &err);
    vs_store_close(&f->s);
    store_migration list[] = {
        pg_migrations[0],
        {.sql = "ALTER TABLE vouchsafe_expiry ADD COLUMN note text", .changes = "vouchsafe_expiry"},
        {.sql = "CREATE TABLE vouchsafe_more (x text)"},
        {.sql = "CREATE TABLE vouchsafe_less (x text); SELECT 1/0", .changes = "vouchsafe_expiry"}};
    vs_store_postgres cfg = settings();
    says(store_open_postgres_as(&cfg, list, 4, &f->s, &err), VS_E_IO, &err,
         "migration from version 3 to 4");
    answer_is("SELECT version FROM vouchsafe_schema", "1");
    answer_is("SELECT count(*) FROM pg_tables WHERE tablename ~ '^vouchsafe_(v|more|less)'", "0");
    for (int i = 0; i < 2; i++) {
        assert_vs_ok(store_open_postgres_as(&cfg, list, 3, &f->s, &err), &err);
        expect(f->s, "session", "k", 4000, "v");
        answer_is("SELECT version FROM vouchsafe_schema", "3");
        answer_is("SELECT expires FROM vouchsafe_v1_vouchsafe_expiry WHERE key = 'k'", "5000");
        vs_store_close(&f->s);
    }
}

static void a_dropped_table_of_ours_is_an_error_and_not_an_empty_store(void **state)
{
    fixture *f = *state;
    put(f->s, "kbs", "k", "v");
    execute("DROP TABLE vouchsafe_expiry");
    assert_vs_code(get_code(f->s, "kbs", VS_LIT("k"), 0), VS_E_IO);
}

/* ---- failures -------------------------------------------------------------------------------- */

static void no_error_holds_the_password(void **state)
{
    fixture *f = *state;
    vs_store_close(&f->s);
    static const char *const urls[] = {
        "postgresql://kbs:Tr0ub4dor@127.0.0.1:1/kbs",
        "postgresql://kbs:Tr0ub4dor%zz@127.0.0.1:1/kbs",
        "host=127.0.0.1 port=1 password=Tr0ub4dor =x",
        "postgresql://kbs:Tr0ub4dor@[::1/kbs",
        "Tr0ub4dor",
        "postgresql://kbs:x@Tr0ub4dor@127.0.0.1:1/kbs",
        "postgresql://kbs:Tr0ub4dor/x@127.0.0.1:1/kbs",
        "postgresql://kbs:12/Tr0ub4dor@127.0.0.1:1/kbs",
        "postgresql://kbs:Tr0ub4dor?x@127.0.0.1:1/kbs",
        "postgresql://127.0.0.1:1/Tr0ub4dor?password=Tr0ub4dor&sslmode=Tr0ub4dor",
    };
    for (size_t i = 0; i < VS_COUNT(urls); i++) {
        vs_store_postgres cfg = {.url = urls[i], .connect_ms = 500};
        vs_error err = {0};
        char all[VS_ERROR_TEXT];
        assert_true(vs_store_open_postgres(&cfg, &f->s, &err) != VS_OK);
        (void)vs_error_text(&err, all, sizeof all);
        assert_non_null(strstr(all, "PostgreSQL"));
        if (i + 1 != VS_COUNT(urls)) /* there the operator named a database so */
            assert_null(strstr(all, "Tr0ub4dor"));
    }
}

static void a_server_that_is_not_there_is_a_precise_error(void **state)
{
    fixture *f = *state;
    vs_store *s = NULL;
    vs_error err = {0};
    vs_store_postgres cfg = {.host = f->dir, .db = "kbs", .username = "kbs", .port = 5433};
    vs_code code = vs_store_open_postgres(&cfg, &s, &err);
    says(code, VS_E_IO, &err, ":5433, database kbs: cannot connect: ");
    says(code, VS_E_IO, &err, "No such file or directory");
}

static void a_statement_has_a_deadline(void **state)
{
    fixture *f = *state;
    vs_store_close(&f->s);
    vs_store_postgres cfg = settings();
    cfg.statement_ms = 300;
    vs_error err = {0};
    assert_vs_ok(vs_store_open_postgres(&cfg, &f->s, &err), &err);
    put(f->s, "kbs", "k", "v");
    char info[160];
    (void)snprintf(info, sizeof info, "host=%s user=postgres dbname=postgres", server.dir);
    PGconn *c = PQconnectdb(info);
    PQclear(PQexec(c, "BEGIN; LOCK TABLE kbs"));
    assert_vs_code(get_code(f->s, "kbs", VS_LIT("k"), 0), VS_E_TIMEOUT);
    PQclear(PQexec(c, "COMMIT"));
    PQfinish(c);
    expect(f->s, "kbs", "k", 0, "v");
}

/* Stopped, not dead: connections stay open and nothing answers. */
static void a_server_that_freezes_is_given_up(void **state)
{
    fixture *f = *state;
    vs_store_close(&f->s);
    vs_store_postgres cfg = settings();
    cfg.statement_ms = 200;
    cfg.connect_ms = 200;
    vs_error err = {0};
    assert_vs_ok(vs_store_open_postgres(&cfg, &f->s, &err), &err);
    put(f->s, "kbs", "k", "v");
    PGresult *r = query("SELECT pid FROM pg_stat_activity WHERE application_name = 'vouchsafe'");
    pid_t pid = (pid_t)atoi(PQgetvalue(r, 0, 0));
    PQclear(r);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_int_equal(kill(server.pid, SIGSTOP), 0);
    assert_vs_code(vs_store_put(f->s, "kbs", VS_LIT("k"), VS_LIT("w"), 0, VS_PUT_REPLACE, NULL),
                   VS_E_TIMEOUT);
    assert_vs_code(vs_store_ping(f->s, &err), VS_E_TIMEOUT);
    says(err.code, VS_E_TIMEOUT, &err, "cannot connect within 200 ms");
    assert_int_equal(kill(server.pid, SIGCONT), 0);
    assert_int_equal(kill(pid, SIGCONT), 0);
    assert_vs_ok(vs_store_ping(f->s, &err), &err);
    put(f->s, "kbs", "k", "x");
    expect(f->s, "kbs", "k", 0, "x");
}

static void a_read_only_database_is_a_precise_error_and_recovers(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    put(f->s, "kbs", "k", "v");
    assert_vs_ok(vs_store_ping(f->s, &err), &err);
    execute("ALTER DATABASE postgres SET default_transaction_read_only = on");
    reopen(f);
    says(vs_store_ping(f->s, &err), VS_E_IO, &err, "in a read-only transaction");
    vs_code code = vs_store_put(f->s, "kbs", VS_LIT("k"), VS_LIT("w"), 0, VS_PUT_REPLACE, &err);
    says(code, VS_E_IO, &err, "SQLSTATE 25006");
    expect(f->s, "kbs", "k", 0, "v");
    execute("ALTER DATABASE postgres RESET default_transaction_read_only");
    execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'vouchsafe'");
    (void)usleep(200000);
    assert_vs_ok(vs_store_ping(f->s, &err), &err);
}

typedef struct load {
    vs_store *s;
    _Atomic bool stop;
    _Atomic unsigned acknowledged, failed;
    unsigned id;
    uint8_t there[100000]; /* what was acknowledged */
} load;

static void *write_all_the_time(void *arg)
{
    load *l = arg;
    for (unsigned i = 0; !l->stop && i < VS_COUNT(l->there); i++) {
        char key[32];
        vs_error err = {0};
        (void)snprintf(key, sizeof key, "w%u/%u", l->id, i);
        vs_code c = vs_store_put(l->s, "kbs", vs_str(key), vs_str(key), 0, VS_PUT_REPLACE, &err);
        l->there[i] = c == VS_OK;
        l->acknowledged += c == VS_OK;
        l->failed += c != VS_OK;
        if (c != VS_OK && c != VS_E_IO && c != VS_E_TIMEOUT)
            l->failed += 1000000; /* not one of the errors of a server that is gone */
        if (c != VS_OK)
            (void)usleep(2000);
    }
    return NULL;
}

static void a_server_that_stops_and_starts_under_load_loses_nothing(void **state)
{
    fixture *f = *state;
    enum { WRITERS = 4 };
    load *l = calloc(WRITERS, sizeof *l);
    pthread_t t[WRITERS];
    assert_non_null(l);
    for (unsigned i = 0; i < WRITERS; i++) {
        l[i].s = f->s;
        l[i].id = i;
        assert_int_equal(pthread_create(&t[i], NULL, write_all_the_time, &l[i]), 0);
    }
    static const int how[] = {SIGINT, SIGQUIT};
    for (size_t round = 0; round < VS_COUNT(how); round++) {
        (void)usleep(200000);
        pg_server_stop(&server, how[round]);
        assert_vs_code(get_code(f->s, "kbs", VS_LIT("w0/0"), 0), VS_E_IO);
        pg_server_start(&server);
        unsigned before = l[0].acknowledged;
        for (int i = 0; i < 500 && l[0].acknowledged == before; i++)
            (void)usleep(10000);
        assert_true(l[0].acknowledged > before); /* without a restart of ours */
    }
    unsigned total = 0, failed = 0;
    for (unsigned i = 0; i < WRITERS; i++) {
        l[i].stop = true;
        assert_int_equal(pthread_join(t[i], NULL), 0);
        total += l[i].acknowledged;
        failed += l[i].failed;
    }
    assert_true(failed < 1000000);
    for (unsigned w = 0; w < WRITERS; w++)
        for (unsigned i = 0; i < VS_COUNT(l[w].there); i++) {
            char key[32];
            (void)snprintf(key, sizeof key, "w%u/%u", w, i);
            if (l[w].there[i])
                expect(f->s, "kbs", key, 0, key);
        }
    print_message("%u writes acknowledged, %u failed while the server was away, none lost\n", total,
                  failed);
    free(l);
}

static void the_pool_is_bounded(void **state)
{
    fixture *f = *state;
    vs_store_close(&f->s);
    vs_store_postgres cfg = settings();
    cfg.connections = 2;
    vs_error err = {0};
    assert_vs_ok(vs_store_open_postgres(&cfg, &f->s, &err), &err);
    of_threads_that_create_the_same_key_one_wins(state);
    answer_is("SELECT count(*) <= 2 FROM pg_stat_activity WHERE application_name = 'vouchsafe'",
              "t");
}

/* ---- replicas -------------------------------------------------------------------------------- */

/* Each child creates the same keys, some of which hold an expired value; tells how many it won. */
static void race(int fd, int go)
{
    vs_store_postgres cfg = settings();
    vs_store *s = NULL;
    char ready;
    unsigned wins = 0;
    if (vs_store_open_postgres(&cfg, &s, NULL) != VS_OK || read(go, &ready, 1) != 0)
        _exit(1);
    for (unsigned i = 0; i < 200; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%u", i);
        vs_code c = vs_store_put(s, "session", vs_str(key), VS_LIT("same"),
                                 i % 2 ? vs_now_s() + 100 : 0, VS_PUT_CREATE, NULL);
        wins += c == VS_OK;
        if (c != VS_OK && c != VS_E_EXISTS)
            _exit(2);
    }
    vs_store_close(&s);
    _exit(write(fd, &wins, sizeof wins) == sizeof wins ? 0 : 3);
}

static void of_processes_that_create_the_same_key_one_wins(void **state)
{
    fixture *f = *state;
    for (unsigned i = 0; i < 200; i += 3) {
        char key[16];
        vs_error err = {0};
        (void)snprintf(key, sizeof key, "k%u", i);
        assert_vs_ok(
            vs_store_put(f->s, "session", vs_str(key), VS_LIT("same"), 1000, VS_PUT_REPLACE, &err),
            &err);
    }
    int p[2], go[2];
    pid_t child[2];
    assert_int_equal(pipe(p) | pipe(go), 0);
    for (int i = 0; i < 2; i++) {
        child[i] = fork();
        assert_true(child[i] >= 0);
        if (child[i] == 0) {
            (void)close(go[1]);
            race(p[1], go[0]);
        }
    }
    (void)usleep(200000);
    (void)close(go[1]); /* both start */
    (void)close(go[0]);
    unsigned total = 0;
    for (int i = 0; i < 2; i++) {
        int status;
        unsigned wins = 0;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(status, 0);
        assert_int_equal(read(p[0], &wins, sizeof wins), sizeof wins);
        total += wins;
    }
    (void)close(p[0]);
    (void)close(p[1]);
    assert_int_equal(total, 200);
}

static void values_put_together_are_all_there_or_none(void **state)
{
    fixture *f = *state;
    put(f->s, "kbs", "taken", "0");
    vs_store_item three[] = {{"kbs", VS_LIT("a"), VS_LIT("1"), 0, VS_PUT_REPLACE},
                             {"kbs", VS_LIT("taken"), VS_LIT("2"), 0, VS_PUT_CREATE},
                             {"kbs", VS_LIT("c"), VS_LIT("3"), 0, VS_PUT_REPLACE}};
    assert_vs_code(vs_store_put_all(f->s, three, 3, NULL), VS_E_EXISTS);
    assert_vs_code(get_code(f->s, "kbs", VS_LIT("a"), 0), VS_E_NOT_FOUND);
    expect(f->s, "kbs", "taken", 0, "0");
    vs_store_item fresh[] = {{"repository", VS_LIT("a"), VS_LIT("1"), 0, VS_PUT_CREATE},
                             {"session", VS_LIT("b"), VS_LIT("2"), 5000, VS_PUT_CREATE}};
    vs_error err = {0};
    assert_vs_ok(vs_store_put_all(f->s, fresh, 2, &err), &err); /* two tables are made on the way */
    expect(f->s, "session", "b", 4000, "2");
}

typedef struct counted {
    unsigned n, stop_after;
    char last[16];
    bool sorted;
} counted;

static vs_code count_key(void *user, vs_span key)
{
    counted *c = user;
    c->sorted = c->sorted && vs_span_cmp(vs_str(c->last), key) < 0;
    (void)snprintf(c->last, sizeof c->last, "%.*s", VS_FMT(key));
    return ++c->n == c->stop_after ? VS_E_LIMIT : VS_OK;
}

static void a_long_listing_comes_in_parts_and_can_be_stopped(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    put(f->s, "kbs", "k", "v");
    execute("INSERT INTO kbs SELECT CASE i % 2 WHEN 0 THEN 'k' ELSE 'K' END || i, '' "
            "FROM generate_series(1, 2345) i");
    counted all = {.sorted = true}, some = {.sorted = true, .stop_after = 777};
    assert_vs_ok(vs_store_list(f->s, "kbs", count_key, &all, &err), &err);
    assert_int_equal(all.n, 2346);
    assert_true(all.sorted);
    assert_vs_code(vs_store_list(f->s, "kbs", count_key, &some, NULL), VS_E_LIMIT);
    assert_int_equal(some.n, 777);
    put(f->s, "kbs", "k", "the connection still works");
    answer_is("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vouchsafe'", "1");
}

static void a_purge_uses_the_index(void **state)
{
    fixture *f = *state;
    put(f->s, "session", "k", "v");
    execute("INSERT INTO vouchsafe_expiry SELECT 'session', 'k' || i, 1000000 + i, '\\x00' "
            "FROM generate_series(1, 20000) i; ANALYZE vouchsafe_expiry");
    PGresult *r = query("EXPLAIN (FORMAT JSON) SELECT ns, key FROM vouchsafe_expiry "
                        "WHERE ns = 'session' AND expires < 1000100 ORDER BY expires LIMIT 10 "
                        "FOR UPDATE SKIP LOCKED");
    assert_non_null(strstr(PQgetvalue(r, 0, 0), "vouchsafe_expiry_expires"));
    assert_null(strstr(PQgetvalue(r, 0, 0), "Seq Scan"));
    PQclear(r);
}

#define PG(name) cmocka_unit_test_setup_teardown(name, open_postgres, fixture_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TESTS(open_postgres),
        EXPIRY_TESTS(open_postgres),
        PG(trustees_statements_work_on_our_tables),
        PG(a_table_that_trustees_operator_made_is_used_as_it_is),
        PG(a_value_that_trustee_put_in_place_does_not_inherit_an_expiry),
        PG(names_of_our_own_tables_and_too_long_ones_are_refused),
        PG(hostile_text_stays_a_value),
        PG(a_database_of_a_newer_release_is_refused),
        PG(a_new_connection_notices_a_newer_schema),
        PG(migrations_run_once_and_keep_what_they_change),
        PG(a_dropped_table_of_ours_is_an_error_and_not_an_empty_store),
        PG(no_error_holds_the_password),
        PG(a_server_that_is_not_there_is_a_precise_error),
        PG(a_statement_has_a_deadline),
        PG(a_server_that_freezes_is_given_up),
        PG(a_read_only_database_is_a_precise_error_and_recovers),
        PG(a_server_that_stops_and_starts_under_load_loses_nothing),
        PG(the_pool_is_bounded),
        PG(of_processes_that_create_the_same_key_one_wins),
        PG(values_put_together_are_all_there_or_none),
        PG(a_long_listing_comes_in_parts_and_can_be_stopped),
        PG(a_purge_uses_the_index),
    };
    if (!pg_binaries()) {
        printf("1..0 # SKIP PostgreSQL is not installed\n");
        return 0;
    }
    return cmocka_run_group_tests_name("store: postgres", tests, start_server, stop_server);
}
