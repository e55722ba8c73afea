/* The host threads that guest threads run on.
 *
 * Owns: creation and end of host threads, their stacks, the end of the process; registers these with
 * syscall/ (struct sys_hooks).
 *
 * Threading: threads_init once, before guest code runs.
 */
#ifndef DRAGOMAN_RUNTIME_THREADS_H
#define DRAGOMAN_RUNTIME_THREADS_H

void threads_init(void);

#endif
