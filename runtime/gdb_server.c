/* The remote serial protocol of gdb, as a server: see runtime/gdb.h. Packets are those of the GDB manual, appendix
 * "Remote Serial Protocol"; what has no case here is answered by the empty packet, which means "not supported".
 *
 * Threading: everything but gdb_tell_end and gdb_close belongs to the server's host thread. Output is one
 * write each under send_lock. Registers are read and written while the world is stopped.
 */
#include "base/report.h"
#include "exceptions/sig.h"
#include "process/mm.h"
#include "runtime/gdb_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_MAX 16384 /* characters of a packet's text; said in qSupported */

static int conn = -1;
static bool acks = true;
static pthread_mutex_t send_lock = PTHREAD_MUTEX_INITIALIZER;

static struct gdb_event last; /* why the world stopped */
static pid_t current;         /* the thread of g, G, p, P */
static char packet[PACKET_MAX + 1];
static size_t packet_len;
static char reply[PACKET_MAX + 1];
static size_t reply_len;

/* ---- signal numbers: gdb has its own (include/gdb/signals.def of its sources) ---- */

static const uint8_t gdb_signals[32] = {
    [SIGHUP] = 1,   [SIGINT] = 2,    [SIGQUIT] = 3,  [SIGILL] = 4,   [SIGTRAP] = 5,
    [SIGABRT] = 6,  [SIGBUS] = 10,   [SIGFPE] = 8,   [SIGKILL] = 9,  [SIGUSR1] = 30,
    [SIGSEGV] = 11, [SIGUSR2] = 31,  [SIGPIPE] = 13, [SIGALRM] = 14, [SIGTERM] = 15,
    [SIGCHLD] = 20, [SIGCONT] = 19,  [SIGSTOP] = 17, [SIGTSTP] = 18, [SIGTTIN] = 21,
    [SIGTTOU] = 22, [SIGURG] = 16,   [SIGXCPU] = 24, [SIGXFSZ] = 25, [SIGVTALRM] = 26,
    [SIGPROF] = 27, [SIGWINCH] = 28, [SIGIO] = 23,   [SIGPWR] = 32,  [SIGSYS] = 12,
};
#define GDB_SIGNAL_UNKNOWN 143

static unsigned signal_to_gdb(int signo)
{
    if (signo < 32)
        return gdb_signals[signo] ? gdb_signals[signo] : GDB_SIGNAL_UNKNOWN;
    return signo == 32 ? 77 : signo == 64 ? 78 : (unsigned)signo + 12;
}

static int signal_from_gdb(unsigned n)
{
    for (int signo = 1; signo <= 64; signo++) {
        if (signal_to_gdb(signo) == n)
            return signo;
    }
    return 0;
}

/* ---- text ---- */

static const char digits[] = "0123456789abcdef";

