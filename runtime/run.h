/* The run loop: the only place that acts on what the engines return.
 *
 * Owns: finding and lifting the block at a pc, choosing the engine, and the reaction to each
 * enum exit_reason.
 *
 * Threading: run_thread is called once per guest thread, on its own host thread.
 */
#ifndef DRAGOMAN_RUNTIME_RUN_H
#define DRAGOMAN_RUNTIME_RUN_H

#include "process/thread.h"

/* Take the options that concern the engines. Once, before guest code runs. */
void run_init(void);

/* Run guest code from t's registers until the thread or the process ends. */
_Noreturn void run_thread(struct thread *t);

#endif
