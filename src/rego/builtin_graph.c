/* SPDX-License-Identifier: Apache-2.0 */
/* graph.reachable and graph.reachable_paths (rego.md 10.3): an object maps a node to its
 * neighbours, an array or a set; nodes are values of any kind. */
#include "rego/builtins.h"
#include "rego/hash.h"

enum { PATH_MAX_NODES = 1024, RESULTS_MAX = 100000 };

static bool is_nodes(vs_val v)
{
    return v.kind == VS_ARRAY || v.kind == VS_SET;
}

/* The neighbours; a value that is no collection has none. */
static vs_val neighbours(vs_val graph, vs_val node)
{
    vs_val n = vs_index(graph, node);
    return is_nodes(n) ? n : vs_empty(VS_ARRAY);
}

rego_bres rego_bi_graph_reachable(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_OBJECT);
    if (!is_nodes(args[1]))
        return rego_type_error(b, 2, "one of {array, set}", args[1]);
    vs_vec queue = {.a = b->a};
    id_table seen = {0};
    for (VS_ARR_FOR (v, args[1]))
        vs_vec_add(&queue, *v);
    size_t kept = 0; /* queue.items[0 .. kept) is the result */
    for (size_t at = 0; at < queue.n; at++) {
        vs_val node = queue.items[at];
        if (!vs_defined(vs_index(args[0], node)) ||
            id_table_find(&seen, queue.items, node) != UINT32_MAX)
            continue;
        vs_val next = neighbours(args[0], node);
        if (!rego_charge(b, 4 + next.len / 2))
            return REGO_B_LIMIT;
        queue.items[kept] = node;
        if (!id_table_add(&seen, b->a, queue.items, (uint32_t)kept++))
            return REGO_B_LIMIT;
        for (VS_ARR_FOR (v, next))
            vs_vec_add(&queue, *v);
    }
    queue.n = kept;
    *out = vs_vec_end_set(&queue);
    return REGO_B_OK;
}

/* ---- paths -------------------------------------------------------------------------------------
 */

typedef struct walk {
    rego_bctx *b;
    vs_val graph;
    vs_val path[PATH_MAX_NODES];
    vs_val next[PATH_MAX_NODES]; /* neighbours of each node on the path */
    uint32_t at[PATH_MAX_NODES]; /* the next of them to try */
    size_t n;
    vs_vec passed; /* nodes that were left through an edge */
    id_table passed_ids;
    vs_vec results;
} walk;

static bool was_passed(const walk *w, vs_val node)
{
    return id_table_find(&w->passed_ids, w->passed.items, node) != UINT32_MAX;
}

static bool pass(walk *w, vs_val node)
{
    if (was_passed(w, node))
        return true;
    vs_vec_add(&w->passed, node);
    return !w->passed.poisoned &&
           id_table_add(&w->passed_ids, w->b->a, w->passed.items, (uint32_t)w->passed.n - 1);
}

static bool emit(walk *w)
{
    vs_vec path = {.a = w->b->a};
    for (size_t i = 0; i < w->n; i++)
        vs_vec_add(&path, w->path[i]);
    vs_vec_add(&w->results, vs_vec_end_array(&path));
    return w->results.n <= RESULTS_MAX && rego_charge(w->b, 4 + w->n);
}

static bool push(walk *w, vs_val node)
{
    if (w->n == PATH_MAX_NODES)
        return false;
    w->path[w->n] = node;
    w->next[w->n] = neighbours(w->graph, node);
    w->at[w->n] = 0;
    w->n++;
    return true;
}

/* Deeper, or, where the node is not of the graph, to the end of a path. */
static bool enter(walk *w, vs_val node)
{
    return vs_defined(vs_index(w->graph, node)) ? push(w, node) : emit(w);
}

/* Goes over one edge; to a node that was passed before it is the end of a path. */
static bool follow(walk *w, vs_val from, vs_val to)
{
    return pass(w, from) && (was_passed(w, to) ? emit(w) : enter(w, to));
}

/* The paths that begin with one edge. As in OPA, a node passed on one of them ends the others,
 * but the first edge may lead back to the start. */
static bool walk_edge(walk *w, vs_val start, vs_val to)
{
    w->n = 0;
    w->passed = (vs_vec){.a = w->b->a};
    w->passed_ids = (id_table){0};
    if (!push(w, start))
        return false;
    w->at[0] = w->next[0].len;
    if (!pass(w, start) || !enter(w, to))
        return false;
    while (w->n) {
        size_t top = w->n - 1;
        if (!rego_charge(w->b, 2))
            return false;
        if (w->next[top].len == 0 && !emit(w))
            return false;
        if (w->at[top] >= w->next[top].len)
            w->n--;
        else if (!follow(w, w->path[top], w->next[top].u.items[w->at[top]++]))
            return false;
    }
    return true;
}

static bool walk_from(walk *w, vs_val start)
{
    vs_val next = neighbours(w->graph, start);
    w->n = 0;
    if (next.len == 0)
        return push(w, start) && emit(w);
    for (VS_ARR_FOR (v, next))
        if (!walk_edge(w, start, *v))
            return false;
    return true;
}

rego_bres rego_bi_graph_reachable_paths(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_OBJECT);
    if (!is_nodes(args[1]))
        return rego_type_error(b, 2, "one of {array, set}", args[1]);
    walk *w = vs_zalloc(b->a, sizeof *w);
    if (!w)
        return REGO_B_LIMIT;
    w->b = b;
    w->graph = args[0];
    w->results.a = b->a;
    for (VS_ARR_FOR (v, args[1]))
        if (vs_defined(vs_index(args[0], *v)) && !walk_from(w, *v))
            return REGO_B_LIMIT;
    *out = vs_vec_end_set(&w->results);
    return REGO_B_OK;
}
