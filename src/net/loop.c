#include "net/loop.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <uv.h>

#include "net/tls_pipe.h"

struct loop {
    uv_loop_t uv;
    uv_signal_t signals[2];
    bool has_signals;
    void (*on_signal)(void *ctx, int signum);
    void *signal_ctx;
    BIO_METHOD *bio_method; /* made when first asked for */
    char *scratch;          /* the same */
};

struct loop_timer {
    uv_timer_t uv;
    void (*fire)(void *ctx);
    void *ctx;
};

struct loop_job {
    uv_work_t uv;
    void (*work)(void *ctx);
    void (*done)(void *ctx);
    void *ctx;
};

enum assay_status
loop_new(struct loop **out, struct assay_error *err)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    int rc;

    if (!loop)
        return assay_nomem(err, "event loop");
    rc = uv_loop_init(&loop->uv);
    if (rc != 0) {
        free(loop);
        return assay_fail(err, ASSAY_ERR_IO, "event loop: %s", uv_strerror(rc));
    }
    *out = loop;
    return ASSAY_OK;
}

void
loop_free(struct loop *loop)
{
    int rc;

    if (!loop)
        return;
    if (loop->has_signals)
        for (size_t i = 0; i < 2; i++)
            uv_close((uv_handle_t *)&loop->signals[i], NULL);
    /* Close callbacks and work in flight run here, nothing new starts. */
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0)
        ; /* loop_stop had been called: that ended only this run */
    rc = uv_loop_close(&loop->uv);
    assert(rc == 0); /* else a server, channel or timer was not freed */
    (void)rc;
    BIO_meth_free(loop->bio_method);
    free(loop->scratch);
    free(loop);
}

void
loop_run(struct loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void
loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

uint64_t
loop_now_ms(const struct loop *loop)
{
    return uv_now(&loop->uv);
}

static void
job_work(uv_work_t *uv)
{
    struct loop_job *job = uv->data;

    job->work(job->ctx);
}

static void
job_done(uv_work_t *uv, int status)
{
    struct loop_job *job = uv->data;

    (void)status; /* jobs are never cancelled */
    job->done(job->ctx);
    free(job);
}

enum assay_status
loop_work(struct loop *loop, void (*work)(void *ctx), void (*done)(void *ctx),
          void *ctx, struct assay_error *err)
{
    struct loop_job *job = malloc(sizeof(*job));
    int rc;

    if (!job)
        return assay_nomem(err, "work for the thread pool");
    *job = (struct loop_job){ .work = work, .done = done, .ctx = ctx };
    job->uv.data = job;
    rc = uv_queue_work(&loop->uv, &job->uv, job_work, job_done);
    if (rc != 0) {
        free(job);
        return assay_fail(err, ASSAY_ERR_IO, "thread pool: %s",
                          uv_strerror(rc));
    }
    return ASSAY_OK;
}

void
loop_pool_threads(unsigned threads)
{
    char text[12];

    (void)snprintf(text, sizeof(text), "%u", threads);
    (void)setenv("UV_THREADPOOL_SIZE", text, 0);
}

size_t
loop_raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024; /* what Linux gives when nobody asks for more */
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max < SIZE_MAX ? (size_t)limit.rlim_max : SIZE_MAX;
}

enum assay_status
loop_timer_new(struct loop *loop, bool background, void (*fire)(void *ctx),
               void *ctx, struct loop_timer **out, struct assay_error *err)
{
    struct loop_timer *timer = malloc(sizeof(*timer));

    if (!timer)
        return assay_nomem(err, "timer");
    timer->fire = fire;
    timer->ctx = ctx;
    (void)uv_timer_init(&loop->uv, &timer->uv); /* cannot fail */
    timer->uv.data = timer;
    if (background)
        uv_unref((uv_handle_t *)&timer->uv);
    *out = timer;
    return ASSAY_OK;
}

static void
timer_fired(uv_timer_t *uv)
{
    struct loop_timer *timer = uv->data;

    timer->fire(timer->ctx);
}

void
loop_timer_start(struct loop_timer *timer, uint64_t delay_ms,
                 uint64_t repeat_ms)
{
    uv_update_time(timer->uv.loop);
    (void)uv_timer_start(&timer->uv, timer_fired, delay_ms, repeat_ms);
}

void
loop_timer_stop(struct loop_timer *timer)
{
    (void)uv_timer_stop(&timer->uv);
}

static void
timer_closed(uv_handle_t *uv)
{
    free(uv->data);
}

void
loop_timer_free(struct loop_timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->uv, timer_closed);
}

static void
signal_arrived(uv_signal_t *uv, int signum)
{
    struct loop *loop = uv->data;

    loop->on_signal(loop->signal_ctx, signum);
}

enum assay_status
loop_on_signals(struct loop *loop, void (*on_signal)(void *ctx, int signum),
                void *ctx, struct assay_error *err)
{
    static const int numbers[2] = { SIGTERM, SIGINT };

    assert(!loop->has_signals);
    (void)signal(SIGPIPE, SIG_IGN);
    loop->on_signal = on_signal;
    loop->signal_ctx = ctx;
    for (size_t i = 0; i < 2; i++) {
        (void)uv_signal_init(&loop->uv, &loop->signals[i]);
        loop->signals[i].data = loop;
        uv_unref((uv_handle_t *)&loop->signals[i]);
    }
    loop->has_signals = true;
    for (size_t i = 0; i < 2; i++) {
        int rc = uv_signal_start(&loop->signals[i], signal_arrived, numbers[i]);

        if (rc != 0)
            return assay_fail(err, ASSAY_ERR_IO, "signal %d: %s", numbers[i],
                              uv_strerror(rc));
    }
    return ASSAY_OK;
}

struct uv_loop_s *
loop_uv(struct loop *loop)
{
    return &loop->uv;
}

char *
loop_scratch(struct loop *loop)
{
    if (!loop->scratch)
        loop->scratch = malloc(LOOP_SCRATCH_SIZE);
    return loop->scratch;
}

struct bio_method_st *
loop_bio_method(struct loop *loop)
{
    if (!loop->bio_method)
        loop->bio_method = tls_pipe_method_new();
    return loop->bio_method;
}
