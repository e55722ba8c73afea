/* Between the files of the debugger's side: see runtime/gdb.h. */
#ifndef DRAGOMAN_RUNTIME_GDB_INTERNAL_H
#define DRAGOMAN_RUNTIME_GDB_INTERNAL_H

#include "runtime/gdb.h"

/* ---- control of the guest's threads (runtime/gdb.c), for the server ---- */

/* Why the world is to stop. */
struct gdb_event {
    pid_t tid;
    int signo; /* Linux's number */
    siginfo_t info;
};

/* What one thread shall do when the world goes on. */
struct gdb_action {
    pid_t tid; /* 0: every thread that no earlier action names */
    bool step;
    uint64_t start, end; /* steps go on while the pc is in [start, end) */
    int signo;           /* to be delivered, 0 for none; ignored where none was reported */
};

/* The descriptor that becomes readable when a thread has an event. */
extern int gdb_event_fd;
/* Take a reported event; false: none is there. */
bool gdb_take_event(struct gdb_event *e);
/* Stop every thread; returns when all have left their engines. */
void gdb_freeze(void);
/* Let go: the threads that the actions name; those that they do not stay parked. */
void gdb_resume(const struct gdb_action *actions, unsigned n);
/* No debugger any more: forget breakpoints, let everybody go. */
void gdb_release(void);

/* 0, or -1 when there are too many. */
int gdb_breakpoint_add(uint64_t addr);
void gdb_breakpoint_remove(uint64_t addr);

/* Call fn for the thread of that id, which cannot go away meanwhile; false: there is none. */
bool gdb_with_thread(pid_t tid, void (*fn)(struct thread *t, void *arg), void *arg);

/* The server's loop, on its own host thread; arg is the connection's descriptor. */
void *gdb_serve(void *arg);
/* Tell the debugger how the process ends: 'W' and a status, or 'X' and a signal. Any thread, the world not stopped. */
void gdb_tell_end(char how, int number);
/* The connection's descriptor, and what was its acknowledgement mode, are gone with it. */
void gdb_close(void);

/* ---- names and files as the guest sees them, read only (runtime/gdb_file.c) ---- */

/* Answer a vFile packet (the text behind "vFile:", its length) into reply, at most size bytes: returns how
 * many; 0: not supported. */
size_t gdb_file(const char *packet, size_t len, char *reply, size_t size);
void gdb_file_close_all(void);

/* ---- text (runtime/gdb_server.c) ---- */
size_t gdb_hex_encode(char *to, const void *from, size_t n);   /* 2n characters, no NUL */
size_t gdb_hex_decode(void *to, const char *from, size_t max); /* until no pair of digits follows */
/* Binary data with what the protocol reserves escaped: at most `room` characters; *used says how much of from. */
size_t gdb_escape(char *to, size_t room, const void *from, size_t n, size_t *used);

#endif
