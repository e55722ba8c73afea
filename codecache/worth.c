/* codecache/worth.c: see worth.h. */
#include "codecache/worth.h"
#include "base/log.h"
#include "codecache/blocks.h"

/* In guest instructions that the interpreter would have run meanwhile, less what they take as translated code: about 2.7 ns each. */
#define COST_INSN \
    200 /* to translate one, with its part of placing, linking and evicting the unit */
#define COST_ENTRY 64 /* to enter a unit from the interpreter and to come back */

/* A block waits so many entries for its next translation. */
#define AGAIN_FIRST 32u
#define AGAIN_LEAST 8u
#define AGAIN_MOST (1u << 17)
#define AGAIN_STEP \
    4 /* times as many after a unit that did not pay, a part of them after one that did */

/* Lost instructions for each question of a rest. A question stands for CC_REST_ENTRIES entries of some 19 ns, so a rest is some
 * 25 times as long as what the loss took. */
#define LOSS_PER_ASK 72
#define CREDIT_MOST 100000 /* gains that later losses are set off against */

static int64_t balance;
static uint64_t rest; /* atomic; questions left */

static void set_again(struct block *b, void *arg)
{
    const bool *paid = arg;
    uint32_t again = b->again ? b->again : AGAIN_FIRST;
    again = *paid ? again / AGAIN_STEP : again * AGAIN_STEP;
    b->again = again < AGAIN_LEAST ? AGAIN_LEAST : again < AGAIN_MOST ? again : AGAIN_MOST;
}

void cc_worth_judge(const struct unit *u)
{
    /* Level 2 counts nothing; who got there has paid (HOT_LEVEL2 of the run loop). */
    bool paid = true;
    if (u->level == 1) {
        /* A round may leave early. */
        uint64_t saved = cc_unit_rounds(u) * u->ninsns * 3 / 4,
                 cost = (uint64_t)u->ninsns * COST_INSN;
        paid = saved >= cost;
        int64_t gain = (int64_t)(saved - cost - u->entered * COST_ENTRY);
        if (__builtin_add_overflow(balance, gain, &balance))
            balance = gain < 0 ? -INT64_MAX : INT64_MAX;
    }
    cc_visit(u->pc, u->rules, set_again, &paid);
}

void cc_worth_settle(void)
{
    if (balance < 0)
        __atomic_store_n(&rest, rest + (uint64_t)-balance / LOSS_PER_ASK, __ATOMIC_RELAXED);
    if (log_enabled(LOG_CACHE))
        log_printf("cache: evicted translations' balance is %lld instructions\n",
                   (long long)balance);
    balance = balance < 0 ? 0 : balance < CREDIT_MOST ? balance : CREDIT_MOST;
}

bool cc_worth_resting(void)
{
    uint64_t left = __atomic_load_n(&rest, __ATOMIC_RELAXED);
    if (!left)
        return false;
    __atomic_store_n(&rest, left - 1, __ATOMIC_RELAXED); /* one of two threads' may be lost */
    return true;
}

void cc_worth_after_fork(void)
{
    balance = 0;
    __atomic_store_n(&rest, 0, __ATOMIC_RELAXED);
}
