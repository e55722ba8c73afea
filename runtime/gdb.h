/* The debugger's side of -g: what the run loop and the threads call.
 *
 * Owns: the connection to a gdb that speaks the remote serial protocol (GDB manual, appendix "Remote Serial
 * Protocol"), breakpoints, single steps, and the stopping of all guest threads together ("all-stop").
 *
 * How it works. One host thread of its own, the server (runtime/gdb_server.c), reads the connection; it exists only
 * with -g. A guest thread that meets something of interest tells it and parks until it is let go; the server then has
 * every other thread leave its engine and park, too, or finds it in a system call, which goes on and parks behind.
 * A breakpoint ends the block before it, and its own address is lifted as a block that leaves with EXIT_DEBUG: so
 * everything else runs at full speed. A step lifts one instruction into a block that nobody else sees.
 *
 * A forked child is not debugged; it finds the parent's breakpoints in its blocks and lifts them anew. A vfork
 * child runs through breakpoints.
 *
 * Threading: gdb_lock (runtime/gdb.c); taken before thread_lock, never in signal context.
 */
#ifndef DRAGOMAN_RUNTIME_GDB_H
#define DRAGOMAN_RUNTIME_GDB_H

#include "process/thread.h"

/* A debugger is connected. Changes while guest threads run only from true to false. */
extern bool gdb_on;

/* Wait for a debugger at `where`, a TCP port of the loopback interface or the name of a socket to be made (what
 * has a '/' in it, or is no number), and stop t, the first guest thread, before its first instruction. Ends the
 * process with a message when that cannot be done. */
void gdb_start(const char *where, struct thread *t);

/* How many of the avail bytes at pc lie before the next breakpoint: 0 when there is one at pc. */
size_t gdb_limit(uint64_t pc, size_t avail);

/* Park while the debugger has stopped the world. Like the following, called outside of the engines. */
void gdb_gate(struct thread *t);
/* t met a breakpoint at its pc. True: it is to run the instruction there as a step, without a report. */
bool gdb_breakpoint(struct thread *t);
/* t has done the one instruction that debug_step asked for. */
void gdb_stepped(struct thread *t);

/* The process ends. */
void gdb_exiting(int status);
/* Around fork. */
void gdb_fork_begin(void);
void gdb_fork_end(bool child);

#endif
