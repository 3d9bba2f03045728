/* The event loop: timers, signals, and work handed to the thread pool.
 *
 * One thread runs a loop and owns everything that hangs on it. Nothing here
 * may be called from another thread, except what a comment says can be. */
#ifndef ASSAY_NET_LOOP_H
#define ASSAY_NET_LOOP_H

#include "base/error.h"

struct loop;
struct loop_timer;

ASSAY_MUST_CHECK
enum assay_status loop_new(struct loop **out, struct assay_error *err);

/* Closes timers and signals, waits for work in flight and for what is being
 * closed, then frees. Servers and channels on it must have been freed. */
void loop_free(struct loop *loop);

/* Runs until loop_stop, or until nothing is left that could happen. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Milliseconds that never go back; read once per turn of the loop. */
uint64_t loop_now_ms(const struct loop *loop);

/* Runs work(ctx) on a thread of the pool, then done(ctx) on the loop; both
 * exactly once. ctx lives until done. On failure neither runs. */
ASSAY_MUST_CHECK
enum assay_status loop_work(struct loop *loop, void (*work)(void *ctx),
                            void (*done)(void *ctx), void *ctx,
                            struct assay_error *err);

/* How many threads the process's pool has. Call before the first loop_work,
 * from main, while no other thread runs; UV_THREADPOOL_SIZE in the environment
 * wins. TLS handshakes that fetch or verify evidence occupy a thread each, so
 * daemons want more than libuv's four. */
void loop_pool_threads(unsigned threads);

/* Raises the soft limit of open files to the hard one and returns it; daemons
 * call it once. */
size_t loop_raise_file_limit(void);

/* A timer does not keep loop_run going by itself when background is true. */
ASSAY_MUST_CHECK
enum assay_status loop_timer_new(struct loop *loop, bool background,
                                 void (*fire)(void *ctx), void *ctx,
                                 struct loop_timer **out,
                                 struct assay_error *err);
/* Fires after delay_ms, then every repeat_ms if that is not 0. Restarts. */
void loop_timer_start(struct loop_timer *timer, uint64_t delay_ms,
                      uint64_t repeat_ms);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer); /* NULL is fine */

/* Calls on_signal(ctx, SIGTERM or SIGINT) on the loop whenever one arrives;
 * SIGPIPE is ignored from here on. Does not keep loop_run going. At most once
 * per loop. */
ASSAY_MUST_CHECK
enum assay_status loop_on_signals(struct loop *loop,
                                  void (*on_signal)(void *ctx, int signum),
                                  void *ctx, struct assay_error *err);

/* For the files of net/ only. */
struct uv_loop_s;
struct uv_loop_s *loop_uv(struct loop *loop);
enum { LOOP_SCRATCH_SIZE = 64 * 1024 };
/* One read buffer for all connections: its bytes are used up before the next
 * read, so that an idle connection owns none. */
char *loop_scratch(struct loop *loop);
/* BIO method over struct tls_pipe, made once per loop. */
struct bio_method_st *loop_bio_method(struct loop *loop);

#endif
