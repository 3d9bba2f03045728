/* Walking values and graphs. Both keep their own stack. */
#include <string.h>

#include "base/limits.h"

#include "rego/builtins/call.h"
#include "rego/builtins/table.h"

/* --- walk --- */

struct walk {
    struct rego_call *call;
    struct value_list results;
    struct value path[LIMIT_REGO_VALUE_DEPTH + 1];
    size_t depth;
};

static bool walk_into(struct walk *w, struct value v);

static bool
walk_child(struct walk *w, struct value key, struct value v)
{
    bool ok;

    w->path[w->depth++] = key;
    ok = walk_into(w, v);
    w->depth--;
    return ok;
}

static bool
add_step(struct walk *w, struct value v)
{
    struct arena *a = w->call->arena;
    struct value *path = arena_array(a, w->depth + 1, sizeof(*path));
    struct value *pair = arena_array(a, 2, sizeof(*pair));
    struct value made;

    if (!path || !pair)
        return false;
    if (w->depth > 0)
        memcpy(path, w->path, w->depth * sizeof(*path));
    if (!value_array(a, path, w->depth, &pair[0]))
        return false;
    pair[1] = v;
    if (!value_array(a, pair, 2, &made))
        return false;
    value_list_add(&w->results, made);
    return !w->results.failed;
}

/* Recursion goes as deep as values do. */
static bool
walk_into(struct walk *w, struct value v)
{
    struct items items = value_items(v);

    if (!call_charge(w->call, 1 + w->depth / 4) || !add_step(w, v))
        return false;
    if (v.tag == VALUE_OBJECT) {
        for (size_t i = 0; i < v.object->head.count; i++)
            if (!walk_child(w, v.object->pairs[i].key,
                            v.object->pairs[i].value))
                return false;
        return true;
    }
    for (size_t i = 0; i < items.count; i++)
        if (!walk_child(
                w, v.tag == VALUE_SET ? items.at[i] : value_int((int64_t)i),
                items.at[i]))
            return false;
    return true;
}

enum builtin_outcome
bi_walk(struct rego_call *call, const struct value *args, size_t n,
        struct value *out)
{
    struct walk w = { .call = call, .results = value_list_in(call->arena) };

    (void)n;
    if (!walk_into(&w, args[0]))
        return call_abort(call, call->env->steps_left == 0 ? ASSAY_ERR_LIMIT
                                                           : ASSAY_ERR_NOMEM);
    return call_made(call, value_list_array(&w.results, out));
}

/* --- Reachable nodes --- */

static bool
check_graph(struct rego_call *call, const struct value *args,
            enum builtin_outcome *bad)
{
    if (!arg_is(call, args, 0, TYPE_OBJECT, bad))
        return false;
    if (args[1].tag == VALUE_ARRAY || args[1].tag == VALUE_SET)
        return true;
    *bad = call_type_error(call, "operand 2 must be {array, set} but got %s",
                           value_type_name(args[1]));
    return false;
}

static void
add_all(struct value_list *list, struct value collection)
{
    struct items items = value_items(collection);

    for (size_t i = 0; i < items.count; i++)
        value_list_add(list, items.at[i]);
}

/* Nodes are marked by their position among the graph's keys. */
enum builtin_outcome
bi_graph_reachable(struct rego_call *call, const struct value *args, size_t n,
                   struct value *out)
{
    struct value_list todo = value_list_in(call->arena);
    struct value_list reached = value_list_in(call->arena);
    const struct value_object *graph;
    enum builtin_outcome bad;
    bool *seen;

    (void)n;
    if (!check_graph(call, args, &bad))
        return bad;
    graph = args[0].object;
    seen = arena_array(call->arena, graph->head.count + 1, sizeof(*seen));
    if (!seen)
        return call_nomem(call);
    add_all(&todo, args[1]);
    while (todo.count > 0 && !todo.failed) {
        struct value node = todo.items[--todo.count];
        size_t at = value_object_find(graph, node);

        if (!call_charge(call, 1))
            return call_abort(call, ASSAY_ERR_LIMIT);
        if (at == SIZE_MAX || seen[at])
            continue;
        seen[at] = true;
        value_list_add(&reached, node);
        add_all(&todo, graph->pairs[at].value);
    }
    if (todo.failed)
        return call_nomem(call);
    return call_made(call, value_list_set(&reached, out));
}

