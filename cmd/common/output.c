#include "common/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { TALK_BYTES = 4096, FIRST_MS = 300, TICK_MS = 200 };

void
talk(const struct invocation *inv, const char *fmt, ...)
{
    struct buffer raw, shown;
    va_list args;
    char text[TALK_BYTES];

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buffer_init(&raw, TALK_BYTES, NULL);
    buffer_init(&shown, (size_t)8 * TALK_BYTES, NULL);
    buffer_addf(&shown, "%s%s%s: ", inv->program->name,
                inv->command->name[0] ? " " : "", inv->command->name);
    buffer_add_escaped(&shown, span_str(text));
    (void)fprintf(stderr, "%s\n", buffer_str(&shown));
    buffer_free(&shown);
    buffer_free(&raw);
}

int
talk_error(const struct invocation *inv, const struct assay_error *err)
{
    talk(inv, "%s", err->text);
    switch (err->status) {
    case ASSAY_ERR_IO:
    case ASSAY_ERR_NOMEM:
    case ASSAY_ERR_NOT_FOUND:
        return EXIT_UNKNOWN;
    default:
        return EXIT_NO;
    }
}

int
read_input(const struct invocation *inv, const char *path, size_t limit,
           struct span *out)
{
    struct assay_error err = { 0 };
    struct buffer bytes;
    enum assay_status st;

    buffer_init(&bytes, limit, NULL);
    st = file_read(path, &bytes, &err);
    if (st == ASSAY_OK && !arena_dup(inv->arena, buffer_span(&bytes), out))
        st = assay_nomem(&err, path);
    buffer_free(&bytes);
    if (st == ASSAY_OK)
        return EXIT_YES;
    talk(inv, "%s", err.text);
    return EXIT_USAGE;
}

int
print_buffer(const struct invocation *inv, struct buffer *text, int code)
{
    struct assay_error err = { 0 };

    if (buffer_check(text, "output", &err) != ASSAY_OK) {
        talk(inv, "%s", err.text);
        code = EXIT_UNKNOWN;
    } else if (text->len > 0 &&
               fwrite(text->ptr, 1, text->len, stdout) != text->len) {
        code = EXIT_UNKNOWN; /* program_main says why */
    }
    buffer_free(text);
    return code;
}

bool
output_is_terminal(int fd)
{
    return isatty(fd) == 1;
}

static struct timespec
after_ms(struct timespec t, long ms)
{
    t.tv_nsec += ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void
show_progress(const struct progress *p, long tick)
{
    long ms = FIRST_MS + tick * TICK_MS;

    if (p->terminal)
        (void)fprintf(stderr, "\r%s ... %ld.%ld s", p->what, ms / 1000,
                      ms % 1000 / 100);
    else if (tick == 0)
        (void)fprintf(stderr, "%s ...\n", p->what);
}

static void *
watch(void *arg)
{
    struct progress *p = arg;
    struct timespec start;

    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    (void)pthread_mutex_lock(&p->lock);
    for (long tick = 0; !p->done; tick++) {
        struct timespec at = after_ms(start, FIRST_MS + tick * TICK_MS);
        int woken = 0;

        while (!p->done && woken == 0)
            woken = pthread_cond_timedwait(&p->wake, &p->lock, &at);
        if (!p->done)
            show_progress(p, tick);
        else if (tick > 0 && p->terminal)
            (void)fprintf(stderr, "\r\x1b[K");
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

void
progress_begin(struct progress *p, const char *what)
{
    pthread_condattr_t attr;

    *p = (struct progress){ .what = what,
                            .terminal = output_is_terminal(STDERR_FILENO) };
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&p->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    p->running = pthread_create(&p->thread, NULL, watch, p) == 0;
}

void
progress_end(struct progress *p)
{
    (void)pthread_mutex_lock(&p->lock);
    p->done = true;
    (void)pthread_cond_signal(&p->wake);
    (void)pthread_mutex_unlock(&p->lock);
    if (p->running)
        (void)pthread_join(p->thread, NULL);
    (void)pthread_cond_destroy(&p->wake);
    (void)pthread_mutex_destroy(&p->lock);
}