size_t gdb_hex_encode(char *to, const void *from, size_t n)
{
    const uint8_t *b = from;
    for (size_t i = 0; i < n; i++) {
        to[2 * i] = digits[b[i] >> 4];
        to[2 * i + 1] = digits[b[i] & 15];
    }
    return 2 * n;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t gdb_hex_decode(void *to, const char *from, size_t max)
{
    uint8_t *b = to;
    size_t n = 0;
    while (n < max && digit(from[2 * n]) >= 0 && digit(from[2 * n + 1]) >= 0) {
        b[n] = (uint8_t)(digit(from[2 * n]) << 4 | digit(from[2 * n + 1]));
        n++;
    }
    return n;
}

size_t gdb_escape(char *to, size_t room, const void *from, size_t n, size_t *used)
{
    const char *b = from;
    size_t len = 0, i = 0;
    for (; i < n && len + 2 <= room; i++) {
        if (b[i] == '#' || b[i] == '$' || b[i] == '}' || b[i] == '*') {
            to[len++] = '}';
            to[len++] = (char)(b[i] ^ 0x20);
        } else {
            to[len++] = b[i];
        }
    }
    *used = i;
    return len;
}

/* Take "}x" back, in place. */
static size_t unescape(char *text, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        text[len++] = text[i] == '}' && i + 1 < n ? (char)(text[++i] ^ 0x20) : text[i];
    return len;
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(reply + reply_len, sizeof(reply) - reply_len, format, ap);
    va_end(ap);
    if (n > 0)
        reply_len += (size_t)n;
    if (reply_len > PACKET_MAX)
        reply_len = PACKET_MAX;
}

/* ---- the connection ---- */

static void send_all(const char *text, size_t n)
{
    while (n) {
        ssize_t done = send(conn, text, n, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return; /* the reading side finds out */
        text += done;
        n -= (size_t)done;
    }
}

static void send_packet(const char *text, size_t n)
{
    static char out[PACKET_MAX + 8];
    uint8_t sum = 0;
    pthread_mutex_lock(&send_lock);
    out[0] = '$';
    memcpy(out + 1, text, n);
    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + (uint8_t)text[i]);
    out[n + 1] = '#';
    gdb_hex_encode(out + n + 2, &sum, 1);
    send_all(out, n + 4);
    pthread_mutex_unlock(&send_lock);
}

void gdb_tell_end(char how, int number)
{
    char text[8];
    unsigned shown = how == 'X' ? signal_to_gdb(number) : (unsigned)number & 0xff;
    int n = snprintf(text, sizeof(text), "%c%02x", how, shown);
    send_packet(text, (size_t)n);
}

void gdb_close(void)
{
    /* The number stays taken: it is among those that the guest does not get. */
    if (conn >= 0)
        dup3(gdb_event_fd, conn, O_CLOEXEC);
    conn = -1;
}

static char in[4096];
static size_t in_at, in_len;

/* The next character, -1 at the end of the connection. */
static int next(void)
{
    if (in_at == in_len) {
        ssize_t n;
        do
            n = recv(conn, in, sizeof(in), 0);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
            return -1;
        in_at = 0;
        in_len = (size_t)n;
    }
    return (unsigned char)in[in_at++];
}

/* Read a packet. Returns '$' for one, 3 for an interrupt, -1 at the end. */
static int read_packet(void)
{
    for (;;) {
        int c = next();
        if (c < 0 || c == 3)
            return c;
        if (c != '$')
            continue; /* acknowledgements */
        uint8_t sum = 0;
        packet_len = 0;
        while ((c = next()) >= 0 && c != '#') {
            if (packet_len < PACKET_MAX)
                packet[packet_len++] = (char)c;
            sum = (uint8_t)(sum + c);
        }
        char check[2];
        for (int i = 0; i < 2; i++) {
            c = next();
            if (c < 0)
                return -1;
            check[i] = (char)c;
        }
        uint8_t want = 0;
        bool good = gdb_hex_decode(&want, check, 1) == 1 && want == sum;
        if (acks)
            send_all(good ? "+" : "-", 1);
        if (!good && acks)
            continue;
        packet[packet_len] = 0;
        return '$';
    }
}

/* ---- registers ---- */

static void get_register(const struct cpu *cpu, unsigned n)
{
    const struct guest_debug_reg *reg = &cpu->guest->debug->regs[n];
    uint64_t v[2];
    if (reg->slot == GUEST_NO_SLOT)
        v[0] = cpu->guest->debug->get(cpu, n);
    else
        memcpy(v, &cpu->r[reg->slot], reg->bits / 8 > 8 ? 16 : 8);
    reply_len += gdb_hex_encode(reply + reply_len, v, reg->bits / 8);
}

/* Returns how many characters of text it took, 0 when they are no value. */
static size_t set_register(struct cpu *cpu, unsigned n, const char *text)
{
    const struct guest_debug_reg *reg = &cpu->guest->debug->regs[n];
    uint64_t v[2] = {0, 0};
    if (gdb_hex_decode(v, text, reg->bits / 8) != reg->bits / 8)
        return 0;
    if (reg->slot == GUEST_NO_SLOT)
        cpu->guest->debug->set(cpu, n, v[0]);
    else if (reg->slot != cpu->guest->zero_slot)
        memcpy(&cpu->r[reg->slot], v, reg->bits / 8 > 8 ? 16 : 8);
    return reg->bits / 4;
}

static void get_all(struct thread *t, void *arg)
{
    (void)arg;
    for (unsigned n = 0; n < t->cpu.guest->debug->nregs; n++)
        get_register(&t->cpu, n);
}

static void set_all(struct thread *t, void *arg)
{
    const char *text = packet + 1;
    (void)arg;
    for (unsigned n = 0; n < t->cpu.guest->debug->nregs; n++) {
        size_t took = set_register(&t->cpu, n, text);
        if (!took)
            break;
        text += took;
    }
    say("OK");
}

static void get_one(struct thread *t, void *arg)
{
    unsigned long n = strtoul(packet + 1, NULL, 16);
    (void)arg;
    if (n < t->cpu.guest->debug->nregs)
        get_register(&t->cpu, (unsigned)n);
    else
        say("E01");
}

static void set_one(struct thread *t, void *arg)
{
    char *rest;
    unsigned long n = strtoul(packet + 1, &rest, 16);
    (void)arg;
    bool done = *rest == '=' && n < t->cpu.guest->debug->nregs &&
                set_register(&t->cpu, (unsigned)n, rest + 1);
    say(done ? "OK" : "E01");
}

/* The register an expedited stop reply names: the pc. */
static void say_pc(struct thread *t, void *arg)
{
    const struct guest_debug *d = t->cpu.guest->debug;
    (void)arg;
    for (unsigned n = 0; n < d->nregs; n++) {
        if (d->regs[n].slot == t->cpu.guest->pc_slot) {
            say("%x:", n);
            get_register(&t->cpu, n);
            say(";");
        }
    }
}

/* ---- memory ---- */

static void read_memory(void)
{
    char *rest;
    uint64_t addr = strtoull(packet + 1, &rest, 16);
    uint64_t n = *rest == ',' ? strtoull(rest + 1, NULL, 16) : 0;
    static uint8_t buf[PACKET_MAX / 2];
    n = n < sizeof(buf) ? n : sizeof(buf);
    /* What can be read of it: page by page. */
    uint64_t got = 0;
    while (got < n) {
        uint64_t part = 4096 - ((addr + got) & 4095);
        part = part < n - got ? part : n - got;
        if (mm_read(buf + got, addr + got, part) != 0)
            break;
        got += part;
    }
    if (n && !got)
        say("E14");
    else
        reply_len += gdb_hex_encode(reply + reply_len, buf, got);
}

static void write_memory(bool binary)
{
    static uint8_t buf[PACKET_MAX];
    char *rest;
    uint64_t addr = strtoull(packet + 1, &rest, 16);
    uint64_t n = *rest == ',' ? strtoull(rest + 1, &rest, 16) : 0;
    size_t have = 0;
    if (*rest == ':' && binary) {
        rest++;
        have = unescape(rest, packet_len - (size_t)(rest - packet));
        memcpy(buf, rest, have);
    } else if (*rest == ':') {
        have = gdb_hex_decode(buf, rest + 1, sizeof(buf));
    }
    if (have != n)
        say("E16");
    else if (n && mm_write(addr, buf, n) != 0)
        say("E14");
    else
        say("OK");
}

/* ---- qXfer: pieces of a longer text ---- */

struct text {
    char *s;
    size_t len, cap;
};

static void add_text(struct text *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_text(struct text *x, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(x->s + x->len, x->cap - x->len, format, ap);
    va_end(ap);
    x->len += n > 0 ? (size_t)n : 0;
    if (x->len >= x->cap)
        vm_bug("a description of more than %zu characters", x->cap);
}

static void describe_target(struct text *x)
{
    const struct guest_debug *d = process.guest->debug;
    const char *feature = "";
    add_text(x,
             "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
             "<target version=\"1.0\"><architecture>%s</architecture><osabi>GNU/Linux</osabi>",
             d->architecture);
    for (unsigned n = 0; n < d->nregs; n++) {
        const struct guest_debug_reg *reg = &d->regs[n];
        if (strcmp(feature, reg->feature) != 0) {
            add_text(x, "%s<feature name=\"%s\">", *feature ? "</feature>" : "", reg->feature);
            feature = reg->feature;
        }
        add_text(x, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\" type=\"%s\"/>", reg->name,
                 reg->bits, n, reg->type);
    }
    add_text(x, "</feature></target>");
}

static void transfer(const char *what)
{
    static char buf[32768];
    struct text x = {buf, 0, sizeof(buf)};
    static const char features[] = "features:read:target.xml:", auxv[] = "auxv:read::",
                      exec_file[] = "exec-file:read:", siginfo[] = "siginfo:read::";
    const char *range = strrchr(what, ':');
    if (strncmp(what, features, strlen(features)) == 0) {
        describe_target(&x);
    } else if (strncmp(what, auxv, strlen(auxv)) == 0) {
        x.len = process.auxv_end - process.auxv_start;
        if (x.len > x.cap || mm_read(buf, process.auxv_start, x.len) != 0)
            x.len = 0;
    } else if (strncmp(what, exec_file, strlen(exec_file)) == 0) {
        add_text(&x, "%s", process.exe_path);
    } else if (strncmp(what, siginfo, strlen(siginfo)) == 0) {
        memcpy(buf, &last.info, sizeof(last.info));
        x.len = sizeof(last.info);
    } else {
        return;
    }
    char *rest;
    size_t from = strtoul(range + 1, &rest, 16);
    size_t n = *rest == ',' ? strtoul(rest + 1, NULL, 16) : 0;
    from = from < x.len ? from : x.len;
    size_t left = x.len - from, used;
    char *letter = reply + reply_len++;
    reply_len +=
        gdb_escape(reply + reply_len, PACKET_MAX - 1, buf + from, n < left ? n : left, &used);
    *letter = from + used < x.len ? 'm' : 'l';
}

/* ---- threads and stops ---- */

static void say_thread(struct thread *t, void *arg)
{
    (void)arg;
    if (!t->apart)
        say("%s%x", reply_len > 1 ? "," : "", (unsigned)t->tid);
}

static void nothing(struct thread *t, void *arg)
{
    (void)t;
    (void)arg;
}

/* Does the packet's thread number, at text, name a thread? 0 and -1 mean any. */
static bool choose(const char *text)
{
    long tid = *text == '-' ? -1 : strtol(text, NULL, 16);
    if (tid <= 0)
        return true;
    if (!gdb_with_thread((pid_t)tid, nothing, NULL))
        return false;
    current = (pid_t)tid;
    return true;
}

static void say_stop(void)
{
    say("T%02xthread:%x;", signal_to_gdb(last.signo), (unsigned)last.tid);
    gdb_with_thread(last.tid, say_pc, NULL);
}

/* Parse the actions of vCont: returns how many, 0 for none that is known. */
static unsigned parse_actions(const char *text, struct gdb_action *actions, unsigned max)
{
    unsigned n = 0;
    while (*text == ';' && n < max) {
        struct gdb_action a = {.tid = 0};
        char what = *++text;
        char *rest = (char *)text + 1;
        a.step = what == 's' || what == 'S' || what == 'r';
        if (what == 'C' || what == 'S')
            a.signo = signal_from_gdb((unsigned)strtoul(rest, &rest, 16));
        else if (what == 'r') {
            a.start = strtoull(rest, &rest, 16);
            a.end = *rest == ',' ? strtoull(rest + 1, &rest, 16) : 0;
        } else if (what != 'c' && what != 's')
            return 0;
        if (*rest == ':') {
            long tid = rest[1] == '-' ? -1 : strtol(rest + 1, &rest, 16);
            a.tid = tid > 0 ? (pid_t)tid : 0;
            rest += strcspn(rest, ";");
        }
        text = rest;
        actions[n++] = a;
    }
    return *text ? 0 : n;
}

/* ---- one packet ---- */

enum next_step { STAY, GO, LEAVE };

static enum next_step query(void)
{
    if (strncmp(packet, "qSupported", 10) == 0) {
        say("PacketSize=%x;QStartNoAckMode+;vContSupported+;qXfer:features:read+;qXfer:auxv:read+;"
            "qXfer:exec-file:read+;qXfer:siginfo:read+",
            PACKET_MAX);
    } else if (strcmp(packet, "QStartNoAckMode") == 0) {
        send_packet("OK", 2);
        acks = false;
        reply_len = PACKET_MAX + 1; /* said already */
    } else if (strncmp(packet, "qXfer:", 6) == 0) {
        transfer(packet + 6);
    } else if (strcmp(packet, "qfThreadInfo") == 0) {
        say("m");
        thread_for_each(say_thread, NULL);
    } else if (strcmp(packet, "qsThreadInfo") == 0) {
        say("l");
    } else if (strcmp(packet, "qC") == 0) {
        say("QC%x", (unsigned)current);
    } else if (strncmp(packet, "qAttached", 9) == 0) {
        say("0");
    } else if (strncmp(packet, "qSymbol", 7) == 0) {
        say("OK");
    }
    return STAY;
}

static enum next_step v_packet(void)
{
    struct gdb_action actions[64];
    if (strcmp(packet, "vCont?") == 0) {
        say("vCont;c;C;s;S;r");
    } else if (strncmp(packet, "vCont;", 6) == 0) {
        unsigned n = parse_actions(packet + 5, actions, 64);
        if (!n) {
            say("E01");
            return STAY;
        }
        gdb_resume(actions, n);
        return GO;
    } else if (strncmp(packet, "vKill", 5) == 0) {
        send_packet("OK", 2);
        sig_die(SIGKILL);
    } else if (strncmp(packet, "vFile:", 6) == 0) {
        reply_len = gdb_file(packet + 6, packet_len - 6, reply, PACKET_MAX);
    }
    return STAY;
}

/* c, s, C, S: the old forms, which act on the current thread. */
static enum next_step resume_old(void)
{
    char what = packet[0];
    struct gdb_action actions[2] = {{.tid = current, .step = what == 's' || what == 'S'}, {0}};
    if (what == 'C' || what == 'S')
        actions[0].signo = signal_from_gdb((unsigned)strtoul(packet + 1, NULL, 16));
    gdb_resume(actions, actions[0].step ? 1 : 2);
    return GO;
}

static void breakpoint(bool insert)
{
    uint64_t addr = packet[2] == ',' ? strtoull(packet + 3, NULL, 16) : 0;
    if (packet[1] != '0' && packet[1] != '1')
        return; /* no watchpoints: gdb steps instead */
    if (insert && gdb_breakpoint_add(addr) != 0) {
        say("E1c");
        return;
    }
    if (!insert)
        gdb_breakpoint_remove(addr);
    say("OK");
}

static enum next_step act(void)
{
    switch (packet[0]) {
    case '?':
        say_stop();
        return STAY;
    case 'g':
        gdb_with_thread(current, get_all, NULL);
        return STAY;
    case 'G':
        gdb_with_thread(current, set_all, NULL);
        return STAY;
    case 'p':
        gdb_with_thread(current, get_one, NULL);
        return STAY;
    case 'P':
        gdb_with_thread(current, set_one, NULL);
        return STAY;
    case 'm':
        read_memory();
        return STAY;
    case 'M':
    case 'X':
        write_memory(packet[0] == 'X');
        return STAY;
    case 'H':
        say(choose(packet + 2) ? "OK" : "E01");
        return STAY;
    case 'T':
        say(gdb_with_thread((pid_t)strtol(packet + 1, NULL, 16), nothing, NULL) ? "OK" : "E01");
        return STAY;
    case 'Z':
    case 'z':
        breakpoint(packet[0] == 'Z');
        return STAY;
    case 'q':
    case 'Q':
        return query();
    case 'v':
        return v_packet();
    case 'c':
    case 's':
    case 'C':
    case 'S':
        return resume_old();
    case 'D':
        send_packet("OK", 2);
        return LEAVE;
    case 'k':
        sig_die(SIGKILL);
    default:
        return STAY;
    }
}

/* While the world stands still: packets until it is to go on. False: the debugger is gone. */
static bool converse(void)
{
    for (;;) {
        int c = read_packet();
        if (c < 0)
            return false;
        if (c == 3)
            continue; /* it has stopped already */
        reply_len = 0;
        enum next_step step = act();
        if (step != STAY)
            return step == GO;
        if (reply_len <= PACKET_MAX)
            send_packet(reply, reply_len);
    }
}

/* While guest threads run: until one has an event, or the debugger wants them to stop. */
static bool wait_for_stop(void)
{
    for (;;) {
        uint64_t count;
        ssize_t n = read(gdb_event_fd, &count, sizeof(count));
        (void)n;
        if (gdb_take_event(&last))
            return true;
        struct pollfd p[2] = {{.fd = gdb_event_fd, .events = POLLIN},
                              {.fd = conn, .events = POLLIN}};
        if (in_at == in_len && poll(p, 2, -1) < 0)
            continue;
        if (in_at == in_len && !(p[1].revents & (POLLIN | POLLHUP | POLLERR)))
            continue;
        int c = next();
        if (c < 0)
            return false;
        if (c == 3) {
            last = (struct gdb_event){current, SIGINT, {.si_signo = SIGINT}};
            if (!gdb_with_thread(current, nothing, NULL))
                last.tid = getpid();
            return true;
        }
    }
}

void *gdb_serve(void *arg)
{
    /* Faults of its accesses to guest memory are served as a guest thread's; it is in no list. */
    thread_self = thread_new(process.guest, NULL);
    conn = (int)(intptr_t)arg;
    bool first = true;
    while (wait_for_stop()) {
        gdb_freeze();
        current = last.tid;
        if (!first) {
            reply_len = 0;
            say_stop();
            send_packet(reply, reply_len);
        }
        first = false;
        if (!converse())
            break;
    }
    gdb_release();
    gdb_close();
    gdb_file_close_all();
    return NULL;
}