/* --- Paths --- */

struct paths {
    struct rego_call *call;
    const struct value_object *graph;
    struct value_list path; /* from a start to here */
    bool *on_path;          /* by position in the graph */
    struct value_list *found;
    unsigned depth;
};

static bool
keep_path(struct paths *p)
{
    struct value *copy =
        arena_array(p->call->arena, p->path.count + 1, sizeof(*copy));
    struct value v;

    if (!copy)
        return false;
    memcpy(copy, p->path.items, p->path.count * sizeof(*copy));
    if (!value_array(p->call->arena, copy, p->path.count, &v))
        return false;
    value_list_add(p->found, v);
    return !p->found->failed;
}

/* Neighbours of the node at the end of the path: its edges that can be
 * followed further. */
struct frame {
    struct items edges;
    size_t next;
    size_t node;   /* position in the graph */
    bool extended; /* some edge led on: the path is not maximal */
};

static bool
enter(struct paths *p, struct frame *f, size_t at)
{
    value_list_add(&p->path, p->graph->pairs[at].key);
    p->on_path[at] = true;
    *f = (struct frame){ .edges = value_items(p->graph->pairs[at].value),
                         .node = at };
    return !p->path.failed;
}

/* Depth first with an own stack: a path has each node once, so frames are
 * bounded by the number of nodes, and one for the start. */
static bool
paths_from(struct paths *p, struct frame *stack, size_t start)
{
    size_t depth = 0;

    if (!enter(p, &stack[depth++], start))
        return false;
    while (depth > 0) {
        struct frame *f = &stack[depth - 1];
        size_t at;

        if (!call_charge(p->call, 1))
            return false;
        if (f->next == f->edges.count) {
            if (!f->extended && !keep_path(p))
                return false;
            p->on_path[f->node] = depth > 1 && f->node == start;
            p->path.count--;
            depth--;
            continue;
        }
        at = value_object_find(p->graph, f->edges.at[f->next++]);
        /* The reference counts a start as visited only once it has been led
         * back to from itself. */
        if (at == SIZE_MAX ||
            (p->on_path[at] && !(depth == 1 && at == start))) {
            /* Ends here: before a stranger, or before a loop closes. */
            if (!keep_path(p))
                return false;
            f->extended = true;
            continue;
        }
        f->extended = true;
        if (!enter(p, &stack[depth++], at))
            return false;
    }
    return true;
}

enum builtin_outcome
bi_graph_reachable_paths(struct rego_call *call, const struct value *args,
                         size_t n, struct value *out)
{
    struct value_list found = value_list_in(call->arena);
    struct paths p = { .call = call, .found = &found };
    enum builtin_outcome bad;
    struct items starts;
    struct frame *stack;

    (void)n;
    if (!check_graph(call, args, &bad))
        return bad;
    p.graph = args[0].object;
    p.path = value_list_in(call->arena);
    p.on_path = arena_array(call->arena, p.graph->head.count + 1, 1);
    stack = arena_array(call->arena, p.graph->head.count + 2, sizeof(*stack));
    if (!p.on_path || !stack)
        return call_nomem(call);
    starts = value_items(args[1]);
    for (size_t i = 0; i < starts.count; i++) {
        size_t at = value_object_find(p.graph, starts.at[i]);

        if (at != SIZE_MAX && !paths_from(&p, stack, at))
            return call_abort(call, call->env->steps_left == 0
                                        ? ASSAY_ERR_LIMIT
                                        : ASSAY_ERR_NOMEM);
    }
    return call_made(call, value_list_set(&found, out));
}
