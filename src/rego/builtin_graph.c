/* SPDX-License-Identifier: Apache-2.0 */
/* graph.reachable and graph.reachable_paths (rego.md 10.3): an object maps a node to its
 * neighbours, an array or a set; nodes are values of any kind. */
#include "rego/builtins.h"

enum { PATH_MAX_NODES = 1024, RESULTS_MAX = 100000 };

static bool is_nodes(vs_val v)
{
    return v.kind == VS_ARRAY || v.kind == VS_SET;
}

/* A node's number: where it stands in the graph; its size for what is no node of it. So what was
 * seen is told without a hash table, which chosen names could make slow. */
static uint32_t number_of(vs_val graph, vs_val node)
{
    uint32_t lo = 0, hi = graph.len;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = vs_cmp(graph.u.pairs[mid].key, node);
        if (c == 0)
            return mid;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return graph.len;
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
    uint8_t *seen = vs_zalloc(b->a, args[0].len);
    if (!seen || !rego_charge(b, args[0].len / 64 + args[1].len))
        return REGO_B_LIMIT;
    for (VS_ARR_FOR (v, args[1]))
        vs_vec_add(&queue, *v);
    size_t kept = 0; /* queue.items[0 .. kept) is the result */
    for (size_t at = 0; at < queue.n; at++) {
        vs_val node = queue.items[at];
        uint32_t number = number_of(args[0], node);
        if (number == args[0].len || seen[number])
            continue;
        seen[number] = 1;
        vs_val next = neighbours(args[0], node);
        if (!rego_charge(b, 4 + next.len))
            return REGO_B_LIMIT;
        queue.items[kept++] = node;
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
    uint32_t *passed; /* by number: the round in which a node was left through an edge */
    uint32_t round;
    vs_vec results;
} walk;

static bool was_passed(const walk *w, vs_val node)
{
    uint32_t number = number_of(w->graph, node);
    return number < w->graph.len && w->passed[number] == w->round;
}

/* Only nodes of the graph have edges to leave through. */
static void pass(walk *w, vs_val node)
{
    uint32_t number = number_of(w->graph, node);
    if (number < w->graph.len)
        w->passed[number] = w->round;
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
    pass(w, from);
    return was_passed(w, to) ? emit(w) : enter(w, to);
}

/* The paths that begin with one edge. As in OPA, a node passed on one of them ends the others,
 * but the first edge may lead back to the start. */
static bool walk_edge(walk *w, vs_val start, vs_val to)
{
    w->n = 0;
    w->round++;
    if (!push(w, start))
        return false;
    w->at[0] = w->next[0].len;
    pass(w, start);
    if (!enter(w, to))
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
    uint32_t *passed = vs_zalloc(b->a, ((size_t)args[0].len + 1) * sizeof *passed);
    if (!w || !passed || !rego_charge(b, args[0].len / 16))
        return REGO_B_LIMIT;
    w->passed = passed;
    w->b = b;
    w->graph = args[0];
    w->results.a = b->a;
    for (VS_ARR_FOR (v, args[1]))
        if (vs_defined(vs_index(args[0], *v)) && !walk_from(w, *v))
            return REGO_B_LIMIT;
    *out = vs_vec_end_set(&w->results);
    return REGO_B_OK;
}
